//! A directory on Linux, where every step of a path is taken from the handle of the step before: a
//! name that is swapped for a link while we read cannot lead out of the root.
//!
//! Access times are left alone (`O_NOATIME`) where the system allows it, that is for root and for
//! the owner of a file.

use super::{File, StoredFile};
use crate::{
    DeviceNumber, Entry, EvidenceError, ExtendedAttribute, FileKind, Metadata, ReadAt, TreePath,
};
use dockline_timeline::Instant;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, RawMode, Statx, StatxFlags};
use rustix::fs::{StatxTimestamp, openat, readlinkat, statx};
use rustix::io::Errno;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Bytes of the list of names of extended attributes: the limit of Linux itself.
const MAX_NAMES: usize = 65_536;

/// A step on the way: a directory itself, never what a link points to, and not for reading.
const STEP: OFlags =
    OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// For reading. A FIFO that took the place of a file after we looked must not make us wait.
const READ: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// The root of a directory that is read.
pub(crate) struct Root(OwnedFd);

/// The directory that holds a node.
enum Parent<'a> {
    Root(BorrowedFd<'a>),
    Below(OwnedFd),
}

impl AsFd for Parent<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Parent::Root(handle) => *handle,
            Parent::Below(handle) => handle.as_fd(),
        }
    }
}

impl Root {
    pub(crate) fn open(path: &Path) -> Result<Root, EvidenceError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = openat(CWD, path, flags, Mode::empty()).map_err(evidence_error)?;
        Ok(Root(root))
    }

    /// The directory that holds a node, and the name of the node in it.
    fn parent<'a>(&'a self, path: &'a TreePath) -> Result<(Parent<'a>, &'a [u8]), EvidenceError> {
        let mut names = path.components();
        let last = names.next_back().unwrap_or(b".");
        let mut parent = Parent::Root(self.0.as_fd());
        for name in names {
            let below = openat(&parent, name, STEP, Mode::empty()).map_err(evidence_error)?;
            parent = Parent::Below(below);
        }
        Ok((parent, last))
    }

    pub(crate) fn metadata(&self, path: &TreePath) -> Result<Metadata, EvidenceError> {
        let (parent, name) = self.parent(path)?;
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        let wanted = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
        let found = statx(&parent, name, flags, wanted).map_err(evidence_error)?;
        metadata(&found)
    }

    /// The entries of a directory in any order.
    pub(crate) fn list(&self, path: &TreePath) -> Result<Vec<Entry>, EvidenceError> {
        let (parent, name) = self.parent(path)?;
        let directory = open_for_reading(&parent, name, OFlags::DIRECTORY)?;
        let mut entries = Vec::new();
        for found in Dir::new(directory).map_err(evidence_error)? {
            let found = found.map_err(evidence_error)?;
            let name = found.file_name().to_bytes().to_vec();
            if name == b"." || name == b".." {
                continue;
            }
            let kind = match kind(found.file_type()) {
                Some(kind) => kind,
                // Not every file system tells the kind along with the name.
                None => self.metadata(&child(path, &name)?)?.kind,
            };
            entries.push(Entry { name, kind });
        }
        Ok(entries)
    }

    /// Opens a node that was seen to be a regular file.
    pub(crate) fn open_file(&self, path: &TreePath) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        let (parent, name) = self.parent(path)?;
        let file = File::from(open_for_reading(&parent, name, OFlags::empty())?);
        if !file.metadata()?.is_file() {
            let wanted = FileKind::Regular.name();
            return Err(EvidenceError::WrongKind { wanted, found: "special file" });
        }
        Ok(Arc::new(StoredFile::new(file)?))
    }

    pub(crate) fn link_target(&self, path: &TreePath) -> Result<Vec<u8>, EvidenceError> {
        let (parent, name) = self.parent(path)?;
        let target = readlinkat(&parent, name, Vec::new()).map_err(evidence_error)?;
        Ok(target.into_bytes())
    }

    /// The extended attributes of a node in any order.
    pub(crate) fn extended_attributes(
        &self,
        path: &TreePath,
    ) -> Result<Vec<ExtendedAttribute>, EvidenceError> {
        let (parent, name) = self.parent(path)?;
        // There is no call that takes a handle and a name; the name of the handle does as well.
        let mut node = format!("/proc/self/fd/{}/", parent.as_fd().as_raw_fd()).into_bytes();
        node.extend_from_slice(name);
        let room = match rustix::fs::llistxattr_query(&node[..]) {
            Ok(0) | Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
            Ok(room) => room.min(MAX_NAMES),
            Err(error) => return Err(evidence_error(error)),
        };
        let mut names = vec![0; room];
        let count = rustix::fs::llistxattr(&node[..], &mut names).map_err(evidence_error)?;
        let names = names.get(..count).unwrap_or_default();
        let names = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        names.filter_map(|name| attribute(&node, name).transpose()).collect()
    }
}

