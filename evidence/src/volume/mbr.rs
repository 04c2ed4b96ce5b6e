//! The partition table of a master boot record: four entries at byte 446, and the chain of extended
//! boot records (EBR) in which the logical partitions stand. Written by every installer since
//! DOS 3.3. Sectors are taken to be 512 bytes; a table of another sector size cannot be told.
//!
//! Entries are believed as the Linux kernel believes them (`block/partitions/msdos.c`, 6.12): the
//! status byte of all four is 00h or 80h, and in an EBR any entry that is not extended is a
//! partition, relative to the EBR, while the first extended one, relative to the outermost extended
//! partition, is the way to the next. Slices within a partition (BSD, Solaris) are not read.

use super::{Partition, Table, malformed};
use crate::ReadAt;
use crate::fields::{Fields, read_exact};
use crate::file_system::Flaw;
use dockline_timeline::IssueKind;
use std::collections::BTreeSet;
use std::sync::Arc;

const SECTOR: u64 = 512;
const SECTOR_BYTES: usize = 512;
/// Extended boot records that are followed from one extended partition.
const MAX_CHAIN: usize = 256;
/// Number of the first logical partition.
const FIRST_LOGICAL: u64 = 5;

/// A master boot record.
pub(super) struct Mbr {
    /// Whether it says that the disk has a GPT.
    pub(super) is_protective: bool,
    /// What it names itself.
    pub(super) table: Table,
}

/// An entry, in sectors.
#[derive(Clone, Copy)]
struct Slot {
    kind: u8,
    start: u64,
    count: u64,
}

impl Slot {
    fn is_used(self) -> bool {
        self.kind != 0 && self.count != 0
    }

    fn is_extended(self) -> bool {
        matches!(self.kind, 0x05 | 0x0f | 0x85)
    }

    fn is_protective(self) -> bool {
        self.kind == 0xee
    }
}

/// The table in the first sector, if there is one; `is_file_system` tells that a file system seems
/// to begin there, so that the entries have to be beyond doubt.
pub(super) fn read(disk: &Arc<dyn ReadAt>, head: &[u8], is_file_system: bool) -> Option<Mbr> {
    let slots = slots(head)?;
    let sectors = disk.len().div_ceil(SECTOR);
    let begins_inside = |slot: &&Slot| (1..sectors).contains(&slot.start);
    let used = || slots.iter().filter(|slot| slot.is_used());
    let lies_inside = |slot: &Slot| {
        let end = slot.start.saturating_add(slot.count);
        slot.is_protective() || (slot.start > 0 && end <= sectors)
    };
    let is_table =
        used().filter(begins_inside).count() > 0 && (!is_file_system || used().all(lies_inside));
    is_table.then(|| Mbr {
        is_protective: used().any(|slot| slot.is_protective()),
        table: table(disk, signature(head), &slots),
    })
}

/// The four entries of a boot record.
fn slots(sector: &[u8]) -> Option<[Slot; 4]> {
    let sector = Fields::new("MBR", 0, sector);
    if sector.le16(510).ok()? != 0xaa55 {
        return None;
    }
    let slot = |at: usize| {
        let entry = sector.part("MBR entry", at, 16).ok()?;
        let is_status = matches!(entry.u8(0).ok()?, 0 | 0x80);
        let start = u64::from(entry.le32(8).ok()?);
        let count = u64::from(entry.le32(12).ok()?);
        is_status.then_some(Slot { kind: entry.u8(4).ok()?, start, count })
    };
    Some([slot(446)?, slot(462)?, slot(478)?, slot(494)?])
}

/// What identifies the disk, unless it is 0.
fn signature(head: &[u8]) -> Option<u32> {
    Fields::new("MBR", 0, head).le32(440).ok().filter(|signature| *signature != 0)
}

fn table(disk: &Arc<dyn ReadAt>, signature: Option<u32>, slots: &[Slot; 4]) -> Table {
    let mut table = Table { kind: "MBR", partitions: Vec::new(), flaws: Vec::new() };
    let mut logical = FIRST_LOGICAL;
    for (slot, number) in slots.iter().zip(1..).filter(|(slot, _)| slot.is_used()) {
        if slot.is_extended() {
            let found = chain(disk, slot.start, &mut table.flaws);
            for slot in found {
                table.partitions.push(partition(slot, logical, signature));
                logical = logical.saturating_add(1);
            }
        } else if !slot.is_protective() {
            table.partitions.push(partition(*slot, number, signature));
        }
    }
    table
}

fn partition(slot: Slot, number: u64, signature: Option<u32>) -> Partition {
    Partition {
        number,
        start: slot.start.saturating_mul(SECTOR),
        length: slot.count.saturating_mul(SECTOR),
        uuid: signature.map(|signature| format!("{signature:08x}-{number:02x}")),
        label: None,
    }
}

/// The logical partitions of the extended partition that begins at sector `outer`.
fn chain(disk: &Arc<dyn ReadAt>, outer: u64, flaws: &mut Vec<Flaw>) -> Vec<Slot> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut next = Some(outer);
    while let Some(at) = next {
        if !seen.insert(at) {
            flaws.push(malformed(format!("the chain of extended boot records returns to {at}")));
            break;
        }
        if seen.len() > MAX_CHAIN {
            let what = format!("extended boot records: limit of {MAX_CHAIN} reached");
            flaws.push(Flaw { kind: IssueKind::LimitReached, what });
            break;
        }
        let place = at.saturating_mul(SECTOR);
        let sector = read_exact(disk, "extended boot record", place, SECTOR_BYTES);
        let Some(slots) = sector.ok().and_then(|sector| slots(&sector)) else {
            let what = format!("there is no extended boot record at sector {at}");
            flaws.push(malformed(what));
            break;
        };
        let used = || slots.iter().filter(|slot| slot.is_used());
        let inner = used().filter(|slot| !slot.is_extended());
        found.extend(inner.map(|slot| Slot { start: at.saturating_add(slot.start), ..*slot }));
        next = used().find(|slot| slot.is_extended()).map(|slot| outer.saturating_add(slot.start));
    }
    found
}
