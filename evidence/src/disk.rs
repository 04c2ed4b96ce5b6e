//! The bytes of a disk, out of whatever image holds them.

use crate::file_system::Flaw;
use crate::{EvidenceError, ReadAt};
use std::sync::Arc;

/// A disk, out of its image.
pub(crate) struct Disk {
    /// All its sectors.
    pub(crate) bytes: Arc<dyn ReadAt>,
    /// What is wrong with the image, though it could be opened.
    pub(crate) flaws: Vec<Flaw>,
    /// Hashes of all sectors that the image stores.
    pub(crate) stored_hashes: Vec<StoredHash>,
}

impl Disk {
    /// A disk with nothing more to say.
    pub(crate) fn of(bytes: Arc<dyn ReadAt>) -> Disk {
        Disk { bytes, flaws: Vec::new(), stored_hashes: Vec::new() }
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
