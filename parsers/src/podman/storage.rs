//! The store of containers, images and layers that Podman, Buildah, Skopeo and CRI-O share.
//!
//! Three tables below one data root (`/var/lib/containers/storage`, without root
//! `~/.local/share/containers/storage`), each in a directory that is named after the storage
//! driver; see [`crate::formats::containers_storage`]. A host may have several: of several users, of
//! several drivers.
//!
//! | instant | event |
//! |---|---|
//! | `created` of a container | its storage was made, a few milliseconds after Podman began to make it |
//! | `created` of an image | the date of its configuration: by the clock of whoever made it |
//! | `created` of a layer | the layer was made on this host, by a pull, a load, a build, or for a container |
//! | time of a table | something was added to the table, changed in it or removed from it; each name of an image, with names that it had before |
//!
//! - The metadata of a container keep the name that it was made with: another name now means that
//!   it was renamed since, nothing tells when.
//! - `names-history` of an image keeps every name that was ever taken from it: retagging shows.
//!   Names that end in `-tmp:latest` are those of the steps of a build.
//! - A layer below no container, image or other layer is the rest of a removal or of an interrupted
//!   pull; it is tagged `orphan`. `incomplete` marks a layer of which the library itself says so.
//! - The digest of an image is that of its manifest. Podman computes one for images that were made
//!   here too, so that it proves nothing about a registry.
//! - `volatile-*.json` hold what need not survive a crash: containers with `--rm`, which vanish first.
//! - `.tmp-<table>*` is left behind when a write was interrupted: an earlier version, or one that
//!   never came to be.
//!
//! Not supported: the lists of files of layers (`*.tar-split.gz`), and the directories of the drivers
//! themselves.

mod containers;
mod images;
mod layers;

use crate::formats::containers_storage::{StoredContainer, StoredImage, StoredLayer};
use crate::formats::json::{self, Fields, Wrong};
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, Kind, Meaning, Position, Subject, Value,
};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "podman.storage",
    reads: &[
        "{driver}-containers/containers.json",
        "{driver}-containers/volatile-containers.json",
        "{driver}-containers/.tmp-containers.json{leftover*}",
        "{driver}-images/images.json",
        "{driver}-images/.tmp-images.json{leftover*}",
        "{driver}-layers/layers.json",
        "{driver}-layers/volatile-layers.json",
        "{driver}-layers/.tmp-layers.json{leftover*}",
    ],
    gather: Gather::DataRoot,
    about: "containers, images and layers in the store that Podman, Buildah and CRI-O share",
    yields: "container's storage made, image with its names and former names, layer made, last writes",
    references: &[
        "containers/storage 1.46.0 and 1.59.0 containers.go, images.go, layers.go",
        "podman 4.3.1 libpod/storage.go, cri-o 1.36 internal/storage/runtime.go",
    ],
    parse,
};

static TABLE: Kind = Kind {
    data_type: "podman:storage:table",
    source_short: "PODMAN",
    source_long: "containers/storage table",
};

/// One table of a store: its file, and its rows with the way to each.
struct Table<'a, Row> {
    file: &'a ArtifactFile,
    modified: Option<Instant>,
    rows: Vec<(String, Row)>,
    /// Whether its content could be read.
    readable: bool,
}

/// An instant, what it means, and how far it can be believed.
type Moment = (Instant, Meaning, Confidence);

impl<Row> Table<'_, Row> {
    /// When a row was made; when nothing tells, the last write of the table, before which it was.
    fn moment(&self, created: Option<Instant>) -> Option<Moment> {
        let last_write = || {
            let modified = self.modified?;
            Some((modified, Meaning::ContentModification, Confidence::Filesystem))
        };
        let created = created.map(|at| (at, Meaning::Creation, Confidence::Recorded));
        created.or_else(last_write)
    }
}

/// The tables of one driver of a data root.
struct Store<'a> {
    driver: &'a str,
    inventory: &'a Inventory,
    containers: Vec<Table<'a, StoredContainer>>,
    images: Vec<Table<'a, StoredImage>>,
    layers: Vec<Table<'a, StoredLayer>>,
}

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let drivers: BTreeSet<&str> =
        artifact.files.iter().filter_map(|file| file.capture("driver")).collect();
    for driver in drivers {
        let store = Store::read((artifact, driver), inventory, findings);
        store.report_containers(findings);
        store.report_images(findings);
        store.report_layers(findings);
    }
}

