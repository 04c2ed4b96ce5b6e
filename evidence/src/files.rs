//! The one door to the files of the operating system.
//!
//! Everything that dockline reads comes through here, opened for reading only. Names below the root
//! of a directory are hostile: no symbolic link is followed, neither at the end of a path nor on the
//! way, and only regular files are ever opened, never a FIFO (which would hang), a socket or a device.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(not(target_os = "linux"), test))]
mod portable;
#[cfg(all(target_os = "linux", test))]
mod tests;

#[cfg(target_os = "linux")]
pub(crate) use linux::Root;
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::Root;
pub(crate) use std::fs::File;

use crate::{EvidenceError, ReadAt};
use std::fs::{FileType, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A regular file, read at offsets without a lock and without moving any position.
pub(crate) struct StoredFile {
    file: File,
    size: u64,
}

impl StoredFile {
    /// A file that is open for reading; its size is taken now.
    pub(crate) fn new(file: File) -> io::Result<StoredFile> {
        let size = file.metadata()?.len();
        Ok(StoredFile { file, size })
    }
}

impl ReadAt for StoredFile {
    fn len(&self) -> u64 {
        self.size
    }

    #[cfg(unix)]
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, buffer, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&self.file, buffer, offset)
    }
}

/// What the user named as evidence.
pub(crate) enum Argument {
    Directory,
    File(Arc<dyn ReadAt>),
}

/// Opens what the user named; here, and only here, a symbolic link is the user's own and followed.
pub(crate) fn argument(path: &Path) -> Result<Argument, EvidenceError> {
    let file_type = std::fs::metadata(path)?.file_type();
    if file_type.is_dir() {
        return Ok(Argument::Directory);
    }
    if !file_type.is_file() {
        return Err(EvidenceError::Unsupported(format!("a {} as evidence", special(file_type))));
    }
    let file = OpenOptions::new().read(true).open(path)?;
    Ok(Argument::File(Arc::new(StoredFile::new(file)?)))
}

#[cfg(unix)]
fn special(file_type: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match file_type {
        kind if kind.is_block_device() => "block device",
        kind if kind.is_char_device() => "character device",
        kind if kind.is_fifo() => "FIFO",
        kind if kind.is_socket() => "socket",
        _ => "special file",
    }
}

#[cfg(not(unix))]
fn special(_: FileType) -> &'static str {
    "special file"
}
