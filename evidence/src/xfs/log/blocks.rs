//! The blocks of the log: 512 bytes each, in a circle, each marked with the round in which it was
//! written.

use super::super::superblock::Superblock;
use super::record::MAGIC;
use crate::fields::{Fields, fill};
use crate::{EvidenceError, ReadAt};
use std::sync::Arc;

/// Bytes of a block of the log, whatever the block size of the file system.
pub(super) const BLOCK: usize = 512;

/// The log of a file system.
pub(super) struct LogBlocks {
    device: Arc<dyn ReadAt>,
    start: u64,
    /// How many.
    pub(super) count: u64,
    /// Whether records carry checksums.
    pub(super) has_checksums: bool,
    /// The UUID that records carry.
    pub(super) uuid: [u8; 16],
}

impl LogBlocks {
    pub(super) fn open(
        device: Arc<dyn ReadAt>,
        superblock: &Superblock,
    ) -> Result<LogBlocks, EvidenceError> {
        if superblock.log_start == 0 {
            return Err(EvidenceError::Unsupported("an XFS log on another device".to_string()));
        }
        let place = superblock.block_offset(superblock.log_start, superblock.log_blocks);
        let start = place.ok_or_else(|| EvidenceError::Malformed {
            what: "XFS log",
            at: superblock.log_start.saturating_mul(superblock.block_size),
            need: format!("{} blocks in one group", superblock.log_blocks),
            have: format!("groups of {}", superblock.group_blocks),
        })?;
        let count = superblock.log_blocks.saturating_mul(superblock.block_size) >> 9;
        let (has_checksums, uuid) = (superblock.is_v5, superblock.user_uuid);
        Ok(LogBlocks { device, start, count, has_checksums, uuid })
    }

    /// The block that stands `distance` blocks after block `number`, in the circle.
    pub(super) fn after(&self, number: u64, distance: u64) -> u64 {
        number.saturating_add(distance).checked_rem(self.count).unwrap_or_default()
    }

    /// Where a block lies on the device, in bytes.
    pub(super) fn offset(&self, number: u64) -> u64 {
        self.start.saturating_add(number.saturating_mul(512))
    }

    /// Reads `count` blocks from block `number`, past the end of the log from its start.
    pub(super) fn read(&self, number: u64, count: u64) -> Result<Vec<u8>, EvidenceError> {
        let bytes = |blocks: u64| usize::try_from(blocks).unwrap_or_default().saturating_mul(BLOCK);
        let before_end = self.count.saturating_sub(number).min(count);
        let mut buffer = vec![0; bytes(count)];
        let (first, second) = buffer.split_at_mut_checked(bytes(before_end)).unwrap_or_default();
        fill(&self.device, "XFS log", self.offset(number), first)?;
        fill(&self.device, "XFS log", self.start, second)?;
        Ok(buffer)
    }

    /// The round in which a block was written, 0 for never.
    pub(super) fn cycle(&self, number: u64) -> Result<u32, EvidenceError> {
        cycle(&self.read(number, 1)?)
    }
}

/// The round in which the block that begins `bytes` was written. It stands in place of its first
/// four bytes, but in the header of a record behind them.
pub(super) fn cycle(bytes: &[u8]) -> Result<u32, EvidenceError> {
    let fields = Fields::new("XFS log block", 0, bytes);
    let first = fields.be32(0)?;
    if first == MAGIC { fields.be32(4) } else { Ok(first) }
}
