//! Which host a data root belongs to.

use super::Subtree;
use dockline_evidence::read_at::read_up_to;
use dockline_evidence::{Tree, TreePath};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A host name is at most 253 bytes; more of the file is not read.
const HOSTNAME_LIMIT: u64 = 253;

/// The hosts of one tree, found as their data roots are.
pub(super) struct Hosts<'a> {
    subtree: &'a Subtree,
    known: BTreeMap<TreePath, Arc<str>>,
}

impl<'a> Hosts<'a> {
    pub(super) fn new(subtree: &'a Subtree) -> Self {
        Hosts { subtree, known: BTreeMap::new() }
    }

    /// The host that `root` belongs to: the name that the user gave, else the `etc/hostname` nearest
    /// to the root of the tree on the way down to `root`, else the fallback.
    ///
    /// Nearest to the root of the tree, because what lies deeper may be a container's own file: the
    /// data root of an engine that runs in a container belongs to the host on which that one runs.
    pub(super) fn of(&mut self, root: &TreePath) -> Arc<str> {
        if let Some(host) = &self.subtree.host {
            return host.clone();
        }
        if let Some(host) = self.known.get(root) {
            return host.clone();
        }
        let host = self.find(root).unwrap_or_else(|| self.subtree.fallback_host.clone());
        self.known.insert(root.clone(), host.clone());
        host
    }

    fn find(&self, root: &TreePath) -> Option<Arc<str>> {
        let mut above = vec![TreePath::root()];
        for component in root.components() {
            above.push(above.last()?.join(component)?);
        }
        above.iter().find_map(|directory| hostname(&*self.subtree.tree, directory))
    }
}

/// The content of `etc/hostname` below `directory`, if there is one that names a host.
fn hostname(tree: &dyn Tree, directory: &TreePath) -> Option<Arc<str>> {
    let file = tree.open(&directory.below(b"etc/hostname")?).ok()?;
    let (bytes, _) = read_up_to(&*file, HOSTNAME_LIMIT).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let name =
        text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
    is_name.then(|| Arc::from(name))
}
