//! The files of image layers, as their directories hold them, as they came, or both.
//!
//! A layer is read from one source only: its directory, else the list of the files with which it came
//! (`tar-split`), else the archive that it came as, in a content store or in an archive of images.
//! Which layers there are, and what is left of each, the inventory has found
//! (`inventory/image_layers.rs`). By default those are told that did not come from a registry: steps of
//! builds, commits, what was loaded or imported, and directories that belong to nothing any more.
//! containerd notes a registry also on what it pushes there: such a layer counts as one from a registry.
//! `--layers all` tells the others, too, `--layers none` none; what is not told is in the report.
//!
//! | `action` | what | instants |
//! |---|---|---|
//! | `file` | a file of the layer | each time of the file; of a list or an archive its modification |
//! | `delete` | a whiteout: the layer hides a file of those below | the whiteout's in a list or an archive; of a directory the latest possible time (`inferred`) |
//!
//! **Tampering.** Nobody notices when a file in the directory of a layer is changed on the host: the
//! engine never looks again, and every new container gets the change. The list knows better: a file
//! whose kind, size, content (CRC-64) or modification time differs, one that the list does not have,
//! and one that the directory does not have any more, are tagged `layer-tampered`. Docker and
//! containers/storage write such a list. containerd writes none; there the archive in the content store
//! from which the layer was unpacked takes its place, if it is still there, and mode and owner are
//! compared, too. A directory that is no layer of an image, such as a step of a build, came as nothing.
//!
//! An archive tells seconds or more, and for times before 1970 and after 2262 Docker writes the
//! beginning of 1970: such an event is tagged `not-wall-clock`, as are the fixed dates of reproducible
//! builds. Docker's own layers leave out fractions of seconds in lists, and overlayfs made their
//! whiteouts when the layer was unpacked or its step ran.
//!
//! Suspicious files are tagged as those of containers are. A layer of the driver vfs holds all files of
//! those below, too: its list says which are its own; without one it is told as not supported.

mod hidden;
mod opened;
mod tampering;

use super::file_event::{FileEvent, times_of};
use super::suspicious::{self, Suspect};
use crate::changes::Class;
use crate::container_id::is_id;
use crate::formats::image_config::is_fixed_date;
use crate::inventory::{ImageLayer, Style};
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_evidence::walk::{Descend, walk_below};
use dockline_evidence::{Entry, EvidenceError, FileKind, Metadata, Tree, TreePath, Visible};
use dockline_timeline::{Findings, Issue, IssueKind, Kind, Origin, Position};
use hidden::Hides;
use opened::Came;
use std::sync::Arc;

/// The parser.
pub(crate) static PARSER: Parser = Parser {
    name: "files.layer",
    reads: &[
        "overlay2/{directory}/diff/",
        "fuse-overlayfs/{directory}/diff/",
        "overlay/{directory}/diff/",
        "vfs/dir/{directory}/",
        "aufs/diff/{directory}/",
        "io.containerd.snapshotter.v1.{snapshotter}/snapshots/{number}/fs/",
        "layerdb/sha256/{chain}/tar-split.json.gz/",
        "{driver}-layers/{layer}.tar-split.gz/",
        "blobs/sha256/{digest}/",
        "{layer}/layer.tar/",
    ],
    gather: Gather::Directory,
    about: "files of image layers, and what was changed of them on the host",
    yields: "each time of each file, what a layer hides, files that are not as they came",
    references: &[
        "tar-split 0.12 tar/storage/entry.go, tar/asm/disassemble.go",
        "OCI image-spec 1.1 layer.md",
        "Linux 6.18 Documentation/filesystems/overlayfs.rst",
    ],
    parse,
};

static FILE: Kind =
    Kind { data_type: "image:file", source_short: "FILE", source_long: "File of an image layer" };

