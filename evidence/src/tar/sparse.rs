//! Members with holes: only their pieces of data are stored, one after the other, with a map of
//! where they belong.
//!
//! Four ways to write the map: in the header and in blocks after it (old GNU, type `S`), in PAX
//! records one by one (0.0) or together (0.1), and as decimal lines in front of the data (1.0). See
//! the GNU tar manual, "Storing Sparse Files".

use super::blocks::Blocks;
use super::header::{BLOCK, number};
use super::pax::{MAX_PIECES, decimal, too_many_pieces};
use crate::{EvidenceError, ReadAt};
use std::io;
use std::sync::Arc;

/// Longest line of a map in front of the data: the digits of 2^64 and a line end.
const MAX_LINE: usize = 21;

/// Where the pieces of a member belong.
#[derive(Clone, Debug)]
pub(super) enum Map {
    /// Offset and length of each piece, alternating.
    Known(Vec<u64>),
    /// In front of the data, to be read when the content is wanted.
    BeforeData,
}

/// A member with holes: what is stored from `at`, and how it is laid out.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) map: Map,
    /// Size with the holes.
    pub(super) size: u64,
    /// Where map and data are stored.
    pub(super) at: u64,
    /// How many bytes are stored, the map in front of the data included.
    pub(super) stored: u64,
}

/// A piece of data.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Offset in the file.
    offset: u64,
    length: u64,
    /// Offset in the archive.
    stored_at: u64,
}

/// The content of a member with holes, which read as zeros.
struct SparseFile {
    bytes: Arc<dyn ReadAt>,
    size: u64,
    /// In the order of their offsets, without overlaps.
    pieces: Vec<Piece>,
}

/// The old GNU map: entries in the header block, and in extension blocks from `at` on. Yields the
/// map and where the data begins.
pub(super) fn old_gnu_map(
    header: &[u8; BLOCK],
    blocks: &mut Blocks,
    at: u64,
) -> Result<(Vec<u64>, u64), EvidenceError> {
    let mut map = Vec::new();
    let mut at = at;
    let (entries, rest) = (header.get(386..482), header.get(482));
    let mut is_extended = rest.is_some_and(|flag| *flag != 0);
    take_entries(&mut map, entries.unwrap_or_default(), at)?;
    while is_extended {
        let before = map.len();
        let block = blocks.block(at)?.ok_or_else(|| malformed(at, "a block of it", "the end"))?;
        take_entries(&mut map, block.get(..504).unwrap_or_default(), at)?;
        is_extended = block.get(504).is_some_and(|flag| *flag != 0);
        at = at.saturating_add(512);
        if map.len() == before {
            return Err(malformed(at, "a piece in every block of it", "none"));
        }
        if map.len() / 2 > MAX_PIECES {
            return Err(too_many_pieces());
        }
    }
    Ok((map, at))
}

/// Entries of two numbers of 12 bytes; the first blank one ends them.
fn take_entries(map: &mut Vec<u64>, entries: &[u8], at: u64) -> Result<(), EvidenceError> {
    for entry in entries.chunks_exact(24) {
        let (offset, length) = entry.split_at_checked(12).unwrap_or_default();
        for field in [offset, length] {
            match number(field).map(|number| number.map(u64::try_from)) {
                Ok(Some(Ok(number))) => map.push(number),
                Ok(None) if field.as_ptr() == offset.as_ptr() => return Ok(()),
                Ok(None) => map.push(0),
                _ => return Err(malformed(at, "a number", field.escape_ascii())),
            }
        }
    }
    Ok(())
}

/// The real size in an old GNU header.
pub(super) fn old_gnu_size(header: &[u8; BLOCK]) -> Option<u64> {
    let size = number(header.get(483..495)?).ok()??;
    u64::try_from(size).ok()
}

