//! The reading of a stretch of a log into messages.

use super::join::{Entry, Joiner, Messages};
use super::ledger::{Damage, Ledger};
use super::line::{has_record_after_nuls, parse};
use super::read::{Token, Visit, read};
use crate::formats::rotated_log::{Chain, Spot};
use dockline_timeline::Findings;
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
    run(chain, range, Some(&mut ledger), sink);
    ledger.finish(sink.findings());
}

/// Reads the same messages once more, and nothing else.
pub(super) fn scan_again(chain: &Chain, range: &Range<u64>, sink: &mut impl Sink) {
    run(chain, range, None, sink);
}

fn run<'c>(
    chain: &'c Chain,
    range: &Range<u64>,
    ledger: Option<&mut Ledger<'c>>,
    sink: &mut impl Sink,
) {
    let mut scan = Scan { chain, joiner: Joiner::default(), file: 0, ledger, sink };
    read(chain, range, &mut scan);
    scan.joiner.close(scan.sink);
}

struct Scan<'s, 'c, S> {
    chain: &'c Chain,
    joiner: Joiner,
    file: usize,
    ledger: Option<&'s mut Ledger<'c>>,
    sink: &'s mut S,
}

impl<S: Sink> Visit for Scan<'_, '_, S> {
    fn token(&mut self, spot: Spot, token: &Token<'_>, length: u64) {
        if spot.file != self.file {
            self.file = spot.file;
            if self.chain.parts.get(spot.file).is_some_and(|part| part.follows_loss) {
                self.joiner.close(self.sink);
            }
        }
        match token {
            Token::Line { bytes, is_ended } => self.line(spot, (bytes, *is_ended), length),
            Token::Rest { .. } => self.damage(spot, Damage::Rest, length),
            Token::Nuls => self.damage(spot, Damage::Nuls, length),
            Token::Unreadable(error) => {
                if let Some(ledger) = &mut self.ledger {
                    ledger.unreadable(spot, (length, error), self.sink.findings());
                }
                self.joiner.close(self.sink);
            }
        }
    }
}

impl<S: Sink> Scan<'_, '_, S> {
    fn line(&mut self, spot: Spot, (bytes, is_ended): (&[u8], bool), length: u64) {
        let whole = if is_ended { bytes } else { without_nuls(bytes) };
        let line = match parse(whole) {
            Ok(line) => line,
            Err(fault) => return self.damage(spot, Damage::Bad(fault), length),
        };
        let nuls = bytes.len().saturating_sub(whole.len());
        let covered = length.saturating_sub(u64::try_from(nuls).unwrap_or(u64::MAX));
        if let Some(ledger) = &mut self.ledger {
            ledger.record(spot, covered, self.sink.findings());
            if has_record_after_nuls(line.text) {
                ledger.doubt(spot, self.sink.findings());
            }
        }
        let end = spot.place.saturating_add(length);
        self.joiner.line(&Entry { spot, end, line, is_torn: !is_ended }, self.sink);
        if nuls > 0 {
            let offset = spot.offset.saturating_add(covered);
            let place = spot.place.saturating_add(covered);
            let behind = Spot { offset, place, ..spot };
            self.damage(behind, Damage::Nuls, length.saturating_sub(covered));
        }
    }

    fn damage(&mut self, spot: Spot, damage: Damage, length: u64) {
        if let Some(ledger) = &mut self.ledger {
            ledger.damage(spot, (damage, length), self.sink.findings());
        }
        self.joiner.close(self.sink);
    }
}

/// The bytes without the NUL bytes at their end: what a line has there that a crash has torn.
fn without_nuls(bytes: &[u8]) -> &[u8] {
    let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at.saturating_add(1));
    bytes.get(..length).unwrap_or_default()
}
