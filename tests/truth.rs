//! The timeline of a real host says what its daemon said: `docker inspect`, `docker logs
//! --timestamps`, `docker history`, `docker images` of the living engine are the oracle.
//!
//! The dump was taken shortly before the last clean stop of the daemon: what ran then has ended
//! since, at a time that the dump cannot know. Each test says which containers that concerns.

use crate::case::project;
use crate::program::{events_of, host, list, text};
use dockline_evidence::read_at::read_up_to;
use dockline_evidence::{Opening, Tree, TreePath, source};
use dockline_timeline::Instant;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The hosts with a graph-driver image store.
const GRAPH_DRIVER_HOSTS: [&str; 2] = ["engine-20.10", "engine-20.10-lvm-xfs"];
/// The hosts with a containerd image store, each with the one whose truth holds for it: the second
/// has the data roots of the first.
const CONTAINERD_HOSTS: [(&str, &str); 2] =
    [("engine-29.7", "engine-29.7"), ("desktop-sim", "engine-29.7")];
pub(crate) const HOSTS: [&str; 3] = ["engine-20.10", "engine-20.10-lvm-xfs", "engine-29.7"];

/// What the daemon of a host said last.
pub(crate) struct Truth {
    tree: Arc<dyn Tree>,
    folder: TreePath,
}

impl Truth {
    pub(crate) fn of(host: &str) -> Truth {
        Truth::in_folder(host, &["truth_after_crash_restart", "truth_live"])
    }

    /// Before the last actions of the scenario.
    pub(crate) fn live(host: &str) -> Truth {
        Truth::in_folder(host, &["truth_live"])
    }

