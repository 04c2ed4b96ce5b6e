//! The bytes of the disk out of the chunks that it is cut into, usually of 32 KiB. Each is compressed
//! with zlib, or stored with an Adler-32 after it; so damage to one is seen, and costs no other.

use super::adler32::adler32;
use super::table::{Place, Table};
use crate::disk::inflate::{Wrapping, inflate};
use crate::disk::recent::RecentBlocks;
use crate::fields::{Fields, read_exact};
use crate::read_at::read_stretches;
use crate::{EvidenceError, ReadAt};
use std::io;
use std::sync::Arc;

const WHAT: &str = "EWF chunk";
/// Bytes of chunks that are kept decompressed: 4 MiB.
const KEPT: usize = 1 << 22;

/// A disk in chunks.
pub(super) struct Chunks {
    segments: Vec<Arc<dyn ReadAt>>,
    /// In the order of their chunks.
    tables: Vec<Table>,
    /// Bytes of every chunk but the last.
    chunk_size: usize,
    size: u64,
    recent: RecentBlocks,
}

impl Chunks {
    /// `size` bytes of a disk.
    pub(super) fn new(
        segments: Vec<Arc<dyn ReadAt>>,
        tables: Vec<Table>,
        chunk_size: usize,
        size: u64,
    ) -> Chunks {
        let recent = RecentBlocks::new(chunk_size, KEPT);
        Chunks { segments, tables, chunk_size, size, recent }
    }

    fn chunk(&self, number: u64) -> Result<Vec<u8>, EvidenceError> {
        let after = self.tables.partition_point(|table| table.first_chunk <= number);
        let table = after.checked_sub(1).and_then(|index| self.tables.get(index));
        let table = table
            .filter(|table| number.saturating_sub(table.first_chunk) < table.count)
            .ok_or_else(|| without_entry(number))?;
        let segment = self.segments.get(table.segment).ok_or_else(|| without_entry(number))?;
        let place = table.place(segment, number)?;
        let chunk_size = u64::try_from(self.chunk_size).unwrap_or(u64::MAX);
        let rest = self.size.saturating_sub(number.saturating_mul(chunk_size));
        let size = usize::try_from(rest.min(chunk_size)).unwrap_or(self.chunk_size);
        let chunk = if place.is_compressed {
            self.compressed(segment, &place, size)?
        } else {
            stored(segment, &place, size)?
        };
        chunk.ok_or_else(|| {
            let segment = table.segment.saturating_add(1);
            let need = format!("chunk {number} of segment {segment} with its checksum");
            let have = "damaged data".to_string();
            EvidenceError::Malformed { what: WHAT, at: place.at, need, have }
        })
    }

    /// The first `size` bytes of a chunk; `None` where it is damaged.
    fn compressed(
        &self,
        segment: &dyn ReadAt,
        place: &Place,
        size: usize,
    ) -> Result<Option<Vec<u8>>, EvidenceError> {
        // Data that does not shrink grows by a few bytes per 16 KiB.
        let most = self.chunk_size.saturating_add(self.chunk_size >> 6).saturating_add(64);
        let most =
            u64::try_from(most).unwrap_or(u64::MAX).min(segment.len().saturating_sub(place.at));
        let length = place.end.map_or(most, |end| end.saturating_sub(place.at).min(most));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let data = read_exact(segment, WHAT, place.at, length)?;
        let Ok(mut chunk) = inflate(&data, Wrapping::Zlib, self.chunk_size) else {
            return Ok(None);
        };
        let is_good = chunk.is_whole && chunk.bytes.len() >= size;
        chunk.bytes.truncate(size);
        Ok(is_good.then_some(chunk.bytes))
    }
}

/// The `size` bytes of a chunk; `None` where it is damaged.
fn stored(
    segment: &dyn ReadAt,
    place: &Place,
    size: usize,
) -> Result<Option<Vec<u8>>, EvidenceError> {
    let mut data = read_exact(segment, WHAT, place.at, size.saturating_add(4))?;
    let fields = Fields::new(WHAT, place.at, &data);
    let is_good = adler32(fields.bytes(0, size)?) == fields.le32(size)?;
    data.truncate(size);
    Ok(is_good.then_some(data))
}

fn without_entry(number: u64) -> EvidenceError {
    let have = "none".to_string();
    EvidenceError::Malformed { what: WHAT, at: 0, need: format!("a place of chunk {number}"), have }
}

impl ReadAt for Chunks {
    fn len(&self) -> u64 {
        self.size
    }

    /// A chunk that is missing or damaged is an error, and ends a read that began before it.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let chunk_size = u64::try_from(self.chunk_size).map_err(io::Error::other)?;
        read_stretches(offset, buffer, |at, buffer| {
            if at >= self.size {
                return Ok(0);
            }
            let number = at.checked_div(chunk_size).unwrap_or(0);
            let chunk = self.recent.block(number, || self.chunk(number));
            let chunk = chunk.map_err(io::Error::other)?;
            chunk.as_slice().read_at(at.checked_rem(chunk_size).unwrap_or(0), buffer)
        })
    }
}
