//! The extent tree of a file: nodes of 12-byte entries, the root in the inode, the others in
//! blocks of their own, each level one depth lower, extents at depth 0.
//!
//! Layout: `struct ext4_extent_header`, `ext4_extent_idx` and `ext4_extent` of the kernel (6.18).
//! Extents that are allocated and not yet written read as zeros, as holes do.

use super::inode::Inode;
use super::runs::{Run, Runs};
use super::volume::Volume;
use crate::EvidenceError;
use crate::crc32c;
use crate::doubts::Doubts;
use crate::fields::Fields;
use std::collections::HashSet;

pub(crate) const MAGIC: u16 = 0xf30a;
const ENTRY: usize = 12;
/// The kernel makes no deeper trees.
const MAX_DEPTH: u16 = 5;
/// Longer extents are not yet written, and as much shorter.
const MAX_WRITTEN: u64 = 1 << 15;

/// A node still to be visited, and the blocks of the file that it maps.
struct Pending {
    block: u64,
    depth: u16,
    logical: u64,
    end: u64,
}

/// Where the blocks of a file lie. A damaged node is told, and makes what it maps unreadable.
pub(crate) fn runs(
    volume: &Volume,
    inode: &Inode,
    doubts: &mut Doubts,
) -> Result<Runs, EvidenceError> {
    let root = Fields::new("ext4 extent tree in an inode", 0, &inode.block);
    let depth = root.le16(6)?;
    if depth > MAX_DEPTH {
        return Err(root.malformed(6, format!("a depth up to {MAX_DEPTH}"), depth));
    }
    let mut walk = Walk { runs: Runs::default(), pending: Vec::new() };
    let whole = Pending { block: 0, depth, logical: 0, end: u64::from(u32::MAX) };
    walk.node(&root, &whole)?;
    let mut seen = HashSet::new();
    while let Some(next) = walk.pending.pop() {
        let node = match seen.insert(next.block) {
            true => node(volume, inode, next.block, doubts),
            false => Err(root.malformed(0, "a tree", format!("block {} twice", next.block))),
        };
        let visited = node.and_then(|bytes| {
            let fields = Fields::new("ext4 extent tree", volume.offset(next.block), &bytes);
            walk.node(&fields, &next)
        });
        match visited {
            Ok(()) => {}
            Err(error @ EvidenceError::LimitReached { .. }) => return Err(error),
            Err(error) => {
                doubts.note(error);
                let count = next.end.saturating_sub(next.logical);
                walk.runs.add(Run { logical: next.logical, count, physical: None })?;
            }
        }
    }
    Ok(walk.runs)
}

/// A node in a block of its own; a wrong checksum is told, and the node is read.
fn node(
    volume: &Volume,
    inode: &Inode,
    block: u64,
    doubts: &mut Doubts,
) -> Result<Vec<u8>, EvidenceError> {
    let bytes = volume.read_block("ext4 extent tree", block)?;
    if volume.superblock.features.has_metadata_checksums() {
        let fields = Fields::new("ext4 extent tree", volume.offset(block), &bytes);
        let room = usize::from(fields.le16(4)?);
        let end = room.saturating_mul(ENTRY).saturating_add(ENTRY);
        let sum = crc32c::update(inode.checksum_seed, fields.bytes(0, end)?);
        let found = fields.le32(end)?;
        if sum != found {
            doubts.note(fields.malformed(
                end,
                format!("the checksum {sum:08x}"),
                format!("{found:08x}"),
            ));
        }
    }
    Ok(bytes)
}

struct Walk {
    runs: Runs,
    pending: Vec<Pending>,
}

impl Walk {
    /// Takes the entries of a node.
    fn node(&mut self, fields: &Fields<'_>, this: &Pending) -> Result<(), EvidenceError> {
        let (magic, count, depth) = (fields.le16(0)?, fields.le16(2)?, fields.le16(6)?);
        if magic != MAGIC {
            return Err(fields.malformed(0, "the magic number f30a", format!("{magic:04x}")));
        }
        if depth != this.depth {
            return Err(fields.malformed(6, format!("depth {}", this.depth), depth));
        }
        let entries =
            fields.part("ext4 extents", ENTRY, usize::from(count).saturating_mul(ENTRY))?;
        let starts: Vec<usize> =
            (0..usize::from(count)).map(|at| at.saturating_mul(ENTRY)).collect();
        if depth == 0 {
            return starts.iter().try_for_each(|at| self.extent(&entries, *at));
        }
        // The last first, so that they are visited in order and their runs merge.
        let mut end = this.end;
        for at in starts.iter().rev() {
            let logical = u64::from(entries.le32(*at)?);
            let low = u64::from(entries.le32(at.saturating_add(4))?);
            let high = u64::from(entries.le16(at.saturating_add(8))?);
            let below = depth.saturating_sub(1);
            self.pending.push(Pending { block: low | high << 32, depth: below, logical, end });
            end = logical;
        }
        Ok(())
    }

    fn extent(&mut self, entries: &Fields<'_>, at: usize) -> Result<(), EvidenceError> {
        let count = u64::from(entries.le16(at.saturating_add(4))?);
        if count > MAX_WRITTEN || count == 0 {
            return Ok(());
        }
        let high = u64::from(entries.le16(at.saturating_add(6))?);
        let low = u64::from(entries.le32(at.saturating_add(8))?);
        let logical = u64::from(entries.le32(at)?);
        self.runs.add(Run { logical, count, physical: Some(low | high << 32) })
    }
}
