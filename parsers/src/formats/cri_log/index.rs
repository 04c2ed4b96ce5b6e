//! The index of a large log: where its messages lie in time, block by block, so that the log itself
//! need not be held.

use super::CriLog;
use super::entry::Events;
use super::join::{Message, Messages};
use super::scan::{Sink, scan, scan_again};
use dockline_timeline::{Block, Findings, Key, Strand};
use std::ops::Range;
use std::sync::Arc;

/// Reads `range` of the log, tells what is wrong there, and leaves its events in blocks of about
/// `block_size` bytes.
pub(super) fn index(
    log: &Arc<CriLog>,
    range: Range<u64>,
    block_size: u64,
    findings: &mut dyn Findings,
) {
    let (start, bounds) = (range.start, None);
    let (blocks, ranges) = (Vec::new(), Vec::new());
    let mut indexer = Indexer { log, findings, block_size, start, bounds, blocks, ranges };
    scan(&log.chain, &range, &mut indexer);
    indexer.end_block(range.end);
    let Indexer { blocks, ranges, findings, .. } = indexer;
    if !blocks.is_empty() {
        findings.strand(Box::new(LogStrand { log: log.clone(), blocks, ranges }));
    }
}

/// Messages of a log that stay in it.
struct LogStrand {
    log: Arc<CriLog>,
    blocks: Vec<Block>,
    /// Where each block lies.
    ranges: Vec<Range<u64>>,
}

impl Strand for LogStrand {
    fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    fn emit(&self, block: usize, findings: &mut dyn Findings) {
        let Some(range) = self.ranges.get(block) else { return };
        scan_again(&self.log.chain, range, &mut Events::new(&self.log, findings));
    }
}

/// Finds the bounds of blocks.
struct Indexer<'l, 'f> {
    log: &'l CriLog,
    findings: &'f mut dyn Findings,
    block_size: u64,
    /// Where the current block begins.
    start: u64,
    /// First and last key in it, and the number of its events.
    bounds: Option<(Key, Key, u64)>,
    blocks: Vec<Block>,
    ranges: Vec<Range<u64>>,
}

impl Indexer<'_, '_> {
    fn end_block(&mut self, end: u64) {
        let Some((first, last, events)) = self.bounds.take() else { return };
        let size = end.saturating_sub(self.start);
        self.blocks.push(Block { first, last, size, events });
        self.ranges.push(self.start..end);
        self.start = end;
    }
}

impl Messages for Indexer<'_, '_> {
    fn message(&mut self, message: &Message<'_>) {
        self.log.tell_cut(message, self.findings);
        let Some(key) = self.log.key(message) else { return };
        self.bounds = Some(match self.bounds {
            None => (key, key, 1),
            Some((first, last, events)) => {
                (first.min(key), last.max(key), events.saturating_add(1))
            }
        });
    }

    fn border(&mut self, place: u64) {
        if place.saturating_sub(self.start) >= self.block_size {
            self.end_block(place);
        }
    }
}

impl Sink for Indexer<'_, '_> {
    fn findings(&mut self) -> &mut dyn Findings {
        self.findings
    }
}
