//! The events of the files of one log, in the order in which they were written.

use super::boot::{Count, Told};
use super::clock::{DateSource, LocalClock, Start, Zone};
use super::record::{Record, Records, What};
use super::set::Set;
use super::survey::Survey;
use super::when::{AFTER, BEFORE, OF_FILE, When};
use super::{header, rotation};
use crate::ArtifactFile;
use crate::formats::daemon_message::{Meant, exit_code};
use crate::formats::desktop_line::{Entry, Line, Shape, Stamp, anchor, is_finer, read};
use crate::formats::desktop_message::{Topic, meaning_with, of_command_line};
use crate::formats::lines::{self, LONGEST_LINE};
use crate::formats::logrus;
use dockline_evidence::ReadAt;
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Meaning, Position, Subject, Value,
};
use std::borrow::Cow;

/// Records, and bytes of them, that wait for the time of the next.
const WAITING: usize = 64;
const WAITING_BYTES: usize = 4 * 1024 * 1024;
const DOUBT: &str =
    "days without lines may be missing before it: the date is the earliest that it can be";

/// One file that is being read.
pub(super) struct Reader<'s, 'i, 'a> {
    set: &'s mut Set<'i>,
    file: &'a ArtifactFile,
    modified: Option<Instant>,
    clock: Option<LocalClock<'a>>,
    zone: Zone<'a>,
    boots: Told,
    doubts: Vec<(u64, u64)>,
    /// When the record before was written.
    last: Option<When>,
    /// The last time that a line of the file has.
    latest: Option<Instant>,
    /// Records whose time the next one tells.
    waiting: Vec<Record>,
    records: u64,
    bytes: u64,
    is_telling: bool,
    untimed: (u64, u64, u64),
}

impl<'s, 'i, 'a> Reader<'s, 'i, 'a> {
    pub(super) fn new(
        set: &'s mut Set<'i>,
        file: &'a ArtifactFile,
        (modified, survey): (Option<Instant>, Survey<'a>),
        clock: Option<LocalClock<'a>>,
    ) -> Reader<'s, 'i, 'a> {
        Reader {
            set,
            file,
            modified,
            clock,
            latest: survey.last,
            zone: survey.zone,
            doubts: survey.doubts,
            boots: survey.boots.tell(modified),
            last: None,
            waiting: Vec::new(),
            records: 0,
            bytes: 0,
            is_telling: false,
            untimed: (0, 0, 0),
        }
    }

    /// Tells all that the file says.
    pub(super) fn read(mut self, bytes: &dyn ReadAt, findings: &mut dyn Findings) {
        let mut records = Records::default();
        let end = lines::read(bytes, &mut |line| {
            if !line.bytes.is_empty() && line.bytes.iter().all(|byte| *byte == 0) {
                let what = format!("{} bytes of zeros, as after a crash of the host", line.length);
                let at = Position::Offset(line.offset);
                let issue = self.file.issue(IssueKind::Malformed, at, what);
                return findings.issue(issue.losing(0, line.length));
            }
            records.line(&line, &mut |record| self.record(record, findings));
        });
        records.finish(&mut |record| self.record(record, findings));
        if let Err(end) = end {
            findings.issue(self.file.issue(end.kind, Position::Offset(end.at), end.what));
        }
        self.finish(findings);
    }

    fn record(&mut self, record: Record, findings: &mut dyn Findings) {
        self.tell_limits(&record, findings);
        let shape = match record.what {
            What::Line => read(record.parts().0),
            _ => Shape::Continuation,
        };
        match (record.what, shape) {
            (What::Line, Shape::Line(line)) => self.line(&record, &line, findings),
            (What::Rest, _) => match self.last {
                Some(last) => self.raw(&record, last.beside(BEFORE), findings),
                None => self.wait(record, findings),
            },
            _ => self.wait(record, findings),
        }
    }

    fn tell_limits(&self, record: &Record, findings: &mut dyn Findings) {
        let at = Position::Offset(record.offset);
        if record.is_cut {
            let what = format!("a line longer than {LONGEST_LINE} bytes, cut there");
            findings.issue(self.file.issue(IssueKind::LimitReached, at, what));
        } else if record.what == What::Rest {
            let what = "a record longer than 1 MiB; the rest of it is an event of its own";
            findings.issue(self.file.issue(IssueKind::LimitReached, at, what));
        }
    }

    fn wait(&mut self, record: Record, findings: &mut dyn Findings) {
        let held: usize = self.waiting.iter().map(|record| record.text.len()).sum();
        let is_full = self.waiting.len() >= WAITING || held > WAITING_BYTES;
        if is_full {
            self.tell_waiting(self.bound(), findings);
        }
        self.waiting.push(record);
    }

