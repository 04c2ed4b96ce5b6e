//! Each pitfall of these files, and damage of every kind.
#![cfg(test)]

use crate::case::{Case, Outcome};
use serde_json::{Value, json};

const ID: &str = "0339c0ad8aad98690a592477f9d9562edaee545555494100fd52bbe59821409d";
const OTHER: &str = "2e722c80f77229493b25e0ebc072cd2601fdd153a86dbbd6efbbb2aaab078832";
const REAL: &str = "docker.container_config/health-probes/evidence/var/lib/docker/containers";

fn real(name: &str) -> Vec<u8> {
    let path = format!("{}/../testdata/{REAL}/{ID}/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

fn directory(name: &str) -> String {
    format!("var/lib/docker/containers/{ID}/{name}")
}

fn read(case: Case) -> Outcome {
    case.read("docker.container_config")
}

fn read_config(config: &Value) -> Outcome {
    let mut config = config.clone();
    config.as_object_mut().unwrap().entry("ID").or_insert(json!(ID));
    let outcome = read(Case::default().with(&directory("config.v2.json"), config.to_string()));
    assert_eq!(outcome.issues, [""; 0]);
    outcome
}

fn state(state: Value) -> Outcome {
    read_config(&json!({"Created": "2026-01-01T00:00:00Z", "State": state}))
}

fn text<'a>(event: &'a Value, field: &str) -> &'a str {
    event[field].as_str().unwrap_or_default()
}

#[test]
fn a_real_container_gives_its_whole_life_to_the_nanosecond() {
    let case = Case::default()
        .with(&directory("config.v2.json"), real("config.v2.json"))
        .with(&directory("hostconfig.json"), real("hostconfig.json"));
    let outcome = read(case);
    assert_eq!((outcome.issues.len(), outcome.records), (0, 1));
    let instants = ["create", "start", "die"].map(|step| text(outcome.only(step), "datetime_ns"));
    assert_eq!(
        instants,
        [
            "2026-11-21T21:54:03.124823432Z",
            "2026-11-21T21:55:44.900858650Z",
            "2026-11-21T21:56:11.856304855Z"
        ]
    );
    assert_eq!(outcome.all("health").len(), 5);
    let created = outcome.only("create");
    assert_eq!(created["message"], "[web] container created from lab/web:classic");
    assert_eq!(created["container_identifier"], ID);
    assert_eq!(created["command_line"], "/usr/local/bin/app.sh");
    assert_eq!(created["network_name"], "app_net");
    assert_eq!(created["possible_secrets"], json!(["DB_PASSWORD", "API_KEY"]));
    assert_eq!(created["mounts"][1], "/srv/app:/etc/app:ro (bind)");
    assert_eq!(
        created["port_bindings"],
        json!(["0.0.0.0:8443->443/udp", "127.0.0.1:8080->80/tcp"])
    );
    assert_eq!(outcome.only("start")["restart_policy"], "always");
    assert_eq!(outcome.only("die")["exit_code"], 137);
}

#[test]
fn the_time_of_the_file_is_no_time_of_the_container() {
    let outcome = state(json!({"StartedAt": "2026-01-02T00:00:00Z"}));
    let written = outcome.only("write");
    assert_eq!(written["time_confidence"], "filesystem");
    assert_eq!(written["datetime_ns"], "2026-01-01T00:00:00.000000000Z");
    assert!(text(written, "message").contains("state change or daemon start"));
}

#[test]
fn exit_code_255_may_have_been_stamped_by_a_daemon_start() {
    let times = json!({"ExitCode": 255, "StartedAt": "2026-01-02T00:00:00Z",
        "FinishedAt": "2026-01-03T00:00:00Z"});
    let outcome = state(times);
    let ended = outcome.only("die");
    assert_eq!(ended["time_confidence"], "inferred");
    assert_eq!(
        (&ended["exit_code"], text(ended, "datetime_ns")),
        (&json!(255), "2026-01-03T00:00:00.000000000Z")
    );
    assert!(text(ended, "message").contains("the end may have been earlier"));
}

#[test]
fn while_a_container_runs_its_end_is_that_of_the_run_before() {
    let outcome = state(json!({"Running": true, "Pid": 4711, "ExitCode": 0,
        "StartedAt": "2026-01-03T00:00:00Z", "FinishedAt": "2026-01-02T00:00:00Z"}));
    let ended = outcome.only("die");
    assert_eq!(ended["exit_code"], Value::Null);
    assert!(text(ended, "message").contains("previous run"));
    assert_eq!(ended["time_confidence"], "recorded");
    let started = outcome.only("start");
    assert_eq!((&started["pid"], &started["state"]), (&json!(4711), &json!("running")));
    assert!(text(started, "message").contains("still running when this was written"));
}

