//! Which host a data root belongs to.

use super::Subtree;
use crate::formats::windows_host::{SYSTEM_HIVE, computer_name, in_any_case, open_hive};
use dockline_evidence::read_at::read_up_to;
use dockline_evidence::{EvidenceError, Tree, TreePath};
use dockline_timeline::{Issue, Place};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A host name is at most 253 bytes; more of the file is not read.
const HOSTNAME_LIMIT: u64 = 253;

/// A volume of Windows is a tree, or a folder not far below the root of collected files.
const WINDOWS_DEPTH: usize = 4;

/// Gives the volumes that lie beside a Windows in one evidence, such as its drive D:, the name that
/// its registry has for the host, unless they have their own.
pub(super) fn name_volumes(subtrees: &mut [Subtree]) {
    let mut named: BTreeMap<Arc<str>, BTreeSet<Arc<str>>> = BTreeMap::new();
    for subtree in subtrees.iter().filter(|subtree| subtree.host.is_none()) {
        if let Some(name) = windows_name(&*subtree.tree, &TreePath::root()) {
            named.entry(subtree.evidence.clone()).or_default().insert(name);
        }
    }
    for subtree in subtrees {
        let names = named.get(&subtree.evidence);
        // Of two that lie on one disk, no other volume says to which it belongs.
        if let Some(name) = names.filter(|names| names.len() == 1).and_then(BTreeSet::first) {
            subtree.fallback_host = name.clone();
        }
    }
}

/// The name of the host whose Windows lies in `directory`.
fn windows_name(tree: &dyn Tree, directory: &TreePath) -> Option<Arc<str>> {
    let path = in_any_case(tree, directory, &SYSTEM_HIVE)?;
    let hive = open_hive(tree, &path).ok()?;
    computer_name(&hive).map(Arc::from)
}

/// The hosts of one tree, found as their data roots are.
pub(super) struct Hosts<'a> {
    subtree: &'a Subtree,
    known: BTreeMap<TreePath, Arc<str>>,
    /// Names of the hosts whose Windows lies in these directories.
    windows: BTreeMap<TreePath, Option<Arc<str>>>,
    /// What is wrong with the files that name them.
    pub(super) issues: Vec<Issue>,
}

impl<'a> Hosts<'a> {
    pub(super) fn new(subtree: &'a Subtree) -> Self {
        Hosts { subtree, known: BTreeMap::new(), windows: BTreeMap::new(), issues: Vec::new() }
    }

    /// The host that `root` belongs to: the name that the user gave, else the `etc/hostname` or the
    /// registry of Windows nearest to the root of the tree on the way down to `root`, else the
    /// fallback.
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

    fn find(&mut self, root: &TreePath) -> Option<Arc<str>> {
        let mut above = vec![TreePath::root()];
        for component in root.components() {
            above.push(above.last()?.join(component)?);
        }
        let directories = above.iter().enumerate();
        directories.into_iter().find_map(|(depth, directory)| {
            let hostname = self.hostname(&directory.below(b"etc/hostname")?);
            hostname.or_else(|| self.computer_name(depth, directory))
        })
    }

    /// The name that the registry of a Windows below `directory` has for its host. What is wrong
    /// with the hive is told by who claims it.
    fn computer_name(&mut self, depth: usize, directory: &TreePath) -> Option<Arc<str>> {
        if depth > WINDOWS_DEPTH {
            return None;
        }
        if let Some(known) = self.windows.get(directory) {
            return known.clone();
        }
        let name = windows_name(&*self.subtree.tree, directory);
        self.windows.insert(directory.clone(), name.clone());
        name
    }

    /// The content of the file, if there is one that names a host.
    fn hostname(&mut self, path: &TreePath) -> Option<Arc<str>> {
        let tree = self.subtree.tree.clone();
        let bytes = match read(&*tree, path) {
            Err(EvidenceError::NotFound | EvidenceError::WrongKind { .. }) => return None,
            Err(error) => {
                self.tell(path, &error);
                return None;
            }
            Ok(bytes) => bytes,
        };
        tree.damage(path).iter().for_each(|error| self.tell(path, error));
        let text = String::from_utf8(bytes).ok()?;
        let name =
            text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
        let is_name =
            name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
        is_name.then(|| Arc::from(name))
    }

    /// Each data root asks for the same files: what is wrong with them is told once.
    fn tell(&mut self, path: &TreePath, error: &EvidenceError) {
        let place = Place::file(&self.subtree.evidence, &self.subtree.shown(path));
        let issue = Issue::new(error.issue_kind(), place, error.to_string());
        if !self.issues.contains(&issue) {
            self.issues.push(issue);
        }
    }
}

fn read(tree: &dyn Tree, path: &TreePath) -> Result<Vec<u8>, EvidenceError> {
    Ok(read_up_to(&*tree.open(path)?, HOSTNAME_LIMIT)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_evidence::MemoryTree;

    #[test]
    fn a_damaged_name_of_a_host_is_used_and_told_once() {
        let tree = MemoryTree::new().with_file("etc/hostname", "web1\n", None);
        let subtree = Subtree {
            evidence: Arc::from("disk"),
            prefix: Arc::from("/p2"),
            host: None,
            fallback_host: Arc::from("disk"),
            depth: 0,
            tree: Arc::new(tree.with_damage("etc/hostname")),
        };
        let mut hosts = Hosts::new(&subtree);
        for root in ["var/lib/docker", "srv/docker"] {
            assert_eq!(&*hosts.of(&TreePath::parse(root.as_bytes()).unwrap()), "web1");
        }
        let told: Vec<String> = hosts.issues.iter().map(ToString::to_string).collect();
        let what = "inode at byte 0: need the right checksum, have another (malformed)";
        assert_eq!(told, [format!("disk:/p2/etc/hostname: {what}")]);
    }
}
