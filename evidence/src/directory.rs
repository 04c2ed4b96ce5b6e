//! A directory as evidence: a mounted host root, a copied data root, a folder of collected files.

use crate::files::Root;
use crate::{Entry, EvidenceError, ExtendedAttribute, FileKind, Metadata, ReadAt, Tree, TreePath};
use std::path::Path;
use std::sync::Arc;

/// The tree below a directory of this system; what other file systems are mounted below it belongs
/// to it.
pub struct DirectoryTree {
    root: Root,
}

impl DirectoryTree {
    /// The tree below `path`, which may itself be a link to a directory.
    ///
    /// # Errors
    /// When there is no such directory, or it may not be entered.
    pub fn open(path: &Path) -> Result<DirectoryTree, EvidenceError> {
        Ok(DirectoryTree { root: Root::open(path)? })
    }

    fn require(&self, path: &TreePath, wanted: FileKind) -> Result<(), EvidenceError> {
        let found = self.root.metadata(path)?.kind;
        if found == wanted {
            return Ok(());
        }
        Err(EvidenceError::WrongKind { wanted: wanted.name(), found: found.name() })
    }
}

impl Tree for DirectoryTree {
    fn list(&self, directory: &TreePath) -> Result<Vec<Entry>, EvidenceError> {
        self.require(directory, FileKind::Directory)?;
        let mut entries = self.root.list(directory)?;
        entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    fn metadata(&self, path: &TreePath) -> Result<Metadata, EvidenceError> {
        self.root.metadata(path)
    }

    fn open(&self, path: &TreePath) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        // Looked at first: even the opening of a device can do something.
        self.require(path, FileKind::Regular)?;
        self.root.open_file(path)
    }

    fn link_target(&self, path: &TreePath) -> Result<Vec<u8>, EvidenceError> {
        self.require(path, FileKind::SymbolicLink)?;
        self.root.link_target(path)
    }

    fn extended_attributes(
        &self,
        path: &TreePath,
    ) -> Result<Vec<ExtendedAttribute>, EvidenceError> {
        let mut attributes = self.root.extended_attributes(path)?;
        attributes.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(attributes)
    }
}
