//! The blocks of an archive, read through a small window, so that the headers and small members
//! that stand side by side cost one read.

use super::header::BLOCK;
use crate::{EvidenceError, ReadAt};
use std::sync::Arc;

/// Reads headers and the bodies of extended headers.
pub(super) struct Blocks {
    bytes: Arc<dyn ReadAt>,
    window: Vec<u8>,
    window_at: u64,
    window_size: usize,
    fetched: u64,
}

impl Blocks {
    /// Reads through a window of so many bytes, at least one block.
    pub(super) fn new(bytes: Arc<dyn ReadAt>, window_size: usize) -> Blocks {
        let window_size = window_size.max(BLOCK);
        Blocks { bytes, window: Vec::new(), window_at: 0, window_size, fetched: 0 }
    }

    /// How many bytes of the archive were read so far.
    pub(super) fn fetched(&self) -> u64 {
        self.fetched
    }

    /// Size of the archive.
    pub(super) fn size(&self) -> u64 {
        self.bytes.len()
    }

    /// The archive itself.
    pub(super) fn bytes(&self) -> &Arc<dyn ReadAt> {
        &self.bytes
    }

    /// The block at an offset; `None` where fewer bytes than a block are left.
    pub(super) fn block(&mut self, at: u64) -> Result<Option<[u8; BLOCK]>, EvidenceError> {
        if self.in_window(at).is_none() {
            self.window = read(&self.bytes, at, self.window_size)?;
            self.window_at = at;
            self.fetched = self.fetched.saturating_add(ReadAt::len(&self.window));
        }
        Ok(self.in_window(at).copied())
    }

    fn in_window(&self, at: u64) -> Option<&[u8; BLOCK]> {
        let from = usize::try_from(at.checked_sub(self.window_at)?).ok()?;
        self.window.get(from..)?.first_chunk()
    }

    /// The bytes of a body, all of them.
    pub(super) fn body(&mut self, at: u64, length: u64) -> Result<Vec<u8>, EvidenceError> {
        let cut_short = |have: u64| EvidenceError::Malformed {
            what: "extended header",
            at,
            need: format!("{length} bytes"),
            have: format!("{have} bytes to the end"),
        };
        let left = self.size().saturating_sub(at);
        let wanted = usize::try_from(length).ok().filter(|_| length <= left);
        let body = read(&self.bytes, at, wanted.ok_or_else(|| cut_short(left))?)?;
        let have = ReadAt::len(&body);
        self.fetched = self.fetched.saturating_add(have);
        if have == length { Ok(body) } else { Err(cut_short(have)) }
    }
}

/// So many bytes from an offset, or as many as there are.
fn read(bytes: &dyn ReadAt, at: u64, count: usize) -> Result<Vec<u8>, EvidenceError> {
    let mut buffer = vec![0; count];
    let mut filled: usize = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let from = at.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
        match bytes.read_at(from, rest) {
            Ok(0) => break,
            Ok(read) => filled = filled.saturating_add(read),
            // What stands before a bad place of a disk is still good.
            Err(_) if filled >= BLOCK => break,
            Err(error) => return Err(error.into()),
        }
    }
    buffer.truncate(filled);
    Ok(buffer)
}
