//! How much of what happened the timeline shows: the events that the living engine told whoever was
//! listening (`docker events`, `podman events`), which it keeps in memory only, are counted.
//!
//! An event counts as shown when a row within one second of it names its id or its name. How many of
//! each class are shown on each host is written in `testdata/truth/shown.txt`; why a class falls
//! short, in `tests/README.md`. `DOCKLINE_BLESS=1 cargo test events` writes the file anew; read the
//! difference before you commit it.

use crate::case::project;
use crate::program::{events_of, host, list, text};
use dockline_evidence::read_at::read_up_to;
use dockline_evidence::{Opening, TreePath, source};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;

/// Each host, and whose events are told of it.
const HOSTS: [(&str, &str); 5] = [
    ("engine-20.10", "engine-20.10"),
    ("engine-20.10-lvm-xfs", "engine-20.10-lvm-xfs"),
    ("engine-29.7", "engine-29.7"),
    ("podman-4.3", "podman-4.3"),
    // The data roots of that host, without its logs and its configuration.
    ("desktop-sim", "engine-29.7"),
];
/// Where the engines' words lie; what several say is the same event.
const STREAMS: [&str; 5] = [
    "docker_events_stream.jsonl",
    "truth_live/events_since.jsonl",
    "truth_after_crash_restart/events_since.jsonl",
    "rootful/events.txt",
    "rootless/events.txt",
];
const SECOND: i64 = 1_000_000;

/// What an engine told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    /// Nanoseconds since 1970, as digits.
    time: String,
    microseconds: i64,
    /// `container/die`.
    class: String,
    id: String,
    name: String,
}

impl Told {
    fn by_docker(event: &Value) -> Told {
        let nanoseconds = event["timeNano"].as_i64().unwrap();
        // `exec_create: sh -c ...`, `health_status: healthy`.
        let action = text(event, "Action").split(':').next().unwrap();
        let actor = &event["Actor"];
        Told {
            time: nanoseconds.to_string(),
            microseconds: nanoseconds / 1_000,
            class: format!("{}/{action}", text(event, "Type")),
            id: text(actor, "ID").to_owned(),
            name: text(&actor["Attributes"], "name").to_owned(),
        }
    }

    fn by_podman(event: &Value) -> Told {
        let time = text(event, "Time");
        let instant = dockline_timeline::Instant::parse_rfc3339(time).unwrap().unwrap();
        Told {
            time: time.to_owned(),
            microseconds: instant.microseconds(),
            class: format!("{}/{}", text(event, "Type"), text(event, "Status")),
            id: text(event, "ID").to_owned(),
            name: text(event, "Name").to_owned(),
        }
    }

    /// Whether a row names its id, or its name as a word of its own.
    fn is_named_in(&self, row: &str) -> bool {
        let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let is_word = |at: usize| {
            let (before, after) = (&row[..at], &row[at + self.name.len()..]);
            !before.ends_with(inside)
                && !after.starts_with(inside)
                && !after.starts_with([':', '/'])
        };
        let by_id = !self.id.is_empty() && row.contains(&self.id);
        let by_name = || row.match_indices(self.name.as_str()).any(|(at, _)| is_word(at));
        by_id || (!self.name.is_empty() && by_name())
    }
}

/// All that the engines of a host told, each event once.
fn told_of(truth: &str) -> BTreeSet<Told> {
    let path = project("testdata/truth").join(format!("{truth}.tar.zst"));
    let source = source::open(&path, truth, &Opening::default()).unwrap();
    let tree = &source.trees[0].tree;
    let mut told = BTreeSet::new();
    for stream in STREAMS {
        let Ok(file) = tree.open(&TreePath::parse(stream.as_bytes()).unwrap()) else { continue };
        let content = String::from_utf8(read_up_to(&*file, 64 << 20).unwrap().0).unwrap();
        for line in content.lines().filter(|line| line.starts_with('{')) {
            let event: Value = serde_json::from_str(line).unwrap();
            let is_docker = event.get("timeNano").is_some();
            told.insert(if is_docker { Told::by_docker(&event) } else { Told::by_podman(&event) });
        }
    }
    assert!(!told.is_empty(), "{truth}");
    told
}

