//! What containers wrote to their standard streams: the log of the `local` driver with its
//! rotations, and the engine's cache of logs that a driver has sent elsewhere.
//!
//! # Who writes it, and how
//!
//! The engine, while the container runs: `containers/<id>/local-logs/container.log` if the driver is
//! `local`; if it is one that cannot be read back (`syslog`, `fluentd`, `gelf`, `awslogs`, …), since
//! 20.10 a copy in the same form, `containers/<id>/container-cached.log`. So what was logged to another
//! host is here too, the last 100 MB of it by default. Neither is named by `LogPath`.
//!
//! An entry is the length of a message, the message and the length again, lengths in four bytes,
//! big endian ([`frame`]); the message is a `LogEntry` of Protocol Buffers ([`entry`]). There is no
//! header, no line break and no checksum.
//!
//! - The time is when the engine read the end of the line, in nanoseconds since 1970.
//! - The text is what the program wrote, byte by byte, without its line break.
//! - A line beyond the engine's buffer of 16,384 bytes becomes several entries that share the first's
//!   time, an id and ordinals from 1; the last says that it is. The other stream's entries stand
//!   between them, and so may the border of a rotation: they are joined by the id. Entries are thus not
//!   in the order of time.
//! - `attrs`, what the log options `labels`, `env` and `tag` add, since 29.5.
//! - By default the log is rotated at 20 MB, five files are kept, and older ones are compressed: `.1.gz`
//!   is newer than `.2.gz`. The gzip header carries bare JSON, `{"lastTime":"…"}`.
//!
//! # Events
//!
//! One for each message, at its time, `Content Modification Time`, `recorded`, at the offset of its
//! first entry in its own file; in a compressed file, in the content. Bytes that are not UTF-8 are
//! shown as `\xNN`, and `escaped_bytes` says so. A message of several entries has `pieces`; one of which
//! the beginning was rotated away, or the end is not there, is `incomplete`.
//!
//! # What is wrong with a log
//!
//! Every byte is accounted for. Where an entry should begin and none does (a torn tail, a wrong
//! length, NUL bytes), the next entry is searched for, and one issue says how many bytes were skipped.
//! An entry whose lengths agree but whose message cannot be read, or has no time, is lost to an issue of
//! its own. Limits: an entry of 1 MiB; 64 messages and 4 MiB of text may wait for their ends.
//!
//! Not supported: what other drivers wrote elsewhere, and plugins' own files.

mod entry;
mod frame;
mod join;

use crate::formats::attributes::Attributes;
use crate::formats::log_text;
use crate::formats::rotated_log::window::{Window, wide};
use crate::formats::rotated_log::{Chain, NUMBERED, Part, Spot};
use crate::inventory::REMOVED_CONTAINER;
use crate::{Artifact, Gather, Inventory, Parser};
use dockline_timeline::{Event, Findings, Issue, IssueKind, Kind, Meaning, Position, Subject};
use entry::Entry;
use frame::{Frame, frame};
use join::{Joiner, Message};
use std::borrow::Cow;
use std::sync::Arc;

/// `container.log` and `container-cached.log` and their rotations.
pub(super) static PARSER: Parser = Parser {
    name: "docker.local_log",
    reads: &[
        "containers/{container:id}/local-logs/container.log{rotation*}",
        "containers/{container:id}/container-cached.log{rotation*}",
    ],
    gather: Gather::Together,
    about: "log of a container, written by the local driver or kept of a remote one, with its rotations",
    yields: "one event for each message, long lines joined from their pieces",
    references: &[
        "moby 18.09 to 29: daemon/logger/local",
        "moby 20.10 to 29: daemon/logger/loggerutils/cache",
        "moby 18.09 to 28: api/types/plugins/logdriver/entry.proto",
        "moby 29: daemon/logger/internal/logdriver/entry.proto",
    ],
    parse,
};

/// What all events of a log are.
const KIND: Kind = Kind {
    data_type: "docker:container:log:entry",
    source_short: "DOCKER",
    source_long: "Docker container log",
};

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let id = artifact.capture("container");
    let subject = id.map_or(Subject::UNKNOWN, |id| inventory.container_subject(id));
    let is_removed = id.is_some_and(|id| inventory.is_removed(id));
    let chain = Chain::open(artifact, &NUMBERED, findings);
    let mut reading = Reading { chain: &chain, subject, is_removed, findings };
    let mut joiner = Joiner::default();
    for (file, part) in chain.parts.iter().enumerate() {
        reading.file((file, part), &mut joiner);
    }
    joiner.close(&mut |message| reading.message(message));
}

/// The reading of a log, file by file.
struct Reading<'l, 'f> {
    chain: &'l Chain,
    subject: Subject,
    is_removed: bool,
    findings: &'f mut dyn Findings,
}

/// Where a reading stands in a file, and what it counts there.
struct Progress<'l> {
    part: &'l Part,
    spot: Spot,
    records: u64,
    bytes: u64,
    lost: Lost,
}

