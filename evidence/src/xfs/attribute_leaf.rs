//! Extended attributes in blocks: leaves that stand in a chain below a B+tree of hashes, and values
//! too large for them in blocks of their own (`struct xfs_attr3_rmt_hdr`). `xfs_da_format.h`.

use super::attributes::add;
use super::bmap_btree::mappings;
use super::dinode::Fork;
use super::volume::Volume;
use crate::doubts::Doubts;
use crate::extents::Pieces;
use crate::fields::{Fields, fill};
use crate::{EvidenceError, ExtendedAttribute};
use std::collections::HashSet;

/// Levels of the tree above the leaves.
const MAX_DEPTH: usize = 8;
/// Bytes of all values of one file.
const MAX_BYTES: usize = 64 << 20;
/// Attributes of one file that cannot be read, each of which may cost as much as one that can.
const MAX_LOST: u64 = 256;
/// Where blocks of version 5, those of values too, have their checksum.
const CHECKSUM_AT: usize = 12;
/// The largest value that can be set.
const MAX_VALUE: usize = 1 << 16;
/// The name and the value stand in the leaf.
const LOCAL: u8 = 1;
/// Bytes of the header of a block of a value, in version 5.
const REMOTE_HEADER: usize = 56;
const NAME: &str = "XFS attribute block";

const LEAF: u16 = 0xfbee;
const LEAF_5: u16 = 0x3bee;
const NODE: u16 = 0xfebe;
const NODE_5: u16 = 0x3ebe;

/// The blocks of an attribute fork.
struct AttributeBlocks<'a> {
    volume: &'a Volume,
    content: Pieces,
    /// Attributes that cannot be read.
    lost: u64,
    doubts: &'a mut Doubts,
}

