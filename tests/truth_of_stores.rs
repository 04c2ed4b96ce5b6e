//! The timeline of a real host says of networks, volumes and builds what its daemon said: `docker
//! network inspect`, `docker volume inspect`, `docker buildx history` and `docker builder du` of the
//! living engine are the oracle.

use crate::program::{events_of, host, list, text};
use crate::truth::{HOSTS, Truth, nine_digits, second};
use serde_json::Value;
use std::collections::BTreeSet;

#[test]
fn every_network_was_created_when_inspect_says() {
    let mut count = 0;
    for name in HOSTS {
        let events = events_of(&host(name));
        let of_type = |event: &&Value| text(event, "data_type") == "docker:network";
        let created: BTreeSet<_> = events
            .iter()
            .filter(of_type)
            .map(|event| {
                ["network_identifier", "network_name", "datetime_ns"].map(|key| text(event, key))
            })
            .collect();
        for network in Truth::of(name).json("inspect_networks.json") {
            // Those of a Swarm are kept by its managers, in their log.
            if text(&network, "Scope") == "swarm" {
                continue;
            }
            let at = nine_digits(text(&network, "Created"));
            let expected = [text(&network, "Id"), text(&network, "Name"), &at];
            assert!(created.contains(&expected), "{name}: {expected:?} not in {created:#?}");
            count += 1;
        }
    }
    assert!(count > 12, "only {count} networks were compared");
}

#[test]
fn every_volume_was_created_when_inspect_and_events_say() {
    let mut count = 0;
    for name in HOSTS {
        let events = events_of(&host(name));
        let truth = Truth::of(name);
        for volume in truth.json("inspect_volumes.json") {
            let (volume_name, driver) = (text(&volume, "Name"), text(&volume, "Driver"));
            let found: Vec<&Value> = events
                .iter()
                .filter(|event| text(event, "data_type") == "docker:volume")
                .filter(|event| text(event, "volume_name") == volume_name)
                .filter(|event| text(event, "action") == "create")
                .collect();
            assert_eq!(found.len(), 1, "{name}: {volume_name}");
            assert_eq!(text(found[0], "volume_driver"), driver, "{name}: {volume_name}");
            let created = second(text(found[0], "datetime"));
            // Before 23.0 Docker shows when the content was last changed.
            let shown = second(text(&volume, "CreatedAt"));
            let fits = if name == "engine-29.7" { created == shown } else { created <= shown };
            assert!(fits, "{name}: {volume_name}: {created}, not {shown}");
            count += 1;
        }
    }
    assert!(count > 11, "only {count} volumes were compared");
}

#[test]
fn every_build_that_the_engine_lists_is_an_event_with_its_end() {
    let events = events_of(&host("engine-29.7"));
    let builds = Truth::of("engine-29.7").json_lines("buildx_history.txt");
    assert_eq!(builds.len(), 2);
    for build in &builds {
        let reference = text(build, "ref").rsplit('/').next().unwrap();
        let of_build = |description: &str| -> Vec<&Value> {
            let wanted = |event: &&Value| {
                text(event, "data_type") == "docker:build"
                    && text(event, "build_reference") == reference
                    && text(event, "timestamp_desc") == description
            };
            events.iter().filter(wanted).collect()
        };
        let (starts, ends) = (of_build("Start Time"), of_build("End Time"));
        assert_eq!((starts.len(), ends.len()), (1, 1), "{reference}");
        let created = nine_digits(text(build, "created_at"));
        let completed = nine_digits(text(build, "completed_at"));
        assert_eq!(text(starts[0], "datetime_ns"), created, "{reference}");
        assert_eq!(text(ends[0], "datetime_ns"), completed, "{reference}");
        let failed = list(ends[0], "tag").contains(&"failed");
        assert_eq!(failed, text(build, "status") == "Error", "{reference}");
        for (ours, theirs) in
            [("steps_total", "total_steps"), ("steps_completed", "completed_steps")]
        {
            assert_eq!(ends[0][ours], build[theirs], "{reference}");
        }
        let cached = ends[0]["steps_cached"].as_i64().unwrap_or(0);
        assert_eq!(Some(cached), build["cached_steps"].as_i64(), "{reference}");
    }
}

#[test]
fn every_record_of_the_build_cache_was_made_when_the_engine_says() {
    let events = events_of(&host("engine-29.7"));
    let usage = String::from_utf8(Truth::of("engine-29.7").bytes("builder_du.txt")).unwrap();
    let mut records = 0;
    for block in usage.split("\n\n").filter(|block| block.starts_with("ID:")) {
        let field = |name: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.map(|value| value.trim().to_owned())
        };
        let id = field("ID").unwrap();
        let wanted = |event: &&Value| {
            text(event, "data_type") == "docker:build:cache"
                && text(event, "parser") == "docker.buildkit"
                && text(event, "timestamp_desc") == "Creation Time"
                && text(event, "cache_record") == id
                && !list(event, "tag").contains(&"recovered")
        };
        let found: Vec<&Value> = events.iter().filter(wanted).collect();
        assert_eq!(found.len(), 1, "{id}");
        let created = field("Created at").unwrap();
        let words: Vec<&str> = created.split(' ').collect();
        let created = nine_digits(&format!("{}T{}", words[0], words[1]));
        assert_eq!(text(found[0], "datetime_ns"), created, "{id}");
        let count = field("Usage count").unwrap();
        assert_eq!(found[0]["usage_count"].to_string(), count, "{id}");
        if let Some(description) = field("Description") {
            assert!(text(found[0], "message").contains(&description), "{id}");
        }
        records += 1;
    }
    assert_eq!(records, 7);
}
