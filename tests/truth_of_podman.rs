//! The timeline of a real host says what Podman said, of root and of a user: `podman inspect`,
//! `podman logs`, `podman image inspect`, `podman volume ls`, `podman pod ps` and `podman network ls`
//! are the oracle, asked at the end of the scenario, without a stop in between.

use crate::case::project;
use crate::program::{events_of, host, list, text};
use dockline_evidence::read_at::read_up_to;
use dockline_evidence::{Opening, Tree, TreePath, source};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

const HOST: &str = "podman-4.3";
/// What Podman said to whom, and where his data lie.
const USERS: [(&str, &str); 2] =
    [("rootful", "/var/lib/containers/storage/"), ("rootless", "/home/alice/")];
/// Go's zero time.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// The events of the host whose file lies below `root`.
fn events(root: &str) -> Vec<&'static Value> {
    static EVENTS: OnceLock<Vec<Value>> = OnceLock::new();
    let all = EVENTS.get_or_init(|| events_of(&host(HOST)));
    all.iter().filter(|event| text(event, "display_name").contains(root)).collect()
}

pub(crate) fn bytes(user: &str, name: &str) -> Vec<u8> {
    static TREE: OnceLock<Arc<dyn Tree>> = OnceLock::new();
    let tree = TREE.get_or_init(|| {
        let path = project("testdata/truth").join(format!("{HOST}.tar.zst"));
        source::open(&path, HOST, &Opening::default()).unwrap().trees[0].tree.clone()
    });
    let path = TreePath::parse(format!("{user}/{name}").as_bytes()).unwrap();
    let file = tree.open(&path).unwrap_or_else(|error| panic!("{user}/{name}: {error}"));
    read_up_to(&*file, 64 << 20).unwrap().0
}

fn json(user: &str, name: &str) -> Vec<Value> {
    serde_json::from_slice(&bytes(user, name)).unwrap()
}

/// A time of Go with all nine digits, as dockline writes it.
fn nine_digits(time: &str) -> String {
    let time = time.trim_end_matches('Z');
    let (seconds, fraction) = time.split_once('.').unwrap_or((time, ""));
    format!("{seconds}.{fraction:0<9}Z")
}

/// The instants of a container's events of one meaning.
fn instants(events: &[&Value], description: &str) -> Vec<String> {
    let wanted = events.iter().filter(|event| text(event, "timestamp_desc") == description);
    wanted.map(|event| text(event, "datetime_ns").to_owned()).collect()
}

#[test]
fn every_container_was_created_started_and_finished_when_inspect_says() {
    let mut count = 0;
    for (user, root) in USERS {
        let events = events(root);
        for container in json(user, "inspect_containers.json") {
            let id = text(&container, "Id");
            let of_database: Vec<&Value> = events
                .iter()
                .copied()
                .filter(|event| text(event, "container_identifier") == id)
                .filter(|event| text(event, "data_type") == "podman:container")
                .collect();
            check_container(user, &of_database, &container);
            count += 1;
        }
    }
    assert_eq!(count, 17);
}

fn check_container(user: &str, events: &[&Value], container: &Value) {
    let (name, state) = (text(container, "Name"), &container["State"]);
    let expected = |time: &str| -> Vec<String> {
        if time == NEVER { Vec::new() } else { vec![nine_digits(time)] }
    };
    let who = format!("{user} {name}");
    assert_eq!(instants(events, "Creation Time"), expected(text(container, "Created")), "{who}");
    assert_eq!(instants(events, "Start Time"), expected(text(state, "StartedAt")), "{who}");
    assert_eq!(instants(events, "End Time"), expected(text(state, "FinishedAt")), "{who}");
    for event in events {
        assert_eq!(text(event, "container_name"), name, "{who}");
        assert_eq!(text(event, "image_name"), text(container, "ImageName"), "{who}");
        let image = format!("sha256:{}", text(container, "Image"));
        assert_eq!(text(event, "image_identifier"), image, "{who}");
        if text(event, "timestamp_desc") == "End Time" {
            assert_eq!(event["exit_code"], state["ExitCode"], "{who}");
        }
    }
    let created = events.iter().find(|event| text(event, "action") == "create").unwrap();
    assert_eq!(list(created, "command"), list(&container["Config"], "Cmd"), "{who}");
    let typed = list(&container["Config"], "CreateCommand");
    let command = text(created, "command_line");
    assert!(
        typed.iter().all(|word| command.contains(&word.replace('\'', "'\\''"))),
        "{who}: {command}"
    );
}

