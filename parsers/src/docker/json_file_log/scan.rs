//! The reading of a stretch of a log into messages.

use super::chain::{Chain, Spot};
use super::join::{Entry, Joiner, Messages};
use super::ledger::Ledger;
use super::read::{Visit, read};
use super::record::Record;
use super::token::Damage;
use dockline_timeline::Findings;
use std::io;
use std::ops::Range;

/// Takes the messages of a reading, and knows where to tell what is wrong.
pub(super) trait Sink: Messages {
    /// Where issues and counts go.
    fn findings(&mut self) -> &mut dyn Findings;
}

/// Reads the messages that begin in `range` and tells what is wrong there. The range begins and
/// ends where no message is open.
pub(super) fn scan(chain: &Chain, range: &Range<u64>, sink: &mut impl Sink) {
    let mut ledger = Ledger::new(chain);
    let mut scan = Scan { joiner: Joiner::default(), ledger: Some(&mut ledger), sink };
    read(chain, range, &mut scan);
    scan.joiner.close(scan.sink);
    ledger.finish(sink.findings());
}

/// Reads the same messages once more, and nothing else.
pub(super) fn scan_again(chain: &Chain, range: &Range<u64>, sink: &mut impl Sink) {
    let mut scan = Scan { joiner: Joiner::default(), ledger: None, sink };
    read(chain, range, &mut scan);
    scan.joiner.close(scan.sink);
}

struct Scan<'s, 'c, S> {
    joiner: Joiner,
    ledger: Option<&'s mut Ledger<'c>>,
    sink: &'s mut S,
}

impl<S: Sink> Visit for Scan<'_, '_, S> {
    fn record(&mut self, spot: Spot, record: &Record<'_>, used: usize) {
        if let Some(ledger) = &mut self.ledger {
            ledger.record(spot, (record, used), self.sink.findings());
        }
        match record.time {
            Ok(time) => self.joiner.record(&Entry { spot, time, record, used }, self.sink),
            Err(_) => self.joiner.close(self.sink),
        }
    }

    fn damage(&mut self, spot: Spot, damage: Damage, length: usize) {
        if let Some(ledger) = &mut self.ledger {
            ledger.damage(spot, (damage, length), self.sink.findings());
        }
        self.joiner.close(self.sink);
    }

    fn separators(&mut self, spot: Spot, length: usize, has_line_break: bool) {
        if let Some(ledger) = &mut self.ledger {
            ledger.separators(spot, (length, has_line_break), self.sink.findings());
        }
    }

    fn unreadable(&mut self, spot: Spot, length: u64, error: &io::Error) {
        if let Some(ledger) = &mut self.ledger {
            ledger.unreadable(spot, (length, error), self.sink.findings());
        }
        self.joiner.close(self.sink);
    }
}
