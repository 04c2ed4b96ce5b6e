//! What the systemd journal holds of containers.
//!
//! systemd-journald writes it: `/var/log/journal/<machine id>/system.journal`, one file for each user, and
//! rotated ones (`system@...journal`; `.journal~` after a crash); on a host without that directory
//! in `/run`, which is lost. Docker removes nothing from it with `docker rm`: it is the best record of
//! containers that are gone. After systemd 257; moby 20.10.27 and 29.7 `daemon/logger/journald`; Podman
//! 4.3 `libpod/events/journal_linux.go`; conmon 2.1 `src/ctr_logging.c`.
//!
//! | entry | event |
//! |---|---|
//! | with `CONTAINER_ID_FULL`: a line of a container, by the log driver `journald` or by conmon | `log`; long lines joined from their pieces |
//! | with `PODMAN_EVENT`: an event of Podman | the same event, at `PODMAN_TIME` |
//! | a message of an engine's daemon, or of systemd or the kernel about containers | as [`crate::formats::daemon_message`] says |
//! | any other | none: counted as not about containers |
//!
//! The time of a line is that which the log driver recorded (`SYSLOG_TIMESTAMP`, since 24.0), else
//! that of its sender, else when journald took it. An entry behind the last one that the header knows
//! of is tagged `recovered`. Limits: those of [`crate::formats::journal`]; 256 lines whose pieces are
//! open at once, 4 MiB of a line.

mod pieces;
mod podman_event;

use super::container_line::ContainerLine;
use crate::formats::daemon_message::{Message, Messages, When, concerns};
use crate::formats::journal::{Entry, Flaw, Journal};
use crate::formats::log_text::shown;
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{Findings, Instant, IssueKind, Position, Subject};
use pieces::{Line, Pieces};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "host.journal",
    reads: &[
        "journal/{machine}/{name}.journal",
        "journal/{machine}/{name}.journal~",
        "system.journal",
        "system@{name}.journal",
        "system@{name}.journal~",
        "user-{name}.journal",
        "user-{name}.journal~",
    ],
    gather: Gather::File,
    about: "the systemd journal: messages of engines, lines of containers, events of Podman",
    yields: "what host.daemon_log yields; one event for each line of a container; each event that Podman recorded",
    references: &[
        "systemd 257 src/libsystemd/sd-journal/journal-def.h, journal-file.c",
        "moby 20.10.27 and 29.7 daemon/logger/journald",
        "podman 4.3 libpod/events/journal_linux.go",
        "conmon 2.1 src/ctr_logging.c",
    ],
    parse,
};

/// Fields that are read besides those of Podman and of containers.
const FIELDS: &[&str] = &[
    "MESSAGE",
    "SYSLOG_IDENTIFIER",
    "SYSLOG_TIMESTAMP",
    "IMAGE_NAME",
    "PRIORITY",
    "_COMM",
    "_PID",
    "_SOURCE_REALTIME_TIMESTAMP",
    "_TRANSPORT",
    "_SYSTEMD_UNIT",
    "_SYSTEMD_USER_UNIT",
];

fn is_wanted(name: &str) -> bool {
    FIELDS.contains(&name) || name.starts_with("CONTAINER_") || name.starts_with("PODMAN_")
}

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let Some(bytes) = artifact.open(file, findings) else { continue };
        let journal = match Journal::open(&*bytes, &is_wanted) {
            Ok(journal) => journal,
            Err(flaw) => {
                findings.issue(issue(file, &flaw).losing(0, bytes.len()));
                continue;
            }
        };
        let mut reading = Reading {
            file,
            inventory,
            messages: Messages::new(inventory),
            pieces: Pieces::default(),
            records: 0,
            bytes: 0,
            unconcerned: 0,
        };
        let flaws = journal.entries(&mut |entry| reading.entry(entry, findings));
        reading.finish(findings);
        for flaw in flaws {
            findings.issue(issue(file, &flaw).losing(0, flaw.lost_bytes));
        }
    }
}

fn issue(file: &ArtifactFile, flaw: &Flaw) -> dockline_timeline::Issue {
    file.issue(flaw.kind, Position::Offset(flaw.at), flaw.what.clone())
}

/// A journal that is being read.
struct Reading<'a> {
    file: &'a ArtifactFile,
    inventory: &'a Inventory,
    messages: Messages<'a>,
    /// Lines of containers of which not all pieces have come.
    pieces: Pieces,
    records: u64,
    bytes: u64,
    /// Entries that are not about containers.
    unconcerned: u64,
}

