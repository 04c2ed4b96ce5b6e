//! The blocks of a file system: what turns their numbers into bytes.

use super::bmap_btree::Mapping;
use super::superblock::Superblock;
use crate::extents::Extent;
use crate::fields::read_exact;
use crate::{EvidenceError, ReadAt};
use std::sync::Arc;

/// The device, with the log replayed over it, and the layout of what is on it.
pub(super) struct Volume {
    pub(super) device: Arc<dyn ReadAt>,
    pub(super) superblock: Superblock,
}

impl Volume {
    /// Reads one block and tells where it lies in bytes.
    pub(super) fn block(
        &self,
        what: &'static str,
        number: u64,
    ) -> Result<(Vec<u8>, u64), EvidenceError> {
        let at = self.offset(what, number, 1)?;
        let bytes = read_exact(&self.device, what, at, self.superblock.block_length())?;
        Ok((bytes, at))
    }

    fn offset(&self, what: &'static str, number: u64, count: u64) -> Result<u64, EvidenceError> {
        self.superblock.block_offset(number, count).ok_or_else(|| EvidenceError::Malformed {
            what,
            at: number.saturating_mul(self.superblock.block_size),
            need: format!("{count} blocks inside a group, from block number {number}"),
            have: format!("{} groups of {}", self.superblock.groups, self.superblock.group_blocks),
        })
    }

    /// Where mapped blocks lie in bytes, without those that were reserved and never written.
    pub(super) fn extents(&self, mappings: &[Mapping]) -> Result<Vec<Extent>, EvidenceError> {
        let written = mappings.iter().filter(|mapping| !mapping.is_unwritten);
        written.map(|mapping| self.extent(mapping)).collect()
    }

    fn extent(&self, mapping: &Mapping) -> Result<Extent, EvidenceError> {
        let offset = self.offset("XFS extent", mapping.block, mapping.count)?;
        let bytes = |blocks: u64| blocks.saturating_mul(self.superblock.block_size);
        Ok(Extent { start: bytes(mapping.start), length: bytes(mapping.count), source: 0, offset })
    }
}
