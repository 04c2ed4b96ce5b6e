//! The directories of a snapshotter: `io.containerd.snapshotter.v1.<name>/metadata.db`, a BoltDB.
//!
//! A snapshot is a layer of an image (committed), the writable layer of a container (active), or a
//! look at one (view). Its number names the directory that holds its files. The database says
//! nothing of containers, but the key of a container's snapshot is the container's id, with `-init`
//! for what Docker puts into it. After containerd 2.1 `core/snapshots/storage/{bolt,metastore}.go`,
//! `plugins/snapshots/overlay/overlay.go`.
//!
//! | instant | event |
//! |---|---|
//! | `createdat` | snapshot made: of an active one, when the container was created; of a committed one, when the layer was unpacked |
//! | `updatedat`, where it differs | labels of the snapshot changed |
//! | time of a directory of no snapshot | left by a removal or by a start that was not finished |
//!
//! A snapshot that `meta.db` beside it does not name is tagged `orphan`: containerd has forgotten
//! it, and would have removed it. Snapshots of free pages are tagged `recovered`. The mapping of
//! containers to directories is in the inventory. Not supported: what lies in the directories, and
//! the records of devices that `devmapper` keeps in a database of its own.

use crate::formats::bolt::{self, Database};
use crate::formats::snapshotter_db::{self, Record, SnapshotKind};
use crate::inventory::snapshot_owner;
use crate::{Artifact, ArtifactFile, Digest, Gather, Inventory, Parser};
use dockline_evidence::{FileKind, TreePath};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Kind, Meaning, Position, Subject, Value,
};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "containerd.snapshots",
    reads: &[
        "io.containerd.snapshotter.v1.{snapshotter}/metadata.db",
        "io.containerd.snapshotter.v1.{snapshotter}/snapshotter/metadata.db",
    ],
    gather: Gather::File,
    about: "layers of images and containers in containerd's snapshotters, and their directories",
    yields: "snapshot made, changed, forgotten by containerd, directories of nobody, also of free pages",
    references: &[
        "containerd 2.1 core/snapshots/storage/{bolt,metastore}.go",
        "containerd 2.1 plugins/snapshots/overlay/overlay.go",
    ],
    parse,
};

static SNAPSHOT: Kind = Kind {
    data_type: "containerd:snapshotter:snapshot",
    source_short: "CONTAINERD",
    source_long: "containerd snapshotter",
};

/// A database that is being read.
struct Snapshotter<'a> {
    artifact: &'a Artifact,
    file: &'a ArtifactFile,
    inventory: &'a Inventory,
    name: &'a str,
    /// The names that `meta.db` of the same root has for snapshots; `None` when it is not there.
    named: Option<&'a BTreeSet<String>>,
}

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let limit = bolt::FILE_LIMIT;
        let Some(bytes) = artifact.read_up_to(file, limit, findings) else { continue };
        let database = match Database::open(&bytes) {
            Ok(database) => database,
            Err(flaw) => {
                flaw.report_lost(file, bytes.len(), findings);
                continue;
            }
        };
        database.flaws().iter().for_each(|flaw| flaw.report(file, findings));
        let name = file.capture("snapshotter").unwrap_or_default();
        let named = inventory.snapshots.named_in(&artifact.root);
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Snapshotter { artifact, file, inventory, name, named }.read(&database, length, findings);
    }
}

