//! Two file systems as containers see them, held against each other name by name: that of a
//! container against that of its image, or those of two images.
//!
//! A directory that consists of the same directories of the same layers in both is the same, and is
//! not looked into: so what a container did not touch, or two images share, costs nothing.

use super::lower::{Found, Lower, Part};
use super::{Class, Problem, compare};
use crate::inventory::Style;
use dockline_evidence::{EvidenceError, FileKind, TreePath};
use dockline_timeline::Instant;
use std::collections::BTreeMap;

/// How much is compared.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Names that are compared.
    names: usize,
    /// Names that differ, or may.
    told: usize,
    /// Directories below one another that are looked into.
    depth: usize,
}

/// More than any image holds.
const LIMITS: Limits = Limits { names: 10_000_000, told: 2_000_000, depth: 512 };

/// One name that differs, or is a directory in which something may.
#[derive(Debug)]
pub(super) struct Different {
    pub(super) before: Option<Found>,
    pub(super) after: Option<Found>,
    /// That the name itself differs, not only what lies below it.
    pub(super) itself: bool,
}

/// A directory that both have, or that is new.
struct Level {
    path: TreePath,
    depth: usize,
    before: Vec<Part>,
    after: Vec<Part>,
}

/// Compares two views.
pub(super) struct Comparison<'a> {
    pub(super) before: Lower<'a>,
    pub(super) after: Lower<'a>,
    /// Every name that differs.
    pub(super) found: BTreeMap<TreePath, Different>,
    compared: usize,
    limits: Limits,
}

impl<'a> Comparison<'a> {
    /// Compares all names of both.
    pub(super) fn of(before: Lower<'a>, after: Lower<'a>) -> Comparison<'a> {
        Comparison::within(LIMITS, before, after)
    }

    fn within(limits: Limits, before: Lower<'a>, after: Lower<'a>) -> Comparison<'a> {
        let found = BTreeMap::new();
        let mut comparison = Comparison { before, after, found, compared: 0, limits };
        let root = Level {
            path: TreePath::root(),
            depth: 0,
            before: comparison.before.root(0),
            after: comparison.after.root(0),
        };
        let mut levels = vec![root];
        while let Some(level) = levels.pop() {
            if comparison.is_same_directory(&level) {
                continue;
            }
            if let Some(error) = comparison.limit(&level) {
                let place = level.after.first().map(|part| part.place().clone());
                comparison.after.problems.push((place.unwrap_or_else(TreePath::root), error));
                continue;
            }
            comparison.compare(&level, &mut levels);
        }
        comparison
    }

    fn is_same_directory(&self, level: &Level) -> bool {
        let is_same_tree = std::ptr::addr_eq(self.before.tree, self.after.tree);
        is_same_tree && level.before.iter().map(Part::place).eq(level.after.iter().map(Part::place))
    }

    fn limit(&self, level: &Level) -> Option<EvidenceError> {
        let reached = |what, limit: usize| {
            let limit = u64::try_from(limit).unwrap_or(u64::MAX);
            Some(EvidenceError::LimitReached { what, limit })
        };
        let Limits { names, told, depth } = self.limits;
        match () {
            () if level.depth >= depth => reached("directories below one another", depth),
            () if self.compared >= names => reached("names that are compared", names),
            () if self.found.len() >= told => reached("names that differ", told),
            () => None,
        }
    }

    fn compare(&mut self, level: &Level, levels: &mut Vec<Level>) {
        let mut before = self.before.list(&level.before);
        let after = self.after.list(&level.after);
        self.compared = self.compared.saturating_add(before.len()).saturating_add(after.len());
        for (name, after) in after {
            let Some(path) = level.path.join(&name) else { continue };
            let before = before.remove(&name);
            if after.metadata.kind == FileKind::Directory {
                let was_directory = |found: &Found| found.metadata.kind == FileKind::Directory;
                levels.push(Level {
                    path: path.clone(),
                    depth: level.depth.saturating_add(1),
                    before: match before.as_ref().is_some_and(was_directory) {
                        true => self.before.directory(&level.before, &name),
                        false => Vec::new(),
                    },
                    after: self.after.directory(&level.after, &name),
                });
            }
            self.add(path, before, after);
        }
        for (name, before) in before {
            let Some(path) = level.path.join(&name) else { continue };
            let gone = Different { before: Some(before), after: None, itself: true };
            self.found.insert(path, gone);
        }
    }

    fn add(&mut self, path: TreePath, before: Option<Found>, after: Found) {
        let itself = before.as_ref().is_none_or(|before| self.differs(before, &after));
        if itself || after.metadata.kind == FileKind::Directory {
            self.found.insert(path, Different { before, after: Some(after), itself });
        }
    }

    /// Whether a node differs, as Docker compares them: size and modification time do not count for
    /// directories. What differs only in its content does, too.
    fn differs(&self, before: &Found, after: &Found) -> bool {
        let is_same_tree = std::ptr::addr_eq(self.before.tree, self.after.tree);
        if is_same_tree && before.place == after.place {
            return false;
        }
        let (was, is) = (&before.metadata, &after.metadata);
        if (was.kind, was.mode, was.uid, was.gid) != (is.kind, is.mode, is.uid, is.gid) {
            return true;
        }
        if is.kind == FileKind::Directory {
            return false;
        }
        let (before, after) = (self.before.node(before), self.after.node(after));
        was.device != is.device
            || was.size != is.size
            || !is_same_time(was.modified, is.modified)
            || !compare::is_same_capability(before, after)
            || (!self.is_copied_whole() && !compare::is_same_content(before, after))
    }

    /// Copies of whole trees are too large to be read; a copy keeps size and time.
    fn is_copied_whole(&self) -> bool {
        (self.before.style, self.after.style) == (Style::Whole, Style::Whole)
    }

    /// What could not be read of either.
    pub(super) fn problems(&self) -> impl Iterator<Item = Problem> {
        self.before.problems.iter().chain(&self.after.problems).cloned()
    }

    /// What became of a name.
    pub(super) fn class(&self, different: &Different) -> Class {
        let (Some(before), Some(after)) = (&different.before, &different.after) else {
            return if different.after.is_some() { Class::Added } else { Class::Deleted };
        };
        if before.metadata.kind != after.metadata.kind {
            return Class::Replaced;
        }
        let is_directory = after.metadata.kind == FileKind::Directory;
        let (before, after) = (self.before.node(before), self.after.node(after));
        let same_content = match is_directory {
            true => before.metadata.modified == after.metadata.modified,
            false => compare::is_same_content(before, after),
        };
        compare::class(same_content, after, before)
    }
}

