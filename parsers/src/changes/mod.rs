//! What a container changed: its writable layer, held against the layers below it.
//!
//! Each node of the writable layer is one [`Change`], and so is each name that is seen no more. A
//! node that came up unchanged from below (a directory in which something changed, a file that was
//! opened for writing) is one too: its times say when.
//!
//! Symbolic links are never followed, and nothing but regular files is ever opened.

pub(crate) mod compare;
mod deletion;
pub mod docker_diff;
mod lower;
pub mod overlay;
#[cfg(test)]
mod tests;
mod views;

pub use lower::Found;

use crate::inventory::{Style, WritableLayer};
use compare::Node;
use deletion::{LIMITS, Limits};
use dockline_evidence::walk::{Descend, walk_below};
use dockline_evidence::{Entry, EvidenceError, FileKind, Metadata, TreePath};
use dockline_timeline::Instant;
use lower::{Lower, Part};
use overlay::{Marks, NamedMark};

/// What became of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// There was nothing below.
    Added,
    /// The content is another; of a directory, names were added or removed.
    Modified,
    /// Only owner, mode or times are others.
    Metadata,
    /// It was deleted and something was made under its name.
    Replaced,
    /// It is as it was below: copied up, and then nothing, or something in it changed.
    CopiedUp,
    /// It is gone.
    Deleted,
}

/// When a name was deleted, as well as the evidence tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletedAt {
    /// Then.
    Exactly(Instant),
    /// Not before the first of these, and not after the second.
    Between(Instant, Instant),
    /// Not after this.
    AtLatest(Instant),
}

impl DeletedAt {
    /// The best single time: the first of two, since most whiteouts are made as the first of those
    /// that share their node, or with it.
    #[must_use]
    pub fn instant(self) -> Instant {
        match self {
            DeletedAt::Exactly(at) | DeletedAt::Between(at, _) | DeletedAt::AtLatest(at) => at,
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The path, as the container sees it.
    pub path: TreePath,
    /// Where the evidence says so: the node in the writable layer; for what is gone, its whiteout, or
    /// the directory that hides it.
    pub place: TreePath,
    /// What became of it.
    pub class: Class,
    /// What is known of the node at that place.
    pub metadata: Metadata,
    /// What was there before, in the layers below.
    pub below: Option<Found>,
    /// Where a directory stood before it was moved, where overlayfs notes that.
    pub moved_from: Option<Vec<u8>>,
    /// Whether overlayfs notes that it is a copy of a node of a layer below, be it under this name
    /// or another.
    pub is_copy: bool,
    /// When the directory that holds the node was last written.
    pub directory_modified: Option<Instant>,
    /// When it was deleted.
    pub deleted_at: Option<DeletedAt>,
    /// It is gone because a directory above it is.
    pub with_directory: bool,
}

/// What is wrong with the evidence of a change.
pub type Problem = (TreePath, EvidenceError);

/// A directory of the writable layer that is being walked.
struct Level {
    /// What of it is in the layers below.
    parts: Vec<Part>,
    /// What was below before it was deleted and made again.
    hidden: Vec<Part>,
    marks: Marks,
    modified: Option<Instant>,
}

/// A node of the writable layer, read once.
struct Own<'a> {
    path: TreePath,
    place: &'a TreePath,
    metadata: Metadata,
    marks: Marks,
}

/// Finds the changes of one writable layer.
struct Search<'a, 'f> {
    layer: &'a WritableLayer,
    lower: Lower<'a>,
    limits: Limits,
    levels: Vec<Level>,
    take: &'f mut dyn FnMut(Change),
    problems: Vec<Problem>,
    /// Whether a directory came up from the layers below.
    has_copies: bool,
    /// Whether any node has an attribute of overlayfs.
    has_marks: bool,
}

/// What the search for changes could not know.
#[derive(Debug, Default)]
pub struct Unknown {
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Something came up from below, and no node has an attribute of overlayfs: a copy of the
    /// evidence that lost them does not tell which directories hide what was below.
    pub marks_are_missing: bool,
}

/// What it means that [`Unknown::marks_are_missing`], as an issue says it.
pub const MARKS_ARE_MISSING: &str = "the evidence has no attributes of overlayfs: what directories that were deleted and made \
     again hid does not show as deleted, nor what was moved";

/// Gives `take` every change of a writable layer, a directory before what it holds, and returns what
/// could not be known.
pub fn changes(layer: &WritableLayer, take: &mut dyn FnMut(Change)) -> Unknown {
    changes_within(layer, LIMITS, take)
}

fn changes_within(layer: &WritableLayer, limits: Limits, take: &mut dyn FnMut(Change)) -> Unknown {
    let tree = &*layer.tree;
    let (style, layers) = (layer.style, layer.below.as_slice());
    let lower = Lower { tree, style, layers, problems: Vec::new() };
    let mut search = Search {
        layer,
        lower,
        limits,
        levels: Vec::new(),
        take,
        problems: Vec::new(),
        has_copies: false,
        has_marks: false,
    };
    let Ok(metadata) = tree.metadata(&layer.directory) else { return Unknown::default() };
    search.enter_root(&metadata);
    let mut problems = Vec::new();
    walk_below(
        tree,
        &layer.directory,
        &mut |path, entry| search.visit(path, entry),
        &mut |path, error| problems.push((path, error)),
    );
    problems.append(&mut search.problems);
    problems.append(&mut search.lower.problems);
    let is_marked = search.has_marks || style == Style::Whole;
    Unknown { problems, marks_are_missing: search.has_copies && !is_marked }
}

impl Search<'_, '_> {
    fn enter_root(&mut self, metadata: &Metadata) {
        let parts = self.lower.root(0);
        let marks = self.lower.marks(&self.layer.directory, FileKind::Directory);
        let modified = metadata.modified;
        self.has_marks |= marks.any;
        if self.layer.style == Style::Whole {
            let directory = self.layer.directory.clone();
            self.missing(&TreePath::root(), (&directory, metadata), &parts);
        }
        self.levels.push(Level { parts, hidden: Vec::new(), marks, modified });
    }