    /// The best that is known of a record after which no time comes.
    fn bound(&self) -> Option<When> {
        let of_file = || Some(When::inferred(self.modified?, OF_FILE));
        self.last.map(|last| last.beside(BEFORE)).or_else(of_file)
    }

    fn line(&mut self, record: &Record, line: &Line<'_>, findings: &mut dyn Findings) {
        let entry = Entry::of(line);
        self.tell_headers(line, &entry, findings);
        let Some(when) = self.when(record, line, &entry) else {
            return match self.last {
                Some(last) => self.message(record, (&entry, last.beside(BEFORE)), findings),
                None => self.wait(record.clone(), findings),
            };
        };
        self.tell_waiting(Some(when.beside(AFTER)), findings);
        self.message(record, (&entry, when), findings);
        if let Some(offset) = entry.offset.filter(|offset| self.set.offset != Some(*offset)) {
            self.set.offset = Some(offset);
            let shown = format!("the clock of the host was {} UTC", apart(offset));
            self.tell_offset((&shown, offset), (when, record.offset), findings);
        }
        self.last = Some(when);
    }

    /// When a line was written.
    fn when(&mut self, record: &Record, line: &Line<'_>, entry: &Entry<'_>) -> Option<When> {
        if let Some(count) = Count::of(line.stamp) {
            let counted = self.boots.when(count);
            return match entry.stamp {
                Stamp::Whole(instant) => Some(When::recorded(instant)),
                _ => counted.map(|(instant, from)| When::inferred(instant, from)),
            };
        }
        let Stamp::Local(clock) = line.stamp else {
            return match entry.stamp {
                Stamp::Whole(instant) => Some(When::recorded(instant)),
                _ => None,
            };
        };
        let dated = self.clock.as_mut()?.line(clock);
        let dated = match anchor(line.message) {
            Some(anchor) => {
                let local = self.clock.as_mut()?;
                local.learn(clock, anchor, self.modified);
                local.again(clock).or(dated)
            }
            None => dated,
        };
        let is_inferred = !matches!(entry.stamp, Stamp::Whole(_));
        let is_doubted = |(from, to): &(u64, u64)| (*from..*to).contains(&record.offset);
        let doubt = is_inferred && self.doubts.iter().any(is_doubted);
        let dated = dated.map(|dated| match doubt {
            true if dated.doubt.is_empty() => super::clock::Dated { doubt: DOUBT, ..dated },
            _ => dated,
        });
        match entry.stamp {
            Stamp::Whole(instant) => {
                let finer = dated.map(|dated| dated.instant).filter(|at| is_finer(*at, instant));
                Some(When { dated, ..When::recorded(finer.unwrap_or(instant)) })
            }
            _ => dated.map(When::local),
        }
    }

