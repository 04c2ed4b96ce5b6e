//! The event that a message becomes.

use super::chain::Chain;
use super::join::{Message, Messages, SPAN};
use super::record::Attrs;
use super::scan::Sink;
use crate::inventory::REMOVED_CONTAINER;
use dockline_timeline::{
    Event, Findings, Issue, IssueKind, Key, Kind, Meaning, Position, Subject, Value,
};
use std::borrow::Cow;

/// What all events of a log are.
const KIND: Kind = Kind {
    data_type: "docker:container:log:entry",
    source_short: "DOCKER",
    source_long: "Docker container log",
};

/// A log and whose it is.
pub(super) struct Log {
    /// Its files.
    pub(super) chain: Chain,
    /// The container.
    pub(super) subject: Subject,
    /// Whether that was removed.
    pub(super) is_removed: bool,
}

impl Log {
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
    log: &'l Log,
    findings: &'f mut dyn Findings,
    /// The text without escapes.
    text: String,
    /// The `attrs` of the last record that had some, which are mostly those of the next.
    attrs_json: String,
    attrs: Vec<String>,
}

impl<'l, 'f> Events<'l, 'f> {
    pub(super) fn new(log: &'l Log, findings: &'f mut dyn Findings) -> Events<'l, 'f> {
        let (text, attrs_json, attrs) = (String::new(), String::new(), Vec::new());
        Events { log, findings, text, attrs_json, attrs }
    }
}

impl Messages for Events<'_, '_> {
    fn message(&mut self, message: &Message<'_>) {
        let Some(part) = self.log.chain.parts.get(message.spot.file) else { return };
        self.log.tell_cut(message, self.findings);
        let when = (message.time, Meaning::ContentModification);
        let mut event = Event::new(&part.origin, &KIND, &self.log.subject, when);
        event.text = message.log.of_event(&mut self.text);
        event.position = Position::Offset(message.spot.offset);
        event.action = "log";
        event.log_source = message.stream.name();
        event.tags.extend(self.log.is_removed.then_some(Cow::Borrowed(REMOVED_CONTAINER)));
        let pairs = match message.attrs {
            Attrs::Pairs(pairs) => pairs,
            Attrs::Json(json) => {
                if json != self.attrs_json {
                    self.attrs = message.attrs.to_pairs();
                    json.clone_into(&mut self.attrs_json);
                }
                &self.attrs
            }
        };
        if !pairs.is_empty() {
            let pairs = pairs.iter().map(|pair| Cow::Borrowed(pair.as_str())).collect();
            event.attribute("log_attributes", Some(Value::List(pairs)));
        }
        if message.pieces > 1 {
            let pieces = i64::try_from(message.pieces).unwrap_or(i64::MAX);
            event.attribute("pieces", Some(Value::Integer(pieces)));
        }
        if message.is_incomplete {
            event.attribute("incomplete", Some(Value::Boolean(true)));
        }
        self.findings.event(&event);
    }
}

impl Sink for Events<'_, '_> {
    fn findings(&mut self) -> &mut dyn Findings {
        self.findings
    }
}
