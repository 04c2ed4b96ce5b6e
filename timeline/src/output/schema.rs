//! The fields of an event as written out: their names, their order, and what each holds.
//!
//! One flat record; a field has one type for ever, and is absent when unknown. The reasons are
//! those of the readers: Timesketch makes a field of the index out of every name and keeps the
//! first type that it saw, JSON readers round integers of more than 53 bits (so nanoseconds are a
//! text), and `datetime` comes first because Splunk looks for the time at the beginning of a line.

use super::digits;
use super::identifier::Identifier;
use super::message::Message;
use super::time::TimeText;
use crate::{Event, Position};
use std::borrow::Cow;
use std::fmt::Write;

/// What a field holds for one event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Datum<'e> {
    /// Not known: the field is left out.
    Absent,
    /// Our own letters, digits and marks, none of which any format needs to escape.
    Plain(&'e [u8]),
    /// The same with the quotes around it that every format writes.
    Quoted(&'e [u8]),
    /// Text on one line, made for a person: no control character is left in it.
    Line(&'e str),
    /// Text in two parts, each the content of a JSON string as it is to be written. Only for an
    /// output that asked for it.
    Json(&'e [u8], &'e [u8]),
    /// Text as it was found; may hold anything.
    Text(&'e str),
    /// An integer.
    Signed(i64),
    /// An integer.
    Unsigned(u64),
    /// An integer that is written as a text.
    Digits(u64),
    /// A list of texts.
    Labels(&'e [String]),
    /// A list of texts.
    Tags(&'e [Cow<'e, str>]),
}

impl<'e> Datum<'e> {
    /// A word of our own.
    fn word(word: &'static str) -> Datum<'e> {
        Datum::Plain(word.as_bytes())
    }

    pub(super) fn text(text: Option<&'e str>) -> Datum<'e> {
        text.map_or(Datum::Absent, Datum::Text)
    }

    fn owned(text: Option<&'e String>) -> Datum<'e> {
        text.map_or(Datum::Absent, |text| Datum::Text(text))
    }

    fn labels(labels: &'e [String]) -> Datum<'e> {
        if labels.is_empty() { Datum::Absent } else { Datum::Labels(labels) }
    }

    fn tags(tags: &'e [Cow<'e, str>]) -> Datum<'e> {
        if tags.is_empty() { Datum::Absent } else { Datum::Tags(tags) }
    }

    fn signed(number: Option<i64>) -> Datum<'e> {
        number.map_or(Datum::Absent, Datum::Signed)
    }

    fn unsigned(number: Option<u64>) -> Datum<'e> {
        number.map_or(Datum::Absent, Datum::Unsigned)
    }
}

/// What is computed once for an event before its fields are written. Kept from event to event, so
/// that its buffers are allocated once.
#[derive(Default)]
pub struct Computed {
    pub(super) time: TimeText,
    pub(super) message: Message,
    pub(super) identifier: Identifier,
    locator: Locator,
}

impl Computed {
    /// Computes everything for the next event; `takes_json` tells whether the output can write a
    /// text that is still JSON.
    pub fn set(&mut self, event: &Event<'_>, takes_json: bool) {
        self.time.set(event.instant);
        self.message.set(event, takes_json);
        self.identifier.set(event);
        self.locator.set(&event.position);
    }
}

/// The text of a position: as its `Display`, without the formatting machinery for the two kinds
/// that logs have.
#[derive(Default)]
struct Locator {
    number: Vec<u8>,
    text: String,
}

impl Locator {
    fn set(&mut self, position: &Position<'_>) {
        self.number.clear();
        self.text.clear();
        match position {
            Position::Line(line) => self.set_number(b"\"line:", *line),
            Position::Offset(offset) => self.set_number(b"\"offset:", *offset),
            // A String takes whatever is written.
            other => drop(write!(self.text, "{other}")),
        }
    }

    fn set_number(&mut self, kind: &[u8], number: u64) {
        self.number.extend_from_slice(kind);
        digits::push(number, &mut self.number);
        self.number.push(b'"');
    }

    fn datum(&self) -> Datum<'_> {
        if self.number.is_empty() { Datum::Text(&self.text) } else { Datum::Quoted(&self.number) }
    }
}

/// On what of an event a field depends: two events with the same have the same in the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// On anything.
    Event,
    /// On its meaning and how far its instant can be believed.
    Meaning,
    /// On its origin and its kind.
    File,
    /// On its subject.
    Subject,
    /// On its action and its stream.
    Action,
    /// On facts that no log line has.
    Detail,
}

/// Whether an event has none of the facts that the fields [`On::Detail`] hold: then all of these are
/// absent, and need not be asked one by one.
pub(super) fn is_bare(event: &Event<'_>) -> bool {
    let numbers = [event.uid, event.gid, event.size, event.inode];
    let texts = [
        event.filename,
        event.mode_as_string,
        event.macb,
        event.layer_identifier,
        event.volume_name,
        event.network_name,
        event.command_line,
        event.user,
        event.sha256_hash,
    ];
    event.exit_code.is_none()
        && event.pid.is_none()
        && numbers.iter().all(Option::is_none)
        && texts.iter().all(Option::is_none)
        && event.labels.is_empty()
        && event.tags.is_empty()
}

/// One field of the schema.
#[derive(Clone, Copy)]
pub struct Field {
    /// Its name, which is also the name of its column.
    pub name: &'static str,
    /// On what it depends.
    pub on: On,
    /// What it holds for an event and what was computed for that event.
    pub of: for<'e> fn(&'e Event<'e>, &'e Computed) -> Datum<'e>,
}

