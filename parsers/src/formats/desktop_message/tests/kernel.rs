//! The kernel of the machine.

use super::of;

#[test]
fn what_the_kernel_says_of_the_file_system_is_told() {
    for (component, message, expected) in ROWS {
        assert_eq!(of(component, message), *expected, "{message}");
    }
}

/// Component, message, and what it means.
const ROWS: &[(&str, &str, &str)] = &[
    (
        "kernel",
        "EXT4-fs (sdd): mounted filesystem 3d3e456b-0000-4000-8000-000000000001 r/w with ordered data mode. Quota mode: none.",
        "Engine fs_mount | the engine's file system is mounted | meaning=Start Time | device=sdd | file_system_identifier=3d3e456b-0000-4000-8000-000000000001",
    ),
    (
        "kernel",
        "EXT4-fs (sdd): recovery complete",
        "Engine fs_recovery | the engine's file system was recovered: it had not been stopped cleanly | device=sdd",
    ),
    (
        "kernel",
        "EXT4-fs (sdd): 1 orphan inode deleted",
        "Engine fs_orphans | files that were open when the engine was stopped are removed | device=sdd",
    ),
    (
        "kernel",
        "EXT4-fs (sdd): Remounting filesystem read-only",
        "Engine fs_read_only | the engine's file system is read-only from now on | device=sdd",
    ),
    (
        "kernel",
        "EXT4-fs error (device sdd): ext4_find_entry:1455: inode #2: comm dockerd: reading directory lblock 0",
        "Engine fs_error | the engine's file system has an error | device=sdd",
    ),
    ("kernel", "EXT4-fs (sdd): some other words", "log"),
];
