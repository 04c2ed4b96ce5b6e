//! A log and its rotations as one: the files in the order in which they were written.

use super::rotation::{Naming, Rotation};
use super::window::wide;
use crate::artifact::unreadable;
use crate::formats::gzip::inflate;
use crate::{Artifact, ArtifactFile};
use dockline_evidence::ReadAt;
use dockline_timeline::{Findings, IssueKind, Origin, Position};
use std::cmp::Reverse;
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// A place in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Which of its files.
    pub file: usize,
    /// Offset in the file's content.
    pub offset: u64,
    /// Offset counted over all files.
    pub place: u64,
}

/// One file of a log.
pub struct Part {
    /// What its events say of it.
    pub origin: Arc<Origin>,
    /// Its content, decompressed.
    pub bytes: Arc<dyn ReadAt>,
    /// Where it begins, counted over all files.
    pub start: u64,
    /// Whether what was written before it could not be read, or not to its end.
    pub follows_loss: bool,
}

impl Part {
    /// Where it ends, counted over all files.
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.bytes.len())
    }
}

/// A log and its rotations, the oldest file first.
#[derive(Default)]
pub struct Chain {
    /// The files.
    pub parts: Vec<Part>,
}

impl Chain {
    /// Ranges of about `size` bytes that together are the log, each from a place that
    /// `clean_place` finds at or after the one that it is given.
    pub fn ranges(&self, size: u64, clean_place: &dyn Fn(u64) -> Option<u64>) -> Vec<Range<u64>> {
        let mut found = Vec::new();
        let mut start = 0_u64;
        let mut wanted = size;
        while wanted < self.length() {
            if let Some(place) = clean_place(wanted) {
                found.push(start..place);
                start = place;
            }
            wanted = wanted.max(start).saturating_add(size);
        }
        if start < self.length() {
            found.push(start..self.length());
        }
        found
    }

    /// Opens the files of `artifact`, whose patterns capture a `rotation`; what cannot be opened is
    /// told to `findings`.
    pub fn open(artifact: &Artifact, naming: &Naming, findings: &mut dyn Findings) -> Chain {
        Chain::open_files(artifact, artifact.files.iter(), naming, findings)
    }

    /// Opens some of the files of `artifact`, as [`Chain::open`] does all.
    pub fn open_files<'a>(
        artifact: &Artifact,
        files: impl Iterator<Item = &'a ArtifactFile>,
        naming: &Naming,
        findings: &mut dyn Findings,
    ) -> Chain {
        let mut named = Vec::new();
        for file in files {
            match file.capture("rotation").and_then(naming.parse) {
                Some(rotation) => named.push((rotation, file)),
                None => {
                    let what =
                        format!("not a rotation of the engine, whose names end in {}", naming.ends);
                    findings.issue(file.issue(IssueKind::Unsupported, Position::File, what));
                }
            }
        }
        named.sort_by_key(|(rotation, _)| (rotation.generation, Reverse(rotation.is_compressed)));
        let mut opened: Vec<Opened<'_>> = Vec::new();
        let mut follows_loss = false;
        for (rotation, file) in named {
            let content = content(artifact, file, rotation, findings);
            let is_whole = content.as_ref().is_some_and(|content| content.is_whole);
            if let Some(Content { bytes, .. }) = content {
                opened.push(Opened { rotation, file, bytes, follows_loss });
            }
            follows_loss = !is_whole;
        }
        drop_copies(&mut opened, findings);
        let mut chain =
            Chain::of(opened.iter().map(|file| (file.file.origin.clone(), file.bytes.clone())));
        for (part, opened) in chain.parts.iter_mut().zip(&opened) {
            part.follows_loss = opened.follows_loss;
        }
        chain
    }

    /// The chain of these contents.
    pub fn of(files: impl Iterator<Item = (Arc<Origin>, Arc<dyn ReadAt>)>) -> Chain {
        let mut chain = Chain::default();
        for (origin, bytes) in files {
            let start = chain.length();
            chain.parts.push(Part { origin, bytes, start, follows_loss: false });
        }
        chain
    }

    /// Bytes in all files.
    pub fn length(&self) -> u64 {
        self.parts.last().map_or(0, Part::end)
    }
}

struct Opened<'a> {
    rotation: Rotation,
    file: &'a ArtifactFile,
    bytes: Arc<dyn ReadAt>,
    follows_loss: bool,
}

struct Content {
    bytes: Arc<dyn ReadAt>,
    /// Whether it reaches to the end of the file.
    is_whole: bool,
}

fn content(
    artifact: &Artifact,
    file: &ArtifactFile,
    rotation: Rotation,
    findings: &mut dyn Findings,
) -> Option<Content> {
    let bytes = artifact.open(file, findings)?;
    if !rotation.is_compressed {
        return Some(Content { bytes, is_whole: true });
    }
    let mut content = artifact.spool.writer_for(bytes.len());
    let inflated = inflate(&*bytes, &mut content);
    let is_whole = inflated.is_ok();
    if let Err(problem) = inflated {
        findings.issue(file.issue(problem.kind, Position::Offset(problem.at), problem.what));
    }
    match content.finish() {
        Ok(bytes) => Some(Content { bytes, is_whole }),
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
        let generation = file.rotation.generation;
        let Some(before) = kept.last_mut().filter(|b| b.rotation.generation == generation) else {
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
                    *before = Opened { follows_loss: before.follows_loss, ..file };
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
            let from = at.saturating_add(wide(filled));
            match long.read_at(from, rest)? {
                0 => return Ok(false),
                more => filled = filled.saturating_add(more),
            }
        }
        if count == 0 || part != same {
            return Ok(false);
        }
        at = at.saturating_add(wide(count));
    }
    Ok(true)
}
