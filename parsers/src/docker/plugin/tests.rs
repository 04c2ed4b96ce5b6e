//! Plugins that may much, leftovers of plugins, and plugins of the host's own.
#![cfg(test)]

use crate::Digest;
use crate::case::Case;
use serde_json::json;

const ID: &str = "0d931ddd11568489fead4911db99d631a7418dcf1e25fdd6f1a3807529233f21";

fn config(id: &str) -> String {
    let config = json!({
        "plugin": {
            "Config": {
                "Entrypoint": ["/bin/p", "a b"], "IpcHost": true, "PidHost": true,
                "Interface": {"Socket": "p.sock", "Types": ["docker.authz/1.0"]},
                "Linux": {"AllowAllDevices": true, "Capabilities": ["CAP_SYS_ADMIN"]},
                "Network": {"Type": "host"}, "PropagatedMount": "/data",
            },
            "Enabled": true, "Id": id, "Name": "p:latest",
            "Settings": {"Args": ["-v"], "Env": ["API_TOKEN=x"],
                "Devices": [{"Path": "/dev/sda"}],
                "Mounts": [{"Source": "/etc", "Destination": "/e", "Options": ["rbind", "ro"]}]},
        },
        "Config": Digest::of(b"{}").as_str(), "Blobsums": [],
    });
    config.to_string()
}

#[test]
fn a_plugin_is_judged_as_a_container_with_the_same_settings() {
    let path = format!("d/plugins/{ID}/config.json");
    let found = Case::default().with(&path, config(ID)).read("docker.plugin");
    let event = found.only("write");
    assert_eq!(
        event["risks"],
        json!([
            "high escape-risk:all-devices",
            "high escape-risk:cap-add:SYS_ADMIN",
            "high escape-risk:device:/dev/sda",
            "medium escape-risk:host-mount:/etc",
            "medium escape-risk:ipc-host",
            "medium escape-risk:network-host",
            "medium escape-risk:pid-host",
            "medium escape-risk:propagated-mount:/data",
        ])
    );
    assert_eq!(event["command_line"], "/bin/p 'a b' -v");
    assert_eq!(event["possible_secrets"], json!(["API_TOKEN"]));
    assert_eq!(event["plugin_enabled"], true);
}

#[test]
fn content_is_that_of_the_plugin_that_names_it_or_of_one_that_is_gone() {
    let blob =
        |content: &[u8]| format!("d/plugins/storage/blobs/sha256/{}", Digest::of(content).hex());
    let found = Case::default()
        .with(&format!("d/plugins/{ID}/config.json"), config(ID))
        .with(&blob(b"{}"), "{}")
        .with(&blob(b"gone"), "gone")
        .with(&blob(b"whole"), "changed")
        .read("docker.plugin");
    let mut messages: Vec<&str> =
        found.all("install").iter().map(|event| event["message"].as_str().unwrap()).collect();
    messages.sort();
    let gone = "content stored of a plugin that is gone, or was being installed";
    assert_eq!(messages, [gone, gone, "plugin p:latest installed: its configuration stored"]);
    assert_eq!(found.issues.len(), 1, "{:?}", found.issues);
    assert!(found.issues[0].contains("another digest than its name"));
}

#[test]
fn a_plugin_of_another_name_than_its_directory_and_a_leftover_say_so() {
    let other = "a".repeat(64);
    let found = Case::default()
        .with(&format!("d/plugins/{ID}/config.json"), config(&other))
        .with(&format!("d/plugins/{ID}/.tmp-config.json12"), config(ID))
        .read("docker.plugin");
    assert_eq!(found.issues.len(), 1, "{:?}", found.issues);
    assert!(found.issues[0].contains("not that of its directory"));
    let leftover = found.events.iter().find(|event| event["leftover"] == true).unwrap();
    assert!(
        leftover["message"].as_str().unwrap().starts_with("earlier version of plugin p:latest")
    );
}

#[test]
fn a_plugin_of_the_host_says_where_it_listens() {
    let found = Case::default()
        .with("etc/docker/plugins/a.spec", "tcp://u:p@192.0.2.1:9000\n")
        .with("usr/lib/docker/plugins/b.json", r#"{"Name":"b","Addr":"unix:///run/b.sock"}"#)
        .with("etc/docker/plugins/c.spec", "junk")
        .read("docker.plugin");
    let events = found.all("write");
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["plugin_socket"], "tcp://u:p@192.0.2.1:9000");
    assert_eq!(events[0]["tag"], json!(["possible-secret"]));
    assert_eq!(events[1]["plugin_socket"], "unix:///run/b.sock");
    let issue = "case:/etc/docker/plugins/c.spec: says no address of a plugin (malformed)";
    assert_eq!(found.issues, [issue]);
}
