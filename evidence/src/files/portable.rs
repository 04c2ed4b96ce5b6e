//! A directory on systems other than Linux, read by paths: each step of a path is checked to be a
//! directory itself before the next is taken. Read evidence here from a copy that nobody changes
//! meanwhile. Owners, modes and inodes are told on Unix; extended attributes are not read.

use super::StoredFile;
use crate::{Entry, EvidenceError, ExtendedAttribute, FileKind, Metadata, ReadAt, TreePath};
use dockline_timeline::Instant;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The root of a directory that is read.
pub(crate) struct Root(PathBuf);

impl Root {
    pub(crate) fn open(path: &Path) -> Result<Root, EvidenceError> {
        // The root stays where it is when the program changes its own directory.
        Ok(Root(fs::canonicalize(path)?))
    }

    /// The path of a node for the system, when no link lies on the way to it.
    fn locate(&self, path: &TreePath) -> Result<PathBuf, EvidenceError> {
        let mut at = self.0.clone();
        for name in path.components() {
            if !fs::symlink_metadata(&at)?.is_dir() {
                return Err(EvidenceError::NotFound);
            }
            at.push(system_name(name).ok_or(EvidenceError::NotFound)?);
        }
        Ok(at)
    }

    pub(crate) fn metadata(&self, path: &TreePath) -> Result<Metadata, EvidenceError> {
        let found = fs::symlink_metadata(self.locate(path)?)?;
        metadata(&found)
    }

    /// The entries of a directory in any order.
    pub(crate) fn list(&self, path: &TreePath) -> Result<Vec<Entry>, EvidenceError> {
        let directory = self.locate(path)?;
        let found = walkdir::WalkDir::new(directory).min_depth(1).max_depth(1);
        let found = found.follow_links(false).follow_root_links(false);
        let entry = |found: walkdir::DirEntry| {
            let kind = kind(found.file_type())?;
            Ok(Entry { name: found.file_name().as_encoded_bytes().to_vec(), kind })
        };
        found.into_iter().map(|found| entry(found.map_err(io::Error::from)?)).collect()
    }

    /// Opens a node that was seen to be a regular file.
    pub(crate) fn open_file(&self, path: &TreePath) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        let file = OpenOptions::new().read(true).open(self.locate(path)?)?;
        Ok(Arc::new(StoredFile::new(file)?))
    }

    pub(crate) fn link_target(&self, path: &TreePath) -> Result<Vec<u8>, EvidenceError> {
        let target = fs::read_link(self.locate(path)?)?;
        Ok(target.into_os_string().into_encoded_bytes())
    }

    /// None: each system has its own calls for them.
    pub(crate) fn extended_attributes(
        &self,
        path: &TreePath,
    ) -> Result<Vec<ExtendedAttribute>, EvidenceError> {
        self.metadata(path).map(|_| Vec::new())
    }
}

#[cfg(unix)]
fn system_name(name: &[u8]) -> Option<&std::ffi::OsStr> {
    Some(std::os::unix::ffi::OsStrExt::from_bytes(name))
}

/// On Windows a name from elsewhere could be a drive, a stream or a path of its own.
#[cfg(not(unix))]
fn system_name(name: &[u8]) -> Option<&std::ffi::OsStr> {
    let name = std::str::from_utf8(name).ok()?;
    (!name.contains([':', '\\'])).then_some(std::ffi::OsStr::new(name))
}

fn kind(file_type: fs::FileType) -> Result<FileKind, EvidenceError> {
    if file_type.is_symlink() {
        return Ok(FileKind::SymbolicLink);
    }
    if file_type.is_dir() {
        return Ok(FileKind::Directory);
    }
    if file_type.is_file() {
        return Ok(FileKind::Regular);
    }
    special(file_type).ok_or_else(|| EvidenceError::Unsupported(format!("{file_type:?}")))
}

#[cfg(unix)]
fn special(file_type: fs::FileType) -> Option<FileKind> {
    use std::os::unix::fs::FileTypeExt;
    match file_type {
        kind if kind.is_fifo() => Some(FileKind::Fifo),
        kind if kind.is_socket() => Some(FileKind::Socket),
        kind if kind.is_char_device() => Some(FileKind::CharacterDevice),
        kind if kind.is_block_device() => Some(FileKind::BlockDevice),
        _ => None,
    }
}

#[cfg(not(unix))]
fn special(_: fs::FileType) -> Option<FileKind> {
    None
}

fn metadata(found: &fs::Metadata) -> Result<Metadata, EvidenceError> {
    let kind = kind(found.file_type())?;
    let has_content = matches!(kind, FileKind::Regular | FileKind::SymbolicLink);
    let metadata = Metadata {
        kind,
        mode: None,
        uid: None,
        gid: None,
        size: if has_content { found.len() } else { 0 },
        inode: None,
        links: None,
        device: None,
        modified: found.modified().ok().and_then(instant),
        accessed: found.accessed().ok().and_then(instant),
        changed: None,
        born: found.created().ok().and_then(instant),
    };
    Ok(with_owner(metadata, found))
}

/// What only Unix knows of a node.
#[cfg(unix)]
fn with_owner(metadata: Metadata, found: &fs::Metadata) -> Metadata {
    use rustix::fs::{major, minor};
    use std::os::unix::fs::MetadataExt;
    let is_device = matches!(metadata.kind, FileKind::CharacterDevice | FileKind::BlockDevice);
    let rdev = rustix::fs::Dev::try_from(found.rdev()).ok().filter(|_| is_device);
    let nanoseconds = u32::try_from(found.ctime_nsec()).ok();
    Metadata {
        mode: Some(found.mode() & 0o7777),
        uid: Some(u64::from(found.uid())),
        gid: Some(u64::from(found.gid())),
        inode: Some(found.ino()),
        links: Some(found.nlink()),
        device: rdev.map(|rdev| crate::DeviceNumber { major: major(rdev), minor: minor(rdev) }),
        changed: nanoseconds.and_then(|nanoseconds| Instant::new(found.ctime(), nanoseconds)),
        ..metadata
    }
}

#[cfg(not(unix))]
fn with_owner(metadata: Metadata, _: &fs::Metadata) -> Metadata {
    metadata
}

/// `None` outside the years that can be written.
fn instant(time: SystemTime) -> Option<Instant> {
    let (before, distance) = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (false, after),
        Err(error) => (true, error.duration()),
    };
    let seconds = i64::try_from(distance.as_secs()).ok()?;
    let nanoseconds = distance.subsec_nanos();
    match (before, nanoseconds) {
        (false, _) => Instant::new(seconds, nanoseconds),
        (true, 0) => Instant::new(seconds.checked_neg()?, 0),
        // Half a second before 1970 is half a second after the second before it.
        (true, _) => Instant::new(
            seconds.checked_neg()?.checked_sub(1)?,
            1_000_000_000_u32.checked_sub(nanoseconds)?,
        ),
    }
}