/// The tag of what is not as it came.
const TAMPERED: &str = "layer-tampered";

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let Some(file) = artifact.files.first() else { return };
    let Some(layer) = inventory.image_layers.at(&artifact.tree, &file.path) else { return };
    findings.records(&file.origin, 0, 0);
    let came = Came::open((artifact, file), layer, findings);
    let told = Told { layer, file, came: came.as_ref() };
    match (&layer.directory, &came, &layer.archive) {
        (Some(directory), Some(came), _) if layer.style == Style::Whole => {
            told.as_came(&*came.tree, Some(directory), findings);
        }
        (Some(_), None, _) if layer.style == Style::Whole => {
            let what =
                "a layer with all files of those below, and no list of its own, is not supported";
            findings.issue(file.issue(IssueKind::Unsupported, Position::File, what));
        }
        (Some(directory), ..) => told.directory(directory, findings),
        (None, Some(came), _) => told.as_came(&*came.tree, None, findings),
        (None, None, Some(_)) => {
            if let Some(tree) = opened::archive((artifact, file), findings) {
                told.as_came(&*tree, None, findings);
            }
        }
        (None, None, None) => {}
    }
}

/// A layer whose files are told.
struct Told<'a> {
    layer: &'a ImageLayer,
    file: &'a ArtifactFile,
    came: Option<&'a Came>,
}

/// A node of a layer.
struct Node<'a> {
    /// The tree that holds it, and where.
    tree: &'a dyn Tree,
    place: &'a TreePath,
    /// The path as a container sees it.
    path: &'a TreePath,
    metadata: &'a Metadata,
}

