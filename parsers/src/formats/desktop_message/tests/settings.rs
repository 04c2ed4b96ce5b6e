//! Settings in a log.

use super::of;

#[test]
fn settings_that_are_dumped_or_changed_are_told() {
    for (component, message, expected) in ROWS {
        assert_eq!(of(component, message), *expected, "{message}");
    }
}

/// Component, message, and what it means.
const ROWS: &[(&str, &str, &str)] = &[
    (
        "com.docker.backend.exe",
        "settings checked: changes: true, restart needed: true",
        "Settings settings_change | settings were changed | meaning=Update Time | restart_needed=true",
    ),
    ("com.docker.backend.exe", "settings checked: changes: false, restart needed: false", "log"),
    (
        "com.docker.backend.exe",
        "changed settings(IntegratedWslDistros) require restart",
        "Settings wsl_integration | integration with WSL distributions was changed | meaning=Update Time | restart_needed=true | changed_settings=IntegratedWslDistros",
    ),
    (
        "com.docker.backend.exe",
        r#"settings write: {"autoStart":false,"customWslDistroDir":"D:\\ddd","integratedWslDistros":["Ubuntu","kali"],"cpus":4}"#,
        r#"Settings settings_write | settings written | meaning=Update Time | settings=autoStart=false + cpus=4 + customWslDistroDir=D:\ddd + integratedWslDistros=Ubuntu + integratedWslDistros=kali"#,
    ),
    (
        "com.docker.backend.exe",
        r#"settings get: {"autoStart":false,"customWslDistroDir":"D:\\ddd","cpus":4}"#,
        r#"Settings settings_read | settings as they were then | settings=customWslDistroDir=D:\ddd"#,
    ),
    (
        "com.docker.backend.exe",
        r#"settings write: {"autoStart":fal"#,
        "Settings settings_write | settings written | meaning=Update Time",
    ),
    (
        "com.docker.backend.exe",
        "setting auto start false",
        "Settings settings_change | settings were changed | meaning=Update Time | settings=autoStart=false",
    ),
    (
        "GoBackendProcess",
        "key: cpus, type: float64, value: 6",
        "Settings settings_read | a setting as it was then | settings=cpus=6",
    ),
    (
        "GoBackendProcess",
        "key: exposeDockerAPIOnTCP2375, type: bool, value: false",
        "Settings settings_read | a setting as it was then | settings=exposeDockerAPIOnTCP2375=false",
    ),
    (
        "GoBackendProcess",
        "&{PlatformSpecificContent:{UseWindowsContainers:false}}",
        "Settings settings_read | settings as they were then",
    ),
];