/// `None` when it is gone, or is of a name space that only the system itself may read.
fn attribute(node: &[u8], name: &[u8]) -> Result<Option<ExtendedAttribute>, EvidenceError> {
    // Room of no bytes at all would only ask for the size again.
    let room = rustix::fs::lgetxattr_query(node, name).unwrap_or(0).max(1);
    let mut value = Vec::with_capacity(room);
    let room = rustix::buffer::spare_capacity(&mut value);
    match rustix::fs::lgetxattr(node, name, room) {
        Ok(_) => Ok(Some(ExtendedAttribute { name: name.to_vec(), value })),
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
        Err(error) => Err(evidence_error(error)),
    }
}

fn open_for_reading(
    parent: &Parent<'_>,
    name: &[u8],
    more: OFlags,
) -> Result<OwnedFd, EvidenceError> {
    match openat(parent, name, READ | OFlags::NOATIME | more, Mode::empty()) {
        // Only root and the owner may leave the access time alone.
        Err(Errno::PERM) => openat(parent, name, READ | more, Mode::empty()),
        opened => opened,
    }
    .map_err(evidence_error)
}

fn child(directory: &TreePath, name: &[u8]) -> Result<TreePath, EvidenceError> {
    directory.join(name).ok_or(EvidenceError::NotFound)
}

fn evidence_error(error: Errno) -> EvidenceError {
    match error {
        // A link or a file on the way to a name: in the tree there is nothing below it.
        Errno::NOTDIR | Errno::LOOP => EvidenceError::NotFound,
        error => io::Error::from(error).into(),
    }
}

fn kind(file_type: FileType) -> Option<FileKind> {
    match file_type {
        FileType::RegularFile => Some(FileKind::Regular),
        FileType::Directory => Some(FileKind::Directory),
        FileType::Symlink => Some(FileKind::SymbolicLink),
        FileType::CharacterDevice => Some(FileKind::CharacterDevice),
        FileType::BlockDevice => Some(FileKind::BlockDevice),
        FileType::Fifo => Some(FileKind::Fifo),
        FileType::Socket => Some(FileKind::Socket),
        FileType::Unknown => None,
    }
}

fn metadata(found: &Statx) -> Result<Metadata, EvidenceError> {
    let mode = RawMode::from(found.stx_mode);
    let kind = kind(FileType::from_raw_mode(mode))
        .ok_or_else(|| EvidenceError::Unsupported(format!("a node with mode {mode:o}")))?;
    let has_content = matches!(kind, FileKind::Regular | FileKind::SymbolicLink);
    let is_device = matches!(kind, FileKind::CharacterDevice | FileKind::BlockDevice);
    let number = DeviceNumber { major: found.stx_rdev_major, minor: found.stx_rdev_minor };
    let has_born = StatxFlags::from_bits_retain(found.stx_mask).contains(StatxFlags::BTIME);
    Ok(Metadata {
        kind,
        mode: Some(mode & 0o7777),
        uid: Some(u64::from(found.stx_uid)),
        gid: Some(u64::from(found.stx_gid)),
        size: if has_content { found.stx_size } else { 0 },
        inode: Some(found.stx_ino),
        links: Some(u64::from(found.stx_nlink)),
        device: is_device.then_some(number),
        modified: instant(found.stx_mtime),
        accessed: instant(found.stx_atime),
        changed: instant(found.stx_ctime),
        born: if has_born { instant(found.stx_btime) } else { None },
    })
}

fn instant(time: StatxTimestamp) -> Option<Instant> {
    Instant::new(time.tv_sec, time.tv_nsec)
}
