//! Tables: where each chunk lies. A table has a header of 24 bytes and one number of 32 bits per
//! chunk, whose highest bit says that the chunk is compressed; `table2` is a copy.
//!
//! The offsets count from the beginning of the file, or, since EnCase 6, from the base offset in the
//! header. EnCase 6.7 lets the data of one table pass 2 GiB: from there on no chunk is compressed,
//! and all 32 bits are the offset.
//!
//! A table stays in its file. A terabyte has 33 million chunks, and an entry is read in no time next
//! to the chunk that it leads to.

use super::adler32::{Adler32, adler32};
use super::section::Section;
use crate::fields::{Fields, fill, read_exact};
use crate::{EvidenceError, ReadAt};

const HEADER: u64 = 24;
const WHAT: &str = "EWF table";
const COMPRESSED: u32 = 1 << 31;
/// Bytes of entries read at once while a table is checked; a multiple of their size.
const WINDOW: u64 = 1 << 16;

/// Where the entries of a run of chunks lie.
pub(super) struct Table {
    /// Which of the segments it lies in, counted from 0.
    pub(super) segment: usize,
    /// The first chunk that it has an entry for.
    pub(super) first_chunk: u64,
    /// How many entries it has.
    pub(super) count: u64,
    /// Where the first entry stands in the segment.
    entries_at: u64,
    /// What all offsets count from.
    base: u64,
    /// The first entry of which all 32 bits are the offset.
    overflow_from: u64,
    /// Whether its checksum is right, or it never had one.
    pub(super) is_intact: bool,
}

/// Where a chunk lies in its segment.
pub(super) struct Place {
    pub(super) at: u64,
    /// Where the next chunk begins, if that is known.
    pub(super) end: Option<u64>,
    pub(super) is_compressed: bool,
}

impl Table {
    /// Out of a `table` or `table2` section of segment number `index`. `holds_chunks` says that there
    /// was no `sectors` section for the chunks: then they stand in this one, and SMART, unlike
    /// EnCase 1, writes no checksum of the entries.
    pub(super) fn read(
        segment: &dyn ReadAt,
        index: usize,
        section: &Section,
        holds_chunks: bool,
    ) -> Result<Table, EvidenceError> {
        let header = read_exact(segment, WHAT, section.data_at(), 24)?;
        let header = Fields::new(WHAT, section.data_at(), &header);
        let checksum = adler32(header.bytes(0, 20)?);
        if checksum != header.le32(20)? {
            return Err(header.malformed(20, format!("the checksum {checksum:08x}"), "another"));
        }
        let count = u64::from(header.le32(0)?);
        let room = section.data_length().saturating_sub(HEADER).checked_div(4).unwrap_or(0);
        if count > room {
            return Err(header.malformed(0, format!("at most {room} entries"), count));
        }
        let table = Table {
            segment: index,
            first_chunk: 0,
            count,
            entries_at: section.data_at().saturating_add(HEADER),
            base: header.le64(8)?,
            overflow_from: u64::MAX,
            is_intact: holds_chunks,
        };
        table.checked(segment)
    }

    /// Reads through all entries for the checksum, and for the one at which the offsets overflow.
    fn checked(mut self, segment: &dyn ReadAt) -> Result<Table, EvidenceError> {
        let length = self.count.saturating_mul(4);
        let can_overflow = segment.len().saturating_sub(self.base) > u64::from(COMPRESSED);
        let mut sums = Adler32::new();
        let mut window = vec![0; usize::try_from(length.min(WINDOW)).unwrap_or(0)];
        let (mut at, mut index, mut before) = (0_u64, 0_u64, 0_u32);
        while at < length {
            window.truncate(usize::try_from(length.saturating_sub(at)).unwrap_or(usize::MAX));
            fill(segment, WHAT, self.entries_at.saturating_add(at), &mut window)?;
            sums.update(&window);
            for entry in window.as_chunks::<4>().0.iter().filter(|_| can_overflow) {
                let entry = u32::from_le_bytes(*entry);
                // A step back that is none when the highest bit counts.
                if entry & !COMPRESSED < before & !COMPRESSED && entry > before & !COMPRESSED {
                    self.overflow_from = self.overflow_from.min(index);
                }
                (before, index) = (entry, index.saturating_add(1));
            }
            at = at.saturating_add(ReadAt::len(&window));
        }
        let mut stored = [0; 4];
        let checksum_at = self.entries_at.saturating_add(length);
        let has_checksum = fill(segment, WHAT, checksum_at, &mut stored).is_ok();
        self.is_intact |= has_checksum && sums.value() == u32::from_le_bytes(stored);
        Ok(self)
    }

    /// Where the chunk with that number lies; it is one of this table's.
    pub(super) fn place(&self, segment: &dyn ReadAt, chunk: u64) -> Result<Place, EvidenceError> {
        let index = chunk.saturating_sub(self.first_chunk);
        let is_last = index.saturating_add(1) >= self.count;
        let mut entries = [0; 8];
        let wanted = entries.get_mut(..if is_last { 4 } else { 8 }).unwrap_or_default();
        let at = self.entries_at.saturating_add(index.saturating_mul(4));
        fill(segment, WHAT, at, wanted)?;
        let entries = Fields::new(WHAT, at, &entries);
        let (at, is_compressed) = self.decode(index, entries.le32(0)?);
        let (next, _) = self.decode(index.saturating_add(1), entries.le32(4)?);
        Ok(Place { at, end: Some(next).filter(|next| !is_last && *next > at), is_compressed })
    }

    /// The offset in the segment, and whether the chunk is compressed.
    fn decode(&self, index: u64, entry: u32) -> (u64, bool) {
        let is_overflown = index >= self.overflow_from;
        let offset = if is_overflown { entry } else { entry & !COMPRESSED };
        let is_compressed = !is_overflown && entry & COMPRESSED != 0;
        (self.base.saturating_add(u64::from(offset)), is_compressed)
    }
}
