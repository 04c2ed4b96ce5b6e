//! The superblock of the journal: its first block.

use super::checksum;
use crate::fields::{Fields, read_exact};
use crate::{EvidenceError, ReadAt, crc32c};

/// The first word of every block of the journal that is not a copy of a block of the volume.
pub(crate) const MAGIC: u32 = 0xc03b_3998;
const SIZE: usize = 1024;
const CHECKSUM: usize = 0xfc;
const VERSION_1: u32 = 3;
const VERSION_2: u32 = 4;
/// Blocks for fast commits when the superblock does not say how many.
const FAST_COMMIT_BLOCKS: u32 = 256;

const COMPATIBLE_CHECKSUM: u32 = 0x1;
const REVOKE: u32 = 0x1;
const SIXTY_FOUR_BIT: u32 = 0x2;
const ASYNC_COMMIT: u32 = 0x4;
const CSUM_V2: u32 = 0x8;
const CSUM_V3: u32 = 0x10;
const FAST_COMMIT: u32 = 0x20;
const KNOWN: u32 = REVOKE | SIXTY_FOUR_BIT | ASYNC_COMMIT | CSUM_V2 | CSUM_V3 | FAST_COMMIT;

/// What the superblock of the journal tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JournalSuperblock {
    /// Bytes.
    pub(crate) block_size: u32,
    /// First block of the circle.
    pub(crate) first: u32,
    /// The block after its last.
    pub(crate) end: u32,
    /// Sequence number of the transaction that stands at `start`.
    pub(crate) sequence: u32,
    /// Where the oldest transaction begins that may not be in its place; 0: all are.
    pub(crate) start: u32,
    /// What all checksums begin with.
    pub(crate) checksum_seed: u32,
    compatible: u32,
    incompatible: u32,
}

impl JournalSuperblock {
    pub(crate) fn read(journal: &dyn ReadAt) -> Result<JournalSuperblock, EvidenceError> {
        let bytes = read_exact(journal, "ext4 journal superblock", 0, SIZE)?;
        let fields = Fields::new("ext4 journal superblock", 0, &bytes);
        let (magic, version) = (fields.be32(0)?, fields.be32(4)?);
        if magic != MAGIC || ![VERSION_1, VERSION_2].contains(&version) {
            let have = format!("{magic:08x}, type {version}");
            return Err(fields.malformed(0, "the magic number c03b3998, type 3 or 4", have));
        }
        // Version 1 ends before the features.
        let feature = |at| if version == VERSION_2 { fields.be32(at) } else { Ok(0) };
        let (compatible, incompatible) = (feature(0x24)?, feature(0x28)?);
        let fast_commit_blocks = match (incompatible & FAST_COMMIT != 0, fields.be32(0x54)?) {
            (false, _) => 0,
            (true, 0) => FAST_COMMIT_BLOCKS,
            (true, count) => count,
        };
        if incompatible & (CSUM_V2 | CSUM_V3) != 0 {
            checksum::check(!0, &fields, CHECKSUM)?;
        }
        Ok(JournalSuperblock {
            block_size: fields.be32(0xc)?,
            first: fields.be32(0x14)?,
            end: fields.be32(0x10)?.saturating_sub(fast_commit_blocks),
            sequence: fields.be32(0x18)?,
            start: fields.be32(0x1c)?,
            checksum_seed: crc32c::update(!0, fields.bytes(0x30, 16)?),
            compatible,
            incompatible,
        })
    }

    /// An error when the journal cannot be replayed.
    pub(crate) fn check(&self, block_size: u32) -> Result<(), EvidenceError> {
        let unknown = self.incompatible & !KNOWN;
        if unknown != 0 {
            let what = format!("ext4 journal feature {unknown:#x}");
            return Err(EvidenceError::Unsupported(what));
        }
        let is_inside = (self.first..self.end).contains(&self.start);
        if self.block_size != block_size || self.first == 0 || !is_inside {
            let need = format!("blocks of {block_size} bytes, and a start in the journal");
            let have = format!(
                "{} bytes, start {} in {} to {}",
                self.block_size, self.start, self.first, self.end
            );
            let what = "ext4 journal superblock";
            return Err(EvidenceError::Malformed { what, at: 0, need, have });
        }
        Ok(())
    }

    /// Whether commit blocks hold a CRC-32 of the whole transaction.
    pub(crate) fn has_transaction_checksums(&self) -> bool {
        self.compatible & COMPATIBLE_CHECKSUM != 0 && !self.has_block_checksums()
    }

    /// Whether every block has a CRC-32C.
    pub(crate) fn has_block_checksums(&self) -> bool {
        self.incompatible & (CSUM_V2 | CSUM_V3) != 0
    }

    /// Whether tags have the form of version 3, with room for a whole checksum.
    pub(crate) fn has_wide_tags(&self) -> bool {
        self.incompatible & CSUM_V3 != 0
    }

    pub(crate) fn is_64bit(&self) -> bool {
        self.incompatible & SIXTY_FOUR_BIT != 0
    }

    pub(crate) fn has_fast_commits(&self) -> bool {
        self.incompatible & FAST_COMMIT != 0
    }
}
