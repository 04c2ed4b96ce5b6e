//! WSL and Kubernetes.

use super::of;

#[test]
fn integrations_are_told() {
    for (component, message, expected) in ROWS {
        assert_eq!(of(component, message), *expected, "{message}");
    }
}

/// Component, message, and what it means.
const ROWS: &[(&str, &str, &str)] = &[
    (
        "WSL2Provisioning",
        r#"deploying WSL distro docker-desktop to C:\Users\u\AppData\Local\Docker\wsl\distro"#,
        r#"Engine vm_create | the engine's WSL distribution is set up | meaning=Start Time | wsl_distribution=docker-desktop | host_path=C:\Users\u\AppData\Local\Docker\wsl\distro"#,
    ),
    (
        "com.docker.backend.exe.wslexec",
        "running /mnt/wsl/docker-desktop/docker-desktop-user-distro proxy --distro-name Ubuntu --docker-desktop-root /mnt/wsl",
        "Engine wsl_integration | the engine is lent to a WSL distribution | wsl_distribution=Ubuntu",
    ),
];
