//! A walk over a tree: every node once, depth first, each directory in the order of its names.
//!
//! Links are not followed, so a tree has no loops; a file system can still be made absurdly deep or
//! wide, hence the limits, and hold a directory in several places, of which only the first is
//! descended into: a few of them in one another would make more paths than can be counted.

use crate::{Entry, EvidenceError, FileKind, Tree, TreePath};
use std::collections::HashSet;

/// Directories below one another that a walk descends into; what lies deeper is an issue.
pub const MAX_DEPTH: usize = 512;
/// Nodes that one walk visits; reaching it ends the walk with an issue.
pub const MAX_NODES: u64 = 100_000_000;

/// Whether a walk goes on below a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Descend {
    /// Into the directory; means nothing for other nodes.
    Into,
    /// Past it: nothing below it is visited.
    Past,
}

/// A directory whose entries are being visited.
struct Level {
    path: TreePath,
    entries: std::vec::IntoIter<Entry>,
}

/// Visits every node below the root (not the root itself), a directory before what it holds.
/// A directory that cannot be read, and what is wrong with one that can, goes to `issues`, and the
/// walk goes on beside it. Files are not asked for their damage: see [`Tree::damage`].
pub fn walk(
    tree: &dyn Tree,
    visit: &mut dyn FnMut(&TreePath, &Entry) -> Descend,
    issues: &mut dyn FnMut(TreePath, EvidenceError),
) {
    walk_below(tree, &TreePath::root(), visit, issues);
}

/// [`walk`] below one directory.
pub fn walk_below(
    tree: &dyn Tree,
    start: &TreePath,
    visit: &mut dyn FnMut(&TreePath, &Entry) -> Descend,
    issues: &mut dyn FnMut(TreePath, EvidenceError),
) {
    let mut visited: u64 = 0;
    let mut known: HashSet<u128> = tree.identity(start).into_iter().collect();
    let mut levels: Vec<Level> = Vec::from_iter(level(tree, start.clone(), issues));
    while let Some(current) = levels.last_mut() {
        let Some(entry) = current.entries.next() else {
            levels.pop();
            continue;
        };
        visited = visited.saturating_add(1);
        if visited > MAX_NODES {
            let what = "nodes in a walk";
            issues(current.path.clone(), EvidenceError::LimitReached { what, limit: MAX_NODES });
            return;
        }
        let Some(path) = current.path.join(&entry.name) else { continue };
        let descend = visit(&path, &entry) == Descend::Into;
        if !descend || entry.kind != FileKind::Directory {
            continue;
        }
        if levels.len() >= MAX_DEPTH {
            issues(path, too_deep());
            continue;
        }
        if tree.identity(&path).is_some_and(|identity| !known.insert(identity)) {
            issues(path, in_two_places());
            continue;
        }
        levels.extend(level(tree, path, issues));
    }
}

fn level(
    tree: &dyn Tree,
    path: TreePath,
    issues: &mut dyn FnMut(TreePath, EvidenceError),
) -> Option<Level> {
    match tree.list(&path) {
        Ok(entries) => {
            tree.damage(&path).into_iter().for_each(|error| issues(path.clone(), error));
            Some(Level { path, entries: entries.into_iter() })
        }
        Err(error) => {
            issues(path, error);
            None
        }
    }
}

fn too_deep() -> EvidenceError {
    let limit = u64::try_from(MAX_DEPTH).unwrap_or(u64::MAX);
    EvidenceError::LimitReached { what: "directories below one another", limit }
}

fn in_two_places() -> EvidenceError {
    let found = "directory that stands elsewhere in the tree too";
    EvidenceError::WrongKind { wanted: "directory of its own", found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryTree, Metadata, ReadAt};
    use std::sync::Arc;

    fn visited(tree: &dyn Tree, past: &str) -> (Vec<String>, Vec<String>) {
        let (mut paths, mut problems) = (Vec::new(), Vec::new());
        walk(
            tree,
            &mut |path, _| {
                paths.push(path.to_string());
                if path.to_string() == past { Descend::Past } else { Descend::Into }
            },
            &mut |path, error| problems.push(format!("{path}: {error}")),
        );
        (paths, problems)
    }

    #[test]
    fn a_directory_comes_before_what_it_holds_and_names_in_order() {
        let tree = MemoryTree::new()
            .with_file("a/b", "", None)
            .with_file("a-b", "", None)
            .with_file("c/d/e", "", None)
            .with_node("c/link", FileKind::SymbolicLink, b"/");
        let all = ["/a", "/a/b", "/a-b", "/c", "/c/d", "/c/d/e", "/c/link"];
        assert_eq!(visited(&tree, ""), (all.map(String::from).to_vec(), vec![]));
        assert_eq!(visited(&tree, "/c").0, all[..4]);
    }

    /// Every directory holds the directories `d`, as many as the number, and may be one of them.
    struct Endless(usize, Option<u128>);

    impl Tree for Endless {
        fn list(&self, _: &TreePath) -> Result<Vec<Entry>, EvidenceError> {
            let entry = |name| Entry { name: vec![name], kind: FileKind::Directory };
            Ok((b'd'..).take(self.0).map(entry).collect())
        }
        fn metadata(&self, _: &TreePath) -> Result<Metadata, EvidenceError> {
            Err(EvidenceError::NotFound)
        }
        fn open(&self, _: &TreePath) -> Result<Arc<dyn ReadAt>, EvidenceError> {
            Err(EvidenceError::NotFound)
        }
        fn link_target(&self, _: &TreePath) -> Result<Vec<u8>, EvidenceError> {
            Err(EvidenceError::NotFound)
        }
        fn extended_attributes(
            &self,
            _: &TreePath,
        ) -> Result<Vec<crate::ExtendedAttribute>, EvidenceError> {
            Err(EvidenceError::NotFound)
        }
        fn identity(&self, _: &TreePath) -> Option<u128> {
            self.1
        }
    }

    #[test]
    fn a_directory_in_itself_is_descended_into_once() {
        let (paths, problems) = visited(&Endless(2, Some(7)), "");
        assert_eq!(paths, ["/d", "/e"]);
        assert_eq!(
            problems[0],
            "/d: not a directory of its own, but a directory that stands elsewhere in the tree too"
        );
    }

    #[test]
    fn a_tree_without_end_ends_with_an_issue() {
        let (paths, problems) = visited(&Endless(1, None), "");
        assert_eq!(paths.len(), MAX_DEPTH);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].ends_with("directories below one another: limit of 512 reached"));
    }
}
