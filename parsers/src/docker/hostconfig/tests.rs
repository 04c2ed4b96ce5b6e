//! The event of the settings, and damage of every kind.
#![cfg(test)]

use crate::case::{Case, Outcome};
use serde_json::{Value, json};

const ID: &str = "bdddefb597a3873178128665e5e5bb0f252e7cd0aa90880273b9fb7fcbeada65";
const REAL: &str = "docker.hostconfig/privileged/evidence/var/lib/docker/containers";

fn real(name: &str) -> Vec<u8> {
    let path = format!("{}/../testdata/{REAL}/{ID}/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

fn directory(name: &str) -> String {
    format!("var/lib/docker/containers/{ID}/{name}")
}

fn read(case: Case) -> Outcome {
    case.read("docker.hostconfig")
}

#[test]
fn a_real_privileged_container_is_told_with_its_name_and_severity() {
    let case = Case::default()
        .with(&directory("config.v2.json"), real("config.v2.json"))
        .with(&directory("hostconfig.json"), real("hostconfig.json"));
    let outcome = read(case);
    assert_eq!((outcome.issues.len(), outcome.records), (0, 1));
    let written = outcome.only("write");
    assert_eq!(
        written["message"],
        "[priv] container settings last written; high escape-risk:privileged"
    );
    assert_eq!(written["time_confidence"], "filesystem");
    assert_eq!(written["privileged"], true);
    assert_eq!(written["tag"], json!(["escape-risk:privileged", "note:cgroupns-host"]));
    assert_eq!(written["risks"][0], "high escape-risk:privileged");
    assert_eq!(written["security_options"], json!(["label=disable"]));
}

#[test]
fn settings_without_a_configuration_are_judged_all_the_same() {
    let host = json!({"PidMode": "host", "CapAdd": ["SYS_PTRACE"]}).to_string();
    for path in [directory("hostconfig.json"), "pieces/hostconfig.json".to_owned()] {
        let outcome = read(Case::default().with(&path, host.clone()));
        let expected = "container settings last written; \
                        high escape-risk:cap-add:SYS_PTRACE, high escape-risk:pid-host";
        assert!(outcome.only("write")["message"].as_str().unwrap().ends_with(expected));
    }
}

#[test]
fn a_token_of_a_log_driver_is_shown_and_marked() {
    let host = json!({"LogConfig": {"Type": "splunk", "Config": {"splunk-token": "t0"}}});
    let outcome = read(Case::default().with(&directory("hostconfig.json"), host.to_string()));
    let written = outcome.only("write");
    assert_eq!(written["log_options"], json!(["splunk-token=t0"]));
    assert_eq!(written["possible_secrets"], json!(["splunk-token"]));
    assert_eq!(written["tag"], json!(["note:log-driver:splunk", "possible-secret"]));
}

#[test]
fn a_leftover_has_the_risks_of_its_own_version() {
    let case = Case::default()
        .with(&directory("hostconfig.json"), "{\"Binds\":null}")
        .with(&directory(".tmp-hostconfig.json77"), "{\"Privileged\":true}");
    let outcome = read(case);
    let written = outcome.all("write");
    let leftover: Vec<&&Value> = written.iter().filter(|e| e["leftover"] == true).collect();
    assert_eq!(leftover[0]["tag"], json!(["escape-risk:privileged"]));
    let current: Vec<&&Value> = written.iter().filter(|e| e["leftover"].is_null()).collect();
    assert_eq!(current[0]["tag"], Value::Null);
}

#[test]
fn a_value_of_a_wrong_type_costs_only_itself() {
    let host = json!({"Privileged": "true", "CapAdd": ["ALL", 5, {}], "RestartPolicy": "always",
        "Memory": "64m", "Dns": null, "MemorySwappiness": -1, "Isolation": 0});
    let outcome = read(Case::default().with(&directory("hostconfig.json"), host.to_string()));
    let keys: Vec<&str> =
        outcome.issues.iter().filter_map(|i| i.split_once(" key:")).map(|i| i.1).collect();
    assert_eq!(
        keys,
        [
            "RestartPolicy: not an object, but a string (malformed)",
            "Privileged: not true or false, but a string (malformed)",
            "CapAdd[2]: not a string, but an object (malformed)",
            "Memory: not an integer, but a string (malformed)",
        ]
    );
    assert_eq!(outcome.only("write")["cap_add"], json!(["ALL", "5"]));
}

#[test]
fn damage_is_one_issue_and_the_time_of_the_file_remains() {
    let whole = real("hostconfig.json");
    for content in [whole[..100].to_vec(), vec![0; 512], Vec::new()] {
        let outcome = read(Case::default().with(&directory("hostconfig.json"), content));
        assert_eq!((outcome.issues.len(), outcome.records), (1, 0));
        assert_eq!(outcome.only("write")["container_identifier"], ID);
    }
}

#[test]
fn no_cut_and_no_flipped_bit_makes_it_panic() {
    let whole = real("hostconfig.json");
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        for content in [whole[..at].to_vec(), flipped] {
            let outcome = read(Case::default().with(&directory("hostconfig.json"), content));
            assert_eq!(outcome.events.len(), 1);
        }
    }
}
