//! A place for content that can only be had from front to back, such as what a decompressor yields,
//! and that must be read at offsets: memory while it is small, else an unnamed temporary file.
//!
//! Such a file has no name in any directory, so it vanishes however the program ends, and nothing
//! ever lies beside the evidence. Zeros are holes in it: a disk is mostly empty, and takes only the
//! room of what is on it.

use crate::files::{File, StoredFile};
use crate::{EvidenceError, ReadAt};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// Bytes of one content that stay in memory; more go to a temporary file.
pub const MAX_IN_MEMORY: usize = 1 << 20;
/// Bytes of one content that are always allowed, however small its compressed form is: 16 GiB.
pub const MAX_CONTENT: u64 = 1 << 34;
/// Beyond [`MAX_CONTENT`], how many bytes may come out of one compressed byte. Logs reach 50, whole
/// file systems 100.
pub const MAX_RATIO: u64 = 500;
/// Bytes that are a hole in a temporary file where all of them are zeros.
const HOLE: usize = 1 << 14;

/// Where temporary content goes.
#[derive(Clone, Debug, Default)]
pub struct Spool {
    directory: Option<PathBuf>,
}

impl Spool {
    /// Temporary files go to `directory`, or to the system's place for them.
    #[must_use]
    pub fn new(directory: Option<PathBuf>) -> Spool {
        Spool { directory }
    }

    /// A writer of one content of at most [`MAX_CONTENT`] bytes.
    #[must_use]
    pub fn writer(&self) -> SpoolWriter {
        self.writer_for(0)
    }

    /// A writer of what `compressed` bytes yield: at most [`MAX_CONTENT`] or [`MAX_RATIO`] times as
    /// many bytes, whichever is more.
    #[must_use]
    pub fn writer_for(&self, compressed: u64) -> SpoolWriter {
        let limit = compressed.saturating_mul(MAX_RATIO).max(MAX_CONTENT);
        SpoolWriter { spool: self.clone(), memory: Vec::new(), file: None, written: 0, limit }
    }

    fn unnamed_file(&self) -> io::Result<File> {
        match &self.directory {
            Some(directory) => tempfile::tempfile_in(directory),
            None => tempfile::tempfile(),
        }
    }
}

/// Takes one content from front to back.
#[derive(Debug)]
pub struct SpoolWriter {
    spool: Spool,
    memory: Vec<u8>,
    file: Option<File>,
    written: u64,
    limit: u64,
}

impl SpoolWriter {
    /// The content written so far, for reads at any offset.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn finish(self) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        match self.file {
            Some(file) => {
                // Nothing was written of a hole at the end.
                file.set_len(self.written)?;
                Ok(Arc::new(StoredFile::new(file)?))
            }
            None => Ok(Arc::new(self.memory)),
        }
    }

    fn store(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            return write_sparsely(file, bytes);
        }
        self.memory.extend_from_slice(bytes);
        if self.memory.len() > MAX_IN_MEMORY {
            let mut file = self.spool.unnamed_file()?;
            write_sparsely(&mut file, &std::mem::take(&mut self.memory))?;
            self.file = Some(file);
        }
        Ok(())
    }
}

fn write_sparsely(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    for part in bytes.chunks(HOLE) {
        // All bytes at once, which is faster than to look for the first that is not zero.
        if part.iter().fold(0, |any, byte| any | byte) == 0 {
            let count = i64::try_from(part.len()).map_err(io::Error::other)?;
            file.seek(SeekFrom::Current(count))?;
        } else {
            file.write_all(part)?;
        }
    }
    Ok(())
}

impl Write for SpoolWriter {
    /// Past the limit: an error that holds [`EvidenceError::LimitReached`].
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.written.saturating_add(ReadAt::len(bytes));
        if written > self.limit {
            let what = "bytes of content in a temporary file";
            let error = EvidenceError::LimitReached { what, limit: self.limit };
            return Err(io::Error::other(error));
        }
        self.store(bytes)?;
        self.written = written;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_and_small_content_comes_back_as_written() {
        let directory = tempfile::tempdir().unwrap();
        for size in [0, 1, MAX_IN_MEMORY, MAX_IN_MEMORY + 1, 3 * MAX_IN_MEMORY + 5] {
            let content: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            let mut writer = Spool::new(Some(directory.path().into())).writer();
            content.chunks(100_000).for_each(|chunk| writer.write_all(chunk).unwrap());
            let spooled = writer.finish().unwrap();
            assert_eq!(crate::read_at::read_up_to(&spooled, u64::MAX).unwrap(), (content, false));
            assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "a named file");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn zeros_take_no_room_and_come_back_as_zeros() {
        use std::os::unix::fs::MetadataExt;
        let mut writer = Spool::default().writer();
        let zeros = vec![0; 1 << 17];
        writer.write_all(b"first").unwrap();
        (0..1024).for_each(|_| writer.write_all(&zeros).unwrap());
        writer.write_all(b"middle").unwrap();
        (0..1024).for_each(|_| writer.write_all(&zeros).unwrap());
        let used = writer.file.as_ref().unwrap().metadata().unwrap().blocks() * 512;
        assert!(used <= 4 << 20, "{used} bytes for 11");
        let spooled = writer.finish().unwrap();
        assert_eq!(spooled.len(), 11 + (256 << 20));
        let read = |at| {
            let mut buffer = [9; 8];
            let count = spooled.read_at(at, &mut buffer).unwrap();
            buffer[..count].to_vec()
        };
        assert_eq!(read(0), b"first\0\0\0");
        assert_eq!(read((128 << 20) + 4), b"\0middle\0");
        assert_eq!(read((256 << 20) + 8), [0; 3]);
    }

    #[test]
    fn content_without_end_reaches_the_limit() {
        let mut writer = Spool::default().writer();
        writer.limit = 10;
        writer.write_all(b"0123456789").unwrap();
        let error = EvidenceError::from(writer.write_all(b"x").unwrap_err());
        assert!(matches!(error, EvidenceError::LimitReached { limit: 10, .. }), "{error}");
        assert_eq!(writer.finish().unwrap().len(), 10);
    }

    #[test]
    fn the_ratio_allows_more_than_the_fixed_limit() {
        assert_eq!(Spool::default().writer_for(1000).limit, MAX_CONTENT);
        assert_eq!(Spool::default().writer_for(1 << 30).limit, 500 << 30);
    }
}
