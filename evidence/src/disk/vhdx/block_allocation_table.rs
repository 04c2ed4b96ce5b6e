//! The block allocation table ([MS-VHDX] 2.5): one entry for each payload block of the virtual disk,
//! and after each chunk of them one for the bitmap that says which of their sectors a differencing
//! disk has itself.

use super::metadata::Metadata;
use super::region_table::Region;
use crate::disk::blocks::{Blocks, Place};
use crate::disk::pages::Pages;
use crate::{EvidenceError, ReadAt};
use std::sync::Arc;

const ENTRY: u64 = 8;
const MEBIBYTE: u64 = 1 << 20;
/// Sectors that one bitmap block covers.
const SECTORS_OF_CHUNK: u64 = 1 << 23;
/// Sectors of one byte of a bitmap.
const SECTORS_OF_BYTE: u64 = 8;
/// Entries that are looked at when a disk is opened: enough for 2 TiB in blocks of 2 MiB.
const CHECKED_BLOCKS: u64 = 1 << 20;

/// What an entry says of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    /// In a differencing disk, the parent has it.
    NotPresent,
    Zero,
    /// At this offset of the file.
    Present(u64),
    /// The same, but only the sectors that the bitmap names.
    PartiallyPresent(u64),
}

/// The table.
pub(super) struct BlockAllocationTable {
    pages: Pages,
    region: Region,
    disk_size: u64,
    block_size: u64,
    sector_size: u64,
    /// Payload blocks of which the sectors share one bitmap block.
    chunk_ratio: u64,
}

impl BlockAllocationTable {
    /// The table in that region of the file.
    pub(super) fn new(file: Arc<dyn ReadAt>, region: Region, metadata: &Metadata) -> Self {
        let block_size = u64::from(metadata.block_size).max(1);
        let sector_size = u64::from(metadata.logical_sector_size).max(1);
        let chunk = SECTORS_OF_CHUNK.saturating_mul(sector_size);
        BlockAllocationTable {
            pages: Pages::new(file),
            region,
            disk_size: metadata.disk_size,
            block_size,
            sector_size,
            chunk_ratio: chunk.checked_div(block_size).unwrap_or(1).max(1),
        }
    }

    /// How many of the blocks, looking at some first ones, lie past `file_size` or have no entry.
    pub(super) fn blocks_lost(&self, file_size: u64) -> u64 {
        let blocks = self.disk_size.div_ceil(self.block_size.max(1)).min(CHECKED_BLOCKS);
        let is_lost = |block: &u64| match self.block(*block) {
            Ok(Block::Present(at) | Block::PartiallyPresent(at)) => {
                let rest = self.disk_size.saturating_sub(block.saturating_mul(self.block_size));
                at.saturating_add(rest.min(self.block_size)) > file_size
            }
            Ok(_) => false,
            Err(_) => true,
        };
        u64::try_from((0..blocks).filter(is_lost).count()).unwrap_or(u64::MAX)
    }

    fn block(&self, number: u64) -> Result<Block, EvidenceError> {
        let bitmaps_before = number.checked_div(self.chunk_ratio).unwrap_or_default();
        let index = number.saturating_add(bitmaps_before);
        let entry = self.entry(index)?;
        match entry & 7 {
            0 => Ok(Block::NotPresent),
            // Undefined, zero, unmapped; 5 is what drafts of the format had for the latter.
            1 | 2 | 3 | 5 => Ok(Block::Zero),
            6 | 7 if offset(entry) == 0 => {
                Err(self.malformed(index, "a block behind the header", "one on the header"))
            }
            6 => Ok(Block::Present(offset(entry))),
            7 => Ok(Block::PartiallyPresent(offset(entry))),
            state => Err(self.malformed(index, "a known block state", state)),
        }
    }

