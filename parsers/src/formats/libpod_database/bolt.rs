//! libpod's BoltDB: podman 4.3 `libpod/boltdb_state.go`, `boltdb_state_internal.go`.
//!
//! | bucket | holds |
//! |---|---|
//! | `ctr`/ID | `config` and `state` of a container, its networks and volumes |
//! | `pod`/ID | `config` and `state` of a pod |
//! | `vol`/NAME | `config` and `state` of a volume |
//! | `exit-code`/ID, `exit-code-time-stamp`/ID | exit codes, with RFC 3339 times, since Podman 4.2 |
//! | `runtime-config` | the directories of the store |
//!
//! `id-registry`, `name-registry`, `all-ctrs`, `allPods`, `allVolumes`, `exec`, `aliases` and
//! `network-ctrs` are indexes that say nothing more. In free pages, what a text is shows from its
//! own keys: nothing tells the bucket.

use super::{Contents, Record, What, what_is};
use crate::ArtifactFile;
use crate::formats::bolt::{Bucket, Content, Database};
use dockline_timeline::{Findings, Instant, IssueKind, Position};

/// How deep buckets of a fragment are searched.
const DEPTH_LIMIT: usize = 8;

pub(super) fn read(
    bytes: &[u8],
    file: &ArtifactFile,
    findings: &mut dyn Findings,
) -> Option<Contents> {
    let database = match Database::open(bytes) {
        Ok(database) => database,
        Err(flaw) => {
            flaw.report(file, findings);
            return None;
        }
    };
    for flaw in database.flaws() {
        flaw.report(file, findings);
    }
    let mut records = current(database.root());
    exit_codes(database.root(), &mut records, file, findings);
    for fragment in database.fragments() {
        let place = match fragment.is_earlier_root {
            true => "transaction before the last",
            false => "free page",
        };
        let place = format!("{place} of the database (page {})", fragment.page);
        recovered(fragment.bucket, &place, &mut records);
    }
    Some(Contents { records, recovered: None })
}

/// The records of the current state.
fn current(root: Bucket<'_, '_>) -> Vec<Record> {
    let mut records = Vec::new();
    if let Some(root) = root.bucket("runtime-config").and_then(|bucket| bucket.get("graph-root")) {
        let root = String::from_utf8_lossy(root).into_owned();
        records.push(Record {
            what: What::Root(root),
            json: Vec::new(),
            key: "runtime-config/graph-root".to_owned(),
            recovered_from: None,
        });
    }
    for (name, what) in [("ctr", What::Container), ("pod", What::Pod), ("vol", What::Volume)] {
        for (entry, bucket) in root.bucket(name).into_iter().flat_map(Bucket::buckets) {
            let id = String::from_utf8_lossy(entry.key).into_owned();
            let record = |key: &str, what: What| {
                let json = bucket.get(key)?.to_vec();
                Some(Record { what, json, key: format!("{name}/{id}/{key}"), recovered_from: None })
            };
            records.extend(record("config", what.clone()));
            if what == What::Container {
                records.extend(record("state", What::State(Some(id.clone()))));
            }
        }
    }
    records
}

fn exit_codes(
    root: Bucket<'_, '_>,
    records: &mut Vec<Record>,
    file: &ArtifactFile,
    findings: &mut dyn Findings,
) {
    let Some(codes) = root.bucket("exit-code") else { return };
    let times = root.bucket("exit-code-time-stamp");
    for entry in codes.entries() {
        let container = String::from_utf8_lossy(entry.key).into_owned();
        let key = format!("exit-code/{container}");
        let time = times.and_then(|times| times.find(entry.key)).map(|entry| entry.content);
        match (number_of(entry.content), time.and_then(instant_of)) {
            (Some(code), Some(at)) => records.push(Record {
                what: What::ExitCode { container, at, code },
                json: Vec::new(),
                key,
                recovered_from: None,
            }),
            _ => {
                let what = "an exit code without a number or a time";
                let issue = file.issue(IssueKind::Malformed, Position::Key(&key), what);
                findings.issue(issue.losing(1, 0));
            }
        }
    }
}

fn text_of<'b>(content: Content<'_, 'b>) -> Option<&'b str> {
    match content {
        Content::Value(bytes) => std::str::from_utf8(bytes).ok(),
        Content::Bucket(_) => None,
    }
}

fn number_of(content: Content<'_, '_>) -> Option<i64> {
    text_of(content)?.parse().ok()
}

fn instant_of(content: Content<'_, '_>) -> Option<Instant> {
    Instant::parse_rfc3339(text_of(content)?).ok().flatten()
}

/// The texts of a fragment that the current state does not hold.
fn recovered(fragment: Bucket<'_, '_>, place: &str, records: &mut Vec<Record>) {
    let mut open = vec![(fragment, 0_usize)];
    while let Some((bucket, depth)) = open.pop() {
        for entry in bucket.entries() {
            match entry.content {
                Content::Bucket(inner) if depth < DEPTH_LIMIT => {
                    open.push((inner, depth.saturating_add(1)));
                }
                Content::Value(json) if !entry.repeated => {
                    let Some(what) = what_is(json) else { continue };
                    records.push(Record {
                        what,
                        json: json.to_vec(),
                        key: format!("byte {}", entry.offset),
                        recovered_from: Some(place.to_owned()),
                    });
                }
                _ => {}
            }
        }
    }
}
