//! What containers changed: their writable layers, file by file.
//!
//! Whatever a process in a container writes outside of volumes lands in one directory of the host,
//! which outlives the container's stop, and a dead host: `overlay2/<id>/diff`, a snapshot of
//! containerd, a layer of containers/storage. Where it lies, and what lies below it, the inventory
//! has found (`inventory/writable_layers.rs`); how the two are held against each other stands in
//! `changes`.
//!
//! | `action` | what the container did | instants |
//! |---|---|---|
//! | `add` | made what was not there | each time of the file |
//! | `modify` | wrote another content | each time of the file |
//! | `change_metadata` | changed owner, mode or times | each time of the file |
//! | `replace` | deleted what was there, and made it again | each time of the file |
//! | `copy_up` | opened for writing, or is a directory in which something changed | each time of the file |
//! | `delete` | deleted it | the deletion, or its latest possible time (`inferred`) |
//!
//! A file that overlayfs copies up keeps its content's modification time; its birth and the change of
//! its metadata are when it was first changed. The message says where a time is that of the layer
//! below. Everything in a deleted directory is told, with when it went.
//!
//! What the engine put into a container before it started (`<id>-init`: mount points, `/etc/hosts`) is
//! told with the tag `init-layer`. Suspicious files are tagged (`files/suspicious.rs`). What became of
//! names before the last change is not on the disk: a file that was made and deleted again left
//! nothing.
//!
//! Not read: the drivers `overlay` (of Docker before 24), `devicemapper` and `zfs`, and block devices of
//! snapshotters; each container there is told as unsupported. A tar without extended attributes
//! does not know what is opaque: names below then do not show as deleted.

use super::file_event::FileEvent;
use super::file_hash::FileHashes;
use super::suspicious::{self, Suspect};
use crate::changes::overlay::Marks;
use crate::changes::{Change, Class, DeletedAt, MARKS_ARE_MISSING, changes};
use crate::formats::file_mode::mode_as_string;
use crate::inventory::{Style, WritableLayer};
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_evidence::{FileKind, Metadata, TreePath, Visible};
use dockline_timeline::{Findings, Instant, Issue, IssueKind, Kind, Position, Subject};
use std::sync::Arc;

/// The parser.
pub(crate) static PARSER: Parser = Parser {
    name: "files.upper",
    reads: &[
        "overlay2/{directory}/diff/",
        "fuse-overlayfs/{directory}/diff/",
        "overlay/{directory}/diff/",
        "vfs/dir/{directory}/",
        "btrfs/subvolumes/{directory}/",
        "aufs/diff/{directory}/",
        "io.containerd.snapshotter.v1.{snapshotter}/snapshots/{number}/fs/",
    ],
    gather: Gather::Directory,
    about: "files that containers added, changed and deleted",
    yields: "each time of each file, deletions with what was deleted",
    references: &[
        "Linux 6.18 Documentation/filesystems/overlayfs.rst, fs/overlayfs/",
        "moby 29.7.2 daemon/graphdriver/overlay2/overlay.go",
        "fuse-overlayfs 1.14 main.c",
    ],
    parse,
};

static FILE: Kind =
    Kind { data_type: "container:file", source_short: "FILE", source_long: "File of a container" };

/// The tag of what the engine put into a container.
const INIT_LAYER: &str = "init-layer";

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let Some(file) = artifact.files.first() else { return };
    let is_init = |layer: &&WritableLayer| {
        let mut init = layer.below.iter().filter(|below| below.is_init);
        Arc::ptr_eq(&layer.tree, &artifact.tree) && init.any(|below| below.directory == file.path)
    };
    let known = &inventory.writable_layers;
    let own = known.at(&artifact.tree, &file.path);
    let Some(layer) = own.or_else(|| known.known.iter().find(is_init)) else { return };
    let container = layer.container.as_ref();
    let subject = container.map_or(Subject::UNKNOWN, |id| inventory.container_subject(id.as_str()));
    let told = Told { layer, file, subject, is_init: own.is_none() };
    let layer = if own.is_some() { layer.clone() } else { alone(layer, &file.path) };
    // The directory is the artifact, and first in the report, whatever is found in it.
    findings.records(&file.origin, 0, 0);
    let mut hashes = FileHashes::new(artifact, file);
    let unknown = changes(&layer, &mut |change| {
        let hash =
            hash_of(&change, &layer, &mut |metadata| hashes.of(&change.place, metadata, findings));
        told.change(&change, hash.as_deref(), findings);
    });
    hashes.tell_larger(findings);
    for (path, error) in unknown.problems {
        let place = file.origin_of(&path).at(Position::File);
        findings.issue(Issue::new(error.issue_kind(), place, error.to_string()));
    }
    told.missing_layers(findings);
    if unknown.marks_are_missing {
        let what = MARKS_ARE_MISSING;
        findings.issue(file.issue(IssueKind::Unreadable, Position::File, what));
    }
}