#[test]
fn an_end_of_a_container_marked_as_running_has_no_exit_code() {
    let outcome = state(json!({"Running": true, "ExitCode": 0,
        "StartedAt": "2026-01-02T00:00:00Z", "FinishedAt": "2026-01-03T00:00:00Z"}));
    assert_eq!(outcome.only("die")["exit_code"], Value::Null);
    assert!(text(outcome.only("die"), "message").contains("though marked as running"));
}

#[test]
fn a_short_run_may_end_before_its_start_and_is_not_running() {
    let outcome = state(json!({"Running": false, "ExitCode": 3,
        "StartedAt": "2020-07-20T15:32:16.21915337Z",
        "FinishedAt": "2020-07-20T15:32:16.218028955Z"}));
    let ended = outcome.only("die");
    assert_eq!((&ended["exit_code"], &ended["finished_before_start"]), (&json!(3), &json!(true)));
    assert_eq!(ended["time_confidence"], "recorded");
    assert!(!text(outcome.only("start"), "message").contains("running"));
}

#[test]
fn a_crash_loop_keeps_the_exit_code_of_its_last_round() {
    let outcome = state(json!({"Running": true, "Restarting": true, "ExitCode": 7,
        "StartedAt": "2026-01-03T00:00:01Z", "FinishedAt": "2026-01-03T00:00:00Z"}));
    assert_eq!(outcome.only("die")["exit_code"], 7);
    assert!(text(outcome.only("die"), "message").contains("to be restarted by its policy"));
}

#[test]
fn go_s_zero_times_never_come_out() {
    let zero = "0001-01-01T00:00:00Z";
    let outcome = read_config(&json!({"Created": zero, "State": {"StartedAt": zero,
        "FinishedAt": zero, "Health": {"Log": [{"Start": zero, "End": zero}]}}}));
    assert_eq!(outcome.events.len(), 1);
    assert_eq!(outcome.only("write")["state"], "created");
}

#[test]
fn a_failed_start_is_told_at_the_creation() {
    let outcome = state(json!({"ExitCode": 127, "Error": "exec: \"/no\": no such file\n",
        "StartedAt": "0001-01-01T00:00:00Z"}));
    let created = outcome.only("create");
    assert_eq!(created["exit_code"], 127);
    let told = "could not be started (exit code 127): exec: \"/no\": no such file";
    assert!(text(created, "message").ends_with(told), "{created}");
    let outcome = state(json!({"ExitCode": 0}));
    assert!(text(outcome.only("create"), "message").ends_with("never started"));
}

#[test]
fn probes_with_a_local_offset_are_in_utc_and_tell_all_of_their_output() {
    let outcome = state(json!({"StartedAt": "2026-01-01T00:00:00Z", "Health": {"Log": [
        {"Start": "2026-01-02T05:06:07.5+02:00", "End": "2026-01-02T05:06:08+02:00",
            "ExitCode": 1, "Output": "first\nsecond"},
        {"Start": null, "End": "2026-01-02T03:06:08Z", "ExitCode": -1},
    ]}}));
    let probes = outcome.all("health");
    assert_eq!(probes[0]["datetime_ns"], "2026-01-02T03:06:07.500000000Z");
    assert_eq!(probes[0]["probe_end"], "2026-01-02T03:06:08.000000000Z");
    assert_eq!(probes[0]["probe_output"], "first\nsecond");
    assert_eq!(probes[0]["source_locator"], "key:State.Health.Log[0]");
    assert_eq!(probes[1]["timestamp_desc"], "End Time");
    assert!(text(probes[1], "message").contains("did not finish"));
}

#[test]
fn probes_without_end_are_limited() {
    let probe = json!({"Start": "2026-01-02T00:00:00Z"});
    let config = json!({"ID": ID, "State": {"Health": {"Log": vec![probe; 1_000]}}});
    let outcome = read(Case::default().with(&directory("config.v2.json"), config.to_string()));
    assert_eq!(outcome.all("health").len(), super::life::PROBE_LIMIT);
    assert!(
        outcome.issues[0]
            .ends_with("more than 100 health probes, the rest is not read (limit reached)")
    );
}

#[test]
fn a_file_of_another_container_belongs_to_its_directory_and_says_so() {
    let config = json!({"ID": OTHER, "Created": "2026-01-01T00:00:00Z"});
    let outcome = read(Case::default().with(&directory("config.v2.json"), config.to_string()));
    let created = outcome.only("create");
    assert_eq!(created["container_identifier"], ID);
    assert_eq!(
        (&created["recorded_identifier"], &created["tag"]),
        (&json!(OTHER), &json!(["id-mismatch"]))
    );
    assert!(
        outcome.issues[0].contains(&format!("names the container {OTHER}")),
        "{:?}",
        outcome.issues
    );
}

