//! Settings of every generation, and what is left of them.

use crate::case::{Case, MODIFIED};
use serde_json::json;

const ROAMING: &str = "Users/ann/AppData/Roaming/Docker";

fn at_modified() -> String {
    MODIFIED.replace('Z', ".000000+00:00")
}

#[test]
fn settings_of_4_34_are_told_with_their_risks_and_times() {
    let settings = r#"{"settingsVersion":24,"autoStart":false,"tipLastViewedTime":1668070593717,
        "lastLoginDate":0,"exposeDockerAPIOnTCP2375":true,"filesharingDirectories":["C:\\"]}"#;
    let found = Case::default()
        .with(&format!("{ROAMING}/settings.json"), settings)
        .read("desktop.settings");
    let event = found.only("write");
    assert_eq!(event["data_type"], "docker:desktop:settings");
    assert_eq!(event["datetime"], at_modified().as_str());
    assert_eq!(event["time_confidence"], "filesystem");
    assert_eq!(event["user_name"], "ann");
    assert_eq!(
        event["message"],
        "settings of Docker Desktop last written; medium risk:api-on-tcp-without-tls:localhost:2375, \
         medium risk:shared-drive:C:\\"
    );
    assert_eq!(
        event["settings"],
        json!([
            "autoStart=false",
            "exposeDockerAPIOnTCP2375=true",
            "filesharingDirectories=C:\\",
            "lastLoginDate=0",
            "settingsVersion=24",
            "tipLastViewedTime=1668070593717",
        ])
    );
    let tip = found.only("activity");
    assert_eq!(tip["datetime_ns"], "2022-11-10T08:56:33.717000000Z");
    assert_eq!(
        (&tip["source_locator"], &tip["user_name"]),
        (&json!("key:tipLastViewedTime"), &json!("ann"))
    );
    assert_eq!((found.events.len(), found.issues.len(), found.records), (2, 0, 1));
}

#[test]
fn the_sample_of_the_new_store_is_read_with_its_byte_order_mark() {
    let store = "\u{feff}{\"AutoStart\":false,\"DisplayedOnboarding\":true,\"EnableDockerAI\":true,\
        \"LastContainerdSnapshotterEnable\":1777474834,\"LicenseTermsVersion\":2,\"SettingsVersion\":43,\
        \"UseContainerdSnapshotter\":true}";
    let path = "Users/ANN/APPDATA/ROAMING/DOCKER/SETTINGS-STORE.JSON";
    let found = Case::default().with(path, store).read("desktop.settings");
    assert_eq!(found.issues, [""; 0]);
    assert_eq!(found.only("settings_change")["datetime_ns"], "2026-04-29T15:00:34.000000000Z");
    let event = found.only("write");
    assert_eq!(event["user_name"], "ANN");
    assert_eq!(
        event["message"],
        "settings that are not the default of Docker Desktop last written; no risky setting"
    );
}

#[test]
fn zeros_and_cut_files_are_told_with_the_time_at_which_they_were_written() {
    let found = Case::default()
        .with(&format!("{ROAMING}/locked-directories"), [0; 12])
        .with(&format!("{ROAMING}/settings.json"), r#"{"autoStart":fal"#)
        .read("desktop.settings");
    assert_eq!(
        found.only("file_zeroed")["message"],
        "locked directories of Docker Desktop filled with zeros: the host stopped while they were written"
    );
    assert_eq!(
        found.only("write")["message"],
        "settings of Docker Desktop last written; the content cannot be read"
    );
    assert_eq!(found.issues.len(), 2, "{:?}", found.issues);
}

#[test]
fn settings_in_a_bundle_of_diagnostics_are_those_of_its_collection() {
    let found = Case::default()
        .with("diagkit.json", "{}")
        .with("settings-store.json", r#"{"SettingsVersion":40}"#)
        .read("desktop.settings");
    assert_eq!(
        found.only("write")["message"],
        "settings that are not the default of Docker Desktop as diagnostics collected them; no risky setting"
    );
}

#[test]
fn what_else_is_remembered_is_told() {
    let mac = "Users/bob/Library/Group Containers/group.com.docker";
    let linux = "home/eve/.docker/desktop";
    let found = Case::default()
        .with(&format!("{mac}/.trackid"), "5cd93bfa-0d3e-4d0a-8a3c-0b6b8d1b8a11")
        .with(&format!("{mac}/unleash-v2-docker-desktop.json"), "[]")
        .with(&format!("{linux}/backend.error.json"), r#"{"error":"no space"}"#)
        .with("ProgramData/DockerDesktop/registry.json", r#"{"allowedOrgs":["acme"]}"#)
        .with("Users/bob/Library/Containers/com.docker.docker/Data/cagent/session.db", "SQLite")
        .read("desktop.settings");
    let first = found.only("first_use");
    assert_eq!(first["analytics_identifier"], "5cd93bfa-0d3e-4d0a-8a3c-0b6b8d1b8a11");
    assert_eq!(first["user_name"], "bob");
    let crash = found.only("app_crash");
    assert_eq!(crash["message"], "backend of Docker Desktop ended with an error");
    assert_eq!(
        (&crash["error"], &crash["user_name"]),
        (&json!(r#"{"error":"no space"}"#), &json!("eve"))
    );
    let mut told: Vec<&str> =
        found.all("write").iter().map(|event| event["message"].as_str().unwrap()).collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            "feature flags fetched: the host was online; flags of Docker Desktop last written; the content is not read",
            "organizations that may sign in of Docker Desktop last written",
            "sessions of the AI agent, with prompts and calls of tools, of Docker Desktop last written; the content is not read",
        ]
    );
    assert_eq!(found.issues, [""; 0]);
}
