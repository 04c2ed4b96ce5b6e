//! The extents of a fork: a list in the inode, or a B+tree whose root lies there. `struct
//! xfs_bmbt_rec`, `xfs_bmdr_block` and `xfs_btree_block` of `xfs_format.h`.

use super::dinode::{Fork, ForkFormat};
use super::volume::Volume;
use crate::EvidenceError;
use crate::fields::Fields;
use std::collections::HashSet;

/// Extents of one file; more than the most fragmented files have, and 256 MiB of memory.
const MAX_EXTENTS: u64 = 1 << 23;
/// Bytes of an extent, and of a key with its pointer.
const RECORD: usize = 16;
/// Bytes before the keys of a root in an inode.
const ROOT_HEADER: usize = 4;

/// Blocks of a file that lie in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mapping {
    /// First block in the file.
    pub(super) start: u64,
    /// Number of the first block in the file system.
    pub(super) block: u64,
    /// How many.
    pub(super) count: u64,
    /// Whether they are only reserved: they read as zeros.
    pub(super) is_unwritten: bool,
}

/// All mappings of a fork, in the order of the file.
pub(super) fn mappings(volume: &Volume, fork: &Fork<'_>) -> Result<Vec<Mapping>, EvidenceError> {
    let mut found = Vec::new();
    match fork.format {
        ForkFormat::Device | ForkFormat::Local => {}
        ForkFormat::Extents => {
            let count = usize::try_from(fork.extents).unwrap_or(usize::MAX);
            records(&fork.fields, 0, count, &mut found)?;
        }
        ForkFormat::Btree => btree(volume, &fork.fields, &mut found)?,
    }
    found.sort_by_key(|mapping| mapping.start);
    Ok(found)
}

/// Walks the tree below the root, each block once. Levels must count down, so it ends.
fn btree(
    volume: &Volume,
    root: &Fields<'_>,
    found: &mut Vec<Mapping>,
) -> Result<(), EvidenceError> {
    let level = root.be16(0)?;
    let most = root.all().len().saturating_sub(ROOT_HEADER) / RECORD;
    let mut waiting = pointers(root, ROOT_HEADER, root.be16(2)?, most)?;
    let mut levels = vec![level; waiting.len()];
    let mut visited = HashSet::new();
    while let (Some(number), Some(above)) = (waiting.pop(), levels.pop()) {
        let (bytes, at) = volume.block("XFS extent tree block", number)?;
        let block = Fields::new("XFS extent tree block", at, &bytes);
        if !visited.insert(number) {
            return Err(block.malformed(0, "a tree", "a block that is used twice"));
        }
        let header = check_block(volume, &block, above)?;
        if block.be16(4)? == 0 {
            records(&block, header, block.be16(6)?.into(), found)?;
            continue;
        }
        let most = bytes.len().saturating_sub(header) / RECORD;
        waiting.extend(pointers(&block, header, block.be16(6)?, most)?);
        levels.resize(waiting.len(), block.be16(4)?);
    }
    Ok(())
}

/// Checks what a block says of itself and returns the length of its header.
fn check_block(volume: &Volume, block: &Fields<'_>, above: u16) -> Result<usize, EvidenceError> {
    let (magic, header) = if volume.superblock.is_v5 { (b"BMA3", 72) } else { (b"BMAP", 24) };
    if block.array(0)? != *magic {
        let need = String::from_utf8_lossy(magic).into_owned();
        return Err(block.malformed(0, need, "other bytes"));
    }
    let level = block.be16(4)?;
    if level.checked_add(1) != Some(above) {
        return Err(block.malformed(4, format!("the level below {above}"), level));
    }
    Ok(header)
}

/// The pointers of a node: they stand behind the room for `most` keys.
fn pointers(
    node: &Fields<'_>,
    header: usize,
    count: u16,
    most: usize,
) -> Result<Vec<u64>, EvidenceError> {
    if usize::from(count) > most {
        return Err(node.malformed(0, format!("at most {most} pointers"), count));
    }
    let start = header.saturating_add(most.saturating_mul(8));
    let at = |index: u16| start.saturating_add(usize::from(index).saturating_mul(8));
    (0..count).map(|index| node.be64(at(index))).collect()
}

/// Adds `count` extents that stand from offset `at`.
fn records(
    fields: &Fields<'_>,
    at: usize,
    count: usize,
    found: &mut Vec<Mapping>,
) -> Result<(), EvidenceError> {
    let length = count.saturating_mul(RECORD);
    let (records, _) = fields.bytes(at, length)?.as_chunks::<RECORD>();
    found.extend(records.iter().map(|record| mapping(u128::from_be_bytes(*record))));
    if u64::try_from(found.len()).unwrap_or(u64::MAX) > MAX_EXTENTS {
        return Err(EvidenceError::LimitReached { what: "extents of a file", limit: MAX_EXTENTS });
    }
    Ok(())
}

/// One bit of state, 54 bits of file block, 52 bits of block number, 21 bits of length.
fn mapping(record: u128) -> Mapping {
    let bits = |from: u32, count: u32| {
        let mask = (1_u128 << (count & 127)).saturating_sub(1);
        u64::try_from((record >> (from & 127)) & mask).unwrap_or(u64::MAX)
    };
    Mapping {
        is_unwritten: bits(127, 1) == 1,
        start: bits(73, 54),
        block: bits(21, 52),
        count: bits(0, 21),
    }
}
