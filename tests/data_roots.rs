//! An engine's data root is found by what lies in it, wherever it is, and every event about a
//! container carries what is known of it, even where only a log is left.

use crate::case::run;
use crate::program::text;
use dockline_evidence::MemoryTree;
use serde_json::Value;

const ID: &str = "01afc5bdfb4c359054b68a1aa8195910aa85b3972a1dbd1df070cb25e29c039b";
const LOG: &str = r#"{"log":"hello\n","stream":"stdout","time":"2024-05-01T12:00:00.5Z"}"#;
const IMAGE: &str = "sha256:3a4c684b737bf6e721d667e4b6f9c04a6fae3e382b3531c88c80f29cd0faca24";

fn config() -> String {
    format!(
        r#"{{"State":{{"StartedAt":"2024-05-01T12:00:00Z"}},"ID":"{ID}","Created":"2024-05-01T11:59:59.123456789Z","Name":"/web","Image":"{IMAGE}","Config":{{"Image":"nginx:1.25"}}}}"#
    )
}

fn events(tree: MemoryTree) -> Vec<Value> {
    let outcome = run(tree, &|_| true);
    outcome.events.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn log_event(events: &[Value]) -> &Value {
    events.iter().find(|event| text(event, "parser") == "docker.json_file_log").unwrap()
}

#[test]
fn a_data_root_is_found_wherever_it_lies() {
    let places = [
        "var/lib/docker/",
        "mnt/big-disk/engine/data/",
        "var/snap/docker/common/var-lib-docker/",
        "home/alice/.local/share/docker/",
        "var/lib/docker/100000.100000/",
        "var/lib/docker/overlay2/0a242c7f13ab253c15af9ffa96251e4ef4d0e82f38d19bf5b896106a12a1de56/diff/var/lib/docker/",
        "var/lib/docker/volumes/inner/_data/",
        "data/docker/",
        "",
    ];
    for root in places {
        let directory = format!("{root}containers/{ID}");
        let tree = MemoryTree::new()
            .with_file(
                "etc/docker/daemon.json",
                r#"{"data-root":"/mnt/big-disk/engine/data"}"#,
                None,
            )
            .with_file(&format!("{directory}/config.v2.json"), config(), None)
            .with_file(&format!("{directory}/{ID}-json.log"), format!("{LOG}\n"), None);
        let events = events(tree);
        let log = log_event(&events);
        assert_eq!(text(log, "container_name"), "web", "{root}");
        assert_eq!(text(log, "image_name"), "nginx:1.25", "{root}");
        assert_eq!(text(log, "image_identifier"), IMAGE, "{root}");
        assert_eq!(text(log, "message"), "[web] hello", "{root}");
        assert_eq!(text(log, "display_name"), format!("case:/{directory}/{ID}-json.log"));
        assert_eq!(text(log, "source_locator"), "offset:0");
        assert!(events.iter().any(|event| text(event, "action") == "create"), "{root}");
    }
}

#[test]
fn a_folder_with_pieces_of_a_data_root_is_read_and_joined() {
    let tree = MemoryTree::new()
        .with_file(&format!("collected/configs/{ID}/config.v2.json"), config(), None)
        .with_file(&format!("collected/logs/{ID}-json.log"), format!("{LOG}\n"), None);
    let events = events(tree);
    assert_eq!(text(log_event(&events), "container_name"), "web");
}

#[test]
fn a_container_of_which_only_a_log_is_left_still_has_its_id() {
    let path = format!("var/lib/docker/containers/{ID}/{ID}-json.log");
    let events = events(MemoryTree::new().with_file(&path, format!("{LOG}\n"), None));
    assert_eq!(events.len(), 1);
    assert_eq!(text(&events[0], "container_identifier"), ID);
    assert_eq!(text(&events[0], "message"), "[01afc5bdfb4c] hello");
}

#[test]
fn a_container_of_which_only_a_mount_is_left_is_told_of() {
    let mount = "e5b896106a12a1de560a242c7f13ab253c15af9ffa96251e4ef4d0e82f38d19b";
    let path = format!("var/lib/docker/image/overlay2/layerdb/mounts/{ID}/mount-id");
    let made = dockline_timeline::Instant::parse_rfc3339("2024-05-01T12:00:00Z").unwrap();
    let other = format!("var/lib/docker/containers/{}/hostname", ID.replace('0', "1"));
    let tree = MemoryTree::new().with_file(&path, mount, made).with_file(&other, "x", None);
    let events = events(tree);
    assert!(!events.is_empty());
    for event in &events {
        assert_eq!(text(event, "container_identifier"), ID);
    }
    let inferred = events.iter().any(|event| text(event, "time_confidence") == "inferred");
    assert!(inferred, "a mount without a container is evidence of a deletion: {events:#?}");
}

#[test]
fn links_devices_and_pipes_are_no_artifacts() {
    use dockline_evidence::FileKind;
    let path = format!("var/lib/docker/containers/{ID}/config.v2.json");
    for kind in
        [FileKind::SymbolicLink, FileKind::Fifo, FileKind::CharacterDevice, FileKind::Directory]
    {
        let tree = MemoryTree::new().with_file("etc/shadow", "secret", None).with_node(
            &path,
            kind,
            b"/etc/shadow",
        );
        let outcome = run(tree, &|_| true);
        assert!(outcome.events.is_empty(), "{kind:?}: {:?}", outcome.events);
    }
}