/// All fields, in the order in which they are written.
pub const FIELDS: [Field; 38] = [
    Field {
        name: "datetime",
        on: On::Event,
        of: |_, computed| Datum::Quoted(computed.time.datetime()),
    },
    Field {
        name: "timestamp_desc",
        on: On::Meaning,
        of: |event, _| Datum::word(event.meaning.description()),
    },
    Field { name: "message", on: On::Event, of: |event, computed| computed.message.line(event) },
    Field {
        name: "timestamp",
        on: On::Event,
        of: |event, _| Datum::Signed(event.instant.microseconds()),
    },
    Field {
        name: "datetime_ns",
        on: On::Event,
        of: |_, computed| Datum::Quoted(computed.time.datetime_ns()),
    },
    Field { name: "data_type", on: On::File, of: |event, _| Datum::word(event.kind.data_type) },
    Field {
        name: "source_short",
        on: On::File,
        of: |event, _| Datum::word(event.kind.source_short),
    },
    Field { name: "source_long", on: On::File, of: |event, _| Datum::word(event.kind.source_long) },
    Field { name: "hostname", on: On::File, of: |event, _| Datum::Text(&event.origin.host) },
    Field { name: "parser", on: On::File, of: |event, _| Datum::word(event.origin.parser) },
    Field {
        name: "display_name",
        on: On::File,
        of: |event, _| Datum::Text(&event.origin.display_name),
    },
    Field { name: "source_locator", on: On::Event, of: |_, computed| computed.locator.datum() },
    Field {
        name: "time_confidence",
        on: On::Meaning,
        of: |event, _| Datum::word(event.confidence.name()),
    },
    Field {
        name: "container_identifier",
        on: On::Subject,
        of: |event, _| Datum::owned(event.subject.container_identifier.as_ref()),
    },
    Field {
        name: "container_name",
        on: On::Subject,
        of: |event, _| Datum::owned(event.subject.container_name.as_ref()),
    },
    Field {
        name: "image_name",
        on: On::Subject,
        of: |event, _| Datum::owned(event.subject.image_name.as_ref()),
    },
    Field {
        name: "image_identifier",
        on: On::Subject,
        of: |event, _| Datum::owned(event.subject.image_identifier.as_ref()),
    },
    Field {
        name: "action",
        on: On::Action,
        of: |event, _| Datum::text(Some(event.action).filter(|action| !action.is_empty())),
    },
    Field { name: "log_source", on: On::Action, of: |event, _| Datum::text(event.log_source) },
    Field {
        name: "message_body",
        on: On::Event,
        of: |event, computed| computed.message.body(event),
    },
    Field { name: "exit_code", on: On::Detail, of: |event, _| Datum::signed(event.exit_code) },
    Field { name: "pid", on: On::Detail, of: |event, _| Datum::signed(event.pid) },
    Field { name: "uid", on: On::Detail, of: |event, _| Datum::unsigned(event.uid) },
    Field { name: "gid", on: On::Detail, of: |event, _| Datum::unsigned(event.gid) },
    Field { name: "size", on: On::Detail, of: |event, _| Datum::unsigned(event.size) },
    Field {
        name: "inode",
        on: On::Detail,
        of: |event, _| event.inode.map_or(Datum::Absent, Datum::Digits),
    },
    Field { name: "filename", on: On::Detail, of: |event, _| Datum::text(event.filename) },
    Field {
        name: "mode_as_string",
        on: On::Detail,
        of: |event, _| Datum::text(event.mode_as_string),
    },
    Field { name: "macb", on: On::Detail, of: |event, _| Datum::text(event.macb) },
    Field {
        name: "layer_identifier",
        on: On::Detail,
        of: |event, _| Datum::text(event.layer_identifier),
    },
    Field { name: "volume_name", on: On::Detail, of: |event, _| Datum::text(event.volume_name) },
    Field { name: "network_name", on: On::Detail, of: |event, _| Datum::text(event.network_name) },
    Field { name: "command_line", on: On::Detail, of: |event, _| Datum::text(event.command_line) },
    Field { name: "user", on: On::Detail, of: |event, _| Datum::text(event.user) },
    Field { name: "sha256_hash", on: On::Detail, of: |event, _| Datum::text(event.sha256_hash) },
    Field { name: "labels", on: On::Detail, of: |event, _| Datum::labels(event.labels) },
    Field { name: "tag", on: On::Detail, of: |event, _| Datum::tags(&event.tags) },
    Field {
        name: "event_identifier",
        on: On::Event,
        of: |_, computed| Datum::Quoted(computed.identifier.quoted()),
    },
];

