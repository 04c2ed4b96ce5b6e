//! Each kind of file of the engine, whole and wrong.
#![cfg(test)]

use crate::case::{Case, Outcome};
use serde_json::json;

fn read(path: &str, content: &str) -> Outcome {
    Case::default().with(path, content).read("docker.engine")
}

const NONE: [&str; 0] = [];

#[test]
fn an_identity_is_told_with_the_time_of_its_file_and_another_text_is_none() {
    let found = read("d/engine-id", "c3f5e53b-b52b-49b9-9d32-c68ed466c84e");
    let event = found.only("create");
    assert_eq!(event["engine_identifier"], "c3f5e53b-b52b-49b9-9d32-c68ed466c84e");
    assert_eq!(event["time_confidence"], "filesystem");
    let migrated =
        read("d/engine-id", "52YJ:3G4G:EBP3:ONR6:JK2F:ZIS7:WDVS:EZQY:XZLN:CTXK:VEBJ:MB4L\n");
    let message = migrated.only("create")["message"].as_str().unwrap();
    assert!(message.ends_with("it is the key id of an engine before 23.0"), "{message}");
    for (wrong, shown) in [("", ""), ("<script>", "<script>")] {
        let found = read("d/engine-id", wrong);
        let issue = format!("case:/d/engine-id: {shown:?} is no identity of an engine (malformed)");
        assert_eq!((found.events.len(), found.issues), (0, vec![issue]));
    }
}

#[test]
fn a_key_with_its_private_part_is_tagged_and_its_private_part_is_not_shown() {
    let found = read("etc/docker/key.json", r#"{"crv":"P-256","d":"fs8D","kid":"A:B","kty":"EC"}"#);
    let event = found.only("create");
    assert_eq!(event["tag"], json!(["private-key"]));
    assert_eq!(
        (&event["engine_identifier"], &event["key_type"]),
        (&json!("A:B"), &json!("EC P-256"))
    );
    assert!(!event.to_string().contains("fs8D"));
    let public = read("etc/docker/key.json", r#"{"kid":"A:B"}"#);
    assert_eq!(public.only("write")["tag"], json!(null));
}

#[test]
fn settings_say_their_risks_and_where_a_password_stands() {
    let found = read(
        "etc/docker/daemon.json",
        r#"{"hosts":["tcp://0.0.0.0:2375"],"proxies":{"https-proxy":"http://u:p@proxy:3128"},
            "log-opts":{"splunk-token":"x"},"live-restore":true}"#,
    );
    let event = found.only("write");
    assert_eq!(
        event["risks"],
        json!([
            "low note:live-restore:true",
            "low note:proxies.https-proxy:http://proxy:3128",
            "high risk:engine-api-without-client-certificates:tcp://0.0.0.0:2375",
        ])
    );
    assert_eq!(event["possible_secrets"], json!(["log-opts.splunk-token", "proxies.https-proxy"]));
    assert!(event["tag"].as_array().unwrap().contains(&json!("possible-secret")));
    assert_eq!(event["settings"][1], "live-restore=true");
    assert_eq!(found.issues, NONE);
}

#[test]
fn settings_that_cannot_be_read_leave_their_time() {
    for path in ["etc/docker/daemon.json", "etc/containerd/config.toml"] {
        let found = read(path, "{\"hosts\": [");
        assert!(found.only("write")["message"].as_str().unwrap().contains("cannot be read"));
        assert_eq!(found.issues.len(), 1, "{:?}", found.issues);
    }
    let issue = &read("etc/containerd/config.toml", "root = 1\nstate =\n").issues[0];
    assert!(issue.starts_with("case:/etc/containerd/config.toml offset:"), "{issue}");
}

#[test]
fn a_drop_in_gives_the_settings_of_its_command_line_and_the_proxy_of_its_environment() {
    let path = "etc/systemd/system/docker.service.d/override.conf";
    let unit = "[Service]\nEnvironment=\"HTTP_PROXY=http://u:p@proxy:1\" \"NO_PROXY=localhost\"\n\
                ExecStart=\nExecStart=-/usr/bin/dockerd -H fd:// \\\n  -H tcp://0.0.0.0:2376\n";
    let found = read(path, unit);
    let event = found.only("write");
    assert_eq!(event["command_line"], "-/usr/bin/dockerd -H fd:// -H tcp://0.0.0.0:2376");
    assert_eq!(
        event["environment"],
        json!(["HTTP_PROXY=http://u:p@proxy:1", "NO_PROXY=localhost"])
    );
    assert_eq!(event["possible_secrets"], json!(["HTTP_PROXY"]));
    let risk = "high risk:engine-api-without-client-certificates:tcp://0.0.0.0:2376";
    assert_eq!(event["risks"], json!([risk]));
    assert!(event["message"].as_str().unwrap().starts_with(
        "systemd unit docker.service.d/override.conf last written; high risk:engine-api"
    ));
    let verified = Case::default()
        .with(path, unit)
        .with("etc/docker/daemon.json", r#"{"tlsverify": true}"#)
        .read("docker.engine");
    assert_eq!(verified.events[1]["risks"], json!(["low note:engine-api:tcp://0.0.0.0:2376"]));
}

#[test]
fn shell_variables_are_read_as_arguments_of_the_engine() {
    let found = read("etc/default/docker", "DOCKER_OPTS=\"--insecure-registry r.example\"\n");
    assert_eq!(found.only("write")["settings"], json!(["insecure-registries=r.example"]));
    assert_eq!(found.only("write")["risks"], json!(["medium risk:insecure-registry:r.example"]));
}

#[test]
fn keys_for_registries_are_tagged() {
    let key = "-----BEGIN EC PRIVATE KEY-----\nx\n-----END EC PRIVATE KEY-----\n";
    let found = read("etc/docker/certs.d/r.example:5000/client.key", key);
    let event = found.only("write");
    assert_eq!(
        (&event["registry"], &event["tag"]),
        (&json!("r.example:5000"), &json!(["private-key"]))
    );
    let found = read("etc/docker/certs.d/r.example:5000/ca.crt", "-----BEGIN CERTIFICATE-----");
    let message = found.only("write")["message"].as_str().unwrap();
    assert_eq!(message, "authority for the registry r.example:5000 last written: ca.crt");
}

#[test]
fn a_wrapper_of_a_runtime_is_a_risk_as_the_runtime_is() {
    let found = read("var/lib/docker/runtimes/x", "#!/bin/sh\n/tmp/x --root /y \"$@\"\n");
    let event = found.only("write");
    assert_eq!(event["command_line"], "/tmp/x --root /y \"$@\"");
    assert_eq!(event["risks"], json!(["medium risk:runtime:x=/tmp/x"]));
    assert_eq!(read("var/lib/docker/runtimes/x", "ELF").issues.len(), 1);
}

#[test]
fn a_download_broken_off_has_the_time_and_size_of_what_had_arrived() {
    let found = read("d/tmp/GetImageBlob123", "12345");
    let event = found.only("pull");
    assert_eq!(
        (&event["size"], &event["datetime"]),
        (&json!(5), &json!("2026-01-01T00:00:00.000000+00:00"))
    );
}
