//! What installations leave, in the places of Windows.

use super::version::program;
use crate::case::Case;
use serde_json::json;

const TEMP: &str = "Users/ann/AppData/Local/Temp";

#[test]
fn the_directory_of_an_installer_says_when_it_was_started() {
    let found = Case::default()
        .with(
            &format!(
                "{TEMP}/DockerDesktopInstallers/1777691339332989700/Docker Desktop Installer.exe"
            ),
            "MZ",
        )
        .with(&format!("{TEMP}/DockerDesktopInstallers/1777691339332989700/DockerDesktop.d4w"), "")
        .with(&format!("{TEMP}/DockerDesktopInstallers/1766052637469153300/DockerDesktop.d4w"), "")
        .with(&format!("{TEMP}/DockerDesktopInstallers/99/DockerDesktop.d4w"), "")
        .read("desktop.install");
    let started = found.all("install_start");
    let mut times: Vec<&str> =
        started.iter().map(|event| event["datetime_ns"].as_str().unwrap()).collect();
    times.sort_unstable();
    assert_eq!(times, ["2025-12-18T10:10:37.469153300Z", "2026-05-02T03:08:59.332989700Z"]);
    assert_eq!(
        (&started[0]["time_confidence"], &started[0]["user_name"]),
        (&json!("recorded"), &json!("ann"))
    );
    assert_eq!(found.issues.len(), 1, "{:?}", found.issues);
}

#[test]
fn an_updater_names_the_builds_that_it_leads_from_and_to() {
    let updates = format!("{TEMP}/DockerDesktopUpdates");
    let found = Case::default()
        .with(&format!("{updates}/Docker Desktop Updater-217644 (222858).exe"), "MZ")
        .with(&format!("{updates}/Docker Desktop Installer (226574).exe"), "MZ")
        .read("desktop.install");
    let mut told: Vec<&str> = found
        .all("update_download")
        .iter()
        .map(|event| event["message"].as_str().unwrap())
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            "update of Docker Desktop from 4.59.0 (build 217644) to 4.67.0 (build 222858) downloaded",
            "update of Docker Desktop to build 226574 downloaded",
        ]
    );
}

#[test]
fn installed_programs_say_their_version() {
    let found = Case::default()
        .with("Program Files/Docker/Docker/Docker Desktop.exe", program([4, 34, 0, 0]))
        .with("Program Files/Docker/Docker.staging/Docker Desktop.exe", "MZ")
        .with("ProgramData/DockerDesktop/install-settings.json", r#"{"noWindowsContainers": true}"#)
        .with("ProgramData/DockerDesktop/version-packs/community/pack.json", "{}")
        .with(&format!("{TEMP}/DockerDesktop/abcdefghijk/Docker Desktop Installer.exe"), "MZ")
        .read("desktop.install");
    let program = found.only("install_end");
    assert_eq!(program["message"], "program of Docker Desktop, version 4.34.0.0");
    assert_eq!(program["desktop_version"], "4.34.0.0");
    assert_eq!(
        found.only("install_failed")["message"],
        "installation of Docker Desktop that was not finished; it names no version"
    );
    assert_eq!(found.only("install_settings")["settings"], json!(["noWindowsContainers=true"]));
    assert_eq!(found.only("install_package")["version_pack"], "community");
    assert_eq!(found.all("install_relaunch").len(), 1);
    assert_eq!(found.issues, [""; 0]);
}
