//! The parts of a node's state, whole and wrong.
#![cfg(test)]

use crate::case::Case;
use serde_json::json;

#[test]
fn a_node_that_was_joined_through_another_says_so() {
    let state = r#"{"LocalAddr":"192.0.2.7","RemoteAddr":"192.0.2.1:2377","AdvertiseAddr":"",
        "ListenAddr":"0.0.0.0:2377","DefaultAddressPool":["10.0.0.0/8"],"JoinInProgress":false}"#;
    let found = Case::default().with("d/swarm/docker-state.json", state).read("docker.swarm");
    let event = found.only("swarm");
    assert_eq!(
        event["message"],
        "membership in a swarm last set: 192.0.2.7; joined through another node"
    );
    assert_eq!(event["address_pools"], json!(["10.0.0.0/8"]));
}

#[test]
fn managers_are_read_under_old_and_new_keys() {
    let managers = r#"[{"node_id":"a","addr":"192.0.2.1:2377"},{"NodeID":"b","Addr":"c"},7]"#;
    let found = Case::default().with("d/swarm/state.json", managers).read("docker.swarm");
    assert_eq!(found.only("swarm")["swarm_managers"], json!(["a 192.0.2.1:2377", "b c"]));
    assert_eq!(found.issues.len(), 1, "{:?}", found.issues);
}

#[test]
fn the_log_of_the_managers_is_named_and_not_read() {
    let path = "d/swarm/raft/wal-v3-encrypted/0-0.wal";
    let found = Case::default().with(path, "x").read("docker.swarm");
    assert!(found.only("write")["message"].as_str().unwrap().contains("wal-v3-encrypted"));
    assert!(found.issues[0].contains("encrypted with the key in the header"), "{:?}", found.issues);
}

#[test]
fn a_private_key_says_whether_it_opens_the_log_and_is_not_shown() {
    let key = "-----BEGIN PRIVATE KEY-----\nkek-version: 0\nraft-dek: U0VDUkVU\n\nQUJD\n";
    let found = Case::default().with("d/swarm/certificates/swarm-node.key", key);
    let found = found.read("docker.swarm");
    let event = found.only("write");
    assert_eq!((&event["tag"], &event["raft_key"]), (&json!(["private-key"]), &json!(true)));
    assert!(!event.to_string().contains("U0VDUkVU"));
}
