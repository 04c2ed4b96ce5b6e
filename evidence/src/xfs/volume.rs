//! The blocks of a file system: what turns their numbers into bytes.

use super::bmap_btree::{Mapping, Place};
use super::checksum;
use super::log::Overlay;
use super::superblock::Superblock;
use crate::doubts::Doubts;
use crate::extents::{Extent, LOST};
use crate::fields::{Fields, read_exact};
use crate::{EvidenceError, ReadAt};
use std::ops::Range;
use std::sync::Arc;

/// The device, with the log replayed over it, and the layout of what is on it.
pub(super) struct Volume {
    pub(super) device: Arc<dyn ReadAt>,
    pub(super) superblock: Superblock,
    /// What the log changes.
    pub(super) replayed: Option<Arc<Overlay>>,
}

impl Volume {
    /// Reads the block that lies at `at`.
    pub(super) fn block(&self, what: &'static str, at: u64) -> Result<Vec<u8>, EvidenceError> {
        read_exact(&self.device, what, at, self.superblock.block_length())
    }

    /// Where a block lies in bytes.
    pub(super) fn offset(&self, what: &'static str, number: u64) -> Result<u64, EvidenceError> {
        let found = self.superblock.block_offset(number, 1);
        found.ok_or_else(|| self.superblock.no_such_blocks(what, number, 1))
    }

    /// Notes a wrong checksum of a structure, where version 5 has it. Whatever
    /// the log changed in `places` of the device is not checked: the log changes structures without
    /// their checksums, which the kernel computes when it writes what was replayed.
    pub(super) fn check(
        &self,
        (structure, checksum_at): (&Fields<'_>, usize),
        places: &[Range<u64>],
        doubts: &mut Doubts,
    ) {
        let is_changed = |overlay: &Arc<Overlay>| places.iter().any(|place| overlay.changes(place));
        if !self.superblock.is_v5
            || checksum::is_right(structure.all(), checksum_at)
            || self.replayed.as_ref().is_some_and(is_changed)
        {
            return;
        }
        doubts.note(structure.malformed(checksum_at, "the right checksum", "another"));
    }

    /// Where mapped blocks lie in bytes, without those that were reserved and never written. What
    /// is not known lies in what [`crate::extents::Pieces::partly_lost`] takes for lost.
    pub(super) fn extents(&self, mappings: &[Mapping]) -> Vec<Extent> {
        mappings.iter().filter_map(|mapping| self.extent(mapping)).collect()
    }

    fn extent(&self, mapping: &Mapping) -> Option<Extent> {
        let bytes = |blocks: u64| blocks.saturating_mul(self.superblock.block_size);
        let known = |block| self.superblock.block_offset(block, mapping.count);
        let (source, offset) = match mapping.place {
            Place::Unwritten => return None,
            Place::Lost => (LOST, 0),
            Place::Block(block) => known(block).map_or((LOST, 0), |offset| (0, offset)),
        };
        Some(Extent { start: bytes(mapping.start), length: bytes(mapping.count), source, offset })
    }
}
