//! libpod's database: what Podman knows of its containers, pods and volumes.
//!
//! One file of each user who runs Podman, in one of two kinds; see
//! [`crate::formats::libpod_database`]. It is the only place that holds the command line with which a
//! container was made, and when it last started and ended.
//!
//! | instant | event |
//! |---|---|
//! | `createdTime` of a container | created, with the command that was typed and everything that is known of it |
//! | `startedTime`, `finishedTime` | the last start; the last end, with exit code, want of memory, and by whom |
//! | `checkpointedTime`, `restoredTime` | frozen to disk, brought back |
//! | an exit code's own time | the container ended: kept some minutes longer than the container itself |
//! | `created` of a pod, `createdAt` of a volume | created |
//! | time of the file | the database was last written |
//!
//! - Go leaves out an exit code of zero: a container that has ended without one ended with 0.
//! - A container that runs on dead evidence: power was lost, or the image was taken of a live host.
//! - `finishedTime` before `startedTime` with an ended container: a short run, of which the runtime
//!   told the end before Podman noted the start.
//! - Sessions of `podman exec` have no time of their own: they ride on the start of the container.
//! - At the first command after a boot, Podman resets what it knows of running containers.
//! - Texts in free pages, of SQLite also between rows, are those of removed containers and of earlier states. They are
//!   tagged `recovered`, and give only instants that the current state does not hold.
//! - A write-ahead log or a hot journal beside SQLite's file is honoured as SQLite would.
//!
//! Not supported: the states of pods and volumes, which hold no time.

mod container;
mod objects;

use crate::formats::json;
use crate::formats::libpod::{Container, ContainerState};
use crate::formats::libpod_database::{self as database, Record, What};
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use container::Seen;
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Kind, Meaning, Position, Subject, Value,
};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "podman.database",
    reads: &["libpod/bolt_state.db", "db.sql", "db.sql-wal", "db.sql-journal", "db.sql-shm"],
    gather: Gather::Together,
    about: "Podman's database of containers, pods and volumes, BoltDB or SQLite, with its log",
    yields: "container created with the typed command, started, ended, pods and volumes created",
    references: &[
        "podman 4.3.1 libpod/boltdb_state.go, libpod/{container,container_config,pod,volume}.go",
        "podman 5.8 libpod/sqlite_state_internal.go",
    ],
    parse,
};

static DATABASE: Kind =
    Kind { data_type: "podman:database", source_short: "PODMAN", source_long: "Podman database" };

/// A database that is being reported.
struct Report<'a> {
    file: &'a ArtifactFile,
    inventory: &'a Inventory,
    /// States by container, of the current state.
    states: BTreeMap<String, (String, ContainerState)>,
    /// Configurations by container: of the current state, else of the first that was recovered.
    configurations: BTreeMap<String, Container>,
    /// Containers that mount a volume, by its name.
    users_of_volumes: BTreeMap<String, BTreeSet<String>>,
}

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let Some(file) = database::main_file(artifact) else {
        report_strays(artifact, findings);
        return;
    };
    let Some(contents) = database::read(artifact, findings) else { return };
    let count = u64::try_from(contents.records.len()).unwrap_or(u64::MAX);
    let metadata = artifact.metadata(file, findings);
    let size = metadata.as_ref().map_or(0, |metadata| metadata.size);
    findings.records(&file.origin, count, size);
    let texts = read_texts(&contents.records, file, findings);
    let report = Report::new(file, inventory, &texts);
    let mut seen = Seen::default();
    for (record, text) in &texts {
        report.record((record, text.as_ref()), &mut seen, findings);
    }
    if let Some(modified) = metadata.and_then(|metadata| metadata.modified) {
        report.last_write(&contents, modified, findings);
    }
}

/// Files that SQLite keeps beside a database that is not there.
fn report_strays(artifact: &Artifact, findings: &mut dyn Findings) {
    for file in &artifact.files {
        if artifact.metadata(file, findings).is_some_and(|metadata| metadata.size > 0) {
            let what = "the database that this belongs to is not in the evidence";
            findings.issue(file.issue(IssueKind::Unreadable, Position::File, what));
        }
    }
}

/// The records with their texts. Damage in a text of the current state is told; what is left in free
/// pages is damaged by nature.
fn read_texts<'r>(
    records: &'r [Record],
    file: &ArtifactFile,
    findings: &mut dyn Findings,
) -> Vec<(&'r Record, Option<Json>)> {
    let mut texts = Vec::new();
    for record in records {
        let document = (!record.json.is_empty()).then(|| json::read(&record.json));
        let text = match document {
            None => None,
            Some(Ok(document)) => Some(document.value),
            Some(Err(_)) if record.recovered_from.is_some() => continue,
            Some(Err(flaw)) => {
                let issue = file.issue(flaw.kind, Position::Key(&record.key), flaw.what);
                findings.issue(issue.losing(1, 0));
                continue;
            }
        };
        texts.push((record, text));
    }
    texts
}