impl Told<'_> {
    /// The layer from its directory, held against how it came.
    fn directory(&self, directory: &TreePath, findings: &mut dyn Findings) {
        let tree = &*self.layer.tree;
        self.walk((tree, directory), findings, &mut |node, findings| {
            let origin = self.file.origin_of(node.place);
            if let Some(hides) = Hides::of_node(node, self.layer.style) {
                return self.hidden((node, &origin), &hides, findings);
            }
            self.node((node, &origin), self.difference(node).as_deref(), findings);
            if let Some(hides) = Hides::of_directory(node) {
                self.hidden((node, &origin), &hides, findings);
            }
        });
        if let Some(came) = self.came {
            self.walk((&*came.tree, &TreePath::root()), findings, &mut |node, findings| {
                self.missing(node, directory, findings);
            });
        }
    }

    /// The layer from a list or an archive; with the directory in which it lies among others.
    fn as_came(&self, tree: &dyn Tree, directory: Option<&TreePath>, findings: &mut dyn Findings) {
        self.walk((tree, &TreePath::root()), findings, &mut |node, findings| {
            let origin = &*self.file.origin;
            if let Some(hides) = Hides::of_name(node.path) {
                return self.hidden((node, origin), &hides, findings);
            }
            let place = directory.and_then(|directory| below(directory, node.path));
            let Some((place, metadata)) = place.and_then(|place| self.in_directory(&place)) else {
                return self.node((node, origin), None, findings);
            };
            let (tree, place, metadata) = (&*self.layer.tree, &place, &metadata);
            let own = Node { tree, place, metadata, ..*node };
            let origin = self.file.origin_of(place);
            self.node((&own, &origin), self.difference(&own).as_deref(), findings);
        });
    }

    fn in_directory(&self, place: &TreePath) -> Option<(TreePath, Metadata)> {
        Some((place.clone(), self.layer.tree.metadata(place).ok()?))
    }

    fn walk(
        &self,
        (tree, start): (&dyn Tree, &TreePath),
        findings: &mut dyn Findings,
        each: &mut dyn FnMut(&Node<'_>, &mut dyn Findings),
    ) {
        let mut problems: Vec<(TreePath, EvidenceError)> = Vec::new();
        let mut unreadable: Vec<(TreePath, EvidenceError)> = Vec::new();
        let depth = start.components().count();
        let mut visit = |place: &TreePath, _: &Entry| {
            let path = relative(place, depth);
            match tree.metadata(place) {
                Ok(metadata) => {
                    let (place, path, metadata) = (place, &path, &metadata);
                    each(&Node { tree, place, path, metadata }, findings);
                }
                Err(error) => unreadable.push((place.clone(), error)),
            }
            Descend::Into
        };
        walk_below(tree, start, &mut visit, &mut |path, error| problems.push((path, error)));
        for (path, error) in problems.into_iter().chain(unreadable) {
            let issue = Issue::new(
                error.issue_kind(),
                self.file.origin_of(&path).at(Position::File),
                error.to_string(),
            );
            findings.issue(issue.losing(1, 0));
        }
    }

    /// A file of the layer, with what differs from how it came.
    fn node(
        &self,
        (node, origin): (&Node<'_>, &Origin),
        difference: Option<&str>,
        findings: &mut dyn Findings,
    ) {
        findings.records(&self.file.origin, 1, 0);
        let path = node.path.to_string();
        let link_target = link_target(node);
        let target = link_target.as_ref().map(|target| format!(" -> {target}"));
        let kind = node.metadata.kind.name();
        let mut text =
            format!("{kind} of layer {}: {path}{}", self.short(), target.unwrap_or_default());
        let bytes = [b"/", node.path.as_bytes()].concat();
        let suspect = Suspect {
            path: &bytes,
            class: Class::Added,
            metadata: node.metadata,
            below: None,
            is_copy: true,
            directory_modified: None,
        };
        let mut tags: Vec<&'static str> = suspicious::tags(&suspect).collect();
        if let Some(difference) = difference {
            text.push_str("; changed on the host: ");
            text.push_str(difference);
            tags.push(TAMPERED);
        }
        let times = times_of(node.metadata);
        let Some(first) = times.moments().next() else {
            return self.without_times((node, origin), &text, findings);
        };
        if is_fixed_date(first.instant) {
            tags.push("not-wall-clock");
        }
        let event = self.event((origin, &path), (&text, "file"), node.metadata);
        let link_target = link_target.as_deref();
        FileEvent { link_target, tags: &tags, ..event }.tell(findings);
    }

    /// A directory that an archive only implies has no times, and nothing is lost with it.
    fn without_times(
        &self,
        (node, origin): (&Node<'_>, &Origin),
        text: &str,
        findings: &mut dyn Findings,
    ) {
        if node.metadata.kind != FileKind::Directory || node.metadata.mode.is_some() {
            self.timeless(origin, text, findings);
        }
    }

    fn timeless(&self, origin: &Origin, text: &str, findings: &mut dyn Findings) {
        let what = format!("{text}, at no time that the evidence knows");
        let place = origin.at(Position::File);
        findings.issue(Issue::new(IssueKind::Unreadable, place, what).losing(1, 0));
    }

    fn event<'e>(
        &'e self,
        (origin, path): (&'e Origin, &'e str),
        (text, action): (&'e str, &'e str),
        metadata: &'e Metadata,
    ) -> FileEvent<'e> {
        // A list or an archive is one file of the evidence for all of the layer's.
        let is_one = origin.path == self.file.origin.path;
        let position = if is_one { Position::Key(path) } else { Position::File };
        FileEvent {
            origin,
            position,
            kind: &FILE,
            subject: &self.layer.subject,
            action,
            text,
            path,
            metadata,
            link_target: None,
            layer: Some(&self.layer.id),
            volume: None,
            sha256: None,
            tags: &[],
        }
    }

    /// The layer's name, for persons.
    fn short(&self) -> &str {
        let id = &self.layer.id;
        let digits = id.strip_prefix("sha256:").unwrap_or(id);
        if is_id(digits.as_bytes()) { digits.get(..12).unwrap_or(digits) } else { digits }
    }
}

fn link_target(node: &Node<'_>) -> Option<String> {
    if node.metadata.kind != FileKind::SymbolicLink {
        return None;
    }
    let target = node.tree.link_target(node.place).ok()?;
    Some(Visible(&target).to_string())
}

/// A path without so many of its first components.
fn relative(place: &TreePath, depth: usize) -> TreePath {
    let parts = place.components().skip(depth);
    parts.fold(TreePath::root(), |path, part| path.join(part).unwrap_or(path))
}

/// The place in a directory of a path of the layer.
fn below(directory: &TreePath, path: &TreePath) -> Option<TreePath> {
    path.components().try_fold(directory.clone(), |place, part| place.join(part))
}
