//! What a container changed: its writable layer, held against the layers below it.
//!
//! Each node of the writable layer is one [`Change`], and so is each name that is seen no more. A
//! node that came up unchanged from below (a directory in which something changed, a file that was
//! opened for writing) is one too: its times say when.
//!
//! Symbolic links are never followed, and nothing but regular files is ever opened.

mod compare;
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

fn changes_within(
    layer: &WritableLayer,
    limits: Limits,
    take: &mut dyn FnMut(Change),
) -> Unknown {
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
        let marks = self.lower.marks_of_directory(&self.layer.directory);
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
        if self.is_mark(place, (&path, entry), &metadata) {
            return Descend::Past;
        }
        if metadata.kind == FileKind::Directory {
            self.directory(path, place, metadata);
        } else {
            self.file(path, place, metadata);
        }
        Descend::Into
    }

    /// The path below the directory of the layer.
    fn path_in_container(&self, place: &TreePath) -> Option<TreePath> {
        let above = self.layer.directory.as_bytes();
        TreePath::parse(place.as_bytes().get(above.len()..)?)
    }

    /// Whether the node is no file of the container but says that one is gone.
    fn is_mark(
        &mut self,
        place: &TreePath,
        (path, entry): (&TreePath, &Entry),
        metadata: &Metadata,
    ) -> bool {
        if self.layer.style == Style::Whole {
            return false;
        }
        let by_attribute = || {
            self.levels.last().is_some_and(|level| level.marks.holds_whiteouts)
                && metadata.size == 0
                && Marks::of(self.lower.tree, place).whiteout
        };
        if overlay::is_whiteout(metadata) || by_attribute() {
            self.deleted(path.clone(), place, metadata);
            return true;
        }
        match self.lower.mark(&entry.name) {
            None => false,
            Some(NamedMark::Opaque | NamedMark::Internal) => true,
            Some(NamedMark::Whiteout(name)) => {
                let path = path.parent().and_then(|above| above.join(name));
                path.into_iter().for_each(|path| self.deleted(path, place, metadata));
                true
            }
        }
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

    fn file(&mut self, path: TreePath, place: &TreePath, metadata: Metadata) {
        let (below, was_hidden) = self.below(&path);
        let class = match &below {
            None => Class::Added,
            Some(_) if was_hidden => Class::Replaced,
            Some(below) => self.class_of_file((place, &metadata), below),
        };
        let is_as_below = class == Class::CopiedUp && self.layer.style == Style::Whole;
        if !is_as_below {
            self.tell((path, place), (class, metadata), below);
        }
    }

    fn node<'n>(&'n self, (place, metadata): (&'n TreePath, &'n Metadata)) -> Node<'n> {
        Node { tree: self.lower.tree, place, metadata }
    }

    fn class_of_file(&self, own: (&TreePath, &Metadata), below: &Found) -> Class {
        let marks = Marks::of(self.lower.tree, own.0);
        let copies_are_marked = self.levels.last().is_some_and(|level| level.marks.impure);
        let is_new = copies_are_marked && !marks.origin && !marks.metacopy;
        if own.1.kind != below.metadata.kind || (is_new && self.layer.style != Style::Whole) {
            return Class::Replaced;
        }
        // A copy of a whole tree has the times of the original, and is too large to be read.
        let is_copy = self.layer.style == Style::Whole
            && (own.1.size, own.1.modified) == (below.metadata.size, below.metadata.modified);
        let same_content = marks.metacopy
            || is_copy
            || compare::is_same_content(self.node(own), self.lower.node(below));
        compare::class(same_content, self.node(own), self.lower.node(below))
    }

    fn directory(&mut self, path: TreePath, place: &TreePath, metadata: Metadata) {
        let (below, was_hidden) = self.below(&path);
        let marks = self.lower.marks_of_directory(place);
        let name = path.file_name().unwrap_or_default();
        let parts_below = |search: &mut Self, parts: fn(&Level) -> &Vec<Part>| {
            let above = search.levels.last().map(parts).cloned().unwrap_or_default();
            search.lower.directory(&above, name)
        };
        let own = parts_below(self, |level| &level.parts);
        let hidden =
            if marks.opaque { own.clone() } else { parts_below(self, |level| &level.hidden) };
        let parts = match &marks.redirect {
            _ if marks.opaque => Vec::new(),
            Some(from) => self.moved_parts(from),
            None => own,
        };
        let was_directory =
            below.as_ref().is_some_and(|below| below.metadata.kind == FileKind::Directory);
        let class = match &below {
            _ if marks.redirect.is_some() => Class::Added,
            None => Class::Added,
            Some(_) if was_hidden || marks.opaque || !was_directory => Class::Replaced,
            Some(below) => {
                let same_names = metadata.modified == below.metadata.modified;
                compare::class(same_names, self.node((place, &metadata)), self.lower.node(below))
            }
        };
        let level = Level { parts, hidden, marks, modified: metadata.modified };
        let is_as_below = class == Class::CopiedUp && self.layer.style == Style::Whole;
        if !is_as_below {
            self.tell((path.clone(), place), (class, metadata.clone()), below);
        }
        let gone = match self.layer.style {
            Style::Whole => level.parts.clone(),
            _ if level.marks.opaque => level.hidden.clone(),
            _ => Vec::new(),
        };
        self.levels.push(level);
        self.missing(&path, (place, &metadata), &gone);
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

    fn tell(
        &mut self,
        (path, place): (TreePath, &TreePath),
        (class, metadata): (Class, Metadata),
        below: Option<Found>,
    ) {
        let marks = Marks::of(self.lower.tree, place);
        let is_directory = metadata.kind == FileKind::Directory;
        self.has_marks |= marks.any;
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
