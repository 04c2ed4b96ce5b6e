//! The bytes of a disk, out of whatever image holds them.

pub(crate) mod blocks;
pub(crate) mod ewf;
pub(crate) mod inflate;
pub(crate) mod pages;
pub(crate) mod qcow2;
pub(crate) mod recent;
mod samples;
pub(crate) mod split;
pub(crate) mod verify;
pub(crate) mod vhd;
pub(crate) mod vhdx;
pub(crate) mod vmdk;

use crate::file_system::Flaw;
use crate::{DirectoryTree, EvidenceError, ReadAt, Tree, TreePath};
use std::path::Path;
use std::sync::Arc;

/// A disk, out of its image.
pub(crate) struct Disk {
    /// All its sectors.
    pub(crate) bytes: Arc<dyn ReadAt>,
    /// What is wrong with the image, though it could be opened.
    pub(crate) flaws: Vec<Flaw>,
    /// Hashes of all sectors that the image stores.
    pub(crate) stored_hashes: Vec<StoredHash>,
    /// Names of the neighbours that it is made of, too, such as further segments.
    pub(crate) parts: Vec<Vec<u8>>,
}

impl Disk {
    /// A disk with nothing more to say.
    pub(crate) fn of(bytes: Arc<dyn ReadAt>) -> Disk {
        Disk { bytes, flaws: Vec::new(), stored_hashes: Vec::new(), parts: Vec::new() }
    }
}

/// A hash that an image stores of all its sectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredHash {
    /// `MD5` or `SHA1`.
    pub(crate) algorithm: &'static str,
    /// In lower-case hexadecimal digits.
    pub(crate) digits: String,
}

/// The files beside an image: further segments, flat extents, backing files. An image names them,
/// and an image is evidence, so only plain names of the same directory are ever opened.
pub(crate) trait Neighbours {
    /// Name of the image itself.
    fn own_name(&self) -> &[u8];

    /// Opens the regular file of that name in the same directory.
    ///
    /// # Errors
    /// [`EvidenceError::NotFound`] where there is none, or the name has a directory in it.
    fn open(&self, name: &[u8]) -> Result<Arc<dyn ReadAt>, EvidenceError>;
}

/// The files in the directory of an image.
pub(crate) struct TreeNeighbours {
    /// Directories to look in, in order.
    directories: Vec<(Arc<dyn Tree>, TreePath)>,
    own_name: Vec<u8>,
}

impl TreeNeighbours {
    /// The neighbours of a file in a tree.
    pub(crate) fn new(tree: Arc<dyn Tree>, path: &TreePath) -> TreeNeighbours {
        let directory = path.parent().unwrap_or_else(TreePath::root);
        let own_name = path.file_name().unwrap_or_default().to_vec();
        TreeNeighbours { directories: vec![(tree, directory)], own_name }
    }

    /// The neighbours of a file that the user named; where that is a link, also those of the file
    /// itself.
    pub(crate) fn of_file(path: &Path) -> Result<TreeNeighbours, EvidenceError> {
        let target = path.canonicalize()?;
        let own_name = path.file_name().unwrap_or_default().as_encoded_bytes().to_vec();
        let mut directories: Vec<(Arc<dyn Tree>, TreePath)> = Vec::new();
        for file in [path, &target] {
            let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
            let tree = DirectoryTree::open(parent.unwrap_or_else(|| Path::new(".")))?;
            directories.push((Arc::new(tree), TreePath::root()));
        }
        Ok(TreeNeighbours { directories, own_name })
    }
}

impl Neighbours for TreeNeighbours {
    fn own_name(&self) -> &[u8] {
        &self.own_name
    }

    fn open(&self, name: &[u8]) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        for (tree, directory) in &self.directories {
            let path = directory.join(name).ok_or(EvidenceError::NotFound)?;
            match tree.open(&path) {
                Err(EvidenceError::NotFound) => {}
                found => return found,
            }
        }
        Err(EvidenceError::NotFound)
    }
}

/// An image without files beside it, as one that was compressed.
pub(crate) struct NoNeighbours;

impl Neighbours for NoNeighbours {
    fn own_name(&self) -> &[u8] {
        b""
    }

    fn open(&self, _: &[u8]) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        Err(EvidenceError::NotFound)
    }
}

#[cfg(test)]
mod qemu;
