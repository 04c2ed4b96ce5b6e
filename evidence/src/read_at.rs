//! Bytes that can be read at any offset, by many threads at once.

use std::io;
use std::sync::Arc;

/// Bytes that can be read at any offset through a shared reference.
pub trait ReadAt: Send + Sync {
    /// Number of bytes.
    fn len(&self) -> u64;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills the front of `buffer` from `offset`; returns how many bytes were read, which is less
    /// than asked for only at the end (0 at or past it).
    ///
    /// # Errors
    /// Those of the operating system.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

impl<T: ReadAt + ?Sized> ReadAt for Arc<T> {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        (**self).read_at(offset, buffer)
    }
}

impl ReadAt for Vec<u8> {
    fn len(&self) -> u64 {
        ReadAt::len(self.as_slice())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.as_slice().read_at(offset, buffer)
    }
}

impl ReadAt for [u8] {
    fn len(&self) -> u64 {
        u64::try_from(<[u8]>::len(self)).unwrap_or(u64::MAX)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }
}

/// A range of other bytes, read in place.
pub struct Range {
    bytes: Arc<dyn ReadAt>,
    start: u64,
    length: u64,
}

impl Range {
    /// `length` bytes from `start`, or as many of them as there are.
    #[must_use]
    pub fn new(bytes: Arc<dyn ReadAt>, start: u64, length: u64) -> Range {
        let length = length.min(bytes.len().saturating_sub(start));
        Range { bytes, start, length }
    }
}

impl ReadAt for Range {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = self.length.saturating_sub(offset);
        self.bytes.read_at(self.start.saturating_add(offset), front(buffer, rest))
    }
}

/// Bytes read from front to back.
pub struct Stream<T> {
    bytes: T,
    at: u64,
}

impl<T: ReadAt> Stream<T> {
    /// From the first byte.
    #[must_use]
    pub fn new(bytes: T) -> Stream<T> {
        Stream { bytes, at: 0 }
    }
}

impl<T: ReadAt> io::Read for Stream<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read_at(self.at, buffer)?;
        self.at = self.at.saturating_add(u64::try_from(count).map_err(io::Error::other)?);
        Ok(count)
    }
}

/// Reads content that lies in stretches: `read` reads what stands in one stretch at an offset, and
/// nothing at the end. A stretch that cannot be read ends a read that began before it, and is an
/// error of one that begins there.
pub(crate) fn read_stretches(
    offset: u64,
    buffer: &mut [u8],
    read: impl Fn(u64, &mut [u8]) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut done = 0_usize;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        let at = offset.saturating_add(u64::try_from(done).map_err(io::Error::other)?);
        match read(at, rest) {
            Ok(0) => break,
            Ok(count) => done = done.saturating_add(count),
            Err(_) if done > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Fills `buffer` from `offset`; returns how many bytes were read, which is less than asked for only
/// at the end.
pub fn fill(bytes: &dyn ReadAt, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0_usize;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let at = offset.saturating_add(u64::try_from(filled).map_err(io::Error::other)?);
        match bytes.read_at(at, rest)? {
            0 => break,
            count => filled = filled.saturating_add(count),
        }
    }
    Ok(filled)
}

/// The first `length` bytes of a buffer, or all.
pub(crate) fn front(buffer: &mut [u8], length: u64) -> &mut [u8] {
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(buffer.len());
    buffer.get_mut(..length).unwrap_or_default()
}

/// Fills a buffer with zeros; returns how many.
pub(crate) fn zeros(buffer: &mut [u8]) -> usize {
    buffer.fill(0);
    buffer.len()
}

/// Reads the whole content, at most `limit` bytes of it; the second value tells whether there was
/// more.
///
/// # Errors
/// Those of the operating system.
pub fn read_up_to(bytes: &dyn ReadAt, limit: u64) -> io::Result<(Vec<u8>, bool)> {
    let wanted = bytes.len().min(limit);
    let mut buffer = vec![0; usize::try_from(wanted).map_err(io::Error::other)?];
    let filled = fill(bytes, 0, &mut buffer)?;
    buffer.truncate(filled);
    Ok((buffer, bytes.len() > limit))
}