/// Adds all attributes of a fork that has blocks. A damaged block is noted, and ends the chain.
pub(super) fn attributes(
    volume: &Volume,
    fork: &Fork<'_>,
    doubts: &mut Doubts,
    found: &mut Vec<ExtendedAttribute>,
) -> Result<(), EvidenceError> {
    let mappings = mappings(volume, fork, doubts)?;
    let Some(last) = mappings.last() else { return Ok(()) };
    let size = last.end().saturating_mul(volume.superblock.block_size);
    let extents = volume.extents(&mappings);
    let content = Pieces::partly_lost(volume.device.clone(), extents, size);
    let mut blocks = AttributeBlocks { volume, content, lost: 0, doubts };
    match blocks.leaves(found) {
        Err(error @ EvidenceError::LimitReached { .. }) => Err(error),
        Err(error) => {
            blocks.doubts.note(error);
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

impl AttributeBlocks<'_> {
    /// Adds the attributes of all leaves, which stand in a chain.
    fn leaves(&mut self, found: &mut Vec<ExtendedAttribute>) -> Result<(), EvidenceError> {
        let mut next = self.first_leaf()?;
        let mut visited = HashSet::from([0]);
        while let Some((number, bytes)) = next {
            let leaf = self.fields(number, &bytes);
            self.leaf(&leaf, found)?;
            self.check(number, &leaf);
            let forward = leaf.be32(0)?;
            if forward != 0 && !visited.insert(forward) {
                return Err(leaf.malformed(0, "a chain", "a block that is used twice"));
            }
            next = if forward == 0 { None } else { Some((forward, self.block(forward)?)) };
        }
        Ok(())
    }

    fn check(&mut self, number: u32, block: &Fields<'_>) {
        let places = self.content.places(self.offset(number), self.volume.superblock.block_size);
        self.volume.check((block, CHECKSUM_AT), &places, self.doubts);
    }

    fn offset(&self, number: u32) -> u64 {
        u64::from(number).saturating_mul(self.volume.superblock.block_size)
    }

    fn fields<'b>(&self, number: u32, bytes: &'b [u8]) -> Fields<'b> {
        Fields::new(NAME, self.offset(number), bytes)
    }

    fn block(&self, number: u32) -> Result<Vec<u8>, EvidenceError> {
        let mut bytes = vec![0; self.volume.superblock.block_length()];
        fill(&self.content, NAME, self.offset(number), &mut bytes)?;
        Ok(bytes)
    }

    /// Follows the first pointer of every node. `None` when the fork has no leaf at all.
    fn first_leaf(&self) -> Result<Option<(u32, Vec<u8>)>, EvidenceError> {
        let mut number = 0;
        for _ in 0..MAX_DEPTH {
            let bytes = self.block(number)?;
            let block = self.fields(number, &bytes);
            let pointer_at = match (block.be16(8)?, self.volume.superblock.is_v5) {
                (LEAF_5, true) | (LEAF, false) => return Ok(Some((number, bytes))),
                (NODE_5, true) => 68,
                (NODE, false) => 20,
                (other, _) => return Err(not_a_leaf(&block, other)),
            };
            number = block.be32(pointer_at)?;
        }
        let limit = u64::try_from(MAX_DEPTH).unwrap_or(u64::MAX);
        Err(EvidenceError::LimitReached { what: "levels of an XFS attribute tree", limit })
    }

    /// Adds the attributes of one leaf; one that is damaged is noted.
    fn leaf(
        &mut self,
        leaf: &Fields<'_>,
        found: &mut Vec<ExtendedAttribute>,
    ) -> Result<(), EvidenceError> {
        let (count_at, entries) = match (leaf.be16(8)?, self.volume.superblock.is_v5) {
            (LEAF_5, true) => (56, 80),
            (LEAF, false) => (12, 32),
            (other, _) => return Err(not_a_leaf(leaf, other)),
        };
        for index in 0..usize::from(leaf.be16(count_at)?) {
            let entry = leaf.part(NAME, index.saturating_mul(8).saturating_add(entries), 8)?;
            if let Err(error) = self.attribute(leaf, &entry, found) {
                self.lose(error)?;
            }
            check_size(found)?;
        }
        Ok(())
    }

    fn lose(&mut self, error: EvidenceError) -> Result<(), EvidenceError> {
        self.doubts.note(error);
        self.lost = self.lost.saturating_add(1);
        if self.lost > MAX_LOST {
            let what = "damaged attributes of a file";
            return Err(EvidenceError::LimitReached { what, limit: MAX_LOST });
        }
        Ok(())
    }

    /// Adds the attribute that `entry` points to in the same leaf.
    fn attribute(
        &mut self,
        leaf: &Fields<'_>,
        entry: &Fields<'_>,
        found: &mut Vec<ExtendedAttribute>,
    ) -> Result<(), EvidenceError> {
        let (at, flags) = (usize::from(entry.be16(4)?), entry.u8(6)?);
        if flags & LOCAL != 0 {
            let value_length = usize::from(leaf.be16(at)?);
            let name_length = usize::from(leaf.u8(at.saturating_add(2))?);
            let name_at = at.saturating_add(3);
            let name = leaf.bytes(name_at, name_length)?;
            let value_at = name_at.saturating_add(name_length);
            let value = || Ok(leaf.bytes(value_at, value_length)?.to_vec());
            return add(flags, name, value, found);
        }
        let number = leaf.be32(at)?;
        let length = leaf.be32(at.saturating_add(4))?;
        let name_length = usize::from(leaf.u8(at.saturating_add(8))?);
        let name = leaf.bytes(at.saturating_add(9), name_length)?;
        add(flags, name, || self.remote_value(number, length), found)
    }

    /// A value in blocks of its own, from block `number` on.
    fn remote_value(&mut self, number: u32, length: u32) -> Result<Vec<u8>, EvidenceError> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > MAX_VALUE {
            let limit = u64::try_from(MAX_VALUE).unwrap_or(u64::MAX);
            return Err(EvidenceError::LimitReached { what: "bytes of an attribute", limit });
        }
        let header = if self.volume.superblock.is_v5 { REMOTE_HEADER } else { 0 };
        let mut value = Vec::with_capacity(length);
        let mut number = number;
        while value.len() < length {
            let bytes = self.block(number)?;
            let block = self.fields(number, &bytes);
            if header > 0 && !bytes.starts_with(b"XARM") {
                return Err(block.malformed(0, "the letters XARM", "other bytes"));
            }
            self.check(number, &block);
            let rest = length.saturating_sub(value.len());
            value.extend(bytes.iter().skip(header).take(rest));
            number = number.saturating_add(1);
        }
        Ok(value)
    }
}

fn not_a_leaf(block: &Fields<'_>, magic: u16) -> EvidenceError {
    block.malformed(8, "an attribute leaf or node", format!("{magic:#06x}"))
}

fn check_size(found: &[ExtendedAttribute]) -> Result<(), EvidenceError> {
    let size = found.iter().map(|attribute| attribute.value.len()).sum::<usize>();
    if size > MAX_BYTES {
        let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
        return Err(EvidenceError::LimitReached { what: "bytes of all attributes", limit });
    }
    Ok(())
}