impl Reading<'_> {
    fn entry(&mut self, entry: &Entry, findings: &mut dyn Findings) {
        let Some(when) = time_of(entry) else {
            let what =
                format!("entry at {} microseconds since 1970, which is no time", entry.realtime);
            let issue = self.file.issue(IssueKind::Malformed, Position::Offset(entry.at), what);
            return findings.issue(issue.losing(1, entry.size));
        };
        self.records = self.records.saturating_add(1);
        self.bytes = self.bytes.saturating_add(entry.size);
        if entry.field("CONTAINER_ID_FULL").is_some() {
            return self.container_line(entry, when, findings);
        }
        if entry.field("PODMAN_EVENT").is_some() {
            return podman_event::tell((self.file, entry), when, self.inventory, findings);
        }
        let mut buffer = String::new();
        let (message, _) = shown(entry.field("MESSAGE").unwrap_or_default(), &mut buffer);
        let program = program(entry);
        if !concerns(&program, message) {
            self.unconcerned = self.unconcerned.saturating_add(1);
            return;
        }
        let message = Message {
            program: &program,
            pid: text(entry, "_PID").and_then(|pid| pid.parse().ok()),
            text: message,
            position: Position::Offset(entry.at),
            around: Some(when),
            is_recovered: entry.beyond_tail,
        };
        self.messages.tell(&self.file.origin, &message, findings);
    }

    /// A line of a container, or a piece of one.
    fn container_line(&mut self, entry: &Entry, when: When, findings: &mut dyn Findings) {
        for line in self.pieces.take(entry, when) {
            self.tell(&line, findings);
        }
    }

    fn tell(&self, line: &Line, findings: &mut dyn Findings) {
        let mut buffer = String::new();
        let (text, _) = shown(&line.text, &mut buffer);
        let at = Position::Offset(line.at);
        let origin = &self.file.origin;
        if line.is_cut {
            let what = format!("line of a container cut after {} bytes", line.text.len());
            findings.issue(self.file.issue(IssueKind::LimitReached, at.clone(), what));
        }
        let known = self.inventory.container_subject(&line.container);
        let event = ContainerLine {
            subject: Subject {
                container_name: known.container_name.or_else(|| line.name.clone()),
                image_name: known.image_name.or_else(|| line.image.clone()),
                ..known
            },
            program: &line.tag,
            stream: Some(line.stream),
            is_podman: line.is_podman,
            pieces: line.pieces,
            is_incomplete: line.is_incomplete,
            is_recovered: line.is_recovered,
            position: at,
            when: line.when,
            text,
        };
        event.tell(origin, self.inventory, findings);
    }

    fn finish(mut self, findings: &mut dyn Findings) {
        for line in self.pieces.rest() {
            self.tell(&line, findings);
        }
        findings.records(&self.file.origin, self.records, self.bytes);
        findings.unconcerned(&self.file.origin, self.unconcerned);
    }
}

/// Who wrote an entry.
fn program(entry: &Entry) -> String {
    let identifier = text(entry, "SYSLOG_IDENTIFIER").or_else(|| text(entry, "_COMM"));
    let kernel = || (text(entry, "_TRANSPORT") == Some("kernel")).then_some("kernel");
    // A unit may start its daemon under any name.
    let unit = || match text(entry, "_SYSTEMD_UNIT").or_else(|| text(entry, "_SYSTEMD_USER_UNIT")) {
        Some("docker.service") => Some("dockerd"),
        Some("containerd.service") => Some("containerd"),
        Some("crio.service") => Some("crio"),
        Some("kubelet.service") => Some("kubelet"),
        _ => None,
    };
    kernel().or_else(unit).or(identifier).unwrap_or_default().to_owned()
}

/// When an entry was written.
fn time_of(entry: &Entry) -> Option<When> {
    if let Some(time) = text(entry, "SYSLOG_TIMESTAMP") {
        // Of the log driver in RFC 3339; of syslog's own protocol without a year.
        if let Ok(Some(instant)) = Instant::parse_rfc3339(time.trim()) {
            return Some(When::recorded(instant));
        }
    }
    let sender = text(entry, "_SOURCE_REALTIME_TIMESTAMP").and_then(|time| time.parse().ok());
    instant(sender.unwrap_or(entry.realtime))
        .or_else(|| instant(entry.realtime))
        .map(When::recorded)
}

fn instant(microseconds: u64) -> Option<Instant> {
    let seconds = i64::try_from(microseconds / 1_000_000).ok()?;
    let fraction = u32::try_from(microseconds % 1_000_000).ok()?;
    Instant::new(seconds, fraction.saturating_mul(1_000)).filter(|_| microseconds > 0)
}

/// The text of a field.
fn text<'e>(entry: &'e Entry, name: &str) -> Option<&'e str> {
    std::str::from_utf8(entry.field(name)?).ok().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
