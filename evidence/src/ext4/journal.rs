//! The journal: what was committed and not yet written to its places, put over the volume in memory
//! as the next mount would write it.
//!
//! jbd2 (kernel 6.18): numbers are big-endian; a circle of blocks, each transaction of which is one
//! or more descriptor blocks with the blocks that they describe, blocks of revocations, and a commit
//! block. Only places are kept in memory; the blocks stay where they are, in the journal.
//!
//! A journal on another device, and fast commits after the last full one (as yet off by default),
//! are not supported; both are told.

mod checksum;
mod overlay;
mod recovery;
mod superblock;
mod tags;

use super::content;
use super::inode::Inode;
use super::volume::Volume;
use crate::doubts::Doubts;
use crate::file_system::Flaw;
use crate::{EvidenceError, FileKind, ReadAt};
use dockline_timeline::IssueKind;
use overlay::Overlay;
use recovery::Recovery;
use std::sync::Arc;
use superblock::JournalSuperblock;

/// What came of the journal of a volume.
#[derive(Default)]
pub(crate) struct Replayed {
    /// The volume with the journal over it; `None` when there was nothing to replay.
    pub(crate) device: Option<Arc<dyn ReadAt>>,
    /// What is wrong with the journal.
    pub(crate) flaws: Vec<Flaw>,
}

impl Replayed {
    fn tell(&mut self, kind: IssueKind, what: String) {
        self.flaws.push(Flaw { kind, what });
    }
}

/// Replays the journal of a volume, if it has one that needs it.
pub(crate) fn replay(volume: &Volume) -> Replayed {
    let mut replayed = Replayed::default();
    if !volume.superblock.features.has_journal() {
        return replayed;
    }
    // A copy of the superblock never says so.
    let is_copy = volume.superblock.group != 0;
    let is_wanted = volume.superblock.features.needs_recovery() || is_copy;
    if let Err(error) = replay_into(volume, is_wanted, &mut replayed) {
        // What does not matter is not told.
        if is_wanted {
            let what = format!("the journal cannot be replayed: {error}; files may be older");
            replayed.tell(error.issue_kind(), what);
        }
    }
    replayed
}

fn replay_into(
    volume: &Volume,
    is_wanted: bool,
    replayed: &mut Replayed,
) -> Result<(), EvidenceError> {
    let journal = open(volume)?;
    let superblock = JournalSuperblock::read(&journal)?;
    if superblock.start == 0 {
        return Ok(());
    }
    if !is_wanted {
        let what = "the journal holds transactions, but the superblock says that it needs no \
                    recovery; they are not replayed";
        replayed.tell(IssueKind::Malformed, what.to_string());
        return Ok(());
    }
    superblock.check(volume.superblock.geometry.block_size)?;
    let recovery = Recovery::of(journal.as_ref(), &superblock);
    replayed.flaws.extend(recovery.flaws);
    if !recovery.blocks.is_empty() {
        let device = volume.device.clone();
        let block_size = volume.block_size();
        let overlay = Overlay { device, journal, block_size, blocks: recovery.blocks };
        replayed.device = Some(Arc::new(overlay));
    }
    Ok(())
}

/// The blocks of the journal. Where its inode is damaged, the copy of its map in the superblock
/// serves.
fn open(volume: &Volume) -> Result<Arc<dyn ReadAt>, EvidenceError> {
    let place = &volume.superblock.journal;
    if place.inode == 0 {
        return Err(EvidenceError::Unsupported("a journal on another device".to_string()));
    }
    let mut doubts = Doubts::default();
    let own = volume.inode(place.inode).and_then(|inode| {
        inode.require(FileKind::Regular)?;
        Ok(inode)
    });
    let inode = match own {
        Ok(own) if matches!(volume.has_right_checksum(place.inode), Ok(true)) => own,
        // It has extents where all files have them; the map tells.
        own => place.backup.map_or(own, |backup| Inode::of_journal(place.inode, &backup))?,
    };
    content::content(volume, &inode, &mut doubts)
}
