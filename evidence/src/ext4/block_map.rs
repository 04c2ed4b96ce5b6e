//! The block map of a file of ext2 and ext3: twelve numbers of blocks in the inode, then those of a
//! block of numbers, of a block of numbers of such blocks, and of one of these; 0 is a hole.

use super::inode::Inode;
use super::runs::{Run, Runs};
use super::volume::Volume;
use crate::EvidenceError;
use crate::doubts::Doubts;
use crate::fields::Fields;
use std::collections::HashSet;

const DIRECT: usize = 12;

/// A block of numbers still to be visited: what its numbers name (0: blocks of the file), and the
/// first block of the file that it maps.
struct Pending {
    block: u64,
    level: u32,
    logical: u64,
}

/// Where the blocks of a file lie. A damaged block of numbers is told, and makes what it maps
/// unreadable.
pub(crate) fn runs(
    volume: &Volume,
    inode: &Inode,
    doubts: &mut Doubts,
) -> Result<Runs, EvidenceError> {
    let mut walk = Walk {
        end: inode.size.div_ceil(volume.block_size().max(1)),
        per_block: volume.block_size() / 4,
        runs: Runs::default(),
        pending: Vec::new(),
    };
    walk.root(&Fields::new("ext4 block map in an inode", 0, &inode.block))?;
    let mut seen = HashSet::new();
    while let Some(next) = walk.pending.pop() {
        let bytes = match seen.insert(next.block) {
            true => volume.read_block("ext4 block map", next.block),
            false => Err(inode.malformed("a block map", format!("block {} twice", next.block))),
        };
        match bytes {
            Ok(bytes) => {
                let start = volume.offset(next.block);
                walk.numbers(&Fields::new("ext4 block map", start, &bytes), &next)?;
            }
            Err(error) => {
                doubts.note(error);
                let count = walk.mapped(next.level.saturating_add(1));
                walk.runs.add(Run { logical: next.logical, count, physical: None })?;
            }
        }
    }
    Ok(walk.runs)
}

struct Walk {
    /// Number of blocks of the file: what lies after them is not looked at.
    end: u64,
    /// Numbers in a block.
    per_block: u64,
    runs: Runs,
    pending: Vec<Pending>,
}

impl Walk {
    /// Blocks of the file that one number of a level maps.
    fn mapped(&self, level: u32) -> u64 {
        self.per_block.saturating_pow(level)
    }

    fn root(&mut self, fields: &Fields<'_>) -> Result<(), EvidenceError> {
        let mut logical = 0;
        for at in 0..DIRECT {
            self.number(0, logical, fields.le32(at.saturating_mul(4))?)?;
            logical = logical.saturating_add(1);
        }
        let mut pending = Vec::new();
        for (at, level) in (DIRECT..).zip(0..3) {
            let block = u64::from(fields.le32(at.saturating_mul(4))?);
            if block != 0 && logical < self.end {
                pending.push(Pending { block, level, logical });
            }
            logical = logical.saturating_add(self.mapped(level.saturating_add(1)));
        }
        self.pending.extend(pending.into_iter().rev());
        Ok(())
    }

    /// Takes the numbers of a block.
    fn numbers(&mut self, fields: &Fields<'_>, this: &Pending) -> Result<(), EvidenceError> {
        let first_pending = self.pending.len();
        let mut logical = this.logical;
        let (words, _) = fields.all().as_chunks::<4>();
        for word in words {
            self.number(this.level, logical, u32::from_le_bytes(*word))?;
            logical = logical.saturating_add(self.mapped(this.level));
        }
        // The first is taken first, so that runs merge.
        self.pending.get_mut(first_pending..).unwrap_or_default().reverse();
        Ok(())
    }

    fn number(&mut self, level: u32, logical: u64, block: u32) -> Result<(), EvidenceError> {
        if block == 0 || logical >= self.end {
            return Ok(());
        }
        let block = u64::from(block);
        match level.checked_sub(1) {
            None => self.runs.add(Run { logical, count: 1, physical: Some(block) }),
            Some(level) => {
                self.pending.push(Pending { block, level, logical });
                Ok(())
            }
        }
    }
}