/// Messages of `podman logs -t`: instant and text. Podman writes the time anew before each piece of
/// a long line.
fn logged(log: &str) -> Vec<(String, String)> {
    let mut messages = Vec::new();
    for line in log.lines() {
        let (time, rest) = line.split_at(30);
        let day = &time[..11];
        let mut text = String::new();
        let mut pieces = rest[1..].split(day);
        text.push_str(pieces.next().unwrap());
        for piece in pieces {
            text.push_str(piece.get(20..).unwrap_or_default());
        }
        messages.push((time.to_owned(), text));
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
fn every_line_that_podman_logs_shows_is_an_event() {
    for (user, root) in USERS {
        let log = String::from_utf8(bytes(user, "logs_web.txt")).unwrap();
        let mut expected = logged(&log);
        // The dump holds what `podman logs` wrote to its standard output.
        let of_log = events(root).into_iter().filter(|event| {
            text(event, "data_type") == "podman:container:log:entry"
                && text(event, "container_name") == "web"
                && text(event, "log_source") == "stdout"
        });
        let mut found: Vec<(String, String)> =
            of_log.map(|event| (text(event, "datetime_ns").to_owned(), body(event))).collect();
        expected.sort();
        found.sort();
        assert_eq!(expected.len(), 3, "{user}");
        assert!(found == expected, "{user}: {} events", found.len());
    }
}

#[test]
fn every_image_with_its_names_digest_and_history_is_shown() {
    let (mut images, mut steps) = (0, 0);
    for (user, root) in USERS {
        let events = events(root);
        for image in json(user, "inspect_images.json") {
            let id = format!("sha256:{}", text(&image, "Id"));
            let of_image: Vec<&&Value> =
                events.iter().filter(|event| text(event, "image_identifier") == id).collect();
            let of = |data_type: &str| -> Vec<&&&Value> {
                of_image.iter().filter(|event| text(event, "data_type") == data_type).collect()
            };
            check_names(user, &image, &of("podman:storage:image"));
            let created = of("podman:image:configuration");
            let created = created.iter().map(|event| text(event, "datetime_ns").to_owned());
            assert!(
                created.collect::<Vec<_>>().contains(&nine_digits(text(&image, "Created"))),
                "{user} {id}"
            );
            steps += check_history(user, &image, &of("podman:image:history"));
            images += 1;
        }
    }
    assert_eq!((images, steps), (10, 28));
}

fn check_names(user: &str, image: &Value, events: &[&&&Value]) {
    let id = text(image, "Id");
    let names: BTreeSet<&str> = events.iter().map(|event| text(event, "image_reference")).collect();
    for name in list(image, "RepoTags").into_iter().chain(list(image, "NamesHistory")) {
        assert!(names.contains(name), "{user} {id}: {name} not in {names:?}");
    }
    let digest = text(image, "Digest");
    let told = |event: &&&&Value| text(event, "image_manifest_digest") == digest;
    assert!(!events.is_empty() && events.iter().all(|event| told(&event)), "{user} {id}: {digest}");
}

fn check_history(user: &str, image: &Value, events: &[&&&Value]) -> usize {
    let history = image["History"].as_array().unwrap();
    let found: BTreeSet<(&str, &str, &str)> = events
        .iter()
        .map(|event| {
            (text(event, "datetime_ns"), text(event, "command_line"), text(event, "step_comment"))
        })
        .collect();
    for step in history {
        let time = nine_digits(text(step, "created"));
        let wanted = (time.as_str(), text(step, "created_by"), text(step, "comment"));
        assert!(
            found.contains(&wanted),
            "{user} {}: {wanted:?} not in {found:?}",
            text(image, "Id")
        );
    }
    history.len()
}

#[test]
fn every_volume_and_pod_was_created_when_podman_says() {
    for (user, root) in USERS {
        let events = events(root);
        let created = |data_type: &str, field: &str, name: &str| -> Vec<String> {
            let of_type = events.iter().filter(|event| text(event, "data_type") == data_type);
            let named = of_type.filter(|event| text(event, field) == name);
            named
                .filter(|event| !list(event, "tag").contains(&"recovered"))
                .map(|event| text(event, "datetime_ns").to_owned())
                .collect()
        };
        let (volumes, pods) = (json(user, "volumes.json"), json(user, "pods.json"));
        assert_eq!((volumes.len(), pods.len()), (1, 1), "{user}");
        for volume in &volumes {
            let found = created("podman:volume", "volume_name", text(volume, "Name"));
            assert_eq!(found, [nine_digits(text(volume, "CreatedAt"))], "{user}");
        }
        for pod in &pods {
            let found = created("podman:pod", "pod_identifier", text(pod, "Id"));
            assert_eq!(found, [nine_digits(text(pod, "Created"))], "{user}");
        }
    }
}

#[test]
fn the_removed_container_is_recovered_with_the_command_that_was_typed() {
    for (user, root) in USERS {
        let of_gone =
            events(root).into_iter().filter(|event| text(event, "container_name") == "gone");
        let of = |data_type: &str| -> Vec<&Value> {
            of_gone.clone().filter(|event| text(event, "data_type") == data_type).collect()
        };
        let recovered = of("podman:container");
        for event in &recovered {
            let tags = list(event, "tag");
            assert!(tags.contains(&"recovered") && tags.contains(&"removed-container"), "{user}");
        }
        let created = recovered.iter().find(|event| text(event, "action") == "create").unwrap();
        assert!(text(created, "command_line").contains("run -d --name gone"), "{user}");
        // Its last state is left in the free pages of the user's database only.
        let expected = if user == "rootless" { 3 } else { 1 };
        assert_eq!(recovered.len(), expected, "{user}");
        let [exit] = of("podman:container:exit")[..] else { panic!("{user}: no exit code") };
        assert_eq!(exit["exit_code"], 0, "{user}");
        assert!(list(exit, "tag").contains(&"removed-container"), "{user}");
    }
}

#[test]
fn every_network_and_secret_was_created_when_podman_says() {
    for (user, root) in [("rootful", "/etc/containers/"), ("rootless", "/home/alice/")] {
        let created: Vec<(&str, &str)> = events(root)
            .into_iter()
            .filter(|event| text(event, "data_type") == "podman:network")
            .filter(|event| text(event, "action") == "create")
            .map(|event| (text(event, "network_name"), text(event, "datetime_ns")))
            .collect();
        // The default network is in no file: Podman makes it up, with the time of the question.
        let networks = json(user, "networks.json");
        let kept = networks.iter().filter(|network| text(network, "name") != "podman");
        let expected: Vec<(&str, String)> = kept
            .map(|network| (text(network, "name"), nine_digits(text(network, "created"))))
            .collect();
        let expected: Vec<(&str, &str)> =
            expected.iter().map(|(name, time)| (*name, time.as_str())).collect();
        assert_eq!(created, expected, "{user}");
    }
    for (user, root) in USERS {
        let secrets: Vec<&Value> = events(root)
            .into_iter()
            .filter(|event| text(event, "data_type") == "podman:secret")
            .collect();
        let [secret] = secrets[..] else { panic!("{user}: {secrets:?}") };
        assert_eq!(text(secret, "secret_value"), "lab-secret", "{user}");
    }
}

#[test]
fn the_ways_out_are_tagged_and_no_harmless_container_is() {
    for (user, root) in USERS {
        let of_containers =
            events(root).into_iter().filter(|event| text(event, "data_type") == "podman:container");
        let is_way_out =
            |event: &&Value| list(event, "tag").iter().any(|tag| tag.starts_with("escape-risk:"));
        let tagged: BTreeSet<&str> =
            of_containers.filter(is_way_out).map(|event| text(event, "container_name")).collect();
        assert_eq!(tagged, BTreeSet::from(["hostroot", "priv"]), "{user}");
    }
}