    /// Tells the headers that wait: the line after them tells the zone of their time.
    fn tell_headers(&mut self, line: &Line<'_>, entry: &Entry<'_>, findings: &mut dyn Findings) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|record| {
            let Some(local) = header::local(record).filter(|_| record.what == What::Header) else {
                return true;
            };
            let when = match (line.stamp, entry.stamp) {
                (Stamp::Local(_), _) => {
                    self.clock.as_mut().and_then(|clock| clock.header(local)).map(When::local)
                }
                (_, Stamp::Whole(next)) => Some(match header::before_whole(local, next) {
                    (instant, 0) => When::recorded(instant),
                    (instant, _) => When::inferred(instant, "zone from the line after it"),
                }),
                _ => None,
            };
            if let Some(when) = when {
                self.header(record, when, findings);
            }
            when.is_none()
        });
        self.waiting = waiting;
    }

    fn tell_waiting(&mut self, when: Option<When>, findings: &mut dyn Findings) {
        for record in std::mem::take(&mut self.waiting) {
            let Some(when) = when else {
                let (records, bytes, first) = &mut self.untimed;
                if *records == 0 {
                    *first = record.offset;
                }
                *records = records.saturating_add(1);
                *bytes = bytes.saturating_add(record.length);
                continue;
            };
            match record.what {
                What::Header => self.header(&record, when, findings),
                What::Separator => {
                    let mut event = self.event(&record, when);
                    event.action = "process_start";
                    event.meaning = Meaning::Start;
                    event.text = "process started".into();
                    findings.event(&event);
                }
                What::Line | What::Raw | What::Rest => self.raw(&record, when, findings),
            }
        }
    }

    /// An event with all that every event of the file has.
    fn event<'e>(&mut self, record: &Record, when: When) -> Event<'e>
    where
        'a: 'e,
        'i: 'e,
    {
        self.is_telling = true;
        self.records = self.records.saturating_add(1);
        self.bytes = self.bytes.saturating_add(record.length);
        if when.is_own() {
            self.set.widen(&self.file.origin, when);
        }
        let at = (when.instant, Meaning::Recorded);
        let mut event = Event::new(&self.file.origin, self.set.kind, &Subject::UNKNOWN, at);
        event.position = Position::Offset(record.offset);
        event.confidence = when.confidence;
        event.attributes = when.attributes();
        event.attribute("user_name", self.set.user.map(|user| Value::Text(user.into())));
        event
    }

    fn raw(&mut self, record: &Record, when: When, findings: &mut dyn Findings) {
        let text = format!("{} ({})", record.text.trim_end(), when.words());
        let mut event = self.event(record, when);
        event.action = "log";
        event.text = (&text).into();
        findings.event(&event);
    }

    fn header(&mut self, record: &Record, when: When, findings: &mut dyn Findings) {
        let asked = header::command_line(record).and_then(of_command_line);
        let says = asked.as_ref().map_or("process started", |asked| &*asked.says);
        let words = with_source(header::words(says, record), when);
        let mut event = self.event(record, when);
        (event.action, event.meaning) = ("process_start", Meaning::Start);
        event.text = (&words).into();
        event.command_line = header::command_line(record);
        event.attributes.extend(header::attributes(record));
        if let Some(asked) = &asked {
            (event.kind, event.action) = (asked.topic.kind(), asked.action);
            event.attributes.extend(asked.attributes.iter().cloned());
        }
        findings.event(&event);
    }

    fn message(
        &mut self,
        record: &Record,
        (entry, when): (&Entry<'_>, When),
        findings: &mut dyn Findings,
    ) {
        let (_, rest) = record.parts();
        let message = match rest.trim_end() {
            "" => Cow::Borrowed(&*entry.message),
            rest => Cow::Owned(format!("{}\n{rest}", entry.message)),
        };
        let of_daemon = self.of_daemon(entry);
        let meant = match of_daemon {
            Some(_) => None,
            None => meaning_with(&entry.component, &message, &entry.fields),
        };
        let says = meant.as_ref().map(|meant| &*meant.says);
        let says = says.or(of_daemon.as_ref().map(|(meant, _)| meant.says));
        let words = with_source(words(says, entry, &message), when);
        let subject = match &of_daemon {
            Some((_, subject)) => subject.clone(),
            None => self.set.names.subject(meant.as_ref()),
        };
        let mut event = self.event(record, when);
        event.subject = &subject;
        event.action = "log";
        event.text = (&words).into();
        if let Some(meant) = &meant {
            event.kind = Topic::kind(meant.topic);
            event.action = meant.action;
            event.meaning = meant.meaning;
            event.volume_name = meant.volume.as_deref();
            event.network_name = meant.network.as_deref();
            event.command_line = meant.command_line.as_deref();
            event.attributes.extend(meant.attributes.iter().cloned());
            let stated = meant.stated.map(|at| Value::Text(at.to_string().into()));
            event.attribute("stated_time", stated);
        }
        if let Some((meant, _)) = of_daemon {
            event.kind = match meant.action {
                action if action.starts_with("api_") => Topic::Api.kind(),
                _ if subject.container_identifier.is_some() => Topic::Container.kind(),
                _ => Topic::Engine.kind(),
            };
            event.action = meant.action;
            event.meaning = meant.meaning;
            event.exit_code = exit_code(&as_logrus(entry));
            event.network_name = entry.field("net");
        }
        details(&mut event, entry);
        self.set.inventory.mark_removed(&mut event);
        findings.event(&event);
    }

    /// What a message of dockerd or containerd means, and to what it happened, if its wording is known.
    fn of_daemon(&mut self, entry: &Entry<'_>) -> Option<(Meant, Subject)> {
        let program = match &*entry.component {
            "dockerd" | "docker" => "dockerd",
            "containerd" => "containerd",
            // A log of a daemon alone, of Rancher Desktop.
            "" => match self.file.capture("log")? {
                "docker" | "dockerd" => "dockerd",
                "containerd" => "containerd",
                _ => return None,
            },
            _ => return None,
        };
        let (meant, subject) = self.set.daemons.read(program, &as_logrus(entry));
        (meant.action != "log").then_some((meant, subject))
    }

    fn tell_offset(
        &mut self,
        (shown, offset): (&str, i32),
        (when, position): (When, u64),
        findings: &mut dyn Findings,
    ) {
        let at = (when.instant, Meaning::Recorded);
        let mut event = Event::new(&self.file.origin, self.set.kind, &Subject::UNKNOWN, at);
        event.position = Position::Offset(position);
        event.confidence = when.confidence;
        event.action = "host_utc_offset";
        event.text = shown.into();
        event.attribute("utc_offset", Some(Value::Text(zone(offset).into())));
        event.attribute("user_name", self.set.user.map(|user| Value::Text(user.into())));
        findings.event(&event);
    }

    /// Tells the headers after which nothing comes: in a file without whole times they are local.
    fn tell_last_headers(&mut self, findings: &mut dyn Findings) {
        let whole = self.latest.is_some() && self.clock.is_none();
        let zone = self.zone;
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|record| {
            let Some(local) = header::local(record).filter(|_| record.what == What::Header) else {
                return true;
            };
            let unknown = Start { day: 0, date: DateSource::Header };
            let clock = self.clock.get_or_insert_with(|| LocalClock::new(zone, unknown, None));
            let when = match whole {
                true => Some(When::recorded(local)),
                false => clock.header(local).map(When::local),
            };
            if let Some(when) = when {
                self.header(record, when, findings);
            }
            when.is_none()
        });
        self.waiting = waiting;
    }

    fn finish(mut self, findings: &mut dyn Findings) {
        self.tell_last_headers(findings);
        self.tell_waiting(self.bound(), findings);
        if self.is_telling {
            self.set.count_file();
        }
        self.tell_rotation(findings);
        findings.records(&self.file.origin, self.records, self.bytes);
        let (records, bytes, first) = self.untimed;
        if records > 0 {
            let what = format!("{records} records without a time that can be known");
            let issue = self.file.issue(IssueKind::Malformed, Position::Offset(first), what);
            findings.issue(issue.losing(records, bytes));
        }
    }

    /// Tells what the name of a rotation says of the host's zone.
    fn tell_rotation(&mut self, findings: &mut dyn Findings) {
        let stamp = self.file.capture("rotation").and_then(rotation::stamp);
        let Some((stamp, last)) = stamp.zip(self.latest) else { return };
        let Some(offset) = rotation::offset(stamp, last) else { return };
        let shown = format!(
            "log was rotated when the clock of the host showed {}.{:03}, {} UTC (from the name of the file)",
            stamp.civil(),
            stamp.nanoseconds() / 1_000_000,
            apart(offset)
        );
        let when = When::inferred(last, "");
        self.tell_offset((&shown, offset), (when, 0), findings);
    }
}

