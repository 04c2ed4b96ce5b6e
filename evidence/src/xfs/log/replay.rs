//! The replay: first all transactions are asked which buffers they give up, then their changes are
//! made, in the order of the log.

use super::super::superblock::Superblock;
use super::blocks::LogBlocks;
use super::buffer_item::BufferItem;
use super::head::Head;
use super::overlay::Overlay;
use super::transaction::{Item, Transaction, committed};
use super::{inode_creation, inode_item};
use crate::EvidenceError;
use std::collections::{BTreeMap, BTreeSet};

const INODE: u16 = 0x123b;
const BUFFER: u16 = 0x123c;
const INODE_CREATION: u16 = 0x123f;
/// Announcements that change what files show, and their ends: of mappings, of attributes, of
/// exchanged ranges. Others only give back free space, or keep count of it.
const ANNOUNCEMENTS: [u16; 3] = [0x1244, 0x1246, 0x1248];
const ENDS: [u16; 3] = [0x1245, 0x1247, 0x1249];

/// Buffers that were given up later in the log, by first sector and number of sectors, and how many
/// times.
pub(super) type Cancelled = BTreeMap<(u64, u64), u64>;

/// Replays the log into `overlay`; returns how many announced changes of files were not finished.
pub(super) fn replay(
    log: &LogBlocks,
    head: &Head,
    superblock: &Superblock,
    overlay: &mut Overlay,
) -> Result<usize, EvidenceError> {
    let mut cancelled = Cancelled::new();
    committed(log, head, &mut |transaction| {
        for item in transaction.items.iter().filter(|item| item.kind() == BUFFER) {
            let buffer = BufferItem::parse(item)?;
            if buffer.is_cancel() {
                let times = cancelled.entry(buffer.key()).or_default();
                *times = times.saturating_add(1);
            }
        }
        Ok(())
    })?;
    let mut replay = Replay { superblock, overlay, cancelled, announced: BTreeSet::new() };
    committed(log, head, &mut |transaction| replay.transaction(&transaction))?;
    Ok(replay.announced.len())
}

/// A replay under way.
struct Replay<'a> {
    superblock: &'a Superblock,
    overlay: &'a mut Overlay,
    cancelled: Cancelled,
    /// What was announced and did not end yet: the kind of its end, and its identifier.
    announced: BTreeSet<(u16, u64)>,
}

impl Replay<'_> {
    /// Buffers first, then inodes, which lie in them; what a buffer gives up holds from then on.
    fn transaction(&mut self, transaction: &Transaction) -> Result<(), EvidenceError> {
        let of = |kind: u16| transaction.items.iter().filter(move |item| item.kind() == kind);
        for item in &transaction.items {
            match item.kind() {
                BUFFER => self.buffer(item, transaction.lsn)?,
                INODE_CREATION => {
                    inode_creation::apply(item, self.superblock, &self.cancelled, self.overlay)?;
                }
                _ => self.announce(item)?,
            }
        }
        for item in of(INODE) {
            let inode = inode_item::InodeItem::parse(item)?;
            if !self.cancelled.contains_key(&inode.buffer) {
                inode.apply(self.superblock, transaction.lsn, self.overlay)?;
            }
        }
        for item in of(BUFFER) {
            let buffer = BufferItem::parse(item)?;
            if buffer.is_cancel() {
                self.end_cancel(buffer.key());
            }
        }
        Ok(())
    }

    fn buffer(&mut self, item: &Item, lsn: u64) -> Result<(), EvidenceError> {
        let buffer = BufferItem::parse(item)?;
        let is_skipped = buffer.is_cancel()
            || !buffer.concerns_files()
            || self.cancelled.contains_key(&buffer.key());
        if is_skipped { Ok(()) } else { buffer.apply(self.superblock, lsn, self.overlay) }
    }

    fn end_cancel(&mut self, key: (u64, u64)) {
        if let Some(times) = self.cancelled.get_mut(&key) {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.cancelled.remove(&key);
            }
        }
    }

    fn announce(&mut self, item: &Item) -> Result<(), EvidenceError> {
        let kind = item.kind();
        if let Some(position) = ANNOUNCEMENTS.iter().position(|known| *known == kind) {
            let end = ENDS.get(position).copied().unwrap_or_default();
            self.announced.insert((end, item.description().le64(8)?));
        } else if ENDS.contains(&kind) {
            self.announced.remove(&(kind, item.description().le64(8)?));
        }
        Ok(())
    }
}