/// The hash of a content that the container wrote. What overlayfs copied up without its content is a
/// hole of that size in the writable layer, and where the evidence has no attributes it looks like one.
fn hash_of(
    change: &Change,
    layer: &WritableLayer,
    hash: &mut dyn FnMut(&Metadata) -> Option<String>,
) -> Option<String> {
    let is_written = matches!(change.class, Class::Added | Class::Modified | Class::Replaced);
    let has_content =
        || layer.style == Style::Whole || !Marks::of(&*layer.tree, &change.place).metacopy;
    (is_written && has_content()).then(|| hash(&change.metadata))?
}

/// The init layer as one of its own: all that lies in it was put there.
fn alone(layer: &WritableLayer, directory: &TreePath) -> WritableLayer {
    let style = if layer.style == Style::Whole { Style::Whole } else { Style::Overlay };
    let mut below = layer.below.iter().filter(|below| !below.is_init).cloned().collect::<Vec<_>>();
    if style == Style::Whole {
        below.truncate(1);
    }
    WritableLayer { directory: directory.clone(), below, style, ..layer.clone() }
}

/// A writable layer whose changes are told.
struct Told<'a> {
    layer: &'a WritableLayer,
    file: &'a ArtifactFile,
    subject: Subject,
    is_init: bool,
}

impl Told<'_> {
    fn change(&self, change: &Change, hash: Option<&str>, findings: &mut dyn Findings) {
        findings.records(&self.file.origin, 1, 0);
        let metadata = subject_of(change);
        let is_deleted = change.class == Class::Deleted;
        let path = change.path.to_string();
        let origin = self.file.origin_of(&change.place);
        let below = change.below.as_ref();
        let layer = below.and_then(|below| self.layer.below.get(below.layer));
        let link_target = self.link_target(change);
        let text = self.text(change, (&path, link_target.as_deref()));
        let bytes = [b"/", change.path.as_bytes()].concat();
        let suspect = Suspect {
            path: &bytes,
            class: change.class,
            metadata,
            below: below.map(|below| &below.metadata),
            is_copy: change.is_copy,
            directory_modified: change.directory_modified,
        };
        let mut tags: Vec<&'static str> = Vec::new();
        match self.is_init {
            true => tags.push(INIT_LAYER),
            false => tags.extend(suspicious::tags(&suspect)),
        }
        let event = FileEvent {
            origin: &origin,
            position: if is_deleted { Position::Key(&path) } else { Position::File },
            kind: &FILE,
            subject: &self.subject,
            action: action(change.class),
            text: &text,
            path: &path,
            metadata,
            link_target: link_target.as_deref(),
            layer: layer.map(|layer| layer.id.as_str()),
            volume: None,
            sha256: hash,
            tags: &tags,
        };
        match change.deleted_at {
            Some(at) => event.tell_deletion(at, findings),
            None if is_deleted => {
                let what = format!("{path} was deleted, and nothing tells when");
                let place = origin.at(Position::File);
                findings.issue(Issue::new(IssueKind::Unreadable, place, what).losing(1, 0));
            }
            None => event.tell(findings),
        }
    }

    /// Where the node, or what is gone, points to.
    fn link_target(&self, change: &Change) -> Option<String> {
        let below = change.below.as_ref();
        let (place, metadata) = match (change.class, below) {
            (Class::Deleted, Some(below)) => (&below.place, &below.metadata),
            _ => (&change.place, &change.metadata),
        };
        if metadata.kind != FileKind::SymbolicLink {
            return None;
        }
        let target = self.layer.tree.link_target(place).ok()?;
        Some(Visible(&target).to_string())
    }

    fn text(&self, change: &Change, (path, link_target): (&str, Option<&str>)) -> String {
        let kind = subject_of(change).kind.name();
        let target = link_target.map(|target| format!(" -> {target}")).unwrap_or_default();
        let was = change.below.as_ref().map(|below| &below.metadata);
        let kept = kept(&change.metadata, was);
        match (change.class, was) {
            (Class::Deleted, _) => self.text_of_deletion(change, &format!("{path}{target}")),
            (Class::Added, _) if change.moved_from.is_some() => {
                let from = change.moved_from.as_deref().unwrap_or_default();
                format!("{kind} moved here: {path}, from {}", Visible(from))
            }
            (Class::Modified, Some(was))
                if was.size != change.metadata.size && kind == "regular file" =>
            {
                format!(
                    "{kind} modified: {path} ({} bytes, before {})",
                    change.metadata.size, was.size
                )
            }
            (Class::Modified, _) => format!("{kind} modified: {path}{target}"),
            (Class::Metadata, Some(was)) => {
                format!("metadata changed: {path}{}{kept}", changed_metadata(&change.metadata, was))
            }
            (Class::Replaced, Some(was)) => {
                format!("{kind} replaced: {path}{target} (before a {})", was.kind.name())
            }
            (Class::CopiedUp, _) => format!("{kind} copied up as it was: {path}{kept}"),
            _ if change.is_copy => {
                format!("{kind} of a layer below moved or linked here: {path}{target}")
            }
            _ => format!("{kind} added: {path}{target}"),
        }
    }

    fn text_of_deletion(&self, change: &Change, path: &str) -> String {
        let Some(below) = &change.below else {
            return format!("deleted: {path}, of which the layers below hold nothing");
        };
        let was = &below.metadata;
        let size = match was.kind {
            FileKind::Regular => format!(" of {} bytes", was.size),
            _ => String::new(),
        };
        let modified =
            was.modified.map(|time| format!(", last modified {time}")).unwrap_or_default();
        let with = if change.with_directory { ", with its directory" } else { "" };
        let late = match change.deleted_at {
            Some(DeletedAt::Between(_, latest)) => format!(", between now and {latest}"),
            Some(DeletedAt::AtLatest(_)) => ", at the latest now".to_owned(),
            _ => String::new(),
        };
        format!("deleted: {path} ({}{size}{modified}){with}{late}", was.kind.name())
    }

    /// Without the layers below nothing can be said of what was there before.
    fn missing_layers(&self, findings: &mut dyn Findings) {
        if self.layer.below.is_empty() && self.subject.image_identifier.is_some() {
            let what = "the layers below are not in the evidence: all shows as added";
            findings.issue(self.file.issue(IssueKind::Unreadable, Position::File, what));
        }
    }
}

