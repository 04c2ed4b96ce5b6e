//! The engine's disk.

use super::of;

#[test]
fn a_disk_that_is_moved_attached_or_let_go_is_told() {
    for (component, message, expected) in ROWS {
        assert_eq!(of(component, message), *expected, "{message}");
    }
}

/// Component, message, and what it means.
const ROWS: &[(&str, &str, &str)] = &[
    (
        "com.docker.backend.exe",
        r#"moving WSL data disk from "" to "D:\\ddd\\DockerDesktopWSL""#,
        r#"Engine disk_move | the engine's disk is moved | path=D:\ddd\DockerDesktopWSL"#,
    ),
    (
        "com.docker.backend.exe",
        r#"failed to rename, use copy: rename <HOME>\AppData\Local\Docker\wsl\data\ext4.vhdx D:\ddd\DockerDesktopWSL\ext4.vhdx: The system cannot move the file to a different disk drive."#,
        r#"Engine disk_copy | the engine's disk is copied, since it cannot be moved | former_path=<HOME>\AppData\Local\Docker\wsl\data\ext4.vhdx | path=D:\ddd\DockerDesktopWSL\ext4.vhdx | error=The system cannot move the file to a different disk drive."#,
    ),
    (
        "com.docker.backend.exe",
        "unmounting data disk",
        "Engine disk_detach | the engine's disk is let go",
    ),
    (
        "wsl-bootstrap",
        "provisioning data via data disk with id: 3d3e456b-0000-4000-8000-000000000001",
        "Engine disk_attach | the engine's disk is attached | disk_identifier=3d3e456b-0000-4000-8000-000000000001",
    ),
    (
        "com.docker.virtualization",
        "Disk 0 (/Users/u/Library/Containers/com.docker.docker/Data/vms/0/data/Docker.raw) caching is enabled",
        "Engine disk_attach | the engine's disk is attached | path=/Users/u/Library/Containers/com.docker.docker/Data/vms/0/data/Docker.raw",
    ),
    (
        "HyperV",
        r#"Attach VHD C:\Users\Public\Documents\Hyper-V\Virtual Hard Disks\MobyLinuxVM.vhdx"#,
        r#"Engine disk_attach | the engine's disk is attached | path=C:\Users\Public\Documents\Hyper-V\Virtual Hard Disks\MobyLinuxVM.vhdx"#,
    ),
    (
        "OptimizeDisk",
        "Optimize",
        "Engine disk_compact | the engine's disk is made smaller, where something was deleted | meaning=Update Time",
    ),
    (
        "Installer",
        r#"Could not unmount disk\docker_data.vhdx: access denied"#,
        "Engine disk_detach_failed | the engine's disk could not be let go",
    ),
];