/// Archives of layers may have lost fractions of seconds.
fn is_same_time(one: Option<Instant>, other: Option<Instant>) -> bool {
    let (Some(first), Some(second)) = (one, other) else { return one == other };
    let is_whole = first.nanoseconds() == 0 || second.nanoseconds() == 0;
    first == second || (is_whole && first.seconds() == second.seconds())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::LayerBelow;
    use dockline_evidence::MemoryTree;

    /// The names that differ from nothing, and what is said to be missing.
    fn compared(names: usize, told: usize, depth: usize) -> (Vec<String>, Vec<String>) {
        let tree = MemoryTree::new().with_file("up/a/b", "x", None).with_file("up/c", "y", None);
        let directory = TreePath::parse(b"up").unwrap();
        let layers = [LayerBelow { directory, id: String::new(), is_init: false }];
        let view = |layers| Lower { tree: &tree, style: Style::Overlay, layers, problems: vec![] };
        let limits = Limits { names, told, depth };
        let comparison = Comparison::within(limits, view(&[]), view(&layers));
        let problems = comparison.problems().map(|(path, error)| format!("{path}: {error}"));
        (comparison.found.keys().map(ToString::to_string).collect(), problems.collect())
    }

    #[test]
    fn what_is_beyond_a_limit_is_told_to_be_missing() {
        let all = ["/a", "/a/b", "/c"].map(str::to_owned).to_vec();
        assert_eq!(compared(3, 3, 2), (all, vec![]), "at the limits all is told");
        for (limits, what) in [
            ((2, 3, 2), "names that are compared: limit of 2 reached"),
            ((3, 2, 2), "names that differ: limit of 2 reached"),
            ((3, 3, 1), "directories below one another: limit of 1 reached"),
        ] {
            let found = ["/a", "/c"].map(str::to_owned).to_vec();
            let (names, told, depth) = limits;
            assert_eq!(compared(names, told, depth), (found, vec![format!("/up/a: {what}")]));
        }
    }
}
