//! Updates.

use super::of;

#[test]
fn updates_are_told() {
    for (component, message, expected) in ROWS {
        assert_eq!(of(component, message), *expected, "{message}");
    }
}

/// Component, message, and what it means.
const ROWS: &[(&str, &str, &str)] = &[
    (
        "Updater",
        "Checking for updates on channel edge...",
        "Install update_check | an update is looked for",
    ),
    (
        "Updater",
        "We got a new version 31274 which is newer than 10625, asking user.",
        "Install update_found | an update was found | former_build=10625 | build=31274",
    ),
    (
        "InstallUpdateWindow",
        r#"Download msi to D:\Temp\tmp142.msi"#,
        r#"Install update_download | an update is downloaded | meaning=Added Time | host_path=D:\Temp\tmp142.msi"#,
    ),
    ("com.docker.backend.exe.updater", "whatever it says", "Install update | the updater says"),
    (
        "UninstallWorkflow",
        "Cancel pending background download",
        "Install update_cancel | the download of an update is given up",
    ),
];
