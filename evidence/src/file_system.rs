//! A file system found in a volume.

use crate::Tree;
use dockline_timeline::IssueKind;
use std::sync::Arc;

/// A file system, opened.
pub(crate) struct FileSystem {
    /// Its files.
    pub(crate) tree: Arc<dyn Tree>,
    /// `ext4`, `XFS`, `NTFS`.
    pub(crate) kind: &'static str,
    /// Its UUID as `/etc/fstab` writes it.
    pub(crate) uuid: Option<String>,
    /// Its label, if it has one.
    pub(crate) label: Option<String>,
    /// What is wrong with it, or cannot be read, though its files can.
    pub(crate) flaws: Vec<Flaw>,
}

/// Something wrong with a disk, a volume or a file system that could be opened all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// What kind of issue it is.
    pub(crate) kind: IssueKind,
    /// What is wrong, in words.
    pub(crate) what: String,
}