    fn visit(&mut self, place: &TreePath, entry: &Entry) -> Descend {
        let Some(path) = self.path_in_container(place) else { return Descend::Past };
        // The level of the directory that holds it: one for each component of its path.
        self.levels.truncate(path.components().count());
        let metadata = match self.lower.tree.metadata(place) {
            Ok(metadata) => metadata,
            Err(error) => {
                self.problems.push((place.clone(), error));
                return Descend::Past;
            }
        };
        if self.is_mark(&path, (place, &metadata), &entry.name) {
            return Descend::Past;
        }
        let marks = self.lower.marks(place, metadata.kind);
        if self.is_marked_whiteout(&metadata, &marks) {
            self.deleted(path, place, &metadata);
            return Descend::Past;
        }
        let own = Own { path, place, metadata, marks };
        self.has_marks |= own.marks.any;
        if own.metadata.kind == FileKind::Directory {
            self.directory(own);
        } else {
            self.file(own);
        }
        Descend::Into
    }

    /// The path below the directory of the layer.
    fn path_in_container(&self, place: &TreePath) -> Option<TreePath> {
        let above = self.layer.directory.as_bytes();
        TreePath::parse(place.as_bytes().get(above.len()..)?)
    }

    /// Whether the node is no file of the container but by its kind or name says that one is gone.
    fn is_mark(
        &mut self,
        path: &TreePath,
        (place, metadata): (&TreePath, &Metadata),
        name: &[u8],
    ) -> bool {
        if self.layer.style != Style::Whole && overlay::is_whiteout(metadata) {
            self.deleted(path.clone(), place, metadata);
            return true;
        }
        match self.lower.named_mark(name) {
            None => false,
            Some(NamedMark::Opaque | NamedMark::Internal) => true,
            Some(NamedMark::Whiteout(name)) => {
                let path = path.parent().and_then(|above| above.join(name));
                path.into_iter().for_each(|path| self.deleted(path, place, metadata));
                true
            }
        }
    }

    /// Whether the node is a file that by an attribute says that one is gone.
    fn is_marked_whiteout(&self, metadata: &Metadata, marks: &Marks) -> bool {
        let may_be = self.levels.last().is_some_and(|level| level.marks.holds_whiteouts);
        may_be && marks.whiteout && metadata.kind == FileKind::Regular && metadata.size == 0
    }

    /// What was below under the name of a node, and whether its directory was deleted in between.
    fn below(&mut self, path: &TreePath) -> (Option<Found>, bool) {
        let (Some(level), Some(name)) = (self.levels.last(), path.file_name()) else {
            return (None, false);
        };
        match self.lower.find(&level.parts, name) {
            Some(found) => (Some(found), false),
            None => (self.lower.find(&level.hidden, name), true),
        }
    }

