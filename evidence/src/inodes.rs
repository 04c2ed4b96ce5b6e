//! File systems that number their files: what each one has to answer, and the [`Tree`] that follows
//! from it.

use crate::{Entry, EvidenceError, ExtendedAttribute, FileKind, Metadata, ReadAt, Tree, TreePath};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Directories whose entries are kept: those above a file, and the one that is being walked.
const KEPT_DIRECTORIES: usize = 32;
/// Larger directories are kept alone, so that memory stays bounded by what one listing takes.
const KEPT_ENTRIES: usize = 1 << 16;

/// One name in a directory, and what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedInode {
    pub(crate) name: Vec<u8>,
    pub(crate) inode: u64,
    pub(crate) kind: FileKind,
}

/// What a file system knows by the number of a file.
pub(crate) trait Inodes: Send + Sync + 'static {
    /// Number of the root directory.
    fn root(&self) -> u64;

    /// What a directory holds, in any order, without `.` and `..`; names that are no names (empty,
    /// or with `/` or NUL) are left out by the caller. An implementation bounds the size.
    fn entries(&self, directory: u64) -> Result<Vec<NamedInode>, EvidenceError>;

    /// All that is known of a file but its content.
    fn metadata(&self, inode: u64) -> Result<Metadata, EvidenceError>;

    /// The content of a regular file.
    fn content(&self, inode: u64) -> Result<Arc<dyn ReadAt>, EvidenceError>;

    /// The target of a symbolic link.
    fn link_target(&self, inode: u64) -> Result<Vec<u8>, EvidenceError>;

    /// The extended attributes, in any order.
    fn extended_attributes(&self, inode: u64) -> Result<Vec<ExtendedAttribute>, EvidenceError>;

    /// What is wrong with a file that the other questions are answered about all the same.
    fn damage(&self, _inode: u64) -> Vec<EvidenceError> {
        Vec::new()
    }
}

/// The tree of a file system.
pub(crate) struct InodeTree<F> {
    inodes: F,
    recent: Mutex<VecDeque<Directory>>,
}

/// A directory that was listed: its entries by name, each name once.
#[derive(Clone)]
struct Directory {
    inode: u64,
    entries: Arc<Vec<NamedInode>>,
}

impl<F: Inodes> InodeTree<F> {
    pub(crate) fn new(inodes: F) -> InodeTree<F> {
        InodeTree { inodes, recent: Mutex::new(VecDeque::new()) }
    }

    /// The number of the file at `path`, and what the directory says it is.
    fn find(&self, path: &TreePath) -> Result<(u64, FileKind), EvidenceError> {
        let mut found = (self.inodes.root(), FileKind::Directory);
        for name in path.components() {
            let entries = self.directory(found)?;
            let at = entries
                .binary_search_by(|entry| entry.name.as_slice().cmp(name))
                .map_err(|_| EvidenceError::NotFound)?;
            let entry = entries.get(at).ok_or(EvidenceError::NotFound)?;
            found = (entry.inode, entry.kind);
        }
        Ok(found)
    }

    fn find_kind(&self, path: &TreePath, wanted: FileKind) -> Result<u64, EvidenceError> {
        let (inode, kind) = self.find(path)?;
        if kind != wanted {
            return Err(EvidenceError::WrongKind { wanted: wanted.name(), found: kind.name() });
        }
        Ok(inode)
    }

    fn directory(
        &self,
        (inode, kind): (u64, FileKind),
    ) -> Result<Arc<Vec<NamedInode>>, EvidenceError> {
        if kind != FileKind::Directory {
            return Err(EvidenceError::NotFound);
        }
        if let Some(known) = self.recent(|recent| {
            let at = recent.iter().position(|directory| directory.inode == inode)?;
            let directory = recent.remove(at)?;
            recent.push_front(directory.clone());
            Some(directory.entries)
        }) {
            return Ok(known);
        }
        let mut entries = self.inodes.entries(inode)?;
        entries.retain(|entry| TreePath::root().join(&entry.name).is_some());
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        entries.dedup_by(|one, other| one.name == other.name);
        let entries = Arc::new(entries);
        self.recent(|recent| {
            recent.push_front(Directory { inode, entries: entries.clone() });
            let mut kept = 0_usize;
            recent.retain(|directory| {
                kept = kept.saturating_add(directory.entries.len());
                directory.inode == inode || kept <= KEPT_ENTRIES
            });
            recent.truncate(KEPT_DIRECTORIES);
        });
        Ok(entries)
    }

    fn recent<T>(&self, then: impl FnOnce(&mut VecDeque<Directory>) -> T) -> T {
        then(&mut self.recent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<F: Inodes> Tree for InodeTree<F> {
    fn list(&self, directory: &TreePath) -> Result<Vec<Entry>, EvidenceError> {
        let inode = self.find_kind(directory, FileKind::Directory)?;
        let entries = self.directory((inode, FileKind::Directory))?;
        let entry = |entry: &NamedInode| Entry { name: entry.name.clone(), kind: entry.kind };
        Ok(entries.iter().map(entry).collect())
    }

    fn metadata(&self, path: &TreePath) -> Result<Metadata, EvidenceError> {
        self.inodes.metadata(self.find(path)?.0)
    }

    fn open(&self, path: &TreePath) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        self.inodes.content(self.find_kind(path, FileKind::Regular)?)
    }

    fn link_target(&self, path: &TreePath) -> Result<Vec<u8>, EvidenceError> {
        self.inodes.link_target(self.find_kind(path, FileKind::SymbolicLink)?)
    }

    fn extended_attributes(
        &self,
        path: &TreePath,
    ) -> Result<Vec<ExtendedAttribute>, EvidenceError> {
        let mut attributes = self.inodes.extended_attributes(self.find(path)?.0)?;
        attributes.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(attributes)
    }

    fn identity(&self, directory: &TreePath) -> Option<u64> {
        self.find_kind(directory, FileKind::Directory).ok()
    }

    fn damage(&self, path: &TreePath) -> Vec<EvidenceError> {
        self.find(path).map_or_else(|_| Vec::new(), |(inode, _)| self.inodes.damage(inode))
    }
}
