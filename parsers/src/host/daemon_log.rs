//! What the engines' daemons said: `docker.log`, `containerd.log`, and the messages of engines in
//! syslog, with their rotations, plain or gzip.
//!
//! Who writes it: `docker.log` and `containerd.log` where an init system without a journal
//! collects what a daemon writes to its standard error (Alpine's OpenRC, sysvinit, upstart), one
//! logrus line a message; `syslog`, `messages`, `daemon.log` and `kern.log` where rsyslog or another
//! syslog daemon collects the whole host, also from the journal, and `auth.log`, `secure` for sudo. dockerd has logged an id with every
//! end of a container since 1.12; of a container that was removed (`docker rm`, `--rm`) these lines
//! are often all that is left.
//!
//! | record | event |
//! |---|---|
//! | a message of a daemon | what it means where its wording is known ([`crate::formats::daemon_message`]), else `log` |
//! | a line of a container, by the `syslog` log driver | `log`, as of any other log driver |
//! | a message of systemd or the kernel that names a container or an engine | the same as of a daemon |
//! | any other line of a log of the whole host | none: counted as not about containers |
//!
//! Times are those of the messages, which have an offset. The lines of traditional syslog have
//! neither year nor zone; `clock` says how both are concluded, and such times are `inferred`. A line
//! in a daemon's own file that has no time, such as a stack trace, has that of the line before it.
//!
//! Files are streamed. Limits: a line of 1 MiB. Not supported: rotations compressed with xz, bzip2 or
//! zstd (named in an issue); tags of the `syslog` log driver that hold no id; names of files that a
//! host's own configuration chose.

mod clock;
mod header;

use super::container_line::{self, ContainerLine};
use crate::formats::daemon_message::{Message, Messages, When, concerns};
use crate::formats::lines::{self, LONGEST_LINE, Line};
use crate::formats::log_text::shown;
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use clock::{Clock, Survey};
use dockline_evidence::ReadAt;
use dockline_timeline::{Confidence, Findings, IssueKind, Position};
use header::{Header, Local};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "host.daemon_log",
    reads: &[
        "log/docker.log{rotation*}",
        "log/dockerd.log{rotation*}",
        "log/docker/{daemon}.log{rotation*}",
        "log/upstart/docker.log{rotation*}",
        "log/containerd.log{rotation*}",
        "log/syslog{rotation*}",
        "log/messages{rotation*}",
        "log/daemon.log{rotation*}",
        "log/kern.log{rotation*}",
        "log/auth.log{rotation*}",
        "log/secure{rotation*}",
    ],
    gather: Gather::File,
    about: "logs of dockerd and containerd, and what engines wrote to syslog",
    yields: "daemon started and stopped; containers started, killed, ended; pulls, builds, failures; every other message of an engine; lines of the syslog log driver",
    references: &[
        "moby 20.10.27 and 29.7 daemon, libcontainerd; daemon/logger/syslog",
        "containerd 1.6 and 2.1 runtime/v2, internal/cri",
        "sirupsen/logrus 1.9 text_formatter.go, json_formatter.go",
        "RFC 3164; RFC 5424",
    ],
    parse,
};

const BEFORE: &str = "it has no time of its own; this is that of the line before it";

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let Some(bytes) = artifact.open(file, findings) else { continue };
        let modified = artifact.metadata(file, findings).and_then(|found| found.modified);
        let mut log = Log {
            file,
            own: own_program(file),
            clock: survey(&*bytes).clock(modified),
            messages: Messages::new(inventory),
            inventory,
            last: None,
            read: Counts::default(),
            unconcerned: 0,
            untimed: Counts::default(),
            first_untimed: 0,
        };
        let end = lines::read(&*bytes, &mut |line| log.line(&line, findings));
        log.finish(findings);
        if let Err(end) = end {
            findings.issue(file.issue(end.kind, Position::Offset(end.at), end.what));
        }
    }
}

/// The program whose own log a file is; `None` for logs of the whole host.
fn own_program(file: &ArtifactFile) -> Option<&'static str> {
    let name = file.path.file_name().unwrap_or_default();
    if name.starts_with(b"containerd") {
        return Some("containerd");
    }
    let is_own = name.starts_with(b"docker") || file.capture("daemon").is_some();
    is_own.then_some("dockerd")
}

