//! The collector of diagnostics.

use super::of;

#[test]
fn what_was_collected_is_told() {
    for (component, message, expected) in ROWS {
        assert_eq!(of(component, message), *expected, "{message}");
    }
}

/// Component, message, and what it means.
const ROWS: &[(&str, &str, &str)] = &[
    (
        "com.docker.diagnose",
        "gathering rotated: <HOME>/.docker/desktop/log/host/com.docker.backend.log.8",
        "Application diagnostics | diagnostics are collected | host_path=<HOME>/.docker/desktop/log/host/com.docker.backend.log.8",
    ),
    (
        "com.docker.diagnose",
        "gathering: <HOME>/.docker/config.json",
        "Application diagnostics | diagnostics are collected | host_path=<HOME>/.docker/config.json",
    ),
    (
        "com.docker.diagnose.exe",
        r#"Gathering: C:\ProgramData\DockerDesktop\service.txt"#,
        r#"Application diagnostics | diagnostics are collected | host_path=C:\ProgramData\DockerDesktop\service.txt"#,
    ),
    (
        "com.docker.diagnose.exe",
        "Executing: [hcsdiag list]",
        "Application diagnostics | diagnostics are collected | command=hcsdiag list",
    ),
    (
        "com.docker.diagnose.exe",
        "Gathering netsh interface (timeout 15s) took 190.913ms",
        "Application diagnostics | diagnostics are collected",
    ),
    ("com.docker.diagnose.exe", "set path configuration to OnHost", "log"),
];
