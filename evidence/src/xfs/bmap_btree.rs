//! The extents of a fork: a list in the inode, or a B+tree whose root lies there. `struct
//! xfs_bmbt_rec`, `xfs_bmdr_block` and `xfs_btree_block` of `xfs_format.h`.
//!
//! Extents stand in the order of the file. So what a damaged one, or a damaged block of the tree,
//! would map lies between the last extent before it and the first after it that can be read: there
//! is content there that is lost, and not a hole.

use super::dinode::{Fork, ForkFormat};
use super::superblock::Superblock;
use super::volume::Volume;
use crate::EvidenceError;
use crate::doubts::Doubts;
use crate::fields::Fields;
use std::collections::HashSet;
use std::slice::from_ref;

/// Extents of one file; more than the most fragmented files have, and 256 MiB of memory.
const MAX_EXTENTS: u64 = 1 << 23;
/// Bytes of an extent, and of a key with its pointer.
const RECORD: usize = 16;
/// Bytes before the keys of a root in an inode.
const ROOT_HEADER: usize = 4;
/// Where a block of version 5 has its checksum.
const CHECKSUM_AT: usize = 64;
/// The numbers of the blocks of a file have 54 bits.
const MAX_BLOCKS: u64 = 1 << 54;
const BLOCK: &str = "XFS extent tree block";

/// Blocks of a file that lie in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mapping {
    /// First block in the file.
    pub(super) start: u64,
    /// How many.
    pub(super) count: u64,
    pub(super) place: Place,
}

impl Mapping {
    /// The block of the file behind the last one.
    pub(super) fn end(&self) -> u64 {
        self.start.saturating_add(self.count)
    }
}

/// Where mapped blocks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// From the block of this number in the file system.
    Block(u64),
    /// Somewhere, but only reserved: they read as zeros.
    Unwritten,
    /// Not known: what says it is damaged.
    Lost,
}

/// All mappings of a fork, in the order of the file. What is damaged is noted; between the known
/// mappings beside it, everything is lost.
pub(super) fn mappings(
    volume: &Volume,
    fork: &Fork<'_>,
    doubts: &mut Doubts,
) -> Result<Vec<Mapping>, EvidenceError> {
    let mut map = Map { superblock: &volume.superblock, found: Vec::new(), is_cut: false, doubts };
    match fork.format {
        ForkFormat::Device | ForkFormat::Local => {}
        ForkFormat::Extents => {
            let count = usize::try_from(fork.extents).unwrap_or(usize::MAX);
            map.records(&fork.fields, 0, count)?;
        }
        ForkFormat::Btree => btree(volume, &fork.fields, &mut map)?,
    }
    map.close(MAX_BLOCKS);
    Ok(map.found)
}

/// Walks the tree below the root in the order of the file, each block once. Levels must count down,
/// so it ends.
fn btree(volume: &Volume, root: &Fields<'_>, map: &mut Map<'_>) -> Result<(), EvidenceError> {
    let level = root.be16(0)?;
    let most = root.all().len().saturating_sub(ROOT_HEADER) / RECORD;
    let children = pointers(root, ROOT_HEADER, root.be16(2)?, most);
    let mut waiting: Vec<(u64, u16)> = Vec::new();
    let mut visited = HashSet::new();
    map.descend(children, level, &mut waiting);
    while let Some((number, above)) = waiting.pop() {
        match node(volume, (number, above), &mut visited, map) {
            Ok((children, level)) => map.descend(Ok(children), level, &mut waiting),
            Err(error @ EvidenceError::LimitReached { .. }) => return Err(error),
            Err(error) => map.lose(error),
        }
    }
    Ok(())
}

