//! Volumes: `volumes/metadata.db`, `volumes/<name>/opts.json`, and the directories of the volumes.
//!
//! `metadata.db` is a BoltDB with one bucket, `volumes`: name, driver, labels and options of each
//! volume, and no time. The driver `local` keeps the content in `volumes/<name>/_data`, and options
//! in `opts.json` beside it; it writes into `volumes/<name>` when it makes a volume, and not
//! afterwards, so that the time of that directory is when the volume was made. (The `CreatedAt` that
//! Docker shows is the time of the last change of that directory's metadata, before 23.0 of `_data`,
//! which the content moves.) After moby `volume/service/db.go`, `volume/local/local.go` of 20.10.27
//! (the same below `daemon/` in 29.7).
//!
//! | instant | event |
//! |---|---|
//! | birth of `volumes/<name>`, else when it was last written, whichever is earlier | volume created, with its driver, options and labels, and which containers mount it |
//! | time of `_data` | an entry of the volume's top directory was last made or removed |
//! | time of `metadata.db` | one for each volume without a directory: of another driver, or removed; the latter are in free pages |
//!
//! A volume that no container of this data root mounts has the tag `volume-without-container`; so
//! has none where the evidence has no directory of containers. A volume whose options promise a
//! secret has the tag `possible-secret`. Quotas of volumes are not told.

mod report;
mod volume;

use crate::formats::bolt::{self, Bucket, Content, Database, Entry};
use crate::formats::container_directory as directory;
use crate::formats::json;
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{Findings, Instant, IssueKind, Kind, Position};
use report::Report;
use std::collections::BTreeMap;
use std::sync::Arc;
use volume::Volume;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "docker.volumes",
    reads: &["volumes/metadata.db", "volumes/{volume}/opts.json"],
    gather: Gather::DataRoot,
    about: "volumes: what they are, when they were made, which containers mount them",
    yields: "volume created, last change of its top directory, removed volumes of free pages",
    references: &[
        "moby 29.7.2 daemon/volume/service/db.go, daemon/volume/local/local.go",
        "moby 20.10.27 volume/service/db.go, volume/local/local.go",
    ],
    parse,
};

static VOLUME: Kind =
    Kind { data_type: "docker:volume", source_short: "DOCKER", source_long: "Docker volume" };

/// Name of the bucket of `metadata.db`.
const BUCKET: &[u8] = b"volumes";

fn parse(artifact: &Arc<Artifact>, _inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let mut volumes: BTreeMap<String, Volume> = BTreeMap::new();
    let mut database = None;
    for file in &artifact.files {
        match file.capture("volume") {
            Some(name) => read_options(artifact, (file, name), &mut volumes, findings),
            None => {
                read_database(artifact, file, &mut volumes, findings);
                database = Some(file);
            }
        }
    }
    let Some(first) = artifact.files.first() else { return };
    add_directories(artifact, &mut volumes);
    let uses = uses(artifact);
    let file = database.unwrap_or(first);
    let modified = written(artifact, file);
    let report = Report { artifact, file, modified, uses: uses.as_ref() };
    volumes.iter().for_each(|(name, volume)| report.volume(name, volume, findings));
}

fn written(artifact: &Artifact, file: &ArtifactFile) -> Option<Instant> {
    artifact.tree.metadata(&file.path).ok()?.modified
}

