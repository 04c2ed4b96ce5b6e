//! A read-only tree of one file system.

use crate::{EvidenceError, ReadAt, TreePath};
use dockline_timeline::Instant;
use std::sync::Arc;

/// What a node of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A file with content.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link; never followed.
    SymbolicLink,
    /// A character device; with number 0:0 an overlay whiteout. Never opened.
    CharacterDevice,
    /// A block device. Never opened.
    BlockDevice,
    /// A FIFO. Never opened.
    Fifo,
    /// A socket. Never opened.
    Socket,
}

impl FileKind {
    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FileKind::Regular => "regular file",
            FileKind::Directory => "directory",
            FileKind::SymbolicLink => "symbolic link",
            FileKind::CharacterDevice => "character device",
            FileKind::BlockDevice => "block device",
            FileKind::Fifo => "FIFO",
            FileKind::Socket => "socket",
        }
    }
}

/// The number of a device node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeviceNumber {
    /// Which driver.
    pub major: u32,
    /// Which device of it.
    pub minor: u32,
}

/// What a file system knows of a node; what this evidence cannot tell is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// What it is.
    pub kind: FileKind,
    /// Permission bits and setuid, setgid, sticky: the low 12 bits of the mode.
    pub mode: Option<u32>,
    /// Owner.
    pub uid: Option<u64>,
    /// Group.
    pub gid: Option<u64>,
    /// Size of the content in bytes; 0 for what has none.
    pub size: u64,
    /// Inode number.
    pub inode: Option<u64>,
    /// Number of hard links.
    pub links: Option<u64>,
    /// The device that a device node stands for.
    pub device: Option<DeviceNumber>,
    /// Content last written.
    pub modified: Option<Instant>,
    /// Content last read.
    pub accessed: Option<Instant>,
    /// Metadata last written.
    pub changed: Option<Instant>,
    /// Node made.
    pub born: Option<Instant>,
}

impl Metadata {
    /// Of a node of which only the kind is known.
    #[must_use]
    pub const fn unknown(kind: FileKind) -> Metadata {
        Metadata {
            kind,
            mode: None,
            uid: None,
            gid: None,
            size: 0,
            inode: None,
            links: None,
            device: None,
            modified: None,
            accessed: None,
            changed: None,
            born: None,
        }
    }
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, in bytes.
    pub name: Vec<u8>,
    /// What it names.
    pub kind: FileKind,
}

/// One extended attribute of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedAttribute {
    /// With its name space: `trusted.overlay.opaque`.
    pub name: Vec<u8>,
    /// The value, in bytes.
    pub value: Vec<u8>,
}

/// A read-only tree of one file system. It offers no way to write and no way out of its root.
pub trait Tree: Send + Sync {
    /// The entries of a directory, ordered by the bytes of their names, each name once.
    ///
    /// # Errors
    /// When there is no such directory, or it cannot be read.
    fn list(&self, directory: &TreePath) -> Result<Vec<Entry>, EvidenceError>;

    /// The metadata of a node itself; a symbolic link is not followed.
    ///
    /// # Errors
    /// When there is no such node, or it cannot be read.
    fn metadata(&self, path: &TreePath) -> Result<Metadata, EvidenceError>;

    /// Opens a regular file for reads at any offset.
    ///
    /// # Errors
    /// When there is no such node, it is not a regular file, or it cannot be read.
    fn open(&self, path: &TreePath) -> Result<Arc<dyn ReadAt>, EvidenceError>;

    /// The target of a symbolic link, as it is written there.
    ///
    /// # Errors
    /// When there is no such node, it is not a symbolic link, or it cannot be read.
    fn link_target(&self, path: &TreePath) -> Result<Vec<u8>, EvidenceError>;

    /// The extended attributes of a node, ordered by name; empty when the evidence carries none.
    ///
    /// # Errors
    /// When there is no such node, or it cannot be read.
    fn extended_attributes(&self, path: &TreePath)
    -> Result<Vec<ExtendedAttribute>, EvidenceError>;

    /// What two paths of this tree share if they are one directory. A damaged file system can hold
    /// a directory in several places, or in itself; `None` where that cannot be, or is not known.
    fn identity(&self, _directory: &TreePath) -> Option<u128> {
        None
    }

    /// What is wrong with a node that is read all the same: checksums that do not fit, names,
    /// attributes or parts of the content that are lost. What could not be read at all is an error
    /// of the question for it, and not told here again. A walk asks it of the directories that it
    /// lists, whose answer is at hand; of a file, whoever reads its content asks.
    fn damage(&self, _path: &TreePath) -> Vec<EvidenceError> {
        Vec::new()
    }
}
