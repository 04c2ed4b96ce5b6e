//! When a record was written, and how that is known.

use super::clock::{DateSource, Dated, ZoneSource};
use crate::formats::desktop_line::{Entry, Shape, read, text::clean};
use dockline_timeline::{Attribute, Confidence, Instant, Value};
use std::borrow::Cow;

/// An instant, and how it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct When {
    pub(super) instant: Instant,
    pub(super) confidence: Confidence,
    /// From what it was concluded; empty when it was recorded.
    pub(super) from: &'static str,
    /// Of a local time, from what its date and its zone were.
    pub(super) dated: Option<Dated>,
}

/// Of a record without a time.
pub(super) const BEFORE: &str = "it has no time of its own; this is that of the line before it";
pub(super) const AFTER: &str = "it has no time of its own; this is that of the line after it";
pub(super) const OF_FILE: &str = "no line around it has a time; this is that of the file";

impl When {
    pub(super) fn recorded(instant: Instant) -> When {
        When { instant, confidence: Confidence::Recorded, from: "", dated: None }
    }

    pub(super) fn inferred(instant: Instant, from: &'static str) -> When {
        When { instant, confidence: Confidence::Inferred, from, dated: None }
    }

    pub(super) fn local(dated: Dated) -> When {
        let (instant, confidence) = (dated.instant, Confidence::Inferred);
        When { instant, confidence, from: "", dated: Some(dated) }
    }

    /// The same instant for a record beside it that has none.
    pub(super) fn beside(self, from: &'static str) -> When {
        When { confidence: Confidence::Inferred, from, ..self }
    }

    /// Whether it says when the record was written, and is not that of another.
    pub(super) fn is_own(&self) -> bool {
        ![BEFORE, AFTER, OF_FILE].contains(&self.from)
    }

    /// From what it was concluded, for a person.
    pub(super) fn words(&self) -> Cow<'static, str> {
        let Some(dated) = self.dated.filter(|_| self.from.is_empty()) else {
            return Cow::Borrowed(self.from);
        };
        let date = match dated.date {
            DateSource::Header => "date from the start of the process",
            DateSource::Anchor => "date from a message",
            DateSource::Following => "date from what follows",
            DateSource::File => "date from the time of the file",
        };
        let zone = match dated.zone {
            ZoneSource::Host => "zone of the host",
            ZoneSource::Message => "zone from a message",
            ZoneSource::OtherLog => "zone from another log",
            ZoneSource::Unknown => "zone unknown, taken as UTC",
        };
        Cow::Owned(format!("{date}, {zone}"))
    }

    /// The same as attributes.
    pub(super) fn attributes(&self) -> Vec<Attribute<'static>> {
        let text = |name, text: Cow<'static, str>| Attribute { name, value: Value::Text(text) };
        let Some(dated) = self.dated else { return Vec::new() };
        let local = dated.local.to_string();
        let local = local.trim_end_matches('Z').to_owned();
        let mut attributes = vec![
            text("local_time", local.into()),
            text("date_source", dated.date.name().into()),
            text("zone_source", dated.zone.name().into()),
        ];
        if !dated.doubt.is_empty() {
            attributes.push(text("time_doubt", dated.doubt.into()));
        }
        attributes
    }
}

/// The last offset that times in a log name.
pub(super) fn offset_in(log: &[u8]) -> Option<i32> {
    log.split(|byte| *byte == b'\n').rev().find_map(|line| {
        let text = clean(line);
        match read(text.trim_end()) {
            Shape::Line(line) => Entry::of(&line).offset,
            _ => None,
        }
    })
}