fn read_database(
    artifact: &Artifact,
    file: &ArtifactFile,
    volumes: &mut BTreeMap<String, Volume>,
    findings: &mut dyn Findings,
) {
    let Some(bytes) = artifact.read_up_to(file, bolt::FILE_LIMIT, findings) else { return };
    let database = match Database::open(&bytes) {
        Ok(database) => database,
        Err(flaw) => return flaw.report_lost(file, bytes.len(), findings),
    };
    database.flaws().iter().for_each(|flaw| flaw.report(file, findings));
    let mut count = 0_u64;
    for (name, bucket) in database.root().buckets() {
        if name.key != BUCKET {
            let what = format!("the bucket {:?} is not known", name.key.escape_ascii().to_string());
            findings.issue(file.issue(IssueKind::Unsupported, Position::Offset(name.offset), what));
            continue;
        }
        for entry in bucket.entries() {
            match Volume::from_entry(&entry, None) {
                Ok((key, volume)) => {
                    volume
                        .flaws
                        .iter()
                        .for_each(|flaw| flaw.report_at(file, entry.offset, findings));
                    volumes.insert(key, volume);
                    count = count.saturating_add(1);
                }
                Err((kind, what)) => {
                    let issue = file.issue(kind, Position::Offset(entry.offset), what);
                    findings.issue(issue.losing(1, 0));
                }
            }
        }
    }
    for fragment in database.fragments() {
        let from = match fragment.is_earlier_root {
            true => "the state before the last transaction".to_owned(),
            false => format!("free page {} of the database", fragment.page),
        };
        for entry in left(fragment.bucket, fragment.is_earlier_root) {
            if let Ok((name, volume)) = Volume::from_entry(&entry, Some(&from)) {
                volumes.entry(name).or_insert(volume);
                count = count.saturating_add(1);
            }
        }
    }
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    findings.records(&file.origin, count, length);
}

/// What a fragment holds that is not current: a leaf of the bucket itself, or of the one above it.
fn left<'d, 'b>(bucket: Bucket<'d, 'b>, is_root: bool) -> Vec<Entry<'d, 'b>> {
    let volumes = bucket.buckets().filter(|(name, _)| name.key == BUCKET);
    let inner = volumes.flat_map(|(_, bucket)| bucket.entries());
    let values = bucket.entries().filter(|entry| matches!(entry.content, Content::Value(_)));
    inner.chain(values.filter(|_| !is_root)).filter(|entry| !entry.repeated).collect()
}

fn read_options(
    artifact: &Artifact,
    (file, name): (&ArtifactFile, &str),
    volumes: &mut BTreeMap<String, Volume>,
    findings: &mut dyn Findings,
) {
    let Some(bytes) = artifact.read(file, findings) else { return };
    match json::read(&bytes) {
        Ok(document) => {
            findings.records(&file.origin, 1, document.length);
            let volume = volumes.entry(name.to_owned()).or_default();
            let wrong = volume.add_options(&document.value);
            document.flaws.iter().chain(&wrong).for_each(|flaw| flaw.report(file, findings));
        }
        Err(flaw) => {
            volumes.entry(name.to_owned()).or_default();
            flaw.report_lost(file, bytes.len(), findings);
        }
    }
}

/// Volumes of which there is only a directory.
fn add_directories(artifact: &Artifact, volumes: &mut BTreeMap<String, Volume>) {
    let Some(directory) = artifact.root.join(b"volumes") else { return };
    for entry in artifact.tree.list(&directory).unwrap_or_default() {
        let content = directory.join(&entry.name).and_then(|path| path.join(b"_data"));
        if content.is_some_and(|path| artifact.tree.metadata(&path).is_ok()) {
            let name = String::from_utf8_lossy(&entry.name).into_owned();
            volumes.entry(name).or_default();
        }
    }
}

/// Which containers mount which volume, and where; `None` when the evidence has no containers.
fn uses(artifact: &Artifact) -> Option<BTreeMap<String, Vec<String>>> {
    let containers = artifact.root.join(b"containers")?;
    let mut uses: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in artifact.tree.list(&containers).ok()? {
        let path = containers.join(&entry.name).and_then(|path| path.join(b"config.v2.json"));
        let Some(config) = path.and_then(|path| directory::config_of(artifact, &path)) else {
            continue;
        };
        let id = String::from_utf8_lossy(&entry.name).into_owned();
        let name = config.name.unwrap_or_else(|| id.chars().take(12).collect());
        for mount in config.mounts {
            let access = if mount.writable { "rw" } else { "ro" };
            let used = format!("{name}:{}:{access} ({id})", mount.destination);
            if let Some(volume) = mount.volume {
                uses.entry(volume).or_default().push(used);
            }
        }
    }
    Some(uses)
}