/// Names that an attribute must not have beside those of [`FIELDS`]: the columns of our own CSV,
/// and what Timesketch and Splunk take for themselves.
const RESERVED: [&str; 14] = [
    "attributes",
    "comment",
    "container",
    "eventtype",
    "host",
    "human_readable",
    "index",
    "label",
    "lang",
    "linecount",
    "source",
    "sourcetype",
    "time",
    "timesketch_label",
];

/// Whether an attribute may have that name: lower case ASCII letters, digits and underscores,
/// beginning with a letter, and no field of the schema or of the programs that read it.
#[must_use]
pub fn may_name_an_attribute(name: &str) -> bool {
    let of_form = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    of_form && !RESERVED.contains(&name) && !FIELDS.iter().any(|field| field.name == name)
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn a_bare_event_has_no_detail_and_each_detail_is_noticed() {
        let computed = Computed::default();
        let details = || FIELDS.iter().filter(|field| field.on == On::Detail);
        let bare = samples::bare("text");
        assert!(is_bare(&bare));
        assert!(details().all(|field| (field.of)(&bare, &computed) == Datum::Absent));
        let full = samples::full();
        assert!(details().all(|field| (field.of)(&full, &computed) != Datum::Absent));
        let one_each = [
            Event { exit_code: full.exit_code, ..samples::bare("") },
            Event { pid: full.pid, ..samples::bare("") },
            Event { uid: full.uid, ..samples::bare("") },
            Event { gid: full.gid, ..samples::bare("") },
            Event { size: full.size, ..samples::bare("") },
            Event { inode: full.inode, ..samples::bare("") },
            Event { filename: full.filename, ..samples::bare("") },
            Event { mode_as_string: full.mode_as_string, ..samples::bare("") },
            Event { macb: full.macb, ..samples::bare("") },
            Event { layer_identifier: full.layer_identifier, ..samples::bare("") },
            Event { volume_name: full.volume_name, ..samples::bare("") },
            Event { network_name: full.network_name, ..samples::bare("") },
            Event { command_line: full.command_line, ..samples::bare("") },
            Event { user: full.user, ..samples::bare("") },
            Event { sha256_hash: full.sha256_hash, ..samples::bare("") },
            Event { labels: full.labels, ..samples::bare("") },
            Event { tags: full.tags.clone(), ..samples::bare("") },
        ];
        assert_eq!(one_each.len(), details().count());
        assert!(one_each.iter().all(|event| !is_bare(event)));
    }
}
