//! A window that moves forward over a file.

use dockline_evidence::ReadAt;
use std::io;

/// Bytes that are read at once: small enough to stay in the processor's cache.
const CHUNK: u64 = 128 * 1024;

/// A window that moves forward over a file and grows only when it is asked for more.
pub struct Window<'b> {
    bytes: &'b dyn ReadAt,
    buffer: Vec<u8>,
    /// Where the window begins in the buffer.
    start: usize,
    /// Where it ends.
    end: usize,
    /// Offset in the file of the first byte behind it.
    next: u64,
    /// Where the reading will probably end: not read past without need.
    goal: u64,
}

impl<'b> Window<'b> {
    /// An empty window at `from`.
    #[must_use]
    pub fn new(bytes: &'b dyn ReadAt, from: u64, goal: u64) -> Window<'b> {
        Window { bytes, buffer: Vec::new(), start: 0, end: 0, next: from, goal }
    }

    /// What is in it.
    #[must_use]
    pub fn view(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Offset of its first byte in the file.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.next.saturating_sub(wide(self.end.saturating_sub(self.start)))
    }

    /// Whether it reaches to the end of the file.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.next >= self.bytes.len()
    }

    /// Drops bytes at its front.
    pub fn forward(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
    }

    /// Reads more bytes behind it.
    ///
    /// # Errors
    /// Those of the evidence; `UnexpectedEof` when the file is shorter than it says.
    pub fn grow(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end = self.end.saturating_sub(self.start);
        self.start = 0;
        let goal = if self.next < self.goal { self.goal } else { self.bytes.len() };
        let wanted = goal.saturating_sub(self.next).min(CHUNK);
        let wanted = self.end.saturating_add(usize::try_from(wanted).map_err(io::Error::other)?);
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        let free = self.buffer.get_mut(self.end..wanted).unwrap_or_default();
        let count = self.bytes.read_at(self.next, free)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.end = self.end.saturating_add(count).min(self.buffer.len());
        self.next = self.next.saturating_add(wide(count));
        Ok(())
    }
}

/// A number of bytes in memory as a number of bytes in a file.
#[must_use]
pub fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
