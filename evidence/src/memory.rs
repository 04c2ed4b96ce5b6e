//! A tree in memory: what tests of parsers mount their files in.

use crate::{Entry, EvidenceError, ExtendedAttribute, FileKind, Metadata, ReadAt, Tree, TreePath};
use dockline_timeline::Instant;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

#[derive(Clone, Debug)]
struct Node {
    metadata: Metadata,
    /// Content of a regular file, target of a symbolic link.
    content: Arc<Vec<u8>>,
    attributes: Vec<ExtendedAttribute>,
    is_damaged: bool,
}

/// A tree in memory.
#[derive(Clone, Debug)]
pub struct MemoryTree {
    nodes: BTreeMap<TreePath, Node>,
}

impl Default for MemoryTree {
    fn default() -> Self {
        let root = node(FileKind::Directory, Vec::new(), None);
        MemoryTree { nodes: BTreeMap::from([(TreePath::root(), root)]) }
    }
}

fn node(kind: FileKind, content: Vec<u8>, modified: Option<Instant>) -> Node {
    let size = ReadAt::len(&content);
    Node {
        metadata: Metadata {
            mode: Some(0o600),
            uid: Some(0),
            gid: Some(0),
            size,
            links: Some(1),
            modified,
            ..Metadata::unknown(kind)
        },
        content: Arc::new(content),
        attributes: Vec::new(),
        is_damaged: false,
    }
}

impl MemoryTree {
    /// An empty tree.
    #[must_use]
    pub fn new() -> MemoryTree {
        MemoryTree::default()
    }

    /// Adds a regular file, and the directories above it. A path that is none adds nothing.
    #[must_use]
    pub fn with_file(
        self,
        path: &str,
        content: impl Into<Vec<u8>>,
        modified: Option<Instant>,
    ) -> Self {
        self.with(path, node(FileKind::Regular, content.into(), modified))
    }

    /// Adds a directory that was last modified then, and the directories above it.
    #[must_use]
    pub fn with_directory(self, path: &str, modified: Option<Instant>) -> Self {
        self.with(path, node(FileKind::Directory, Vec::new(), modified))
    }

    /// Adds a node of any other kind; for a symbolic link, `content` is its target.
    #[must_use]
    pub fn with_node(self, path: &str, kind: FileKind, content: &[u8]) -> Self {
        self.with(path, node(kind, content.to_vec(), None))
    }

    /// All its directories were last modified then.
    #[must_use]
    pub fn with_directories_modified(mut self, modified: Option<Instant>) -> Self {
        for node in self.nodes.values_mut() {
            if node.metadata.kind == FileKind::Directory {
                node.metadata.modified = modified;
            }
        }
        self
    }

    /// The node at `path` can be read, but something is wrong with it.
    #[must_use]
    pub fn with_damage(mut self, path: &str) -> Self {
        let node = TreePath::parse(path.as_bytes()).and_then(|path| self.nodes.get_mut(&path));
        if let Some(node) = node {
            node.is_damaged = true;
        }
        self
    }

    /// Changes what is known of the node at `path`.
    #[must_use]
    pub fn with_metadata(mut self, path: &str, change: impl FnOnce(&mut Metadata)) -> Self {
        let node = TreePath::parse(path.as_bytes()).and_then(|path| self.nodes.get_mut(&path));
        if let Some(node) = node {
            change(&mut node.metadata);
        }
        self
    }

    /// Gives the node at `path` an extended attribute.
    #[must_use]
    pub fn with_attribute(mut self, path: &str, name: &str, value: &[u8]) -> Self {
        let node = TreePath::parse(path.as_bytes()).and_then(|path| self.nodes.get_mut(&path));
        if let Some(node) = node {
            let (name, value) = (name.as_bytes().to_vec(), value.to_vec());
            node.attributes.push(ExtendedAttribute { name, value });
        }
        self
    }

    fn with(mut self, path: &str, node_to_add: Node) -> Self {
        let Some(path) = TreePath::parse(path.as_bytes()) else { return self };
        let mut above = path.parent();
        while let Some(directory) = above {
            self.nodes
                .entry(directory.clone())
                .or_insert_with(|| node(FileKind::Directory, Vec::new(), None));
            above = directory.parent();
        }
        self.nodes.insert(path, node_to_add);
        self
    }

    fn node(&self, path: &TreePath) -> Result<&Node, EvidenceError> {
        self.nodes.get(path).ok_or(EvidenceError::NotFound)
    }

    fn node_of_kind(&self, path: &TreePath, kind: FileKind) -> Result<&Node, EvidenceError> {
        let node = self.node(path)?;
        if node.metadata.kind == kind {
            return Ok(node);
        }
        Err(EvidenceError::WrongKind { wanted: kind.name(), found: node.metadata.kind.name() })
    }
}

impl Tree for MemoryTree {
    fn list(&self, directory: &TreePath) -> Result<Vec<Entry>, EvidenceError> {
        self.node_of_kind(directory, FileKind::Directory)?;
        // Paths order as a walk visits them: all that lies below the directory follows it.
        let after = (Bound::Excluded(directory), Bound::Unbounded);
        let below = self.nodes.range::<TreePath, _>(after);
        Ok(below
            .take_while(|(path, _)| path.starts_with(directory))
            .filter(|(path, _)| path.parent().as_ref() == Some(directory))
            .filter_map(|(path, node)| {
                let name = path.file_name()?.to_vec();
                Some(Entry { name, kind: node.metadata.kind })
            })
            .collect())
    }

    fn metadata(&self, path: &TreePath) -> Result<Metadata, EvidenceError> {
        Ok(self.node(path)?.metadata.clone())
    }

    fn open(&self, path: &TreePath) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        let content = self.node_of_kind(path, FileKind::Regular)?.content.clone();
        Ok(content)
    }

    fn link_target(&self, path: &TreePath) -> Result<Vec<u8>, EvidenceError> {
        Ok(self.node_of_kind(path, FileKind::SymbolicLink)?.content.to_vec())
    }

    fn extended_attributes(
        &self,
        path: &TreePath,
    ) -> Result<Vec<ExtendedAttribute>, EvidenceError> {
        Ok(self.node(path)?.attributes.clone())
    }

    fn damage(&self, path: &TreePath) -> Vec<EvidenceError> {
        let (need, have) = ("the right checksum".to_owned(), "another".to_owned());
        let error = EvidenceError::Malformed { what: "inode", at: 0, need, have };
        if self.node(path).is_ok_and(|node| node.is_damaged) { vec![error] } else { Vec::new() }
    }
}
