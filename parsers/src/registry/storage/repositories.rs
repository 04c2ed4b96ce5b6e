//! The repositories of a registry: every directory below `repositories` that holds `_manifests`,
//! `_layers` or `_uploads`. Its name is the way to it, of one component or more, and one may lie
//! below another.

use super::{Registry, lossy};
use dockline_evidence::{FileKind, TreePath};
use dockline_timeline::{Findings, IssueKind, Position};
use std::collections::BTreeSet;

/// A name has at most 255 bytes, and so at most so many components.
const DEPTH_LIMIT: usize = 128;

/// A repository: a name under which images were pushed.
pub(super) struct Repository {
    /// `lab/busybox`.
    pub(super) name: String,
    pub(super) path: TreePath,
}

impl Registry<'_> {
    /// The repositories, ordered by the components of their names.
    pub(super) fn repositories(&self, findings: &mut dyn Findings) -> Vec<Repository> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        let start = self.artifact.root.join(b"repositories");
        let mut left: Vec<(TreePath, Vec<String>)> =
            start.into_iter().map(|path| (path, Vec::new())).collect();
        while let Some((path, name)) = left.pop() {
            // A damaged file system can hold a directory in itself; the walk has told it.
            let identity = self.artifact.tree.identity(&path);
            if identity.is_some_and(|identity| !seen.insert(identity)) {
                continue;
            }
            if name.len() > DEPTH_LIMIT {
                let what = format!("repositories deeper than {DEPTH_LIMIT} directories");
                let file = self.file(path);
                findings.issue(file.issue(IssueKind::LimitReached, Position::File, what));
                continue;
            }
            let mut below = Vec::new();
            let mut is_repository = false;
            for entry in self.entries(&path, findings) {
                if entry.kind != FileKind::Directory {
                    continue;
                }
                match entry.name.as_slice() {
                    b"_manifests" | b"_layers" | b"_uploads" => is_repository = true,
                    other => below.push(other.to_vec()),
                }
            }
            for component in below.iter().rev() {
                let Some(path) = path.join(component) else { continue };
                let mut name = name.clone();
                name.push(lossy(component));
                left.push((path, name));
            }
            if is_repository {
                found.push(Repository { name: name.join("/"), path });
            }
        }
        found
    }
}
