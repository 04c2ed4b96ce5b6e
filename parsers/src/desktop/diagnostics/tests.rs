//! Bundles where they lie, and what is in them.

use crate::case::{Case, MODIFIED};
use serde_json::json;

#[test]
fn a_bundle_in_a_directory_for_temporary_files_says_when_it_was_collected() {
    let id = "AFDF33AC-0000-4000-8000-000000000001";
    let found = Case::default()
        .with(&format!("Users/ann/AppData/Local/Temp/{id}/20220709060409.zip"), "PK")
        .with("Users/ann/AppData/Local/Temp/report/2022-report.zip", "PK")
        .with(&format!("tmp/{id}/20230512031610.zip"), "PK")
        .read("desktop.diagnostics");
    let mut told: Vec<_> = found
        .all("diagnostics")
        .iter()
        .map(|event| {
            (
                event["datetime_ns"].clone(),
                event["diagnostics_identifier"].clone(),
                event["user_name"].clone(),
            )
        })
        .collect();
    told.sort_by_key(|told| told.0.to_string());
    assert_eq!(
        told,
        [
            (
                json!("2022-07-09T06:04:09.000000000Z"),
                json!(format!("{id}/20220709060409")),
                json!("ann")
            ),
            (
                json!("2023-05-12T03:16:10.000000000Z"),
                json!(format!("{id}/20230512031610")),
                json!(null)
            ),
        ]
    );
    assert_eq!(found.issues, [""; 0]);
}

#[test]
fn what_is_in_a_bundle_that_was_unpacked_is_named() {
    let found = Case::default()
        .with("diagkit.json", r#"{"checks":{"DD0004":"pass"}}"#)
        .with("system/uname.txt", "Linux")
        .with("system/uname.cmd.txt", "uname -a")
        .with("backend/events.json", "[]")
        .read("desktop.diagnostics");
    let event = found.only("diagnostics");
    assert_eq!(event["datetime"], MODIFIED.replace('Z', ".000000+00:00").as_str());
    assert_eq!(
        event["message"],
        "diagnostics of Docker Desktop collected; outputs of commands and programs, not read: 3"
    );
    assert_eq!(event["checks"], json!(["checks.DD0004=pass"]));
    let outputs = json!(["backend/events.json", "system/uname.cmd.txt", "system/uname.txt"]);
    assert_eq!(event["collected_outputs"], outputs);
    assert_eq!((event.get("host_utc_offset"), found.records), (None, 4));
}
