//! Journals that journald wrote become events.
#![cfg(test)]

use crate::case::{Case, Outcome};
use serde_json::Value;

const CONTAINER: &str = "01afc5bdfb4c359054b68a1aa8195910aa85b3972a1dbd1df070cb25e29c039b";
const PODMAN: &str = "2e722c80f77229493b25e0ebc072cd2601fdd153a86dbbd6efbbb2aaab078832";
const ENGINE: &[u8] = include_bytes!(
    "../../../../testdata/host.journal/engine/evidence/var/log/journal/0f1e2d3c4b5a69788796a5b4c3d2e1f0/system.journal"
);
const ENCODINGS: [&[u8]; 3] = [
    include_bytes!("../../../../testdata/journal/compact-zstd-keyed.journal.zst"),
    include_bytes!("../../../../testdata/journal/regular-plain-keyed.journal.zst"),
    include_bytes!("../../../../testdata/journal/regular-zstd-unkeyed.journal.zst"),
];

fn read(journal: impl Into<Vec<u8>>) -> Outcome {
    Case::default().with("var/log/journal/0f1e/system.journal", journal).read("host.journal")
}

#[test]
fn three_encodings_of_the_same_entries_give_the_same_events() {
    let mut outcomes = Vec::new();
    for encoding in ENCODINGS {
        let mut decoder = zstd::stream::read::Decoder::new(encoding).unwrap();
        decoder.window_log_max(27).unwrap();
        let mut journal = Vec::new();
        std::io::Read::read_to_end(&mut decoder, &mut journal).unwrap();
        let mut outcome = read(journal);
        assert_eq!(outcome.issues, [""; 0]);
        assert_eq!((outcome.records, outcome.unconcerned), (1_133, 0));
        for event in &mut outcome.events {
            let event = event.as_object_mut().unwrap();
            event.remove("source_locator");
            event.remove("event_identifier");
        }
        outcomes.push(outcome.events);
    }
    // 60 lines and one of three pieces, of the journald log driver, and 1,070 messages of daemons,
    // of which some kills tell of the request before them.
    let [compact, plain, unkeyed] = &outcomes[..] else { panic!() };
    let is_line = |event: &&Value| event["data_type"] == "docker:container:log:entry";
    assert_eq!(compact.iter().filter(is_line).count(), 61);
    assert!(compact.len() >= 1_131);
    assert!(compact == plain && plain == unkeyed);
}

#[test]
fn lines_of_containers_are_joined_and_attributed() {
    let outcome = read(ENGINE);
    let lines: Vec<&Value> =
        outcome.all("log").into_iter().filter(|e| e["log_source"].is_string()).collect();
    let of_docker: Vec<&&Value> =
        lines.iter().filter(|line| line["container_identifier"] == CONTAINER).collect();
    assert_eq!(of_docker.len(), 6);
    for line in &of_docker {
        assert_eq!(
            (&line["container_name"], &line["image_name"]),
            (&"web".into(), &"lab/web:1".into())
        );
        assert_eq!(line["program"], "web-tag");
    }
    let with = |key: &str| lines.iter().find(|line| !line[key].is_null()).copied().unwrap();
    let long = with("pieces");
    assert_eq!(long["pieces"], 2);
    assert_eq!(long["message_body"].as_str().unwrap().len(), 16_384 + 20);
    let never = with("incomplete");
    assert_eq!(never["message"], "[web] never finished ");
    let first = lines.iter().find(|line| line["message"] == "[web] listening on :80").unwrap();
    assert_eq!(first["datetime_ns"], "2026-11-22T02:04:04.123456789Z", "the driver's own time");
    let errors = lines.iter().filter(|line| line["log_source"] == "stderr").count();
    assert_eq!(errors, 2);
    let of_podman = lines.iter().find(|line| line["container_identifier"] == PODMAN).unwrap();
    assert_eq!(of_podman["data_type"], "podman:container:log:entry");
}

#[test]
fn events_of_podman_are_told_with_the_verbs_of_all_engines() {
    let outcome = read(ENGINE);
    let events: Vec<&Value> =
        outcome.events.iter().filter(|event| event["data_type"] == "podman:event").collect();
    let actions: Vec<&str> = events.iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["create", "start", "exec", "exec_die", "die", "destroy", "pull"]);
    assert_eq!(events[0]["datetime_ns"], "2026-11-22T02:05:01.500000000Z");
    assert_eq!((&events[4]["exit_code"], &events[4]["container_name"]), (&7.into(), &"box".into()));
    assert_eq!(events[6]["image_name"], "docker.io/lab/box:1");
}

#[test]
fn what_is_not_about_containers_is_only_counted() {
    let outcome = read(ENGINE);
    // sshd, and three messages of journald about itself.
    assert_eq!((outcome.records, outcome.unconcerned), (24, 4));
    assert_eq!(outcome.all("daemon_start").len(), 1);
}
