//! What an archive holds: one pass over its headers. A node is a name in its directory and the
//! offset of its member; everything else is read from the archive when it is asked for.

use super::pax::Extended;
use crate::{Entry, EvidenceError, FileKind, TreePath};
use std::collections::BTreeMap;

/// Names that one archive may hold, about 100 bytes of memory each; what follows is not read.
pub const MAX_NAMES: u64 = 8_000_000;
/// Bytes of all names that one archive may hold.
pub const MAX_NAME_BYTES: u64 = 1 << 29;

/// A node, by its place in [`Index::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeId(u32);

/// A node of the tree.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: FileKind,
    /// Offset of its member; `None` for a directory that only the paths of others imply.
    pub(super) member: Option<u64>,
    /// Which of [`Index::globals`] hold for it.
    pub(super) globals: u32,
    /// How many names it has here.
    pub(super) names: u32,
    /// Of a directory: which of [`Index::directories`] is its own.
    directory: u32,
}

/// What an archive holds.
pub(super) struct Index {
    nodes: Vec<Node>,
    /// Names of the entries of each directory.
    directories: Vec<BTreeMap<Box<[u8]>, NodeId>>,
    /// The states that global headers brought about; the first one says nothing.
    pub(super) globals: Vec<Extended>,
    names: u64,
    name_bytes: u64,
}

/// What became of a name that was given to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Placed {
    New,
    /// Another member had the name; it can no longer be reached.
    Replaced,
}

impl Index {
    const ROOT: NodeId = NodeId(0);

    pub(super) fn new() -> Index {
        let root =
            Node { kind: FileKind::Directory, member: None, globals: 0, names: 1, directory: 0 };
        Index {
            nodes: vec![root],
            directories: vec![BTreeMap::new()],
            globals: vec![Extended::default()],
            names: 0,
            name_bytes: 0,
        }
    }

    pub(super) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(usize::try_from(id.0).ok()?)
    }

    fn node_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        self.nodes.get_mut(usize::try_from(id.0).ok()?)
    }

    fn entries(&self, directory: NodeId) -> Option<&BTreeMap<Box<[u8]>, NodeId>> {
        let node = self.node(directory).filter(|node| node.kind == FileKind::Directory)?;
        self.directories.get(usize::try_from(node.directory).ok()?)
    }

    fn entries_mut(&mut self, directory: NodeId) -> Option<&mut BTreeMap<Box<[u8]>, NodeId>> {
        let node = self.node(directory).filter(|node| node.kind == FileKind::Directory)?;
        let directory = usize::try_from(node.directory).ok()?;
        self.directories.get_mut(directory)
    }

    pub(super) fn find(&self, path: &TreePath) -> Option<NodeId> {
        path.components().try_fold(Index::ROOT, |id, name| self.entries(id)?.get(name).copied())
    }

    /// The entries of a directory, ordered by name.
    pub(super) fn list(&self, directory: NodeId) -> Option<Vec<Entry>> {
        let entries = self.entries(directory)?.iter();
        let entries = entries.map(|(name, id)| {
            let kind = self.node(*id)?.kind;
            Some(Entry { name: name.to_vec(), kind })
        });
        entries.collect()
    }

    /// A new node without a name yet; `None` when there are too many.
    fn add_node(&mut self, kind: FileKind, member: Option<u64>) -> Option<NodeId> {
        let id = NodeId(u32::try_from(self.nodes.len()).ok()?);
        let mut directory = 0;
        if kind == FileKind::Directory {
            directory = u32::try_from(self.directories.len()).ok()?;
            self.directories.push(BTreeMap::new());
        }
        let globals = u32::try_from(self.globals.len().saturating_sub(1)).ok()?;
        self.nodes.push(Node { kind, member, globals, names: 0, directory });
        Some(id)
    }

    /// Gives the path to the node of a member; a directory that is already there keeps its entries.
    pub(super) fn add(
        &mut self,
        path: &TreePath,
        kind: FileKind,
        member: u64,
    ) -> Result<Placed, EvidenceError> {
        let known = self.find(path).filter(|_| kind == FileKind::Directory);
        let globals = u32::try_from(self.globals.len().saturating_sub(1)).unwrap_or(0);
        if let Some(node) = known.and_then(|id| self.node_mut(id))
            && node.kind == FileKind::Directory
        {
            let was_member = node.member.is_some();
            node.member = Some(member);
            node.globals = globals;
            return Ok(if was_member { Placed::Replaced } else { Placed::New });
        }
        let id = self.add_node(kind, Some(member)).ok_or_else(too_many)?;
        self.name(path, id)
    }

    /// Gives one more name to a node. Directories on the way to it come into being.
    pub(super) fn name(&mut self, path: &TreePath, id: NodeId) -> Result<Placed, EvidenceError> {
        let mut names = path.components();
        // A root that is no directory: there is no name to give.
        let Some(last) = names.next_back() else { return Ok(Placed::Replaced) };
        let mut placed = Placed::New;
        let mut directory = Index::ROOT;
        for name in names {
            let known = self.entries(directory).and_then(|entries| entries.get(name)).copied();
            directory = match known.filter(|id| self.entries(*id).is_some()) {
                Some(below) => below,
                None => {
                    let below = self.add_node(FileKind::Directory, None).ok_or_else(too_many)?;
                    placed = self.put(directory, name, below)?.max(placed);
                    below
                }
            };
        }
        Ok(self.put(directory, last, id)?.max(placed))
    }

    fn put(&mut self, directory: NodeId, name: &[u8], id: NodeId) -> Result<Placed, EvidenceError> {
        let name_bytes = self.name_bytes.saturating_add(crate::ReadAt::len(name));
        if self.names >= MAX_NAMES {
            return Err(too_many());
        }
        if name_bytes > MAX_NAME_BYTES {
            let what = "bytes of names in an archive";
            return Err(EvidenceError::LimitReached { what, limit: MAX_NAME_BYTES });
        }
        let entries = self.entries_mut(directory);
        let before = entries.and_then(|entries| entries.insert(Box::from(name), id));
        if let Some(node) = self.node_mut(id) {
            node.names = node.names.saturating_add(1);
        }
        match before.and_then(|before| self.node_mut(before)) {
            None => {
                self.names = self.names.saturating_add(1);
                self.name_bytes = name_bytes;
                Ok(Placed::New)
            }
            Some(before) => {
                before.names = before.names.saturating_sub(1);
                Ok(Placed::Replaced)
            }
        }
    }
}

pub(super) fn too_many() -> EvidenceError {
    EvidenceError::LimitReached { what: "names in an archive", limit: MAX_NAMES }
}
