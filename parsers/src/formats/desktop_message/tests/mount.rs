//! Directories of the host.

use super::of;

#[test]
fn a_bind_mount_says_which_directory_it_was() {
    for (component, message, expected) in ROWS {
        assert_eq!(of(component, message), *expected, "{message}");
    }
}

/// Component, message, and what it means.
const ROWS: &[(&str, &str, &str)] = &[
    (
        "com.docker.backend.exe.wsldistroproxy",
        "mounting /mnt/d/my src to /mnt/wsl/docker-desktop-bind-mounts/Ubuntu-22.04/abac646bc3d6076b3e0f0186c13b917b3ab78993ca80a2aaceacac3c911d9369",
        "Container mount | directory of the host given to a container | host_path=/mnt/d/my src | mount_point=/mnt/wsl/docker-desktop-bind-mounts/Ubuntu-22.04/abac646bc3d6076b3e0f0186c13b917b3ab78993ca80a2aaceacac3c911d9369 | wsl_distribution=Ubuntu-22.04",
    ),
    (
        "GoBackendProcess",
        r#"grpcfuseClient.VolumeApprove([host=C:\Users\u\src,VM=/host_mnt/c/Users/u/src,dst=/src,option=rw])"#,
        r#"Container mount | directory of the host given to a container | host_path=C:\Users\u\src | mount_point=/host_mnt/c/Users/u/src | container_path=/src | access=rw"#,
    ),
    ("com.docker.backend", "mounting something else", "log"),
];
