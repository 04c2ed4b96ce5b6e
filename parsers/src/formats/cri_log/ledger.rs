//! Accounts for every byte and line of a log, and tells what is wrong.
//!
//! `records` covers each line that could be read, with its line break; every other byte is lost to
//! one issue.

use super::line::Fault;
use super::read::LINE_LIMIT;
use crate::formats::rotated_log::{Chain, Spot};
use dockline_timeline::{Findings, Issue, IssueKind, Position};
use std::io;

/// What is not a record.
#[derive(Clone, Copy, Debug)]
pub(super) enum Damage {
    /// A line that is none.
    Bad(Fault),
    /// A run of NUL bytes: a block that was allocated and never written before a crash.
    Nuls,
    /// What lies behind the first [`LINE_LIMIT`] bytes of a line.
    Rest,
}

/// Accounts for one reading.
pub(super) struct Ledger<'c> {
    chain: &'c Chain,
    file: usize,
    records: u64,
    bytes: u64,
    /// Damage that may go on in the next token.
    pending: Option<Pending>,
}

#[derive(Clone, Copy)]
struct Pending {
    spot: Spot,
    damage: Damage,
    /// Pieces of damage of the same kind: lines, if it is [`Damage::Bad`].
    count: u64,
    length: u64,
}

/// What is wrong, and what it cost.
struct Loss {
    kind: IssueKind,
    what: String,
    records: u64,
    bytes: u64,
}

impl<'c> Ledger<'c> {
    pub(super) fn new(chain: &'c Chain) -> Ledger<'c> {
        Ledger { chain, file: 0, records: 0, bytes: 0, pending: None }
    }

    /// A line that was read, of which `bytes` are covered.
    pub(super) fn record(&mut self, spot: Spot, bytes: u64, findings: &mut dyn Findings) {
        if self.pending.is_some() || spot.file != self.file {
            self.begin(spot, findings);
        }
        self.records = self.records.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Bytes that no record is made of.
    pub(super) fn damage(
        &mut self,
        spot: Spot,
        (damage, length): (Damage, u64),
        findings: &mut dyn Findings,
    ) {
        if let Some(pending) = &mut self.pending
            && std::mem::discriminant(&pending.damage) == std::mem::discriminant(&damage)
            && pending.spot.file == spot.file
            && pending.spot.offset.saturating_add(pending.length) == spot.offset
        {
            pending.count = pending.count.saturating_add(1);
            pending.length = pending.length.saturating_add(length);
            return;
        }
        self.begin(spot, findings);
        self.pending = Some(Pending { spot, damage, count: 1, length });
    }

    /// The rest of a stretch, which cannot be read.
    pub(super) fn unreadable(
        &mut self,
        spot: Spot,
        (length, error): (u64, &io::Error),
        findings: &mut dyn Findings,
    ) {
        self.begin(spot, findings);
        let what = format!("{length} bytes from here cannot be read: {error}");
        let loss = Loss { kind: IssueKind::Unreadable, what, records: 0, bytes: length };
        self.tell(spot, loss, findings);
    }

    /// A record may stand in the text of another.
    pub(super) fn doubt(&mut self, spot: Spot, findings: &mut dyn Findings) {
        let what = "a record follows NUL bytes in the text of this line, as after a crash; it is \
                    shown as text, since a program can write that";
        let (kind, what) = (IssueKind::Malformed, what.to_owned());
        self.tell(spot, Loss { kind, what, records: 0, bytes: 0 }, findings);
    }

    /// Tells the last numbers.
    pub(super) fn finish(&mut self, findings: &mut dyn Findings) {
        self.tell_pending(findings);
        if let Some(part) = self.chain.parts.get(self.file).filter(|_| self.bytes > 0) {
            findings.records(&part.origin, self.records, self.bytes);
        }
        (self.records, self.bytes) = (0, 0);
    }

    fn begin(&mut self, spot: Spot, findings: &mut dyn Findings) {
        self.tell_pending(findings);
        if spot.file != self.file {
            self.finish(findings);
            self.file = spot.file;
        }
    }

    fn tell_pending(&mut self, findings: &mut dyn Findings) {
        let Some(Pending { spot, damage, count, length }) = self.pending.take() else { return };
        let (kind, records, what) = match damage {
            Damage::Nuls => {
                (IssueKind::Malformed, 0, format!("run of {length} NUL bytes, as after a crash"))
            }
            Damage::Rest => {
                let what =
                    format!("{length} bytes of a line left out behind its first {LINE_LIMIT}");
                (IssueKind::LimitReached, 0, what)
            }
            Damage::Bad(fault) => {
                let lines = if count == 1 { "a line".to_owned() } else { format!("{count} lines") };
                let no = if count == 1 { "is no record" } else { "are no records, the first" };
                let what = format!("{lines} of {length} bytes that {no}: {}", fault.words());
                (IssueKind::Malformed, count, what)
            }
        };
        self.tell(spot, Loss { kind, what, records, bytes: length }, findings);
    }

    fn tell(&self, spot: Spot, loss: Loss, findings: &mut dyn Findings) {
        let Some(part) = self.chain.parts.get(spot.file) else { return };
        let place = part.origin.at(Position::Offset(spot.offset));
        let issue = Issue::new(loss.kind, place, loss.what);
        findings.issue(issue.losing(loss.records, loss.bytes));
    }
}
