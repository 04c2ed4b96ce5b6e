//! The file system of a container, as `docker export` and `podman export` write it: a tar archive with
//! all that the container saw, without its volumes, its name and its image.
//!
//! Docker puts an empty `.dockerenv` into the root of each container, Podman an empty
//! `run/.containerenv`: they tell that the root of a tree is a container's, and their times when the
//! engine made the container. Every file is told with its times; of an archive that is its
//! modification, in whole seconds. Times that Docker cannot write (before 1970, after 2262) and the
//! fixed dates of reproducible builds are the beginning of 1970 or thereabouts, tagged
//! `not-wall-clock`.
//!
//! After moby 20.10.27 `daemon/export.go`, `pkg/archive`, and Podman 4.3
//! `libpod/container_internal_linux.go`. Not told: which files were the image's.

use crate::changes::Class;
use crate::files::file_event::{FileEvent, times_of};
use crate::files::suspicious::{self, Suspect};
use crate::formats::image_config::is_fixed_date;
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_evidence::walk::{Descend, walk};
use dockline_evidence::{Entry, EvidenceError, FileKind, Metadata, TreePath, Visible};
use dockline_timeline::{Confidence, Event, Findings, Issue, Kind, Meaning, Position, Subject};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "archive.export",
    reads: &["/.dockerenv", "/run/.containerenv"],
    gather: Gather::DataRoot,
    about: "the file system of a container, as `docker export` and `podman export` write it",
    yields: "container made, each time of each file",
    references: &[
        "moby 20.10.27 daemon/export.go, daemon/initlayer/setup_unix.go",
        "Podman 4.3 libpod/container_internal_linux.go",
    ],
    parse,
};

const fn kind(data_type: &'static str, source_long: &'static str) -> Kind {
    Kind { data_type, source_short: "ARCHIVE", source_long }
}

static CONTAINER: Kind = kind("archive:container", "File system of a container");
static FILE: Kind = kind("archive:container:file", "File of an exported container");

fn parse(artifact: &Arc<Artifact>, _inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let Some(file) = artifact.files.first() else { return };
    made(artifact, file, findings);
    let mut problems: Vec<(TreePath, EvidenceError)> = Vec::new();
    let mut unreadable: Vec<(TreePath, EvidenceError)> = Vec::new();
    let mut visit = |path: &TreePath, _: &Entry| {
        match artifact.tree.metadata(path) {
            Ok(metadata) => node((artifact, file), (path, &metadata), findings),
            Err(error) => unreadable.push((path.clone(), error)),
        }
        Descend::Into
    };
    walk(&*artifact.tree, &mut visit, &mut |path, error| problems.push((path, error)));
    for (path, error) in problems.into_iter().chain(unreadable) {
        let place = file.origin_of(&path).at(Position::File);
        findings.issue(Issue::new(error.issue_kind(), place, error.to_string()).losing(1, 0));
    }
}

/// When the engine made the container.
fn made(artifact: &Artifact, file: &ArtifactFile, findings: &mut dyn Findings) {
    let metadata = artifact.metadata(file, findings);
    let Some(modified) = metadata.and_then(|metadata| metadata.modified) else { return };
    if is_fixed_date(modified) {
        return;
    }
    let engine = if file.path.file_name() == Some(b".dockerenv") { "Docker" } else { "Podman" };
    let text = format!("container of this file system made by {engine}");
    let at = (modified, Meaning::Creation);
    let mut event = Event::new(&file.origin, &CONTAINER, &Subject::UNKNOWN, at);
    event.confidence = Confidence::Filesystem;
    event.action = "create";
    event.text = (&text).into();
    findings.event(&event);
}

fn node(
    (artifact, file): (&Artifact, &ArtifactFile),
    (path, metadata): (&TreePath, &Metadata),
    findings: &mut dyn Findings,
) {
    findings.records(&file.origin, 1, 0);
    // A directory that an archive only implies has no times, and nothing is lost with it.
    let first = times_of(metadata).moments().next();
    if first.is_none() && metadata.kind == FileKind::Directory {
        return;
    }
    let is_link = metadata.kind == FileKind::SymbolicLink;
    let target = artifact.tree.link_target(path).ok().filter(|_| is_link);
    let target = target.map(|target| Visible(&target).to_string());
    let arrow = target.as_ref().map(|target| format!(" -> {target}")).unwrap_or_default();
    let shown = path.to_string();
    let text = format!("{} of the container: {shown}{arrow}", metadata.kind.name());
    let bytes = [b"/", path.as_bytes()].concat();
    let (class, below, is_copy) = (Class::Added, None, true);
    let suspect =
        Suspect { path: &bytes, class, metadata, below, is_copy, directory_modified: None };
    let is_marker = *path == file.path;
    let mut tags: Vec<&'static str> = suspicious::tags(&suspect).filter(|_| !is_marker).collect();
    tags.extend(first.filter(|first| is_fixed_date(first.instant)).map(|_| "not-wall-clock"));
    FileEvent {
        origin: &file.origin_of(path),
        position: Position::File,
        kind: &FILE,
        subject: &Subject::UNKNOWN,
        action: "file",
        text: &text,
        path: &shown,
        metadata,
        link_target: target.as_deref(),
        layer: None,
        volume: None,
        sha256: None,
        tags: &tags,
    }
    .tell(findings);
}
