//! Tests of what only shows beside other files: orphans, other stores, times of directories.
#![cfg(test)]

use crate::plan::{Reading, Subtree, plan};
use crate::{ChainId, DiffId, Digest};
use dockline_evidence::MemoryTree;
use dockline_timeline::{Collected, Findings, Instant};
use serde_json::Value;
use std::sync::Arc;

const CONTAINER: &str = "1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a";

fn at(second: i64) -> Option<Instant> {
    Instant::new(1_700_000_000 + second, 0)
}

/// The directories have times: those of the files in them are 0, theirs are 1,000.
fn timed(tree: MemoryTree) -> MemoryTree {
    tree.with_directories_modified(at(1_000))
}

fn layer_of(text: &str) -> DiffId {
    DiffId(Digest::of(text.as_bytes()))
}

/// Adds a read-only layer below `image/<driver>`, in the directory `cache`.
fn with_layer(
    tree: MemoryTree,
    driver: &str,
    (below, diff): (Option<&ChainId>, &DiffId),
    cache: &str,
) -> MemoryTree {
    let chain = ChainId::on(below, diff);
    let folder = format!("d/image/{driver}/layerdb/sha256/{}", chain.0.hex());
    let tree = tree.with_file(&format!("{folder}/diff"), diff.0.as_str(), at(0)).with_file(
        &format!("{folder}/cache-id"),
        cache,
        at(0),
    );
    match below {
        Some(below) => tree.with_file(&format!("{folder}/parent"), below.0.as_str(), at(0)),
        None => tree,
    }
}

fn with_image(tree: MemoryTree, driver: &str, diffs: &[&DiffId]) -> MemoryTree {
    let diffs: Vec<&str> = diffs.iter().map(|diff| diff.0.as_str()).collect();
    let config = serde_json::json!({"rootfs": {"diff_ids": diffs}}).to_string();
    let name = Digest::of(config.as_bytes());
    let path = format!("d/image/{driver}/imagedb/content/sha256/{}", name.hex());
    tree.with_file(&path, config, at(0))
}

fn with_mount(tree: MemoryTree, driver: &str, parent: &ChainId) -> MemoryTree {
    let folder = format!("d/image/{driver}/layerdb/mounts/{CONTAINER}");
    tree.with_file(&format!("{folder}/mount-id"), "m", at(0))
        .with_file(&format!("{folder}/init-id"), "m-init", at(0))
        .with_file(&format!("{folder}/parent"), parent.0.as_str(), at(0))
}

fn run(tree: MemoryTree) -> (Vec<Value>, Vec<String>) {
    let subtree = Subtree {
        evidence: Arc::from("e"),
        host: Some(Arc::from("h")),
        fallback_host: Arc::from("h"),
        prefix: Arc::from("/p4"),
        depth: 0,
        tree: Arc::new(tree),
    };
    let mut found = Collected::new();
    let planned = plan(&[subtree], &|parser| parser.name == "docker.layer", &Reading::default());
    for job in planned.jobs() {
        found.job(job);
    }
    let events: Vec<Value> =
        found.lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    for event in &events {
        assert!(event["display_name"].as_str().unwrap().starts_with("e:/p4/"), "{event}");
    }
    (events, found.issues.iter().map(ToString::to_string).collect())
}

fn orphans(tree: MemoryTree) -> Vec<(String, String)> {
    let (events, issues) = run(tree);
    assert_eq!(issues, [""; 0]);
    let is_orphan = |event: &&Value| event["tag"].to_string().contains("orphan");
    let told = |event: &Value| {
        assert_eq!(event["time_confidence"], "inferred");
        let field = |name: &str| event[name].as_str().unwrap().to_owned();
        (field("datetime_ns"), field("message"))
    };
    events.iter().filter(is_orphan).map(told).collect()
}