    /// Where the bitmap of the sectors of that block lies.
    fn bitmap(&self, block: u64) -> Result<u64, EvidenceError> {
        let chunk = block.checked_div(self.chunk_ratio).unwrap_or_default();
        let index = chunk.saturating_mul(self.chunk_ratio.saturating_add(1));
        let index = index.saturating_add(self.chunk_ratio);
        let entry = self.entry(index)?;
        if entry & 7 == 6 {
            return Ok(offset(entry));
        }
        Err(self.malformed(
            index,
            "a sector bitmap that is present",
            format!("state {}", entry & 7),
        ))
    }

    fn entry(&self, index: u64) -> Result<u64, EvidenceError> {
        let inside = index.saturating_mul(ENTRY);
        if inside.saturating_add(ENTRY) > u64::from(self.region.length) {
            return Err(self.malformed(index, "an entry", "the end of the table"));
        }
        let at = self.region.offset.saturating_add(inside);
        Ok(u64::from_le_bytes(self.pages.array("VHDX block allocation table", at)?))
    }

    fn malformed(&self, index: u64, need: &str, have: impl ToString) -> EvidenceError {
        EvidenceError::Malformed {
            what: "VHDX block allocation table",
            at: self.region.offset.saturating_add(index.saturating_mul(ENTRY)),
            need: need.to_string(),
            have: have.to_string(),
        }
    }

    /// Whether the disk itself has the sector of byte `inside` of a block, and for how many bytes
    /// that holds; at most `wanted` are looked at.
    fn present(&self, block: u64, inside: u64, wanted: u64) -> Result<(bool, u64), EvidenceError> {
        let bitmap = self.bitmap(block)?;
        let first = block.checked_rem(self.chunk_ratio).unwrap_or_default();
        let byte = first.saturating_mul(self.block_size).saturating_add(inside);
        let mut sector = byte.checked_div(self.sector_size).unwrap_or_default();
        let bytes_before = byte.checked_rem(self.sector_size).unwrap_or_default();
        let (mut answer, mut length) = (None, 0_u64);
        while length < wanted.saturating_add(bytes_before) {
            let at = bitmap.saturating_add(sector / SECTORS_OF_BYTE);
            let [bits] = self.pages.array("VHDX sector bitmap", at)?;
            let is_set = bits >> (sector % SECTORS_OF_BYTE) & 1 == 1;
            if *answer.get_or_insert(is_set) != is_set {
                break;
            }
            let is_whole = sector.is_multiple_of(SECTORS_OF_BYTE) && (bits == 0 || bits == 0xff);
            let count = if is_whole { SECTORS_OF_BYTE } else { 1 };
            sector = sector.saturating_add(count);
            length = length.saturating_add(count.saturating_mul(self.sector_size));
        }
        Ok((answer.unwrap_or_default(), length.saturating_sub(bytes_before)))
    }
}

/// What an entry has above its state: an offset in units of 1 MiB.
fn offset(entry: u64) -> u64 {
    (entry >> 20).saturating_mul(MEBIBYTE)
}

impl Blocks for BlockAllocationTable {
    fn size(&self) -> u64 {
        self.disk_size
    }

    fn locate(&self, at: u64, wanted: u64) -> Result<(Place, u64), EvidenceError> {
        let number = at.checked_div(self.block_size).unwrap_or_default();
        let inside = at.checked_rem(self.block_size).unwrap_or_default();
        let rest = self.block_size.saturating_sub(inside);
        match self.block(number)? {
            Block::Zero => Ok((Place::Zeros, rest)),
            Block::NotPresent => Ok((Place::Parent, rest)),
            Block::Present(start) => Ok((Place::Image(start.saturating_add(inside)), rest)),
            Block::PartiallyPresent(start) => {
                let (is_present, length) = self.present(number, inside, wanted.min(rest))?;
                let place = Place::Image(start.saturating_add(inside));
                Ok((if is_present { place } else { Place::Parent }, length.min(rest)))
            }
        }
    }
}