/// The dates of a file whose lines have no year; nothing of any other file, which is not read for it.
fn survey(bytes: &dyn ReadAt) -> Survey {
    let mut survey = Survey::default();
    let mut head = [0; 32];
    let count = bytes.read_at(0, &mut head).unwrap_or_default();
    let head = head.get(..count).unwrap_or_default();
    if !head.starts_with(b"\x1f\x8b") && Local::of_line(head).is_none() {
        return survey;
    }
    let mut each = |line: Line<'_>| {
        if let Some(local) = Local::of_line(line.bytes) {
            survey.take(local, line.bytes);
        }
    };
    // What cannot be read is told when the lines are read for their events.
    drop(lines::read(bytes, &mut each));
    survey
}

/// Records and bytes that were read.
#[derive(Default)]
struct Counts {
    records: u64,
    bytes: u64,
}

impl Counts {
    fn add(&mut self, bytes: u64) {
        self.records = self.records.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// A file that is being read.
struct Log<'a> {
    file: &'a ArtifactFile,
    /// The program whose own log it is.
    own: Option<&'static str>,
    clock: Clock,
    messages: Messages<'a>,
    inventory: &'a Inventory,
    /// When the line before was written.
    last: Option<When>,
    read: Counts,
    /// Of the lines read, those that are not about containers.
    unconcerned: u64,
    /// Lines whose time cannot be known.
    untimed: Counts,
    first_untimed: u64,
}

impl Log<'_> {
    fn line(&mut self, line: &Line<'_>, findings: &mut dyn Findings) {
        let mut buffer = String::new();
        let (text, _) = shown(line.bytes, &mut buffer);
        let is_told = match Header::read(text) {
            Some(header) => self.with_header(&header, line, findings),
            None if self.own.is_some() && !text.trim().is_empty() => {
                let program = self.own.unwrap_or_default();
                let around = self.last.map(|last| When {
                    confidence: Confidence::Inferred,
                    from: BEFORE,
                    ..last
                });
                let position = Position::Offset(line.offset);
                let message =
                    Message { program, pid: None, text, position, around, is_recovered: false };
                self.tell(&message, findings)
            }
            None => Told::NotConcerned,
        };
        match is_told {
            Told::Event => self.tell_cut(line, findings),
            Told::NotConcerned => self.unconcerned = self.unconcerned.saturating_add(1),
            Told::Untimed => {
                if self.untimed.records == 0 {
                    self.first_untimed = line.offset;
                }
                return self.untimed.add(line.length);
            }
        }
        self.read.add(line.length);
    }

    fn with_header(
        &mut self,
        header: &Header<'_>,
        line: &Line<'_>,
        findings: &mut dyn Findings,
    ) -> Told {
        // The clock is told of every line, so that it sees every turn of the year.
        let around = self.clock.when(header.stamp);
        let position = Position::Offset(line.offset);
        let Header { program, pid, message: text, .. } = *header;
        if let Some(short) = container_line::of_tag(program) {
            let Some(when) = around else { return Told::Untimed };
            let subject = self.messages.short_subject(short);
            let line =
                ContainerLine { subject, ..ContainerLine::new(program, position, when, text) };
            line.tell(&self.file.origin, self.inventory, findings);
            return Told::Event;
        }
        if self.own.is_none() && !concerns(program, text) {
            return Told::NotConcerned;
        }
        let message = Message { program, pid, text, position, around, is_recovered: false };
        let told = self.tell(&message, findings);
        if let (Told::Event, Some(around), Some(own)) = (&told, around, self.last) {
            self.clock.learn(around, own);
        }
        told
    }

    fn tell(&mut self, message: &Message<'_>, findings: &mut dyn Findings) -> Told {
        match self.messages.tell(&self.file.origin, message, findings) {
            Some(when) => {
                self.last = Some(when);
                Told::Event
            }
            None => Told::Untimed,
        }
    }

    /// Tells that a line that is an event was cut, if it was.
    fn tell_cut(&self, line: &Line<'_>, findings: &mut dyn Findings) {
        if line.is_cut() {
            let what = format!("line of {} bytes cut after {LONGEST_LINE}", line.length);
            let at = Position::Offset(line.offset);
            findings.issue(self.file.issue(IssueKind::LimitReached, at, what));
        }
    }

    fn finish(self, findings: &mut dyn Findings) {
        let origin = &self.file.origin;
        findings.records(origin, self.read.records, self.read.bytes);
        findings.unconcerned(origin, self.unconcerned);
        if self.untimed.records > 0 {
            let what = format!("{} lines without a time that can be known", self.untimed.records);
            let at = Position::Offset(self.first_untimed);
            let issue = self.file.issue(IssueKind::Malformed, at, what);
            findings.issue(issue.losing(self.untimed.records, self.untimed.bytes));
        }
    }
}

/// What became of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Event,
    NotConcerned,
    Untimed,
}

#[cfg(test)]
mod tests;