/// How many of each class are shown, and how many there are.
fn shown(name: &str, told: &BTreeSet<Told>) -> BTreeMap<String, (usize, usize)> {
    let rows: Vec<(i64, String)> = events_of(&host(name))
        .iter()
        .map(|event| (event["timestamp"].as_i64().unwrap(), event.to_string()))
        .collect();
    assert!(rows.is_sorted_by_key(|(time, _)| *time));
    let mut classes: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for event in told {
        let start = rows.partition_point(|(time, _)| *time < event.microseconds - SECOND);
        let near =
            rows[start..].iter().take_while(|(time, _)| *time <= event.microseconds + SECOND);
        let is_shown = near.into_iter().any(|(_, row)| event.is_named_in(row));
        let (shown, all) = classes.entry(event.class.clone()).or_default();
        *shown += usize::from(is_shown);
        *all += 1;
    }
    classes
}

#[test]
fn the_timeline_shows_what_the_engines_told_as_far_as_the_disk_holds_it() {
    let mut table = String::new();
    for (name, truth) in HOSTS {
        let classes = shown(name, &told_of(truth));
        let sum = |of: fn(&(usize, usize)) -> usize| classes.values().map(of).sum::<usize>();
        let (all_shown, all) = (sum(|class| class.0), sum(|class| class.1));
        writeln!(table, "{name}: {all_shown} of {all}").unwrap();
        for (class, (shown, all)) in &classes {
            writeln!(table, "    {class}: {shown} of {all}").unwrap();
        }
    }
    let path = project("testdata/truth/shown.txt");
    if std::env::var_os("DOCKLINE_BLESS").is_some() {
        fs::write(&path, &table).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    let difference = expected.lines().zip(table.lines()).find(|(one, other)| one != other);
    assert!(expected == table, "expected, found: {difference:?}");
}

/// Hosts whose daemons wrote logs, and how many of their containers ran and were removed.
const REMOVED: [(&str, usize); 3] =
    [("engine-20.10", 12), ("engine-20.10-lvm-xfs", 2), ("engine-29.7", 12)];

#[test]
fn every_container_that_ran_and_was_removed_has_its_story_and_no_other_has() {
    for (name, count) in REMOVED {
        let rows = events_of(&host(name));
        let ids = |of: &dyn Fn(&Value) -> bool| -> BTreeSet<String> {
            let rows = rows.iter().filter(|row| of(row));
            rows.map(|row| text(row, "container_identifier").to_owned()).collect()
        };
        let described = ids(&|row| text(row, "parser") == "docker.container_config");
        let ran: BTreeSet<String> = told_of(name)
            .into_iter()
            .filter(|told| told.class == "container/start" && !described.contains(&told.id))
            .map(|told| told.id)
            .collect();
        assert_eq!(ran.len(), count, "{name}");
        for action in ["start", "die"] {
            let told = ids(&|row| {
                list(row, "tag").contains(&"removed-container")
                    && text(row, "parser") == "host.daemon_log"
                    && text(row, "action") == action
            });
            assert_eq!(told, ran, "{name} {action}");
        }
    }
}

#[test]
fn every_class_that_falls_short_has_its_reason() {
    let table = fs::read_to_string(project("testdata/truth/shown.txt")).unwrap();
    let readme = fs::read_to_string(project("tests/README.md")).unwrap();
    for line in table.lines().filter(|line| line.starts_with(' ')) {
        let (class, counts) = line.trim().split_once(": ").unwrap();
        let (shown, all) = counts.split_once(" of ").unwrap();
        let has_reason = readme.contains(&format!("`{class}`"));
        assert!(shown == all || has_reason, "{class}: no reason in tests/README.md");
    }
}