/// An entry in the form of the daemons' own logs.
fn as_logrus<'e>(entry: &'e Entry<'_>) -> logrus::Entry<'e> {
    let borrowed = |text: &'e Cow<'_, str>| Cow::Borrowed(&**text);
    let fields = entry.fields.iter().map(|(key, value)| (borrowed(key), borrowed(value)));
    logrus::Entry {
        time: None,
        level: None,
        message: borrowed(&entry.message),
        fields: fields.collect(),
    }
}

/// What a message says, or who said it; the message, and its fields.
fn words(says: Option<&str>, entry: &Entry<'_>, message: &str) -> String {
    let who = says.unwrap_or(&entry.component);
    let mut words = String::from(who);
    if !who.is_empty() {
        words.push_str(": ");
    }
    words.push_str(message.trim_end());
    for (key, value) in &entry.fields {
        words.push_str(&format!(" {key}={value}"));
    }
    words
}

/// What a line says beside its message.
fn details<'e>(event: &mut Event<'e>, entry: &'e Entry<'_>) {
    let text = |text: &'e str| (!text.is_empty()).then_some(Value::Text(Cow::Borrowed(text)));
    event.attribute("component", text(&entry.component));
    let level = entry.level.map(|level| Value::Text(level.name().into()));
    event.attribute("log_level", level);
    event.attribute("observed", entry.observed.and_then(text));
    let is_told = event.attributes.iter().any(|attribute| attribute.name == "user_agent");
    if !is_told {
        event.attribute("user_agent", entry.field("user_agent").and_then(text));
    }
    let server = entry.server_time.map(|at| Value::Text(at.to_string().into()));
    event.attribute("server_time", server);
}

/// Words with those that say from what the time was concluded.
fn with_source(words: String, when: When) -> String {
    match &*when.words() {
        _ if when.confidence == Confidence::Recorded => words,
        "" => words,
        from => format!("{words} ({from})"),
    }
}

/// `5:30 ahead of`, `7:00 behind`.
fn apart(offset: i32) -> String {
    let minutes = offset.unsigned_abs() / 60;
    let (hours, minutes) = (minutes / 60, minutes % 60);
    match offset {
        0 => "that of".to_owned(),
        1.. => format!("{hours}:{minutes:02} ahead of"),
        _ => format!("{hours}:{minutes:02} behind"),
    }
}

/// `+05:30`.
fn zone(offset: i32) -> String {
    let minutes = offset.unsigned_abs() / 60;
    let sign = if offset < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}