impl Snapshotter<'_> {
    fn read(&self, database: &Database<'_>, length: u64, findings: &mut dyn Findings) {
        let Some(current) = snapshotter_db::current(database) else {
            let what = "no bucket v1/snapshots: not a database of a snapshotter, or an empty one";
            let issue = self.file.issue(IssueKind::Malformed, Position::File, what);
            return findings.issue(issue.losing(0, length));
        };
        let recovered = snapshotter_db::recovered(database);
        let count = current.len().saturating_add(recovered.len());
        findings.records(&self.file.origin, u64::try_from(count).unwrap_or(u64::MAX), length);
        for record in current.iter().chain(&recovered) {
            self.record(record, findings);
        }
        self.directories_of_nobody(&current, findings);
    }

    fn record(&self, record: &Record<'_, '_>, findings: &mut dyn Findings) {
        let created = self.instant(record, "createdat", findings);
        let updated = self.instant(record, "updatedat", findings);
        if let Some(created) = created {
            self.tell(record, ("createdat", created), findings);
        }
        if let Some(updated) = updated.filter(|updated| Some(*updated) != created) {
            self.tell(record, ("updatedat", updated), findings);
        }
    }

    fn instant(
        &self,
        record: &Record<'_, '_>,
        key: &str,
        findings: &mut dyn Findings,
    ) -> Option<Instant> {
        match record.instant(key) {
            Ok(instant) => instant,
            Err(error) => {
                let path = path(record, key);
                let at = Position::Key(&path);
                findings.issue(self.file.issue(IssueKind::Malformed, at, error.to_string()));
                None
            }
        }
    }

    fn tell(
        &self,
        record: &Record<'_, '_>,
        (key, instant): (&str, Instant),
        findings: &mut dyn Findings,
    ) {
        let path = path(record, key);
        let (subject, what) = self.whose(record);
        let is_creation = key == "createdat";
        let orphan = record.page.is_none() && self.is_forgotten(record);
        let forgotten = if orphan { "; containerd has forgotten it" } else { "" };
        let done = if is_creation { "made" } else { "changed" };
        let text = format!("{what} {done}{forgotten}");
        let meaning = if is_creation { Meaning::Creation } else { Meaning::Update };
        let mut event = Event::new(&self.file.origin, &SNAPSHOT, &subject, (instant, meaning));
        event.position = Position::Key(&path);
        event.action = if is_creation { "create" } else { "update" };
        event.text = (&text).into();
        event.size = record.size.and_then(|size| u64::try_from(size).ok());
        event.layer_identifier = layer(record);
        event.labels = &record.labels;
        event.tags.extend(orphan.then_some(Cow::Borrowed("orphan")));
        let directory = self.directory(record);
        self.describe(record, directory.as_deref(), &mut event);
        findings.event(&event);
    }

    fn describe<'a>(
        &'a self,
        record: &'a Record<'_, '_>,
        directory: Option<&'a str>,
        event: &mut Event<'a>,
    ) {
        let text = |text: &'a str| Some(Value::Text(text.into()));
        event.attribute("snapshotter", text(self.name));
        event.attribute("snapshot_name", record.name.as_deref().and_then(text));
        event.attribute("snapshot_parent", record.parent.as_deref().and_then(text));
        event.attribute("snapshot_kind", text(record.kind.name()));
        event.attribute("snapshot_files", record.inodes.map(Value::Integer));
        event.attribute("layer_directory", directory.and_then(text));
        if let Some(page) = record.page {
            event.tags.push(Cow::from("recovered"));
            let place = format!("free page {page} of the database");
            event.attribute("recovered_from", Some(Value::Text(place.into())));
        }
        self.inventory.mark_removed(event);
    }

    /// Whose a snapshot is, and in words.
    fn whose(&self, record: &Record<'_, '_>) -> (Subject, String) {
        let key = record.namespace_and_key().map(|(_, key)| key).unwrap_or_default();
        if let Some((container, is_init)) = snapshot_owner(self.inventory, key) {
            let text = if is_init {
                "snapshot with what the engine puts into the container"
            } else {
                "writable snapshot of the container"
            };
            return (self.inventory.container_subject(container.as_str()), text.to_owned());
        }
        let text = match (record.kind, Digest::parse(key)) {
            (_, Some(chain)) => format!("snapshot of layer {}", chain.short()),
            (kind, None) if key.is_empty() => format!("{} snapshot of a lost name", kind.name()),
            (kind, None) => format!("{} snapshot {key}", kind.name()),
        };
        (Subject::UNKNOWN, text)
    }

    fn is_forgotten(&self, record: &Record<'_, '_>) -> bool {
        let name = record.name.as_ref();
        self.named.zip(name).is_some_and(|(named, name)| !named.contains(name))
    }

    /// The directory of a current snapshot, below that of the snapshotter.
    fn directory(&self, record: &Record<'_, '_>) -> Option<String> {
        let number = record.number.filter(|_| record.page.is_none())?;
        Some(format!("snapshots/{number}"))
    }

    /// Directories that no snapshot has: removals are finished after the database says so.
    fn directories_of_nobody(&self, current: &[Record<'_, '_>], findings: &mut dyn Findings) {
        let numbers: BTreeSet<u64> = current.iter().filter_map(|record| record.number).collect();
        let base = self.file.path.parent().and_then(|base| base.join(b"snapshots"));
        let Some(base) = base else { return };
        for entry in self.artifact.tree.list(&base).unwrap_or_default() {
            let name = String::from_utf8_lossy(&entry.name);
            let known = name.parse().is_ok_and(|number: u64| numbers.contains(&number));
            if entry.kind == FileKind::Directory && !known {
                let path = base.join(&entry.name);
                path.iter().for_each(|path| self.tell_nobody(&name, path, findings));
            }
        }
    }

    fn tell_nobody(&self, name: &str, path: &TreePath, findings: &mut dyn Findings) {
        let metadata = self.artifact.tree.metadata(path).ok();
        let Some(modified) = metadata.and_then(|metadata| metadata.modified) else { return };
        let text = format!(
            "directory snapshots/{name} is of no snapshot: left by a removal, or by a start or an \
             unpacking that did not finish; this is when it last changed"
        );
        let at = (modified, Meaning::ContentModification);
        let mut event = Event::new(&self.file.origin, &SNAPSHOT, &Subject::UNKNOWN, at);
        event.confidence = Confidence::Filesystem;
        event.action = "write";
        event.text = (&text).into();
        event.tags.push(Cow::from("orphan"));
        event.attribute("snapshotter", Some(Value::Text(self.name.into())));
        event.attribute("layer_directory", Some(Value::Text(format!("snapshots/{name}").into())));
        findings.event(&event);
    }
}

/// The chain id that a layer's key is.
fn layer<'a>(record: &'a Record<'_, '_>) -> Option<&'a str> {
    let (_, key) = record.namespace_and_key()?;
    (record.kind == SnapshotKind::Committed && Digest::parse(key).is_some()).then_some(key)
}

fn path(record: &Record<'_, '_>, key: &str) -> String {
    format!("v1/snapshots/{}/{key}", record.name.as_deref().unwrap_or("?"))
}