impl<'a> Report<'a> {
    fn new(
        file: &'a ArtifactFile,
        inventory: &'a Inventory,
        texts: &[(&Record, Option<Json>)],
    ) -> Report<'a> {
        let mut report = Report {
            file,
            inventory,
            states: BTreeMap::new(),
            configurations: BTreeMap::new(),
            users_of_volumes: BTreeMap::new(),
        };
        for (record, text) in texts {
            match (&record.what, text) {
                (What::Container, Some(text)) => {
                    report.learn_container(text, record.recovered_from.is_none());
                }
                (What::State(Some(id)), Some(text)) if record.recovered_from.is_none() => {
                    let state = ContainerState::read(text).0;
                    report.states.insert(id.clone(), (record.key.clone(), state));
                }
                _ => {}
            }
        }
        report
    }

    fn learn_container(&mut self, text: &Json, exists: bool) {
        let container = Container::read(text).0;
        let Some(id) = container.config.id.clone() else { return };
        let name = container.config.name.clone().unwrap_or_else(|| id.clone());
        let volumes = container.config.mounts.iter().filter_map(|mount| mount.volume.clone());
        for volume in volumes.filter(|_| exists) {
            self.users_of_volumes.entry(volume).or_default().insert(name.clone());
        }
        self.configurations.entry(id).or_insert(container);
    }

    fn record(
        &self,
        (record, text): (&Record, Option<&Json>),
        seen: &mut Seen,
        findings: &mut dyn Findings,
    ) {
        match (&record.what, text) {
            (What::Container, Some(text)) => self.container((record, text), seen, findings),
            (What::State(_), Some(text)) => self.state((record, text), seen, findings),
            (What::Pod, Some(text)) => self.pod((record, text), seen, findings),
            (What::Volume, Some(text)) => self.volume((record, text), seen, findings),
            (What::ExitCode { container, at, code }, _) => {
                self.exit_code(record, (container, *at, *code), findings);
            }
            _ => {}
        }
    }

    /// Tells values of unexpected types; of what was recovered nothing is told.
    fn tell(&self, record: &Record, flaws: Vec<json::Flaw>, findings: &mut dyn Findings) {
        if record.recovered_from.is_some() {
            return;
        }
        for flaw in flaws {
            let at = match &flaw.at {
                json::Place::Key(key) => format!("{}: {key}", record.key),
                json::Place::Offset(_) => record.key.clone(),
            };
            findings.issue(self.file.issue(flaw.kind, Position::Key(&at), flaw.what));
        }
    }

    /// A record that says nothing of which one can speak.
    fn tell_timeless(&self, record: &Record, findings: &mut dyn Findings) {
        if record.recovered_from.is_none() {
            let what = "without an id, a name or a time of creation";
            let at = Position::Key(&record.key);
            findings.issue(self.file.issue(IssueKind::Malformed, at, what).losing(1, 0));
        }
    }

    /// What every event of a record has.
    fn event<'e>(
        &'e self,
        record: &'e Record,
        (kind, subject): (&'e Kind, &'e Subject),
        when: (Instant, Meaning),
    ) -> Event<'e> {
        let mut event = Event::new(&self.file.origin, kind, subject, when);
        event.position = Position::Key(&record.key);
        if let Some(place) = &record.recovered_from {
            event.tags.push(Cow::from("recovered"));
            event.attribute("recovered_from", Some(Value::Text(place.into())));
        }
        event
    }

    fn last_write(
        &self,
        contents: &database::Contents,
        modified: Instant,
        findings: &mut dyn Findings,
    ) {
        let mut text = "Podman's database last written".to_owned();
        let root = contents.records.iter().find_map(|record| match &record.what {
            What::Root(root) => Some(root),
            _ => None,
        });
        if let Some(root) = root {
            text.push_str(&format!(": data root {root}"));
        }
        if let Some(recovered) = &contents.recovered {
            text.push_str(&format!("; {recovered}"));
        }
        let when = (modified, Meaning::ContentModification);
        let mut event = Event::new(&self.file.origin, &DATABASE, &Subject::UNKNOWN, when);
        event.confidence = Confidence::Filesystem;
        event.action = "write";
        event.text = (&text).into();
        findings.event(&event);
    }
}
