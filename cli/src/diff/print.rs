//! Differences as lines, as a table and as JSON.

use super::images::Chosen;
use super::{Container, place};
use crate::report;
use dockline_evidence::{FileKind, Metadata, Tree, TreePath, Visible};
use dockline_parsers::ArtifactFile;
use dockline_parsers::changes::docker_diff::{Difference, Letter};
use dockline_parsers::changes::{Change, Class, DeletedAt};
use dockline_parsers::formats::file_mode::mode_as_string;
use dockline_parsers::inventory::LayerBelow;
use dockline_timeline::{Instant, Issue};
use serde_json::{Map, Value, json};

const HEADINGS: [&str; 10] =
    ["", "class", "mode", "owner", "size", "modified", "changed", "born", "deleted", "path"];
const LIST_HEADINGS: [&str; 5] = ["container", "name", "image", "host", "writable layer"];

/// One of the two file systems.
#[derive(Clone, Copy)]
struct Side<'a> {
    tree: &'a dyn Tree,
    layers: &'a [LayerBelow],
    /// A file of the tree.
    file: &'a ArtifactFile,
}

/// What differs between two file systems.
pub(super) struct Shown<'a> {
    /// What is compared.
    about: Value,
    before: Side<'a>,
    after: Side<'a>,
    differences: &'a [Difference],
    issues: &'a [Issue],
}

impl<'a> Shown<'a> {
    /// What a container changed.
    pub(super) fn of_container(
        container: &'a Container<'a>,
        (differences, issues): (&'a [Difference], &'a [Issue]),
    ) -> Shown<'a> {
        let (layer, file) = (container.layer, container.file);
        let side = Side { tree: &*layer.tree, layers: &layer.below, file };
        let about = about_container(container);
        Shown { about, before: side, after: side, differences, issues }
    }

    /// What differs from one image to another.
    pub(super) fn of_images(
        images: &'a [Chosen<'a>; 2],
        (differences, issues): (&'a [Difference], &'a [Issue]),
    ) -> Shown<'a> {
        let about = json!({ "images": images.each_ref().map(about_image) });
        let side = |image: &'a Chosen<'a>| {
            let (tree, layers) = (&*image.files.tree, image.files.layers.as_slice());
            Side { tree, layers, file: image.image.file }
        };
        let [before, after] = images.each_ref().map(side);
        Shown { about, before, after, differences, issues }
    }

    /// `C /etc`, as `docker diff` writes it.
    pub(super) fn plain(&self) -> impl Iterator<Item = String> {
        self.listed().map(|(letter, change)| format!("{} {}", letter.as_str(), change.path))
    }

    /// The same names with what is known of them; of what is gone, as it was.
    pub(super) fn table(&self) -> impl Iterator<Item = String> {
        let mut rows = vec![HEADINGS.map(str::to_owned)];
        rows.extend(self.listed().map(|(letter, change)| row(letter, change)));
        aligned(rows)
    }

    fn listed(&self) -> impl Iterator<Item = (Letter, &Change)> {
        self.differences.iter().filter_map(|found| Some((found.letter?, &found.change)))
    }

    /// One document, with each change on a line of its own.
    pub(super) fn json(&self) -> impl Iterator<Item = String> {
        let mut head = self.about.to_string();
        head.pop();
        let issues: Value = self.issues.iter().map(report::issue).collect();
        let last = self.differences.len();
        let changes = self.differences.iter().zip(1..).map(move |(found, number)| {
            let comma = if number < last { "," } else { "" };
            format!("{}{comma}", self.change(found))
        });
        let first = std::iter::once(format!("{head},\"changes\":["));
        first.chain(changes).chain([format!("],\"issues\":{issues}}}")])
    }

    fn change(&self, found: &Difference) -> Value {
        let change = &found.change;
        let is_deleted = change.class == Class::Deleted;
        let own = (!is_deleted).then(|| self.after.node(&change.metadata, &change.place));
        let side = if is_deleted && change.deleted_at.is_none() { self.before } else { self.after };
        let mut told = Map::from_iter([
            ("path".to_owned(), json!(change.path.to_string())),
            ("letter".to_owned(), json!(found.letter.map(Letter::as_str))),
            ("class".to_owned(), json!(class(change.class))),
            ("place".to_owned(), json!(place(side.file, &change.place))),
            ("deleted_at".to_owned(), json!(change.deleted_at.map(deleted_at))),
            ("with_directory".to_owned(), json!(change.with_directory)),
            ("moved_from".to_owned(), json!(change.moved_from.as_deref().map(visible))),
            ("before".to_owned(), self.before(change)),
        ]);
        told.extend(own.into_iter().flatten());
        Value::Object(told)
    }

    /// What was there, and which layer held it.
    fn before(&self, change: &Change) -> Value {
        let Some(below) = &change.below else { return Value::Null };
        let layer = self.before.layers.get(below.layer);
        let mut before = self.before.node(&below.metadata, &below.place);
        before.insert("layer".to_owned(), json!(layer.map(|layer| layer.id.as_str())));
        before.insert("place".to_owned(), json!(place(self.before.file, &below.place)));
        Value::Object(before)
    }
}

