//! The identifier of an event: the same in every run over the same evidence, on any machine.
//!
//! `e_` and 32 hexadecimal digits: XXH3-128 of the file's identity (host, path, parser), the
//! instant, the position, the meaning and the action. The wording of a message is no part of it, so
//! that it can be bettered without making other events of the same ones.

use super::text;
use crate::{Event, Meaning, Position};
use xxhash_rust::xxh3::xxh3_128;

/// Length of an identifier in quotes.
const LENGTH: usize = 36;

/// The identifier of the last event that was set.
pub(super) struct Identifier {
    hashed: Vec<u8>,
    words: Words,
    quoted: [u8; LENGTH],
}

impl Default for Identifier {
    fn default() -> Identifier {
        Identifier {
            hashed: Vec::new(),
            words: Words::default(),
            quoted: *b"\"e_00000000000000000000000000000000\"",
        }
    }
}

impl Identifier {
    pub(super) fn set(&mut self, event: &Event<'_>) {
        let (kind, key) = match &event.position {
            Position::File => (b'f', ""),
            Position::Line(_) => (b'l', ""),
            Position::Offset(_) => (b'o', ""),
            Position::Key(key) => (b'k', *key),
            Position::OwnedKey(key) => (b'k', key.as_ref()),
        };
        self.words.set(event);
        self.hashed.clear();
        self.hashed.extend_from_slice(&event.origin.identity.to_le_bytes());
        self.hashed.extend_from_slice(&event.instant.seconds().to_le_bytes());
        self.hashed.extend_from_slice(&event.instant.nanoseconds().to_le_bytes());
        self.hashed.push(kind);
        self.hashed.extend_from_slice(&event.position.ordinal().to_le_bytes());
        self.hashed.extend_from_slice(&self.words.hashed);
        push_text(key, &mut self.hashed);
        let bytes = xxh3_128(&self.hashed).to_be_bytes();
        let [_, _, _, digits @ .., _] = &mut self.quoted;
        for (pair, byte) in digits.as_chunks_mut().0.iter_mut().zip(bytes) {
            *pair = [text::hex_digit(byte >> 4), text::hex_digit(byte & 0xf)];
        }
    }

    pub(super) fn text(&self) -> &[u8] {
        let [_, text @ .., _] = &self.quoted;
        text
    }

    /// The same in quotes.
    pub(super) fn quoted(&self) -> &[u8] {
        &self.quoted
    }
}

/// Meaning and action as they are hashed. Kept, as the events of a log share them.
#[derive(Default)]
struct Words {
    meaning: Option<Meaning>,
    action: String,
    hashed: Vec<u8>,
}

impl Words {
    fn set(&mut self, event: &Event<'_>) {
        if self.meaning == Some(event.meaning) && self.action == event.action {
            return;
        }
        self.meaning = Some(event.meaning);
        event.action.clone_into(&mut self.action);
        self.hashed.clear();
        push_text(event.meaning.description(), &mut self.hashed);
        push_text(event.action, &mut self.hashed);
    }
}

/// Appends a text behind its length, so that no two events are hashed from the same bytes.
fn push_text(text: &str, into: &mut Vec<u8>) {
    into.extend_from_slice(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
    into.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use std::collections::HashSet;
    use std::sync::Arc;

    fn identifier(event: &Event<'_>) -> String {
        let mut identifier = Identifier::default();
        identifier.set(event);
        String::from_utf8(identifier.text().to_vec()).unwrap()
    }

    #[test]
    fn an_identifier_is_the_one_that_another_implementation_gives() {
        // Computed with python-xxhash from the documented bytes.
        assert_eq!(identifier(&samples::full()), "e_22ab725f840ba035a5c8e1f39e371589");
        assert_eq!(identifier(&samples::bare("any")), "e_1a0900836b47e95c0ac8adf02aea7918");
    }

    #[test]
    fn everything_that_tells_two_events_apart_is_in_the_identifier() {
        let bare = || samples::bare("text");
        let events = [
            bare(),
            Event { instant: samples::instant(1_561_720_268, 347_278_023), ..bare() },
            Event { instant: samples::instant(1_561_720_269, 347_278_022), ..bare() },
            Event { meaning: Meaning::Start, ..bare() },
            Event { action: "start", ..bare() },
            Event { position: Position::Line(0), ..bare() },
            Event { position: Position::Line(1), ..bare() },
            Event { position: Position::Offset(1), ..bare() },
            Event { position: Position::Key(""), ..bare() },
            Event { position: Position::Key("start"), ..bare() },
        ];
        let identifiers: HashSet<String> = events.iter().map(identifier).collect();
        assert_eq!(identifiers.len(), events.len());
    }

    #[test]
    fn neither_the_wording_nor_who_owns_the_key_is_in_the_identifier() {
        assert_eq!(identifier(&samples::bare("one")), identifier(&samples::bare("two")));
        let key = |position| identifier(&Event { position, ..samples::bare("") });
        assert_eq!(key(Position::Key("a")), key(Position::OwnedKey(Arc::from("a"))));
    }
}
