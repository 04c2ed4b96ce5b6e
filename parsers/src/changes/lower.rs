//! What a container saw before it changed anything: the layers below its writable one, as an overlay
//! file system shows them.
//!
//! Of a name the nearest layer counts; a whiteout ends the search; directories of several layers are
//! one, down to the first that is opaque; a directory that was renamed stands elsewhere below.

use super::compare::Node;
use super::overlay::{self, Marks, NamedMark, named_mark};
use crate::inventory::{LayerBelow, Style};
use dockline_evidence::{EvidenceError, FileKind, Metadata, Tree, TreePath};
use std::collections::BTreeMap;

/// A node of a layer below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which of the layers holds it, counted from the nearest.
    pub layer: usize,
    /// Where it lies in the evidence.
    pub place: TreePath,
    /// What is known of it.
    pub metadata: Metadata,
}

/// A directory of one layer that is a part of a directory that the container saw.
#[derive(Clone, Debug)]
pub(super) struct Part {
    layer: usize,
    place: TreePath,
    holds_whiteouts: bool,
}

impl Part {
    /// Where it lies in the evidence.
    pub(super) fn place(&self) -> &TreePath {
        &self.place
    }
}

/// What one layer says of a name.
enum Says {
    /// Nothing.
    Nothing,
    /// That it is deleted.
    Deleted,
    /// That it is this.
    Is(Box<Found>),
}

/// The layers below a writable one.
pub(super) struct Lower<'a> {
    pub(super) tree: &'a dyn Tree,
    pub(super) style: Style,
    pub(super) layers: &'a [LayerBelow],
    /// What could not be read of them.
    pub(super) problems: Vec<(TreePath, EvidenceError)>,
}

impl Lower<'_> {
    /// A node of one of the layers.
    pub(super) fn node<'n>(&'n self, found: &'n Found) -> Node<'n> {
        Node { tree: self.tree, place: &found.place, metadata: &found.metadata }
    }

    /// The root directory, from the layer of that number on. Where each layer holds all that the
    /// container sees, only the nearest counts.
    pub(super) fn root(&mut self, from: usize) -> Vec<Part> {
        let most = if self.style == Style::Whole { 1 } else { usize::MAX };
        let mut parts = Vec::new();
        for (layer, below) in self.layers.iter().enumerate().skip(from).take(most) {
            let place = below.directory.clone();
            match self.tree.metadata(&place) {
                Ok(metadata) if metadata.kind == FileKind::Directory => {
                    let holds_whiteouts = Marks::of(self.tree, &place).holds_whiteouts;
                    parts.push(Part { layer, place, holds_whiteouts });
                }
                Ok(metadata) => {
                    let found = metadata.kind.name();
                    self.problems
                        .push((place, EvidenceError::WrongKind { wanted: "directory", found }));
                }
                Err(error) => self.problems.push((place, error)),
            }
        }
        parts
    }

    /// What the container saw under this name in a directory that consists of these parts.
    pub(super) fn find(&mut self, parts: &[Part], name: &[u8]) -> Option<Found> {
        for part in parts {
            match self.ask(part, name) {
                Says::Nothing => {}
                Says::Deleted => return None,
                Says::Is(found) => return Some(*found),
            }
        }
        None
    }

    /// The parts of the directory of this name.
    pub(super) fn directory(&mut self, parts: &[Part], name: &[u8]) -> Vec<Part> {
        let mut name = name.to_vec();
        let mut found_parts = Vec::new();
        for part in parts {
            let found = match self.ask(part, &name) {
                Says::Is(found) if found.metadata.kind == FileKind::Directory => found,
                Says::Nothing => continue,
                Says::Is(_) | Says::Deleted => break,
            };
            let marks = self.marks(&found.place, FileKind::Directory);
            let (layer, holds_whiteouts) = (found.layer, marks.holds_whiteouts);
            found_parts.push(Part { layer, place: found.place, holds_whiteouts });
            match marks.redirect {
                _ if marks.opaque => break,
                Some(target) if target.starts_with(b"/") => {
                    found_parts.extend(self.at(&target, layer.saturating_add(1)));
                    break;
                }
                Some(other) => name = other,
                None => {}
            }
            if self.is_deleted_below(part, &name) {
                break;
            }
        }
        found_parts
    }

    /// The parts of the directory at a path from the root, in the layers from that number on.
    pub(super) fn at(&mut self, path: &[u8], from: usize) -> Vec<Part> {
        let mut parts = self.root(from);
        for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
            parts = self.directory(&parts, name);
        }
        parts
    }

    /// Every name in a directory that consists of these parts, with what the container saw there.
    pub(super) fn list(&mut self, parts: &[Part]) -> BTreeMap<Vec<u8>, Found> {
        let mut names = BTreeMap::new();
        for part in parts {
            match self.tree.list(&part.place) {
                Ok(entries) => names.extend(entries.into_iter().map(|entry| (entry.name, ()))),
                Err(error) => self.problems.push((part.place.clone(), error)),
            }
        }
        let by_name = self.style == Style::NamedWhiteouts;
        names.retain(|name, ()| !by_name || named_mark(name).is_none());
        names
            .into_keys()
            .filter_map(|name| Some((name.clone(), self.find(parts, &name)?)))
            .collect()
    }

    fn ask(&mut self, part: &Part, name: &[u8]) -> Says {
        let Some(place) = part.place.join(name) else { return Says::Nothing };
        match self.tree.metadata(&place) {
            Ok(metadata) if self.style == Style::Whole => {
                Says::Is(Box::new(Found { layer: part.layer, place, metadata }))
            }
            Ok(metadata) if overlay::is_whiteout(&metadata) => Says::Deleted,
            Ok(metadata) if self.is_marked_whiteout(part, &place, &metadata) => Says::Deleted,
            Ok(metadata) => Says::Is(Box::new(Found { layer: part.layer, place, metadata })),
            Err(EvidenceError::NotFound) if self.is_deleted_below(part, name) => Says::Deleted,
            Err(EvidenceError::NotFound) => Says::Nothing,
            Err(error) => {
                self.problems.push((place, error));
                Says::Nothing
            }
        }
    }

    fn is_marked_whiteout(&self, part: &Part, place: &TreePath, metadata: &Metadata) -> bool {
        part.holds_whiteouts
            && metadata.kind == FileKind::Regular
            && metadata.size == 0
            && Marks::of(self.tree, place).whiteout
    }

    /// Whether a file beside says that the name is deleted in the layers below.
    fn is_deleted_below(&self, part: &Part, name: &[u8]) -> bool {
        let by_name = self.style == Style::NamedWhiteouts;
        let whiteout = || part.place.join(&overlay::whiteout_of(name));
        by_name && whiteout().is_some_and(|place| self.tree.metadata(&place).is_ok())
    }

    /// The marks of a node; of a directory those that are files in it included.
    pub(super) fn marks(&self, place: &TreePath, kind: FileKind) -> Marks {
        if self.style == Style::Whole {
            return Marks::default();
        }
        let mut marks = Marks::of(self.tree, place);
        if self.style == Style::NamedWhiteouts && kind == FileKind::Directory {
            let file = overlay::opaque_file(place);
            marks.opaque |= file.is_some_and(|file| self.tree.metadata(&file).is_ok());
        }
        marks
    }

    /// Whether a name in the writable layer is a mark, and of what.
    pub(super) fn named_mark<'n>(&self, name: &'n [u8]) -> Option<NamedMark<'n>> {
        if self.style == Style::NamedWhiteouts { named_mark(name) } else { None }
    }
}