impl Side<'_> {
    fn node(&self, metadata: &Metadata, place: &TreePath) -> Map<String, Value> {
        let time = |instant: Option<Instant>| json!(instant.map(|instant| instant.to_string()));
        let is_link = metadata.kind == FileKind::SymbolicLink;
        let target = is_link.then(|| self.tree.link_target(place).ok()).flatten();
        let target = target.as_deref().map(visible);
        let device = metadata.device.map(|device| format!("{}:{}", device.major, device.minor));
        Map::from_iter([
            ("kind".to_owned(), json!(metadata.kind.name())),
            ("size".to_owned(), json!(size(metadata))),
            ("mode".to_owned(), json!(mode(metadata))),
            ("uid".to_owned(), json!(metadata.uid)),
            ("gid".to_owned(), json!(metadata.gid)),
            ("inode".to_owned(), json!(metadata.inode)),
            ("hard_links".to_owned(), json!(metadata.links)),
            ("device".to_owned(), json!(device)),
            ("link_target".to_owned(), json!(target)),
            ("modified".to_owned(), time(metadata.modified)),
            ("accessed".to_owned(), time(metadata.accessed)),
            ("changed".to_owned(), time(metadata.changed)),
            ("born".to_owned(), time(metadata.born)),
        ])
    }
}

/// The containers whose writable layers are in the evidence.
pub(super) fn list(containers: &[Container<'_>]) -> impl Iterator<Item = String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let mut rows = vec![LIST_HEADINGS.map(str::to_owned)];
    rows.extend(containers.iter().map(|container| {
        let subject = &container.subject;
        [
            container.short_id().to_owned(),
            text(&subject.container_name),
            text(&subject.image_name),
            container.file.origin.host.to_string(),
            place(container.file, &container.file.path),
        ]
    }));
    aligned(rows)
}

/// The same as JSON.
pub(super) fn list_as_json(containers: &[Container<'_>], issues: &[Issue]) -> String {
    let containers: Value = containers.iter().map(about_container).collect();
    let issues: Value = issues.iter().map(report::issue).collect();
    format!("{:#}", json!({ "containers": containers, "issues": issues }))
}

fn about_container(container: &Container<'_>) -> Value {
    let subject = &container.subject;
    let layers = container.layer.below.iter().map(|layer| layer.id.as_str());
    json!({
        "host": *container.file.origin.host,
        "container_identifier": subject.container_identifier,
        "container_name": subject.container_name,
        "image_name": subject.image_name,
        "image_identifier": subject.image_identifier,
        "driver": container.layer.driver,
        "place": place(container.file, &container.file.path),
        "layers": layers.collect::<Vec<_>>(),
    })
}

fn about_image(chosen: &Chosen<'_>) -> Value {
    let image = chosen.image;
    let layers = chosen.files.layers.iter().map(|layer| layer.id.as_str());
    json!({
        "host": *image.file.origin.host,
        "image_identifier": image.image.id,
        "names": image.image.names,
        "driver": image.store.driver,
        "place": image.place(),
        "also_in": chosen.also_in,
        "layers": layers.collect::<Vec<_>>(),
        "not_of_image": chosen.files.not_of_image,
    })
}

fn row(letter: Letter, change: &Change) -> [String; 10] {
    let shown = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let time = |instant: Option<Instant>| shown(instant.map(|at| at.civil().to_string()));
    let metadata = match (&change.below, change.class) {
        (Some(below), Class::Deleted) => &below.metadata,
        _ => &change.metadata,
    };
    let owner = metadata.uid.zip(metadata.gid).map(|(uid, gid)| format!("{uid}:{gid}"));
    [
        letter.as_str().to_owned(),
        class(change.class).to_owned(),
        shown(mode(metadata)),
        shown(owner),
        shown(size(metadata).map(|size| size.to_string())),
        time(metadata.modified),
        time(metadata.changed),
        time(metadata.born),
        time(change.deleted_at.map(DeletedAt::instant)),
        change.path.to_string(),
    ]
}

fn visible(name: &[u8]) -> String {
    Visible(name).to_string()
}

fn class(class: Class) -> &'static str {
    match class {
        Class::Added => "added",
        Class::Modified => "modified",
        Class::Metadata => "metadata",
        Class::Replaced => "replaced",
        Class::CopiedUp => "copied up",
        Class::Deleted => "deleted",
    }
}

fn deleted_at(deleted: DeletedAt) -> Value {
    let (certainty, until) = match deleted {
        DeletedAt::Exactly(_) => ("exact", None),
        DeletedAt::Between(_, latest) => ("between", Some(latest.to_string())),
        DeletedAt::AtLatest(_) => ("at the latest", None),
    };
    json!({ "at": deleted.instant().to_string(), "until": until, "certainty": certainty })
}

fn mode(metadata: &Metadata) -> Option<String> {
    metadata.mode.map(|mode| mode_as_string(metadata.kind, mode))
}

fn size(metadata: &Metadata) -> Option<u64> {
    Some(metadata.size).filter(|_| metadata.kind == FileKind::Regular)
}

/// The rows as lines, with columns below one another.
fn aligned<const COLUMNS: usize>(rows: Vec<[String; COLUMNS]>) -> impl Iterator<Item = String> {
    let mut widths = [0; COLUMNS];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    rows.into_iter().map(move |row| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    })
}