impl<'a> Store<'a> {
    fn read(
        (artifact, driver): (&'a Artifact, &'a str),
        inventory: &'a Inventory,
        findings: &mut dyn Findings,
    ) -> Store<'a> {
        let mut store = Store {
            driver,
            inventory,
            containers: Vec::new(),
            images: Vec::new(),
            layers: Vec::new(),
        };
        for file in artifact.files.iter().filter(|file| file.capture("driver") == Some(driver)) {
            let directory = file.path.parent();
            let directory = directory.as_ref().and_then(|path| path.file_name());
            let directory = directory.unwrap_or_default();
            if directory.ends_with(b"-containers") {
                store.containers.extend(table(artifact, file, StoredContainer::read, findings));
            } else if directory.ends_with(b"-images") {
                store.images.extend(table(artifact, file, StoredImage::read, findings));
            } else {
                store.layers.extend(table(artifact, file, StoredLayer::read, findings));
            }
        }
        store
    }

    /// The event of a row: that it has a driver, and whether its table was ever in place.
    fn event<'e>(
        &'e self,
        file: &'e ArtifactFile,
        (kind, subject): (&'e Kind, &'e Subject),
        (instant, meaning, confidence): Moment,
    ) -> Event<'e> {
        let mut event = Event::new(&file.origin, kind, subject, (instant, meaning));
        event.confidence = confidence;
        event.attribute("storage_driver", Some(Value::Text(self.driver.into())));
        if file.capture("leftover").is_some() {
            event.attribute("leftover", Some(Value::Boolean(true)));
        }
        event
    }

    /// The last write of a table.
    fn report_write<Row>(&self, table: &Table<'_, Row>, what: &str, findings: &mut dyn Findings) {
        let Some(moment) = table.moment(None) else { return };
        let count = table.rows.len();
        let text = match (table.file.capture("leftover"), table.readable) {
            (Some(_), _) => format!("interrupted write of a table of {what}: {count} of them"),
            (None, false) => format!("table of {what} last written; the content cannot be read"),
            (None, true) => format!(
                "table of {what} last written: one was made, changed or removed; {count} of them"
            ),
        };
        let mut event = self.event(table.file, (&TABLE, &Subject::UNKNOWN), moment);
        event.action = "write";
        event.text = (&text).into();
        findings.event(&event);
    }
}

/// Reads a table; `None` when the file holds none.
fn table<'a, Row>(
    artifact: &Artifact,
    file: &'a ArtifactFile,
    read: fn(&Fields<'_>) -> Row,
    findings: &mut dyn Findings,
) -> Option<Table<'a, Row>> {
    let modified = artifact.metadata(file, findings).and_then(|metadata| metadata.modified);
    let bytes = artifact.read(file, findings)?;
    let document = match json::read(&bytes) {
        Ok(document) => document,
        Err(flaw) => {
            flaw.report_lost(file, bytes.len(), findings);
            return Some(Table { file, modified, rows: Vec::new(), readable: false });
        }
    };
    let wrong = Wrong::default();
    let rows = Fields::of_list(&document.value, &wrong);
    let rows: Vec<(String, Row)> =
        rows.iter().map(|fields| (fields.path().to_owned(), read(fields))).collect();
    let count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    findings.records(&file.origin, count, document.length);
    for flaw in document.flaws.iter().chain(&wrong.into_flaws()) {
        flaw.report(file, findings);
    }
    Some(Table { file, modified, rows, readable: true })
}

/// What a row says of a time that it does not hold.
fn note_of(moment: Moment) -> &'static str {
    match moment.2 {
        Confidence::Filesystem => "; nothing tells when, its table was last written now",
        _ => "",
    }
}

/// A row without an id says nothing of which one can speak.
fn report_nameless(file: &ArtifactFile, path: &str, findings: &mut dyn Findings) {
    let at = format!("{path}.id");
    let kind = dockline_timeline::IssueKind::Malformed;
    let issue = file.issue(kind, Position::Key(&at), "a row without an id");
    findings.issue(issue.losing(1, 0));
}

/// The first digits of an id, for persons.
fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// A text.
fn text(text: Option<&String>) -> Option<Value<'_>> {
    text.map(|text| Value::Text(text.into()))
}

/// A list of texts, unless it is empty.
fn list<'a>(texts: impl IntoIterator<Item = &'a String>) -> Option<Value<'a>> {
    let list: Vec<Cow<'_, str>> = texts.into_iter().map(Cow::from).collect();
    (!list.is_empty()).then_some(Value::List(list))
}
