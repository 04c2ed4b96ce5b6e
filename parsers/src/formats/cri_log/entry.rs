//! The event that a message becomes.

use super::CriLog;
use super::join::{Message, Messages, SPAN};
use super::scan::Sink;
use crate::formats::log_text;
use dockline_timeline::{
    Attribute, Event, Findings, Issue, IssueKind, Key, Meaning, Position, Value,
};
use std::borrow::Cow;

impl CriLog {
    /// The key of the event that `message` becomes.
    pub(super) fn key(&self, message: &Message<'_>) -> Option<Key> {
        Some(Key {
            instant: message.time,
            rank: self.chain.parts.get(message.spot.file)?.origin.rank,
            position: message.spot.offset,
            meaning: Meaning::ContentModification,
            sequence: 0,
        })
    }

    /// Tells that a message was cut, if it was.
    pub(super) fn tell_cut(&self, message: &Message<'_>, findings: &mut dyn Findings) {
        let part = self.chain.parts.get(message.spot.file).filter(|_| message.is_cut);
        if let Some(part) = part {
            let place = part.origin.at(Position::Offset(message.spot.offset));
            let what =
                format!("message cut after {SPAN} bytes of log; the rest follows on its own");
            findings.issue(Issue::new(IssueKind::LimitReached, place, what));
        }
    }
}

/// Makes an event of each message.
pub(super) struct Events<'l, 'f> {
    log: &'l CriLog,
    findings: &'f mut dyn Findings,
    /// A text with bytes that are not UTF-8.
    text: String,
}

impl<'l, 'f> Events<'l, 'f> {
    pub(super) fn new(log: &'l CriLog, findings: &'f mut dyn Findings) -> Events<'l, 'f> {
        Events { log, findings, text: String::new() }
    }
}

impl Messages for Events<'_, '_> {
    fn message(&mut self, message: &Message<'_>) {
        let Some(part) = self.log.chain.parts.get(message.spot.file) else { return };
        self.log.tell_cut(message, self.findings);
        let when = (message.time, Meaning::ContentModification);
        let mut event = Event::new(&part.origin, self.log.kind, &self.log.subject, when);
        let (text, has_escaped_bytes) = log_text::shown(message.text, &mut self.text);
        event.text = text.into();
        event.position = Position::Offset(message.spot.offset);
        event.action = "log";
        event.log_source = Some(message.stream.name());
        event.tags.extend(self.log.tags.iter().copied().map(Cow::Borrowed));
        event.attributes.extend(self.log.attributes.iter().map(borrowed));
        if let Some(tags) = message.more_tags.strip_prefix(b":") {
            let tags = vec![Cow::Owned(format!("tags={}", tags.escape_ascii()))];
            event.attribute("log_attributes", Some(Value::List(tags)));
        }
        if message.pieces > 1 {
            let pieces = i64::try_from(message.pieces).unwrap_or(i64::MAX);
            event.attribute("pieces", Some(Value::Integer(pieces)));
        }
        let truths = [("incomplete", message.is_incomplete), ("escaped_bytes", has_escaped_bytes)];
        for (name, _) in truths.iter().filter(|(_, is_true)| *is_true) {
            event.attribute(name, Some(Value::Boolean(true)));
        }
        self.findings.event(&event);
    }
}

/// The same attribute, without a copy of its text.
fn borrowed<'l>(attribute: &'l Attribute<'static>) -> Attribute<'l> {
    let value = match &attribute.value {
        Value::Text(text) => Value::Text(Cow::Borrowed(text)),
        Value::Integer(integer) => Value::Integer(*integer),
        Value::Boolean(boolean) => Value::Boolean(*boolean),
        Value::List(texts) => {
            Value::List(texts.iter().map(|text| Cow::Borrowed(&**text)).collect())
        }
    };
    Attribute { name: attribute.name, value }
}

impl Sink for Events<'_, '_> {
    fn findings(&mut self) -> &mut dyn Findings {
        self.findings
    }
}
