//! A log and its rotations as one: the files in the order in which they were written.

use super::rotation::Rotation;
use crate::artifact::unreadable;
use crate::formats::gzip::inflate;
use crate::{Artifact, ArtifactFile};
use dockline_evidence::ReadAt;
use dockline_timeline::{Findings, IssueKind, Origin, Position};
use std::cmp::Reverse;
use std::io;
use std::sync::Arc;

/// A place in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    /// Which of its files.
    pub(super) file: usize,
    /// Offset in the file's content.
    pub(super) offset: u64,
    /// Offset counted over all files.
    pub(super) place: u64,
}

/// One file of a log.
pub(super) struct Part {
    /// What its events say of it.
    pub(super) origin: Arc<Origin>,
    /// Its content, decompressed.
    pub(super) bytes: Arc<dyn ReadAt>,
    /// Where it begins, counted over all files.
    pub(super) start: u64,
}

impl Part {
    /// Where it ends, counted over all files.
    pub(super) fn end(&self) -> u64 {
        self.start.saturating_add(self.bytes.len())
    }
}

/// A log and its rotations, the oldest file first.
#[derive(Default)]
pub(super) struct Chain {
    /// The files.
    pub(super) parts: Vec<Part>,
}

impl Chain {
    /// Opens the files of `artifact`; what cannot be opened is told to `findings`.
    pub(super) fn open(artifact: &Artifact, findings: &mut dyn Findings) -> Chain {
        let mut files = Vec::new();
        for file in &artifact.files {
            match file.capture("rotation").and_then(Rotation::parse) {
                Some(rotation) => files.push((rotation, file)),
                None => {
                    let what = "not a rotation of the engine, whose names end in .N or .N.gz";
                    findings.issue(file.issue(IssueKind::Unsupported, Position::File, what));
                }
            }
        }
        files.sort_by_key(|(rotation, _)| Reverse(*rotation));
        let mut opened: Vec<Opened<'_>> = Vec::new();
        for (rotation, file) in files {
            if let Some(bytes) = content(artifact, file, rotation, findings) {
                opened.push(Opened { rotation, file, bytes });
            }
        }
        drop_copies(&mut opened, findings);
        Chain::of(opened.into_iter().map(|file| (file.file.origin.clone(), file.bytes)))
    }

    /// The chain of these contents.
    pub(super) fn of(files: impl Iterator<Item = (Arc<Origin>, Arc<dyn ReadAt>)>) -> Chain {
        let mut chain = Chain::default();
        for (origin, bytes) in files {
            let start = chain.length();
            chain.parts.push(Part { origin, bytes, start });
        }
        chain
    }

    /// Bytes in all files.
    pub(super) fn length(&self) -> u64 {
        self.parts.last().map_or(0, Part::end)
    }
}

struct Opened<'a> {
    rotation: Rotation,
    file: &'a ArtifactFile,
    bytes: Arc<dyn ReadAt>,
}

fn content(
    artifact: &Artifact,
    file: &ArtifactFile,
    rotation: Rotation,
    findings: &mut dyn Findings,
) -> Option<Arc<dyn ReadAt>> {
    let bytes = artifact.open(file, findings)?;
    if !rotation.is_compressed {
        return Some(bytes);
    }
    let mut content = artifact.spool.writer_for(bytes.len());
    if let Err(problem) = inflate(&*bytes, &mut content) {
        findings.issue(file.issue(problem.kind, Position::Offset(problem.at), problem.what));
    }
    match content.finish() {
        Ok(content) => Some(content),
        Err(error) => {
            findings.issue(unreadable(file, &error));
            None
        }
    }
}

/// Leaves out a file whose content is the beginning of that of the same number: the engine removes
/// `.N` only after `.N.gz` is complete, and a crash in between leaves both.
fn drop_copies(files: &mut Vec<Opened<'_>>, findings: &mut dyn Findings) {
    let mut kept: Vec<Opened<'_>> = Vec::new();
    for file in files.drain(..) {
        let Some(before) = kept.last_mut().filter(|b| b.rotation.number == file.rotation.number)
        else {
            kept.push(file);
            continue;
        };
        let is_longer = file.bytes.len() >= before.bytes.len();
        let (short, long) = if is_longer { (&*before, &file) } else { (&file, &*before) };
        match is_beginning(&*short.bytes, &*long.bytes) {
            Ok(true) => {
                let what = format!(
                    "not read: its {} bytes are the beginning of {}, as after a crash while the \
                     engine compressed it",
                    short.bytes.len(),
                    long.file.origin.path
                );
                findings.issue(short.file.issue(IssueKind::Malformed, Position::File, what));
                if is_longer {
                    *before = file;
                }
            }
            Ok(false) | Err(_) => kept.push(file),
        }
    }
    *files = kept;
}

/// Whether `long` begins with all of `short`.
fn is_beginning(short: &dyn ReadAt, long: &dyn ReadAt) -> io::Result<bool> {
    let (mut mine, mut other) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut at = 0_u64;
    while at < short.len() {
        let count = short.read_at(at, &mut mine)?;
        let part = mine.get(..count).unwrap_or_default();
        let same = other.get_mut(..count).unwrap_or_default();
        let mut filled = 0_usize;
        while let Some(rest) = same.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let from = at.saturating_add(super::window::wide(filled));
            match long.read_at(from, rest)? {
                0 => return Ok(false),
                more => filled = filled.saturating_add(more),
            }
        }
        if count == 0 || part != same {
            return Ok(false);
        }
        at = at.saturating_add(super::window::wide(count));
    }
    Ok(true)
}