impl Layout {
    /// The content, once the map is seen to be possible.
    pub(super) fn open(&self, blocks: &mut Blocks) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        let (map, data_at) = match &self.map {
            Map::Known(map) => (map.clone(), self.at),
            Map::BeforeData => self.map_before_data(blocks)?,
        };
        let end = self.at.saturating_add(self.stored);
        let pieces = self.pieces(&map, data_at, end)?;
        Ok(Arc::new(SparseFile { bytes: blocks.bytes().clone(), size: self.size, pieces }))
    }

    /// Places the pieces, which must ascend, not overlap, and be stored.
    fn pieces(&self, map: &[u64], data_at: u64, end: u64) -> Result<Vec<Piece>, EvidenceError> {
        let mut pieces = Vec::with_capacity(map.len() / 2);
        let (mut stored_at, mut previous_end) = (data_at, 0);
        for (offset, length) in pairs(map) {
            let piece_end = offset.checked_add(length).filter(|end| *end <= self.size);
            let Some(piece_end) = piece_end.filter(|_| offset >= previous_end) else {
                let need = format!("a piece between {previous_end} and {}", self.size);
                return Err(malformed(self.at, &need, format!("{length} bytes at {offset}")));
            };
            let Some(next) = stored_at.checked_add(length).filter(|next| *next <= end) else {
                let need = format!("{length} bytes at {stored_at}");
                return Err(malformed(self.at, &need, format!("stored data to {end}")));
            };
            pieces.push(Piece { offset, length, stored_at });
            (stored_at, previous_end) = (next, piece_end);
        }
        Ok(pieces)
    }

    /// The map of version 1.0: the number of pieces, then offset and length of each, a line each,
    /// filled up to a whole block.
    fn map_before_data(&self, blocks: &mut Blocks) -> Result<(Vec<u64>, u64), EvidenceError> {
        let end = self.at.saturating_add(self.stored);
        let mut lines = Lines { blocks, at: self.at, end, block: [0; BLOCK] };
        let count = lines.number()?;
        let count = usize::try_from(count).ok().filter(|count| *count <= MAX_PIECES);
        let count = count.ok_or_else(too_many_pieces)?.saturating_mul(2);
        let mut map = Vec::new();
        for _ in 0..count {
            map.push(lines.number()?);
        }
        let length = lines.at.saturating_sub(self.at).checked_next_multiple_of(512);
        Ok((map, self.at.saturating_add(length.unwrap_or(u64::MAX))))
    }
}

fn pairs(map: &[u64]) -> impl Iterator<Item = (u64, u64)> {
    map.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)))
}

/// The lines of a map in front of the data.
struct Lines<'a> {
    blocks: &'a mut Blocks,
    at: u64,
    end: u64,
    /// The block around `at`, once it is read.
    block: [u8; BLOCK],
}

impl Lines<'_> {
    fn number(&mut self) -> Result<u64, EvidenceError> {
        let start = self.at;
        let mut line = [0; MAX_LINE];
        for length in 0..MAX_LINE {
            let byte = self.byte()?;
            if byte == b'\n' {
                let digits = line.get(..length).unwrap_or_default();
                return decimal(digits)
                    .ok_or_else(|| malformed(start, "a number", digits.escape_ascii()));
            }
            if let Some(place) = line.get_mut(length) {
                *place = byte;
            }
        }
        Err(malformed(start, "a number and a line end", line.escape_ascii()))
    }

    fn byte(&mut self) -> Result<u8, EvidenceError> {
        let ends = || malformed(self.at, "a line of it", "the end of what is stored");
        if self.at >= self.end {
            return Err(ends());
        }
        // The map begins with a block.
        let inside = self.at % 512;
        if inside == 0 {
            self.block = self.blocks.block(self.at)?.ok_or_else(ends)?;
        }
        self.at = self.at.saturating_add(1);
        let inside = usize::try_from(inside).unwrap_or_default();
        Ok(self.block.get(inside).copied().unwrap_or_default())
    }
}

fn malformed(at: u64, need: &str, have: impl ToString) -> EvidenceError {
    let (need, have) = (need.to_string(), have.to_string());
    EvidenceError::Malformed { what: "map of a sparse member", at, need, have }
}

impl ReadAt for SparseFile {
    fn len(&self) -> u64 {
        self.size
    }

    /// One piece or one hole at a time.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let ends_before = |piece: &Piece| piece.offset.saturating_add(piece.length) <= offset;
        let next = self.pieces.get(self.pieces.partition_point(ends_before));
        let data = next.filter(|piece| piece.offset <= offset);
        let until = match (data, next) {
            (Some(piece), _) => piece.offset.saturating_add(piece.length),
            (None, Some(piece)) => piece.offset,
            (None, None) => self.size,
        };
        let rest = usize::try_from(until.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = rest.min(buffer.len());
        let buffer = buffer.get_mut(..count).unwrap_or_default();
        let Some(piece) = data else {
            buffer.fill(0);
            return Ok(count);
        };
        let from = piece.stored_at.saturating_add(offset.saturating_sub(piece.offset));
        match self.bytes.read_at(from, buffer)? {
            // Not the end of the file, as a 0 would say, but of a truncated archive.
            0 if count > 0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => Ok(read),
        }
    }
}