    fn in_folder(host: &str, folders: &[&str]) -> Truth {
        let path = project("testdata/truth").join(format!("{host}.tar.zst"));
        let source = source::open(&path, host, &Opening::default()).unwrap();
        let tree = source.trees[0].tree.clone();
        let mut folders = folders.iter().map(|name| TreePath::parse(name.as_bytes()).unwrap());
        let folder = folders.find(|folder| tree.metadata(folder).is_ok()).unwrap();
        Truth { tree, folder }
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        let path = self.folder.join(name.as_bytes()).unwrap();
        let file = self.tree.open(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        read_up_to(&*file, 64 << 20).unwrap().0
    }

    pub(crate) fn json(&self, name: &str) -> Vec<Value> {
        serde_json::from_slice(&self.bytes(name)).unwrap()
    }

    pub(crate) fn json_lines(&self, name: &str) -> Vec<Value> {
        let text = String::from_utf8(self.bytes(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Every action of the scenario, with its time.
    fn action_list(&self) -> Vec<u8> {
        let path = TreePath::root().join(b"ground_truth.json").unwrap();
        let file = self.tree.open(&path).unwrap();
        read_up_to(&*file, 64 << 20).unwrap().0
    }

    /// The steps of the scenario that were written down while it ran.
    pub(crate) fn steps(&self) -> Vec<Value> {
        let list: Value = serde_json::from_slice(&self.action_list()).unwrap();
        list["events"].as_array().unwrap().clone()
    }

    pub(crate) fn names(&self, prefix: &str) -> Vec<String> {
        let entries = self.tree.list(&self.folder).unwrap();
        let names = entries.into_iter().map(|entry| String::from_utf8(entry.name).unwrap());
        names.filter(|name| name.starts_with(prefix)).collect()
    }
}

/// Go's zero time.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// A time of Go with all nine digits, as dockline writes it.
pub(crate) fn nine_digits(time: &str) -> String {
    let (seconds, fraction) =
        time.trim_end_matches('Z').split_once('.').unwrap_or((time.trim_end_matches('Z'), ""));
    format!("{seconds}.{fraction:0<9}Z")
}

fn of_container<'a>(events: &'a [Value], id: &str, data_type: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| text(event, "container_identifier") == id)
        .filter(|event| text(event, "data_type") == data_type)
        .collect()
}

/// The container's own instants of one meaning, without those of the file's times.
fn instants(events: &[&Value], description: &str, actions: &[&str]) -> Vec<String> {
    let wanted = |event: &&&Value| {
        text(event, "timestamp_desc") == description && actions.contains(&text(event, "action"))
    };
    events.iter().filter(wanted).map(|event| text(event, "datetime_ns").to_owned()).collect()
}

#[test]
fn every_container_was_created_started_and_finished_when_inspect_says() {
    for name in HOSTS {
        let events = events_of(&host(name));
        let containers = Truth::of(name).json("inspect_containers.json");
        assert!(!containers.is_empty());
        for container in &containers {
            check_container(name, &events, container);
        }
    }
}

fn check_container(host: &str, events: &[Value], container: &Value) {
    let (id, name) = (text(container, "Id"), text(container, "Name"));
    let events = of_container(events, id, "docker:container:configuration");
    if name.starts_with("/svc1.1.") && events.is_empty() {
        // Swarm removed the task at the last stop of the daemon: it is not on the disk.
        return;
    }
    let state = &container["State"];
    let expected = |time: &str| -> Vec<String> {
        if time == NEVER { Vec::new() } else { vec![nine_digits(time)] }
    };
    let created = instants(&events, "Creation Time", &["create"]);
    assert_eq!(created, expected(text(container, "Created")), "{host} {name}");
    let started = instants(&events, "Start Time", &["start", "restart"]);
    let finished = instants(&events, "End Time", &["die", "oom"]);
    if text(state, "Status") == "running" || text(state, "Status") == "restarting" {
        // It ran when the dump was taken and has ended, or was started anew, since.
        assert!(
            started.len() == 1 && started[0] >= nine_digits(text(state, "StartedAt")),
            "{host} {name}"
        );
        assert!(finished.len() == 1 && finished[0] > started[0], "{host} {name}");
        return;
    }
    assert_eq!(started, expected(text(state, "StartedAt")), "{host} {name}");
    assert_eq!(finished, expected(text(state, "FinishedAt")), "{host} {name}");
    let ends = events.iter().filter(|event| text(event, "timestamp_desc") == "End Time");
    for end in ends {
        assert_eq!(end["exit_code"], state["ExitCode"], "{host} {name}");
        assert_eq!(text(end, "container_name"), name.trim_start_matches('/'));
    }
}

/// Messages of `docker logs --timestamps --details`: instant and text. The engine writes the time
/// anew before each piece of a long line.
fn logged(bytes: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let mut messages = Vec::new();
    for line in text.split_inclusive('\n') {
        let (time, rest) = line.split_at(30);
        let details = rest[1..].split(' ').next().unwrap();
        let before = format!("{time} {details} ");
        let text = line.replace(&before, "");
        messages.push((time.to_owned(), text.strip_suffix('\n').unwrap_or(&text).to_owned()));
    }
    messages
}

/// What a log event says was written.
fn body(event: &Value) -> String {
    if let Some(body) = event.get("message_body").and_then(Value::as_str) {
        return body.to_owned();
    }
    let label = format!("[{}] ", text(event, "container_name"));
    text(event, "message").strip_prefix(&label).unwrap().to_owned()
}

#[test]
fn every_line_that_docker_logs_shows_is_an_event() {
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    for name in HOSTS {
        let events = events_of(&host(name));
        let truth = Truth::of(name);
        for container in truth.json("inspect_containers.json") {
            let (id, container_name) = (text(&container, "Id"), text(&container, "Name"));
            let driver = text(&container["HostConfig"]["LogConfig"], "Type");
            if !["json-file", "local"].contains(&driver) || container_name.starts_with("/svc1.1.") {
                continue;
            }
            let of_log = of_container(&events, id, "docker:container:log:entry");
            for stream in ["stdout", "stderr"] {
                let file = format!("logs_{}.{stream}", container_name.trim_start_matches('/'));
                let mut expected = logged(&truth.bytes(&file));
                let of_stream = of_log.iter().filter(|event| text(event, "log_source") == stream);
                let mut found: Vec<(String, String)> = of_stream
                    .map(|event| (text(event, "datetime_ns").to_owned(), body(event)))
                    .collect();
                // What ran when the dump was taken may have written more before the last stop.
                let status = text(&container["State"], "Status").to_owned();
                if status == "running" {
                    let last = expected.last().map(|(time, _)| time.clone()).unwrap_or_default();
                    found.retain(|(time, _)| *time <= last);
                }
                expected.sort();
                found.sort();
                *lines.entry(driver.to_owned()).or_insert(0) += expected.len();
                assert_eq!(found.len(), expected.len(), "{name} {file}");
                assert!(found == expected, "{name} {file}");
            }
        }
    }
    assert!(lines["json-file"] > 500 && lines["local"] > 1_600, "only {lines:?} were compared");
}

#[test]
fn every_row_of_docker_history_is_an_event() {
    let mut rows = 0;
    let graph_driver = GRAPH_DRIVER_HOSTS.map(|name| (name, name, "docker:image:history"));
    let containerd =
        CONTAINERD_HOSTS.map(|(name, truth)| (name, truth, "containerd:image:history"));
    for (name, truth, data_type) in graph_driver.into_iter().chain(containerd) {
        let events = events_of(&host(name));
        let truth = Truth::of(truth);
        for file in truth.names("history_") {
            let expected = truth.json_lines(&file);
            let image = text(&expected[0], "ID").to_owned();
            let found: BTreeSet<(String, String)> = events
                .iter()
                .filter(|event| text(event, "data_type") == data_type)
                .filter(|event| text(event, "image_identifier") == image)
                .map(|event| {
                    (second(text(event, "datetime")), text(event, "command_line").to_owned())
                })
                .collect();
            for row in &expected {
                let wanted = (second(text(row, "CreatedAt")), text(row, "CreatedBy").to_owned());
                assert!(found.contains(&wanted), "{name} {file}: {wanted:?} not in {found:#?}");
                rows += 1;
            }
        }
    }
    assert!(rows > 300, "only {rows} rows were compared");
}

pub(crate) fn second(time: &str) -> String {
    time[..19].to_owned()
}

#[test]
fn every_tag_and_digest_is_an_event() {
    for name in GRAPH_DRIVER_HOSTS {
        let events = events_of(&host(name));
        let images = Truth::of(name).json("inspect_images.json");
        assert!(!images.is_empty());
        let mut references: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for event in &events {
            if text(event, "parser") == "docker.image_repositories" {
                let of_image = references.entry(text(event, "image_identifier")).or_default();
                of_image.insert(text(event, "image_reference"));
            }
        }
        for image in &images {
            let found = references.get(text(image, "Id")).cloned().unwrap_or_default();
            for reference in list(image, "RepoTags").into_iter().chain(list(image, "RepoDigests")) {
                assert!(found.contains(reference), "{name}: {reference} not in {found:?}");
            }
        }
    }
}

/// Commands of the scenario that the truth has in other quotes than the history.
const QUOTED_OTHERWISE: &str = "crash_burst_create";

#[test]
fn every_command_of_the_client_is_an_event_of_its_second() {
    let mut commands = 0;
    for name in HOSTS {
        let events = events_of(&host(name));
        let entered: Vec<(&str, &str)> = events
            .iter()
            .filter(|event| text(event, "data_type") == "bash:history:entry")
            .map(|event| (text(event, "datetime_ns"), text(event, "command_line")))
            .collect();
        let truth: Value = serde_json::from_slice(&Truth::of(name).action_list()).unwrap();
        let actions = truth["events"].as_array().unwrap();
        let called: Vec<&Value> =
            actions.iter().filter(|action| action["cmd"].is_string()).collect();
        assert_eq!(entered.len(), called.len(), "{name}");
        for action in called {
            let second = action["time_ns"].as_i64().unwrap() / 1_000_000_000;
            let at = Instant::new(second, 0).unwrap().to_string();
            let is_same = |line: &str| match text(action, "what") {
                QUOTED_OTHERWISE => line.starts_with("docker exec victim sh -c 'mkdir"),
                _ => line == text(action, "cmd"),
            };
            let found = entered.iter().any(|(time, line)| *time == at && is_same(line));
            assert!(found, "{name}: {at} {}", text(action, "cmd"));
            commands += 1;
        }
    }
    assert_eq!(commands, 238);
}

/// Engine 29: names, digests and times of images are in containerd's database, what they are in its
/// content store.
#[test]
fn every_image_of_a_containerd_store_has_its_names_and_its_times() {
    for (name, truth) in CONTAINERD_HOSTS {
        let events = events_of(&host(name));
        let images = Truth::of(truth).json("inspect_images.json");
        assert!(images.len() > 15);
        for image in &images {
            let id = text(image, "Id");
            let of_type = |data_type: &'static str| {
                let wanted = move |event: &&Value| {
                    text(event, "image_identifier") == id && text(event, "data_type") == data_type
                };
                events.iter().filter(wanted).collect::<Vec<_>>()
            };
            let names = of_type("containerd:image");
            let references: BTreeSet<&str> =
                names.iter().map(|event| text(event, "image_reference")).collect();
            let digests: BTreeSet<&str> =
                names.iter().flat_map(|event| list(event, "image_digests")).collect();
            for tag in list(image, "RepoTags") {
                assert!(references.contains(tag), "{name}: {tag} not in {references:?}");
            }
            for digest in list(image, "RepoDigests") {
                assert!(digests.contains(digest), "{name}: {digest} not in {digests:?}");
            }
            let created = nine_digits(text(image, "Created"));
            let creations = of_type("containerd:image:configuration");
            let found: Vec<&str> =
                creations.iter().map(|event| text(event, "datetime_ns")).collect();
            assert_eq!(found, [created], "{name} {id}");
            let tagged = nine_digits(text(&image["Metadata"], "LastTagTime"));
            let is_told = names.iter().any(|event| text(event, "datetime_ns") == tagged);
            assert!(is_told, "{name} {id}: no event at {tagged}");
        }
    }
}

/// What the scenario removed is known from traces only, and its events say so.
#[test]
fn a_removed_container_of_engine_29_is_told_from_what_is_left_in_containerd() {
    let gone = "73632e532c8e9c2e87bc3c9ec5c301cd413388b32a7847264131fb9f84ed80ec";
    for (name, _) in CONTAINERD_HOSTS {
        let events = events_of(&host(name));
        let of_gone = events.iter().filter(|event| {
            text(event, "container_identifier") == gone
                && text(event, "parser") == "containerd.metadata"
        });
        let tags: Vec<Vec<&str>> = of_gone.map(|event| list(event, "tag")).collect();
        assert!(!tags.is_empty(), "{name}");
        let marks = ["recovered", "removed-container"];
        assert!(tags.iter().all(|tags| marks.iter().all(|mark| tags.contains(mark))), "{tags:?}");
    }
}

/// Each container's writable snapshot is told, with the container's own time.
#[test]
fn every_container_of_engine_29_has_its_snapshot() {
    for (name, _) in CONTAINERD_HOSTS {
        let events = events_of(&host(name));
        let ids: BTreeSet<&str> = events
            .iter()
            .filter(|event| text(event, "data_type") == "docker:container:configuration")
            .map(|event| text(event, "container_identifier"))
            .collect();
        assert!(ids.len() > 20, "{name}");
        for id in ids {
            let of_container = of_container(&events, id, "containerd:snapshotter:snapshot");
            let active =
                of_container.iter().filter(|event| text(event, "snapshot_kind") == "active");
            let directories: Vec<&str> =
                active.map(|event| text(event, "layer_directory")).collect();
            assert_eq!(directories.len(), 1, "{name} {id}: {directories:?}");
        }
    }
}

/// Containers that the scenario of each host ran with a setting that is a way out to the host.
const WAYS_OUT: [(&str, &[&str]); 3] = [
    ("engine-20.10", &["capsys", "devs", "hostns", "hostroot", "priv", "sockmnt"]),
    ("engine-20.10-lvm-xfs", &["priv"]),
    ("engine-29.7", &["capsys", "devs", "hostns", "hostroot", "priv", "sockmnt"]),
];

#[test]
fn every_way_out_is_tagged_and_no_harmless_container_is() {
    for (name, expected) in WAYS_OUT {
        let events = events_of(&host(name));
        for data_type in ["docker:container:configuration", "docker:container:hostconfig"] {
            let tagged: BTreeSet<&str> = events
                .iter()
                .filter(|event| text(event, "data_type") == data_type)
                .filter(|event| {
                    list(event, "tag").iter().any(|tag| tag.starts_with("escape-risk:"))
                })
                .map(|event| text(event, "container_name"))
                .collect();
            assert_eq!(tagged, expected.iter().copied().collect(), "{name} {data_type}");
        }
    }
}

#[test]
fn every_event_of_a_container_carries_its_id_name_and_image() {
    for name in HOSTS {
        for event in events_of(&host(name)) {
            let id = text(&event, "container_identifier");
            // Of what is gone, not all is known.
            let tags = list(&event, "tag");
            if id.is_empty() || tags.contains(&"orphan") || tags.contains(&"removed-container") {
                continue;
            }
            assert_eq!(id.len(), 64, "{event}");
            for field in ["container_name", "image_name", "image_identifier"] {
                let known = text(&event, "time_confidence") == "inferred"
                    || !text(&event, field).is_empty();
                assert!(known, "{name}: no {field} in {event}");
            }
        }
    }
}