/// Takes the records of a leaf, or returns the pointers of a node with its level.
fn node(
    volume: &Volume,
    (number, above): (u64, u16),
    visited: &mut HashSet<u64>,
    map: &mut Map<'_>,
) -> Result<(Vec<u64>, u16), EvidenceError> {
    let at = volume.offset(BLOCK, number)?;
    if !visited.insert(number) {
        let fields = Fields::new(BLOCK, at, &[]);
        return Err(fields.malformed(0, "a tree", "a block that is used twice"));
    }
    let bytes = volume.block(BLOCK, at)?;
    let block = Fields::new(BLOCK, at, &bytes);
    let header = check_block(volume, &block, above)?;
    let end = at.saturating_add(volume.superblock.block_size);
    volume.check((&block, CHECKSUM_AT), from_ref(&(at..end)), map.doubts);
    let (level, count) = (block.be16(4)?, block.be16(6)?);
    if level == 0 {
        map.records(&block, header, count.into())?;
        return Ok((Vec::new(), level));
    }
    let most = bytes.len().saturating_sub(header) / RECORD;
    Ok((pointers(&block, header, count, most)?, level))
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

/// The mappings found so far.
struct Map<'a> {
    superblock: &'a Superblock,
    found: Vec<Mapping>,
    /// Whether something is lost behind the last of them.
    is_cut: bool,
    doubts: &'a mut Doubts,
}

impl Map<'_> {
    /// The block of the file behind the last mapping.
    fn end(&self) -> u64 {
        self.found.last().map_or(0, Mapping::end)
    }

    /// Something behind the last mapping cannot be read.
    fn lose(&mut self, error: EvidenceError) {
        self.doubts.note(error);
        self.is_cut = true;
    }

    /// What was lost ends before block `next` of the file.
    fn close(&mut self, next: u64) {
        let start = self.end();
        if std::mem::take(&mut self.is_cut) && start < next {
            let count = next.saturating_sub(start);
            self.found.push(Mapping { start, count, place: Place::Lost });
        }
    }

    /// Puts the children of a node before what waits, the first in front.
    fn descend(
        &mut self,
        children: Result<Vec<u64>, EvidenceError>,
        level: u16,
        waiting: &mut Vec<(u64, u16)>,
    ) {
        match children {
            Ok(children) => waiting.extend(children.into_iter().rev().map(|child| (child, level))),
            Err(error) => self.lose(error),
        }
    }

    /// Adds `count` extents that stand from offset `at`, or as many as there are.
    fn records(
        &mut self,
        fields: &Fields<'_>,
        at: usize,
        count: usize,
    ) -> Result<(), EvidenceError> {
        let room = fields.all().len().saturating_sub(at) / RECORD;
        if count > room {
            let need = format!("{count} extents");
            self.doubts.note(fields.malformed(at, need, format!("room for {room}")));
        }
        let length = count.min(room).saturating_mul(RECORD);
        let (records, _) = fields.bytes(at, length)?.as_chunks::<RECORD>();
        for (index, record) in records.iter().enumerate() {
            let place = at.saturating_add(index.saturating_mul(RECORD));
            self.record(fields, place, mapping(u128::from_be_bytes(*record)));
            if u64::try_from(self.found.len()).unwrap_or(u64::MAX) > MAX_EXTENTS {
                let what = "extents of a file";
                return Err(EvidenceError::LimitReached { what, limit: MAX_EXTENTS });
            }
        }
        self.is_cut |= count > room;
        Ok(())
    }

    /// Adds an extent that stands at `at`. Extents follow one another: of one that does not, not
    /// even the place in the file can be believed.
    fn record(&mut self, fields: &Fields<'_>, at: usize, mut mapping: Mapping) {
        if mapping.count == 0 || mapping.start < self.end() {
            let need = format!("an extent from block {} of the file on", self.end());
            let have = format!("{} blocks from block {}", mapping.count, mapping.start);
            return self.lose(fields.malformed(at, need, have));
        }
        if let Place::Block(block) = mapping.place
            && self.superblock.block_offset(block, mapping.count).is_none()
        {
            self.doubts.note(self.superblock.no_such_blocks("XFS extent", block, mapping.count));
            mapping.place = Place::Lost;
        }
        self.close(mapping.start);
        self.found.push(mapping);
    }
}

/// One bit of state, 54 bits of file block, 52 bits of block number, 21 bits of length.
fn mapping(record: u128) -> Mapping {
    let bits = |from: u32, count: u32| {
        let mask = (1_u128 << (count & 127)).saturating_sub(1);
        u64::try_from((record >> (from & 127)) & mask).unwrap_or(u64::MAX)
    };
    let is_unwritten = bits(127, 1) == 1;
    let place = if is_unwritten { Place::Unwritten } else { Place::Block(bits(21, 52)) };
    Mapping { start: bits(73, 54), count: bits(0, 21), place }
}