#[test]
fn a_store_that_is_whole_has_no_orphans() {
    let (base, top) = (layer_of("base"), layer_of("top"));
    let below = ChainId::on(None, &base);
    let tree = with_layer(MemoryTree::new(), "overlay2", (None, &base), "a");
    let tree = with_layer(tree, "overlay2", (Some(&below), &top), "b");
    let tree = with_image(tree, "overlay2", &[&base, &top]);
    let tree = with_mount(tree, "overlay2", &ChainId::on(Some(&below), &top));
    let config = format!("d/containers/{CONTAINER}/config.v2.json");
    let tree = tree
        .with_file(&config, r#"{"Driver":"overlay2"}"#, at(0))
        .with_file("d/overlay2/a/link", "AAA", at(0))
        .with_file("d/overlay2/b/link", "BBB", at(0))
        .with_file("d/overlay2/b/lower", "l/AAA", at(0))
        .with_file("d/overlay2/m-init/link", "III", at(0))
        .with_file("d/overlay2/m-init/lower", "l/BBB:l/AAA", at(0))
        .with_file("d/overlay2/m/link", "MMM", at(0))
        .with_file("d/overlay2/m/lower", "l/III:l/BBB:l/AAA", at(0))
        .with_file("d/overlay2/0123456789abcdefghijklmno/link", "KKK", at(0));
    assert_eq!(orphans(timed(tree)), []);
}

#[test]
fn a_container_that_is_gone_went_before_its_directory_changed_last() {
    let base = layer_of("base");
    let tree = with_layer(MemoryTree::new(), "overlay2", (None, &base), "a");
    let tree = with_image(tree, "overlay2", &[&base]);
    let tree = with_mount(tree, "overlay2", &ChainId::on(None, &base));
    assert_eq!(orphans(timed(tree.clone())), [], "no directory of containers, no conclusion");
    let tree = tree.with_file("d/containers/other", "", at(0));
    let text = "[1a1a1a1a1a1a] container removed: its writable layer is left, its directory is not; \
                at this time, the last change of /d/containers, or before";
    let expected = ("2023-11-14T22:30:00.000000000Z".to_owned(), text.to_owned());
    assert_eq!(orphans(timed(tree)), [expected]);
}

#[test]
fn only_the_store_of_its_own_driver_misses_the_layer_of_a_container() {
    let base = layer_of("base");
    let tree = with_layer(MemoryTree::new(), "overlay2", (None, &base), "a");
    let tree = with_image(tree, "overlay2", &[&base]);
    // The mounts of the store are there, and another container's mount in them.
    let other = CONTAINER.replace('1', "2");
    let tree = tree
        .with_file(&format!("d/image/overlay2/layerdb/mounts/{other}/mount-id"), "m", at(0))
        .with_file(&format!("d/containers/{other}/config.v2.json"), "{}", at(0));
    let config = format!("d/containers/{CONTAINER}/config.v2.json");
    let containerd = tree.clone().with_file(&config, r#"{"Driver":"overlayfs"}"#, at(0));
    assert_eq!(orphans(timed(containerd)), []);
    let missing = tree.with_file(&config, r#"{"Driver":"overlay2"}"#, at(0));
    let found = orphans(timed(missing));
    assert!(found[0].1.contains("removal of the container begun and not finished"), "{found:?}");
    assert_eq!(found.len(), 1);
}

#[test]
fn an_image_of_one_store_holds_no_layer_of_another() {
    let base = layer_of("base");
    let tree = with_layer(MemoryTree::new(), "overlay2", (None, &base), "a");
    let tree = with_layer(tree, "btrfs", (None, &base), "a");
    let tree = with_image(tree, "overlay2", &[&base]);
    assert_eq!(orphans(timed(tree.clone())), [], "no images of btrfs, no conclusion");
    let tree = with_image(tree, "btrfs", &[&layer_of("another")]);
    let found = orphans(timed(tree));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].1.contains("the last change of /d/image/btrfs/imagedb"), "{found:?}");
}

#[test]
fn what_was_put_on_a_layer_and_is_gone_left_its_time() {
    let base = layer_of("base");
    let tree = with_layer(MemoryTree::new(), "overlay2", (None, &base), "a");
    let tree = with_image(tree, "overlay2", &[&base]);
    let tree = tree
        .with_file("d/overlay2/a/link", "AAA", at(0))
        .with_file("d/overlay2/0123456789abcdefghijklmno/link", "KKK", at(50))
        .with_file("d/overlay2/0123456789abcdefghijklmno/lower", "l/AAA", at(50));
    let matched = tree.clone().with_file("d/overlay2/a/committed", "", at(50));
    assert_eq!(orphans(timed(matched)), []);
    let tree = tree.with_file("d/overlay2/a/committed", "", at(70));
    let found = orphans(timed(tree.clone()));
    assert_eq!(found[0].0, "2023-11-14T22:14:30.000000000Z");
    assert!(found[0].1.contains("that is gone since: a container"), "{found:?}");
    let other = layer_of("not collected");
    let partial = with_layer(tree, "overlay2", (None, &other), "b");
    let partial = with_image(partial, "overlay2", &[&other]);
    assert_eq!(orphans(timed(partial)), [], "a directory of the store is not in the evidence");
}

#[test]
fn a_chain_that_stands_on_itself_ends() {
    let folder = |id: &str| format!("d/image/overlay2/layerdb/sha256/{id}");
    let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
    let tree = MemoryTree::new()
        .with_file(&format!("{}/diff", folder(one.hex())), one.as_str(), at(0))
        .with_file(&format!("{}/parent", folder(one.hex())), two.as_str(), at(0))
        .with_file(&format!("{}/diff", folder(two.hex())), two.as_str(), at(0))
        .with_file(&format!("{}/parent", folder(two.hex())), one.as_str(), at(0));
    let (events, issues) = run(with_mount(tree, "overlay2", &ChainId(one)));
    assert_eq!(issues.len(), 2, "both chain ids are wrong: {issues:?}");
    assert_eq!(events.len(), 3);
}

#[test]
fn a_changed_lower_is_found() {
    let (base, top) = (layer_of("base"), layer_of("top"));
    let below = ChainId::on(None, &base);
    let tree = with_layer(MemoryTree::new(), "overlay2", (None, &base), "a");
    let tree = with_layer(tree, "overlay2", (Some(&below), &top), "b");
    let tree = tree
        .with_file("d/overlay2/a/link", "AAA", at(0))
        .with_file("d/overlay2/b/link", "BBB", at(0))
        .with_file("d/overlay2/b/lower", "l/EVIL:l/AAA", at(0));
    let expected = "e:/p4/d/overlay2/b/lower: lower is \"l/EVIL:l/AAA\", and layerdb puts \"l/AAA\" \
                    below (malformed)";
    assert_eq!(run(tree).1, [expected]);
}

#[test]
fn pieces_without_a_data_root_are_read_and_nothing_is_concluded() {
    let base = layer_of("base");
    let folder = format!("layerdb/sha256/{}", base.0.hex());
    let tree = MemoryTree::new()
        .with_file(&format!("{folder}/diff"), base.0.as_str(), at(0))
        .with_file(&format!("layerdb/mounts/{CONTAINER}/mount-id"), "m", at(0))
        .with_file(&format!("layerdb/mounts/{CONTAINER}/parent"), base.0.as_str(), at(0));
    let (events, issues) = run(timed(tree));
    assert_eq!((events.len(), issues.len()), (2, 0));
    assert!(events.iter().all(|event| event["time_confidence"] == "filesystem"));
}
