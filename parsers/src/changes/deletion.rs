//! Names that are gone, and when they went.
//!
//! A whiteout is made when the name is deleted. The kernel makes many whiteouts as names of one node,
//! though (since Linux 5.8, `fs/overlayfs/dir.c`): then its content was last written with the first of
//! them, its metadata with the last, and the directory that holds the name at the deletion, or later.
//! Many archives do not tell how many names a node has. What a directory that was deleted and made
//! again hides went before it was made. A copy of a whole tree tells only when its directory was last
//! written.

use super::{Change, Class, DeletedAt, Found, Search};
use crate::changes::lower::Part;
use dockline_evidence::{EvidenceError, FileKind, Metadata, TreePath};
use std::collections::BTreeSet;

/// Nanoseconds between two readings of the kernel's clock for times of files.
const CLOCK: i128 = 10_000_000;

/// How much is told of what one deleted directory held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Names.
    pub(super) names: usize,
    /// Directories below one another that are looked into.
    pub(super) depth: usize,
}

/// More than any image holds.
pub(super) const LIMITS: Limits = Limits { names: 1_000_000, depth: 512 };

/// A directory of the layers below that is gone.
struct Gone {
    path: TreePath,
    parts: Vec<Part>,
    depth: usize,
}

impl Search<'_, '_> {
    /// A whiteout: the name, and all that was below it.
    pub(super) fn deleted(&mut self, path: TreePath, place: &TreePath, whiteout: &Metadata) {
        let (below, _) = self.below(&path);
        let deleted_at = self.time_of_whiteout(whiteout);
        let name = path.file_name().unwrap_or_default();
        let above = self.levels.last().map(|level| level.parts.clone()).unwrap_or_default();
        let parts = self.lower.directory(&above, name);
        let gone = Gone { path: path.clone(), parts, depth: 0 };
        (self.take)(change((path, place), whiteout, (below, deleted_at), false));
        self.everything_below(gone, (place, whiteout), deleted_at);
    }

    /// What was in a directory that consisted of these parts, and is in the one of the writable
    /// layer no more.
    pub(super) fn missing(
        &mut self,
        path: &TreePath,
        (place, metadata): (&TreePath, &Metadata),
        parts: &[Part],
    ) {
        if parts.is_empty() {
            return;
        }
        // What cannot be listed was told by the walk.
        let Ok(entries) = self.lower.tree.list(place) else { return };
        let there: BTreeSet<Vec<u8>> = entries.into_iter().map(|entry| entry.name).collect();
        let is_opaque = self.levels.last().is_some_and(|level| level.marks.opaque);
        let made = if is_opaque { metadata.born.or(metadata.modified) } else { metadata.modified };
        let deleted_at = made.map(DeletedAt::AtLatest);
        for (name, found) in self.lower.list(parts) {
            if there.contains(&name) {
                continue;
            }
            let Some(path) = path.join(&name) else { continue };
            let below = self.lower.directory(parts, &name);
            let gone = Gone { path: path.clone(), parts: below, depth: 0 };
            (self.take)(change((path, place), metadata, (Some(found), deleted_at), false));
            self.everything_below(gone, (place, metadata), deleted_at);
        }
    }

    fn everything_below(
        &mut self,
        first: Gone,
        (place, metadata): (&TreePath, &Metadata),
        deleted_at: Option<DeletedAt>,
    ) {
        let limits = self.limits;
        let (mut told, mut is_too_deep) = (0_usize, false);
        let mut directories = vec![first];
        'all: while let Some(Gone { path, parts, depth }) = directories.pop() {
            if depth >= limits.depth {
                is_too_deep |= !parts.is_empty();
                continue;
            }
            for (name, found) in self.lower.list(&parts) {
                if told >= limits.names {
                    self.limit_reached(place, "names in a deleted directory", limits.names);
                    break 'all;
                }
                let Some(path) = path.join(&name) else { continue };
                told = told.saturating_add(1);
                if found.metadata.kind == FileKind::Directory {
                    let parts = self.lower.directory(&parts, &name);
                    let depth = depth.saturating_add(1);
                    directories.push(Gone { path: path.clone(), parts, depth });
                }
                (self.take)(change((path, place), metadata, (Some(found), deleted_at), true));
            }
        }
        if is_too_deep {
            let what = "directories below one another in a deleted directory";
            self.limit_reached(place, what, limits.depth);
        }
    }

    fn limit_reached(&mut self, place: &TreePath, what: &'static str, limit: usize) {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        self.problems.push((place.clone(), EvidenceError::LimitReached { what, limit }));
    }

    /// The node of a whiteout was made with the first of the names that share it; later ones change
    /// its metadata, and each one the directory that holds it.
    fn time_of_whiteout(&self, whiteout: &Metadata) -> Option<DeletedAt> {
        let first = whiteout.modified.or(whiteout.changed)?;
        let directory = self.levels.last().and_then(|level| level.modified);
        let latest = whiteout.changed.into_iter().chain(directory).min();
        let is_alone = whiteout.links == Some(1);
        match latest {
            Some(latest) if !is_alone && latest.nanoseconds_since(first) > CLOCK => {
                Some(DeletedAt::Between(first, latest))
            }
            _ => Some(DeletedAt::Exactly(first)),
        }
    }
}

fn change(
    (path, place): (TreePath, &TreePath),
    metadata: &Metadata,
    (below, deleted_at): (Option<Found>, Option<DeletedAt>),
    with_directory: bool,
) -> Change {
    Change {
        path,
        place: place.clone(),
        class: Class::Deleted,
        metadata: metadata.clone(),
        below,
        moved_from: None,
        is_copy: false,
        directory_modified: None,
        deleted_at,
        with_directory,
    }
}