/// Bytes behind each other that no entry is made of.
#[derive(Clone, Copy, Debug, Default)]
struct Lost {
    start: u64,
    bytes: u64,
    has_content: bool,
}

impl Reading<'_, '_> {
    fn file(&mut self, (file, part): (usize, &Part), joiner: &mut Joiner) {
        if part.follows_loss {
            joiner.close(&mut |message| self.message(message));
        }
        let spot = Spot { file, offset: 0, place: part.start };
        let mut at = Progress { part, spot, records: 0, bytes: 0, lost: Lost::default() };
        let mut window = Window::new(&*part.bytes, 0, part.bytes.len());
        while window.offset() < part.bytes.len() {
            let offset = window.offset();
            at.spot = Spot { file, offset, place: part.start.saturating_add(offset) };
            let used = match frame(window.view(), window.is_at_end(), at.lost.bytes > 0) {
                Frame::Entry(message, used) => {
                    self.entry(&mut at, (message, used), joiner);
                    used
                }
                Frame::Damage(damage) => {
                    at.lost.add(offset, damage);
                    damage.len()
                }
                Frame::More => 0,
            };
            window.forward(used);
            if used == 0
                && let Err(error) = window.grow()
            {
                let left = part.bytes.len().saturating_sub(offset);
                let what = format!("{left} bytes from here cannot be read: {error}");
                self.issue(&at, (IssueKind::Unreadable, what), (0, left));
                break;
            }
        }
        self.tell_lost(&mut at);
        if at.bytes > 0 {
            self.findings.records(&part.origin, at.records, at.bytes);
        }
    }

    /// Takes an entry, which covers `used` bytes.
    fn entry(&mut self, at: &mut Progress<'_>, found: (&[u8], usize), joiner: &mut Joiner) {
        self.tell_lost(at);
        let (message, used) = found;
        let entry = match Entry::parse(message) {
            Ok(entry) => entry,
            Err(why) => return self.lose(at, used, &why),
        };
        let Some(time) = entry.time else { return self.lose(at, used, "it has no time") };
        at.records = at.records.saturating_add(1);
        at.bytes = at.bytes.saturating_add(wide(used));
        joiner.entry((at.spot, time), &entry, &mut |message| self.message(message));
    }

    fn lose(&mut self, at: &Progress<'_>, used: usize, why: &str) {
        let what = format!("entry of {used} bytes: {why}");
        self.issue(at, (IssueKind::Malformed, what), (1, wide(used)));
    }

    fn tell_lost(&mut self, at: &mut Progress<'_>) {
        let Lost { start, bytes, has_content } = std::mem::take(&mut at.lost);
        if bytes == 0 {
            return;
        }
        let what = if has_content {
            format!("{bytes} bytes that are no entry, as after a write that was cut off")
        } else {
            format!("run of {bytes} NUL bytes, as after a crash")
        };
        let place = at.part.origin.at(Position::Offset(start));
        self.findings.issue(Issue::new(IssueKind::Malformed, place, what).losing(0, bytes));
    }

    fn issue(
        &mut self,
        at: &Progress<'_>,
        (kind, what): (IssueKind, String),
        (records, bytes): (u64, u64),
    ) {
        let place = at.part.origin.at(Position::Offset(at.spot.offset));
        self.findings.issue(Issue::new(kind, place, what).losing(records, bytes));
    }

    /// Makes an event of a message.
    fn message(&mut self, message: &Message<'_>) {
        let Some(part) = self.chain.parts.get(message.spot.file) else { return };
        let position = Position::Offset(message.spot.offset);
        if message.is_cut {
            let what = "message let out before its end, since too many or too long ones wait";
            self.findings.issue(Issue::new(
                IssueKind::LimitReached,
                part.origin.at(position.clone()),
                what,
            ));
        }
        let when = (message.time, Meaning::ContentModification);
        let mut event = Event::new(&part.origin, &KIND, &self.subject, when);
        let mut buffer = String::new();
        let (text, has_escaped_bytes) = log_text::shown(message.text, &mut buffer);
        event.text = text.into();
        event.position = position;
        event.action = "log";
        event.log_source = Some(message.source).filter(|source| !source.is_empty());
        event.tags.extend(self.is_removed.then_some(Cow::Borrowed(REMOVED_CONTAINER)));
        let mut attributes = Attributes::default();
        attributes.texts("log_attributes", message.attributes);
        let pieces = i64::try_from(message.pieces).ok().filter(|pieces| *pieces > 1);
        attributes.integer("pieces", pieces);
        attributes.flag("incomplete", message.is_incomplete);
        attributes.flag("escaped_bytes", has_escaped_bytes);
        event.attributes = attributes.into_vec();
        self.findings.event(&event);
    }
}

impl Lost {
    fn add(&mut self, offset: u64, damage: &[u8]) {
        if self.bytes == 0 {
            self.start = offset;
        }
        self.bytes = self.bytes.saturating_add(wide(damage.len()));
        self.has_content |= damage.iter().any(|byte| *byte != 0);
    }
}

#[cfg(test)]
mod tests;
