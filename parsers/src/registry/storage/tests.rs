//! What the times of a registry's directories tell, and what a registry without its blobs is.
#![cfg(test)]

use crate::Digest;
use crate::case::{Case, Outcome};
use serde_json::Value;

const PUSHED: &str = "2026-01-01T00:00:00Z";
const LATER: &str = "2026-01-02T00:00:00Z";
const REPOSITORY: &str = "srv/repositories/r/v2/repositories/lab/tools/web";

fn digest(content: &str) -> Digest {
    Digest::of(content.as_bytes())
}

fn blob_path(digest: &Digest) -> String {
    format!("srv/repositories/r/v2/blobs/sha256/{}/{}/data", &digest.hex()[..2], digest.hex())
}

fn directories(case: Case, time: &str, paths: &[&str]) -> Case {
    paths.iter().fold(case, |case, path| case.at(time, &format!("{REPOSITORY}/{path}/"), ""))
}

fn link(case: Case, path: &str, digest: &Digest) -> Case {
    let path = path.replace("DIGEST", digest.hex());
    let case = directories(case, PUSHED, &[&path]);
    case.at(PUSHED, &format!("{REPOSITORY}/{path}/link"), digest.as_str())
}

/// A registry of one image, with the tag 1.
fn registry() -> (Case, Digest) {
    let config = r#"{"os":"linux","rootfs":{"type":"layers","diff_ids":[]},"created":"2025-05-05T05:05:05Z"}"#;
    let layer = digest("layer");
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"digest":"{}"}},"layers":[{{"digest":"{layer}","size":5}}]}}"#,
        digest(config)
    );
    let mut case = Case::default();
    for content in [config, "layer", &manifest] {
        case = case.at(PUSHED, &blob_path(&digest(content)), content);
    }
    let manifest = digest(&manifest);
    let directory = |name: &str| format!("_manifests/{name}");
    for path in ["tags", "tags/1", "revisions", "revisions/sha256"].map(directory) {
        case = directories(case, PUSHED, &[&path]);
    }
    case = link(case, "_manifests/revisions/sha256/DIGEST", &manifest);
    case = link(case, "_manifests/tags/1/current", &manifest);
    case = link(case, "_manifests/tags/1/index/sha256/DIGEST", &manifest);
    case = link(case, "_layers/sha256/DIGEST", &layer);
    (link(case, "_layers/sha256/DIGEST", &digest(config)), manifest)
}

fn read(case: Case) -> Outcome {
    let outcome = case.read("registry.storage");
    assert_eq!(outcome.issues, [""; 0]);
    outcome
}

fn message(event: &Value) -> &str {
    event["message"].as_str().unwrap()
}

#[test]
fn a_whole_registry_tells_what_was_pushed_and_no_deletion() {
    let (case, manifest) = registry();
    let outcome = read(case);
    assert_eq!(outcome.all("delete"), Vec::<&Value>::new());
    let pushes = outcome.all("push");
    assert_eq!(pushes.len(), 3, "the manifest and two contents");
    let pushed = pushes.iter().find(|event| event["data_type"] == "registry:manifest").unwrap();
    assert_eq!(pushed["image_name"], "lab/tools/web:1");
    assert_eq!(pushed["image_digests"][0], format!("lab/tools/web@{manifest}"));
    assert_eq!(outcome.all("tag").len(), 2);
    assert_eq!(outcome.all("store").len(), 3);
    assert_eq!(outcome.only("build")["datetime_ns"], "2025-05-05T05:05:05.000000000Z");
    assert!(outcome.events.iter().all(|event| event["tag"].is_null()));
    assert_eq!(outcome.records, 5 + 3);
}

#[test]
fn a_tag_that_was_removed_left_its_time_on_the_directory() {
    let (case, _) = registry();
    let outcome = read(directories(case, LATER, &["_manifests/tags"]));
    let removed = outcome.only("delete");
    assert_eq!(removed["datetime_ns"], "2026-01-02T00:00:00.000000000Z");
    assert_eq!(removed["time_confidence"], "inferred");
    assert!(message(removed).starts_with("[lab/tools/web] a tag was removed"));
}

#[test]
fn a_manifest_that_was_deleted_left_its_directory() {
    let (case, _) = registry();
    let gone = digest("gone");
    let path = format!("_manifests/revisions/sha256/{}", gone.hex());
    let outcome = read(directories(case, LATER, &[&path]));
    let deleted = outcome.only("delete");
    assert_eq!(deleted["blob_digest"], gone.as_str());
    assert_eq!(deleted["datetime_ns"], "2026-01-02T00:00:00.000000000Z");
}

#[test]
fn contents_that_were_collected_left_their_time_on_the_directories() {
    let (case, manifest) = registry();
    let path = blob_path(&manifest);
    let above = path.rsplitn(3, '/').last().unwrap();
    let outcome = read(case.at(LATER, &format!("{above}/"), ""));
    assert!(message(outcome.only("delete")).contains("1 of the directories"));
}

#[test]
fn a_content_of_no_repository_is_told_with_its_image() {
    let config = r#"{"os":"linux","rootfs":{},"history":[{"created":"2024-01-01T00:00:00Z","created_by":"RUN x"}]}"#;
    let manifest = format!(r#"{{"config":{{"digest":"{}"}},"layers":[]}}"#, digest(config));
    let (case, _) = registry();
    let case = case
        .at(PUSHED, &blob_path(&digest(config)), config)
        .at(PUSHED, &blob_path(&digest(&manifest)), &manifest)
        .at(PUSHED, &blob_path(&digest("lost layer")), "lost layer");
    let outcome = read(case);
    let orphans: Vec<&Value> =
        outcome.all("store").into_iter().filter(|event| event["tag"][0] == "orphan").collect();
    assert_eq!(orphans.len(), 3);
    let step = outcome.events.iter().find(|event| event["command_line"] == "RUN x").unwrap();
    assert_eq!(step["tag"][0], "orphan");
    assert_eq!(step["image_identifier"], digest(config).as_str());
}

#[test]
fn a_registry_without_its_repositories_has_no_orphans() {
    let outcome = read(Case::default().with(&blob_path(&digest("layer")), "layer"));
    assert!(outcome.only("store")["tag"].is_null());
}

#[test]
fn a_registry_without_its_contents_misses_nothing_of_them() {
    let manifest = digest("manifest");
    let case = link(Case::default(), "_manifests/tags/1/index/sha256/DIGEST", &manifest);
    let outcome = read(link(case, "_manifests/revisions/sha256/DIGEST", &manifest));
    assert!(outcome.events.iter().all(|event| event["tag"].is_null()));
    assert_eq!(outcome.events.len(), 2);
}