#[test]
fn a_loose_file_is_of_the_container_that_it_names() {
    let config = json!({"ID": ID, "Name": "/web", "Created": "2026-01-01T00:00:00Z"});
    let outcome = read(Case::default().with("found/config.v2.json", config.to_string()));
    let created = outcome.only("create");
    assert_eq!(
        (&created["container_identifier"], &created["container_name"]),
        (&json!(ID), &json!("web"))
    );
}

#[test]
fn the_metadata_of_engines_before_1_10_are_read() {
    let config = json!({"ID": ID, "Created": "2016-01-07T16:49:08.507979539Z", "ExecDriver": "native-0.2",
        "Config": {"Image": "577149231a20", "Entrypoint": null}, "Volumes": {"/data": "/data"},
        "VolumesRW": {"/data": true}, "State": {"Running": true, "Pid": 143648,
        "StartedAt": "2016-01-07T16:49:08.67487377Z", "FinishedAt": "0001-01-01T00:00:00Z"}});
    let outcome = read(Case::default().with(&directory("config.json"), config.to_string()));
    assert_eq!(outcome.issues, [""; 0]);
    assert_eq!(outcome.only("create")["mounts"], json!(["/data:/data:rw (mount)"]));
    assert_eq!(outcome.only("create")["image_name"], "577149231a20");
}

#[test]
fn the_leftover_of_an_interrupted_write_gives_only_what_the_current_file_does_not() {
    let current = json!({"ID": ID, "Created": "2026-01-01T00:00:00Z", "Name": "/new",
        "State": {"StartedAt": "2026-01-03T00:00:00Z", "Running": true}});
    let earlier = json!({"ID": ID, "Created": "2026-01-01T00:00:00Z", "Name": "/old",
        "State": {"StartedAt": "2026-01-02T00:00:00Z", "Running": true}});
    let case = Case::default()
        .with(&directory("config.v2.json"), current.to_string())
        .with(&directory(".tmp-config.v2.json2271"), earlier.to_string());
    let outcome = read(case);
    assert_eq!(outcome.all("create").len(), 1);
    let starts: Vec<_> = outcome.all("start").iter().map(|e| text(e, "datetime_ns")).collect();
    assert_eq!(starts.len(), 2);
    let leftover: Vec<_> = outcome.events.iter().filter(|e| e["leftover"] == true).collect();
    assert_eq!(leftover.len(), 2);
    assert!(text(leftover[0], "message").contains("an interrupted write left"));
    assert!(text(leftover[1], "message").contains("earlier version"));
}

#[test]
fn damage_of_every_kind_is_one_issue_and_the_time_of_the_file_remains() {
    let whole = real("config.v2.json");
    let cut = whole[..1_000].to_vec();
    for (content, what) in [
        (cut, "offset:1000: cut off"),
        (vec![0; 4_486], "offset:0: 4486 NUL bytes and nothing else"),
        (Vec::new(), "offset:0: the file is empty"),
        (b"not json".to_vec(), "offset:1: no JSON"),
        ("[".repeat(1_000).into_bytes(), "JSON nested deeper than 127 levels (limit reached)"),
    ] {
        let outcome = read(Case::default().with(&directory("config.v2.json"), content));
        assert_eq!(outcome.issues.len(), 1);
        assert!(outcome.issues[0].contains(what), "{:?}", outcome.issues);
        assert_eq!((outcome.events.len(), outcome.records), (1, 0));
        assert_eq!(outcome.only("write")["container_identifier"], ID);
    }
}

#[test]
fn a_value_of_a_wrong_type_costs_only_itself() {
    let config = json!({"ID": ID, "Created": 7, "Name": "/web", "Config": {"Env": "A=b", "Labels": []},
        "State": {"Pid": "x", "ExitCode": 3, "FinishedAt": "2026-01-02T00:00:00Z"}});
    let outcome = read(Case::default().with(&directory("config.v2.json"), config.to_string()));
    let keys: Vec<&str> =
        outcome.issues.iter().filter_map(|i| i.split_once(" key:")).map(|i| i.1).collect();
    assert_eq!(
        keys,
        [
            "Created: \"7\": not an RFC 3339 time: wrong at byte 1 (malformed)",
            "State.Pid: not an integer, but a string (malformed)",
            "Config.Labels: not an object, but a list (malformed)",
        ]
    );
    assert_eq!(outcome.only("die")["exit_code"], 3);
    assert_eq!(outcome.only("write")["environment"], json!(["A=b"]));
}

#[test]
fn no_cut_and_no_flipped_bit_makes_it_panic() {
    let whole = real("config.v2.json");
    for at in (0..whole.len()).step_by(3) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        for content in [whole[..at].to_vec(), flipped] {
            let outcome = read(Case::default().with(&directory("config.v2.json"), content));
            assert!(!outcome.events.is_empty());
        }
    }
}
