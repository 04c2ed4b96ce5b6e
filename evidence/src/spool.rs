//! A place for content that can only be had from front to back, such as what a decompressor yields,
//! and that must be read at offsets: memory while it is small, else an unnamed temporary file.
//!
//! Such a file has no name in any directory, so it vanishes however the program ends, and nothing
//! ever lies beside the evidence.

use crate::files::{File, StoredFile};
use crate::{EvidenceError, ReadAt};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// Bytes of one content that stay in memory; more go to a temporary file.
pub const MAX_IN_MEMORY: usize = 1 << 20;
/// Bytes of one content that are always allowed, however small its compressed form is: 16 GiB.
pub const MAX_CONTENT: u64 = 1 << 34;
/// Beyond [`MAX_CONTENT`], how many bytes may come out of one compressed byte. Logs reach 50, whole
/// file systems 100.
pub const MAX_RATIO: u64 = 500;

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
            Some(file) => Ok(Arc::new(StoredFile::new(file)?)),
            None => Ok(Arc::new(self.memory)),
        }
    }
}

impl Write for SpoolWriter {
    /// Past the limit: an error that holds [`EvidenceError::LimitReached`].
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written = self.written.saturating_add(ReadAt::len(bytes));
        if self.written > self.limit {
            let what = "bytes of content in a temporary file";
            let error = EvidenceError::LimitReached { what, limit: self.limit };
            return Err(io::Error::other(error));
        }
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
            return Ok(bytes.len());
        }
        self.memory.extend_from_slice(bytes);
        if self.memory.len() > MAX_IN_MEMORY {
            let mut file = self.spool.unnamed_file()?;
            file.write_all(&std::mem::take(&mut self.memory))?;
            self.file = Some(file);
        }
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
