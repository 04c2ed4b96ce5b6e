//! The two ends of the log: the head, where writing stopped, and the tail, the first record that may
//! not be on the disk.

use super::blocks::{BLOCK, LogBlocks, cycle};
use super::record::{MAGIC, Record};
use crate::EvidenceError;
use crate::fields::Fields;

/// Blocks before the head that can be written in any order: eight records of 256 KiB.
const WINDOW: u64 = 8 * 520;
/// Records that were being written at the same time, and the one before them.
const MAX_RECORDS: usize = 9;
/// An operation that says that the file system was unmounted.
const UNMOUNT: u8 = 0x20;

/// What there is to replay.
#[derive(Debug)]
pub(super) struct Head {
    /// First block of the first record to replay.
    pub(super) tail: u64,
    /// Blocks from there to the end of the last whole record.
    pub(super) blocks: u64,
    /// Whether the file system was unmounted, so that there is nothing to replay.
    pub(super) is_clean: bool,
}

/// Finds both ends.
pub(super) fn find(log: &LogBlocks) -> Result<Head, EvidenceError> {
    let window = Window::before_head(log)?;
    let last = window.last_whole_record(log)?;
    let tail = last.tail_lsn & u64::from(u32::MAX);
    if tail >= log.count {
        return Err(EvidenceError::Malformed {
            what: "XFS log record",
            at: log.offset(last.block),
            need: format!("a tail below block {}", log.count),
            have: tail.to_string(),
        });
    }
    let to_last = log.after(last.block, log.count.saturating_sub(tail));
    let blocks = to_last.saturating_add(last.blocks());
    Ok(Head { tail, blocks, is_clean: is_unmount(log, &last)? })
}

/// The first block that was not written in the round of the first block; the number of blocks when
/// all were.
fn first_of_older_round(log: &LogBlocks, newest: u32) -> Result<u64, EvidenceError> {
    let (mut newer, mut older) = (0_u64, log.count);
    while newer.saturating_add(1) < older {
        let middle = newer.midpoint(older);
        if log.cycle(middle)? == newest {
            newer = middle;
        } else {
            older = middle;
        }
    }
    Ok(older)
}

/// The blocks that were written last.
struct Window {
    /// Number of the first of them.
    start: u64,
    /// The block after the last of them; what stands from there is of the round before.
    head: u64,
    /// The round of the last of them.
    newest: u32,
    bytes: Vec<u8>,
}

impl Window {
    fn before_head(log: &LogBlocks) -> Result<Window, EvidenceError> {
        let newest = log.cycle(0)?;
        let head = first_of_older_round(log, newest)?;
        let count = WINDOW.min(log.count);
        let start = log.after(head, log.count.saturating_sub(count));
        Ok(Window { start, head, newest, bytes: log.read(start, count)? })
    }

    /// The last record before which nothing is missing or torn.
    fn last_whole_record(&self, log: &LogBlocks) -> Result<Record, EvidenceError> {
        let (positions, end) = self.headers(log)?;
        let mut last = None;
        for position in positions {
            let record = Record::read(log, log.after(self.start, position));
            match record.and_then(|record| record.content(log).map(|_| record)) {
                Err(error @ EvidenceError::Unsupported(_)) => return Err(error),
                Ok(record) if position.saturating_add(record.blocks()) <= end => {
                    last = Some(record);
                }
                Ok(_) | Err(_) => break,
            }
        }
        last.ok_or_else(|| EvidenceError::Malformed {
            what: "XFS log",
            at: log.offset(self.start),
            need: "a whole record before its end".to_string(),
            have: "none".to_string(),
        })
    }

    /// Where the last records begin, counted from the start, and where the first block stands that
    /// should have been written and was not.
    fn headers(&self, log: &LogBlocks) -> Result<(Vec<u64>, u64), EvidenceError> {
        let mut positions = Vec::new();
        let mut end = 0_u64;
        for block in self.bytes.chunks(BLOCK) {
            let is_of_newest = log.after(self.start, end) < self.head;
            let round = self.newest.saturating_sub(u32::from(!is_of_newest));
            if cycle(block)?.checked_add(1) == Some(round) {
                break;
            }
            if block.first_chunk() == Some(&MAGIC.to_be_bytes()) {
                positions.push(end);
            }
            end = end.saturating_add(1);
        }
        let old = positions.len().saturating_sub(MAX_RECORDS);
        Ok((positions.split_off(old), end))
    }
}

fn is_unmount(log: &LogBlocks, record: &Record) -> Result<bool, EvidenceError> {
    let content = record.content(log)?;
    let operation = Fields::new("XFS log operation", log.offset(record.block), &content);
    Ok(record.operations == 1 && operation.u8(9)? & UNMOUNT != 0)
}
