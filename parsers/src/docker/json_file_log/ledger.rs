//! Accounts for every byte and record of a log, and tells what is wrong.
//!
//! `records` covers each record that could be read whole, with the line breaks and spaces behind
//! it; every other byte is lost to one issue.

use super::chain::{Chain, Spot};
use super::record::Record;
use super::token::{Damage, LINE_LIMIT};
use super::window::wide;
use dockline_timeline::{Findings, Issue, IssueKind, Origin, Position};
use std::io;

/// Accounts for one reading.
pub(super) struct Ledger<'c> {
    chain: &'c Chain,
    file: usize,
    records: u64,
    bytes: u64,
    /// Whether a record stands before on the same line.
    is_behind_record: bool,
    /// Damage that may go on in the next token.
    pending: Option<Pending>,
}

#[derive(Clone, Copy)]
struct Pending {
    spot: Spot,
    damage: Damage,
    length: u64,
}

/// What is wrong, and what it cost.
struct Loss {
    kind: IssueKind,
    what: String,
    records: u64,
    bytes: u64,
}

impl Loss {
    fn none(what: impl Into<String>) -> Loss {
        Loss { kind: IssueKind::Malformed, what: what.into(), records: 0, bytes: 0 }
    }
}

impl<'c> Ledger<'c> {
    pub(super) fn new(chain: &'c Chain) -> Ledger<'c> {
        Ledger { chain, file: 0, records: 0, bytes: 0, is_behind_record: false, pending: None }
    }

    /// A record that was read, and covers `used` bytes with its line break.
    pub(super) fn record(
        &mut self,
        spot: Spot,
        (record, used): (&Record<'_>, usize),
        findings: &mut dyn Findings,
    ) {
        self.begin(spot, findings);
        if self.is_behind_record {
            let what = "a record on the line of another, as after a write that was cut off";
            self.tell(spot, Loss::none(what), findings);
        }
        self.is_behind_record = used == record.length;
        if let Err(why) = &record.time {
            let loss = Loss { records: 1, bytes: wide(used), ..Loss::none(why.as_str()) };
            self.tell(spot, loss, findings);
            return;
        }
        if !record.blemishes.is_empty() {
            let what = format!("record with {}", record.blemishes.words());
            self.tell(spot, Loss::none(what), findings);
        }
        self.records = self.records.saturating_add(1);
        self.bytes = self.bytes.saturating_add(wide(used));
    }

    /// Line breaks and spaces.
    pub(super) fn separators(
        &mut self,
        spot: Spot,
        (length, has_line_break): (usize, bool),
        findings: &mut dyn Findings,
    ) {
        self.begin(spot, findings);
        self.is_behind_record &= !has_line_break;
        self.bytes = self.bytes.saturating_add(wide(length));
    }

    /// Bytes that no record is made of.
    pub(super) fn damage(
        &mut self,
        spot: Spot,
        (damage, length): (Damage, usize),
        findings: &mut dyn Findings,
    ) {
        let length = wide(length);
        if let Some(pending) = &mut self.pending
            && pending.damage == damage
            && !matches!(damage, Damage::Torn { .. })
            && pending.spot.file == spot.file
            && pending.spot.offset.saturating_add(pending.length) == spot.offset
        {
            pending.length = pending.length.saturating_add(length);
            return;
        }
        self.begin(spot, findings);
        self.is_behind_record = false;
        self.pending = Some(Pending { spot, damage, length });
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
        let kind = IssueKind::Unreadable;
        self.tell(spot, Loss { kind, what, records: 0, bytes: length }, findings);
    }

    /// Tells the last numbers.
    pub(super) fn finish(&mut self, findings: &mut dyn Findings) {
        self.tell_pending(findings);
        if let Some(origin) = self.origin(self.file).filter(|_| self.bytes > 0) {
            findings.records(origin, self.records, self.bytes);
        }
        (self.records, self.bytes) = (0, 0);
    }

    fn begin(&mut self, spot: Spot, findings: &mut dyn Findings) {
        if self.pending.is_some() {
            self.tell_pending(findings);
        }
        if spot.file != self.file {
            self.finish(findings);
            self.file = spot.file;
            self.is_behind_record = false;
        }
    }

    fn tell_pending(&mut self, findings: &mut dyn Findings) {
        let Some(Pending { spot, damage, length }) = self.pending.take() else { return };
        let (kind, records, what) = match damage {
            Damage::Nuls => {
                let what = format!("run of {length} NUL bytes, as after a crash");
                (IssueKind::Malformed, 0, what)
            }
            Damage::TooLong => {
                let what = format!("{length} bytes of a line longer than {LINE_LIMIT} bytes");
                (IssueKind::LimitReached, 1, what)
            }
            Damage::Torn { fault, records } => {
                let what = match wide(fault.at) {
                    0 => format!("{length} bytes that are no record"),
                    at if at < length => {
                        let place = spot.offset.saturating_add(at);
                        format!("torn record of {length} bytes, wrong at offset {place}")
                    }
                    _ => format!("torn record of {length} bytes"),
                };
                (IssueKind::Malformed, records, what)
            }
        };
        self.tell(spot, Loss { kind, what, records, bytes: length }, findings);
    }

    fn tell(&self, spot: Spot, loss: Loss, findings: &mut dyn Findings) {
        let Some(origin) = self.origin(spot.file) else { return };
        let place = origin.at(Position::Offset(spot.offset));
        let issue = Issue::new(loss.kind, place, loss.what);
        findings.issue(issue.losing(loss.records, loss.bytes));
    }

    fn origin(&self, file: usize) -> Option<&'c Origin> {
        self.chain.parts.get(file).map(|part| &*part.origin)
    }
}
