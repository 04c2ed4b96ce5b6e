//! A file system found in a volume.

use crate::signature::{self, Layout};
use crate::{EvidenceError, ReadAt, Tree, ext4, ntfs, xfs};
use dockline_timeline::IssueKind;
use std::sync::Arc;

/// What is neither an archive nor an image nor any known volume.
const UNKNOWN: &str = "a file or volume that is neither an archive nor a known disk or file system";

/// Bytes at the front of a volume that say whether anything was ever written to it.
const BLANK: usize = 1 << 17;

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

/// Opens the file system in a volume. One without a known signature may be damaged at its front:
/// each kind is asked for the copies that it keeps elsewhere.
pub(crate) fn open(volume: &Arc<dyn ReadAt>) -> Result<FileSystem, EvidenceError> {
    match signature::layout(volume)? {
        Some(Layout::Ext) => ext4::open(volume.clone()),
        Some(Layout::Xfs) => xfs::open(volume.clone()),
        Some(Layout::Ntfs) => ntfs::open(volume.clone()),
        Some(Layout::PhysicalVolume) => {
            Err(EvidenceError::Unsupported("an LVM2 physical volume by itself".to_owned()))
        }
        Some(Layout::Unsupported(what) | Layout::Idle(what)) => {
            Err(EvidenceError::Unsupported(what.to_owned()))
        }
        Some(Layout::Partitions) | None => [ext4::open, xfs::open, ntfs::open]
            .iter()
            .find_map(|open| open(volume.clone()).ok())
            .ok_or_else(|| EvidenceError::Unsupported(UNKNOWN.to_owned())),
    }
}

/// Whether a volume begins with nothing but zeros.
pub(crate) fn is_blank(volume: &dyn ReadAt) -> bool {
    let mut front = vec![0; BLANK];
    let count = volume.read_at(0, &mut front).unwrap_or(0);
    count > 0 && front.iter().all(|byte| *byte == 0)
}