    fn file(&mut self, own: Own<'_>) {
        let (below, was_hidden) = self.below(&own.path);
        let class = match &below {
            None => Class::Added,
            Some(_) if was_hidden => Class::Replaced,
            Some(below) => self.class_of_file(&own, below),
        };
        self.tell(own, class, below);
    }

    fn class_of_file(&self, own: &Own<'_>, below: &Found) -> Class {
        let (metadata, marks) = (&own.metadata, &own.marks);
        let copies_are_marked = self.levels.last().is_some_and(|level| level.marks.impure);
        let is_new = copies_are_marked && !marks.origin && !marks.metacopy;
        if metadata.kind != below.metadata.kind || is_new {
            return Class::Replaced;
        }
        // A copy of a whole tree has the times of the original, and is too large to be read.
        let is_copy = self.layer.style == Style::Whole
            && (metadata.size, metadata.modified) == (below.metadata.size, below.metadata.modified);
        let (node, below) = (self.node(own), self.lower.node(below));
        let same_content = marks.metacopy || is_copy || compare::is_same_content(node, below);
        compare::class(same_content, node, below)
    }

    fn node<'n>(&'n self, own: &'n Own<'_>) -> Node<'n> {
        Node { tree: self.lower.tree, place: own.place, metadata: &own.metadata }
    }

    fn directory(&mut self, own: Own<'_>) {
        let (below, was_hidden) = self.below(&own.path);
        let class = self.class_of_directory(&own, below.as_ref(), was_hidden);
        let level = self.level(&own);
        let gone = match self.layer.style {
            Style::Whole => level.parts.clone(),
            _ if level.marks.opaque => level.hidden.clone(),
            _ => Vec::new(),
        };
        let (path, place, metadata) = (own.path.clone(), own.place, own.metadata.clone());
        self.tell(own, class, below);
        self.levels.push(level);
        self.missing(&path, (place, &metadata), &gone);
    }

    fn class_of_directory(&self, own: &Own<'_>, below: Option<&Found>, was_hidden: bool) -> Class {
        let Some(below) = below.filter(|_| own.marks.redirect.is_none()) else {
            return Class::Added;
        };
        let was_directory = below.metadata.kind == FileKind::Directory;
        if was_hidden || own.marks.opaque || !was_directory {
            return Class::Replaced;
        }
        let same_names = own.metadata.modified == below.metadata.modified;
        compare::class(same_names, self.node(own), self.lower.node(below))
    }

    /// What of a directory of the writable layer is in the layers below.
    fn level(&mut self, own: &Own<'_>) -> Level {
        let marks = own.marks.clone();
        let name = own.path.file_name().unwrap_or_default();
        let above = self.levels.last();
        let above = above.map(|level| (level.parts.clone(), level.hidden.clone()));
        let (above, hidden_above) = above.unwrap_or_default();
        let parts = self.lower.directory(&above, name);
        let (parts, hidden) = match &marks.redirect {
            _ if marks.opaque => (Vec::new(), parts),
            Some(from) => (self.moved_parts(from), self.lower.directory(&hidden_above, name)),
            None => (parts, self.lower.directory(&hidden_above, name)),
        };
        Level { parts, hidden, marks, modified: own.metadata.modified }
    }

    /// The parts of a directory that was moved here from another name beside it, or a path from
    /// the root.
    fn moved_parts(&mut self, from: &[u8]) -> Vec<Part> {
        if from.starts_with(b"/") {
            return self.lower.at(from, 0);
        }
        let above = self.levels.last().map(|level| level.parts.clone()).unwrap_or_default();
        self.lower.directory(&above, from)
    }

    /// Tells of a node; where each layer holds all that the container sees, only of what differs.
    fn tell(&mut self, own: Own<'_>, class: Class, below: Option<Found>) {
        let Own { path, place, metadata, marks } = own;
        let is_directory = metadata.kind == FileKind::Directory;
        if class == Class::CopiedUp && self.layer.style == Style::Whole {
            return;
        }
        self.has_copies |= is_directory && below.is_some();
        (self.take)(Change {
            path,
            place: place.clone(),
            class,
            metadata,
            below,
            moved_from: marks.redirect.filter(|_| is_directory),
            is_copy: marks.origin,
            directory_modified: self.levels.last().and_then(|level| level.modified),
            deleted_at: None,
            with_directory: false,
        });
    }
}