/// The node, or what is gone as it was.
fn subject_of(change: &Change) -> &Metadata {
    match (&change.below, change.class) {
        (Some(below), Class::Deleted) => &below.metadata,
        _ => &change.metadata,
    }
}

fn action(class: Class) -> &'static str {
    match class {
        Class::Added => "add",
        Class::Modified => "modify",
        Class::Metadata => "change_metadata",
        Class::Replaced => "replace",
        Class::CopiedUp => "copy_up",
        Class::Deleted => "delete",
    }
}

/// Which times of a copy are those of the layer below.
fn kept(own: &Metadata, below: Option<&Metadata>) -> String {
    let is_kept = |own: Option<Instant>, below: Option<Instant>| own.is_some() && own == below;
    let is_kept = below.is_some_and(|below| is_kept(own.modified, below.modified));
    if is_kept {
        "; its modification time is that of the layer below".to_owned()
    } else {
        String::new()
    }
}

/// ` (mode -rwxrwxrwx, before -rw-r--r--; owner 0:0, before 1000:1000)`
fn changed_metadata(own: &Metadata, below: &Metadata) -> String {
    let mut changed = Vec::new();
    if let (Some(mode), Some(before)) = (own.mode, below.mode)
        && mode != before
    {
        let [mode, before] = [mode, before].map(|mode| mode_as_string(own.kind, mode));
        changed.push(format!("mode {mode}, before {before}"));
    }
    let owner = |metadata: &Metadata| Some((metadata.uid?, metadata.gid?));
    if let (Some((uid, gid)), Some((old_uid, old_gid))) = (owner(own), owner(below))
        && (uid, gid) != (old_uid, old_gid)
    {
        changed.push(format!("owner {uid}:{gid}, before {old_uid}:{old_gid}"));
    }
    if own.modified != below.modified
        && let Some(before) = below.modified
    {
        changed.push(format!("modification time, before {before}"));
    }
    if changed.is_empty() { String::new() } else { format!(" ({})", changed.join("; ")) }
}
