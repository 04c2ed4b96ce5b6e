//! Status files of containers, and files of sandboxes, to whole events.

use crate::case::Case;

const ID: &str = "63022f3e033f38bdf0db5b1c32d242c8ab886f2b5f928a4bcd158dea9b311caa";

fn status(json: &str) -> crate::case::Outcome {
    let path = format!("c/io.containerd.grpc.v1.cri/containers/{ID}/status");
    Case::default().with(&path, json).read("containerd.cri")
}

#[test]
fn a_life_is_told_from_nanoseconds() {
    let found = status(
        r#"{"Version":"v1","Pid":0,"CreatedAt":1714564800000000001,"StartedAt":1714564801000000000,
        "FinishedAt":1714564802500000000,"ExitCode":137,"Reason":"OOMKilled","Message":""}"#,
    );
    let end = found.only("die");
    assert_eq!(found.only("create")["datetime_ns"], "2024-05-01T12:00:00.000000001Z");
    assert_eq!(found.only("start")["message"], "[63022f3e033f] container started");
    assert_eq!(end["message"], "[63022f3e033f] container exited with code 137: OOMKilled");
    assert_eq!((end["exit_code"].as_i64(), end["tag"][0].as_str()), (Some(137), Some("oom")));
    assert_eq!((found.issues.len(), found.records), (0, 1));
}

#[test]
fn a_container_that_ran_to_the_end_has_its_process() {
    let found = status(
        r#"{"Version":"v1","Pid":77,"CreatedAt":1714564800000000000,"StartedAt":1714564801000000000,
        "FinishedAt":0,"ExitCode":0}"#,
    );
    assert_eq!(found.events.len(), 2);
    assert_eq!(found.only("start")["pid"], 77);
    assert!(
        found.only("start")["message"].as_str().unwrap().ends_with("nothing says that it ended")
    );
}

#[test]
fn an_end_that_nobody_saw_is_inferred() {
    let found = status(
        r#"{"Version":"v1","CreatedAt":0,"StartedAt":1714564801000000000,
        "FinishedAt":1714564802000000000,"ExitCode":255,"Reason":"Unknown"}"#,
    );
    assert_eq!(found.only("die")["time_confidence"], "inferred");
}

#[test]
fn other_versions_and_impossible_times_are_named() {
    let found = status(r#"{"Version":"v2","CreatedAt":1}"#);
    assert!(found.events.is_empty() && found.issues[0].contains("version \"v2\""));
    let found = status(r#"{"Version":"v1","CreatedAt":"soon","StartedAt":-5}"#);
    assert_eq!((found.events.len(), found.issues.len()), (1, 1), "{found:?}");
}

#[test]
fn a_sandbox_was_set_up_when_its_files_were_written() {
    let sandbox = format!("c/io.containerd.grpc.v1.cri/sandboxes/{ID}");
    let found = Case::default()
        .with(&format!("{sandbox}/hostname"), "web-0\n")
        .with(&format!("{sandbox}/resolv.conf"), "nameserver 10.96.0.10\nsearch svc\n")
        .read("containerd.cri");
    assert_eq!(found.events[0]["container_hostname"], "web-0");
    assert_eq!(found.events[1]["name_servers"][0], "10.96.0.10");
    assert_eq!((found.events.len(), found.issues.len()), (2, 0));
}
