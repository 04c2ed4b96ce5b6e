//! The message: what happened, on one line, for a person.
//!
//! `[label] text`, with control characters and line breaks shown as escapes, and cut at
//! [`MOST_CHARACTERS`]. A backslash stays as it is. Where that does not show the text whole,
//! [`Message::whole`] says so, and the outputs write the text as it was into `message_body`.

use super::text;
use crate::Event;

/// Characters of a message, with the `…` that stands for what was cut.
pub(super) const MOST_CHARACTERS: usize = 4_096;

/// The message of the last event that was set.
#[derive(Default)]
pub(super) struct Message {
    line: String,
    whole: bool,
    escape: Vec<u8>,
}

impl Message {
    pub(super) fn set(&mut self, event: &Event<'_>) {
        self.line.clear();
        if let Some(label) = event.subject.label() {
            self.line.push('[');
            self.show(label);
            self.line.push_str("] ");
        }
        self.whole = self.show(event.text);
        self.whole &= !cut(&mut self.line, MOST_CHARACTERS);
    }

    /// One line, never with a control character in it.
    pub(super) fn line(&self) -> &str {
        &self.line
    }

    /// Whether the line ends with the event's text as it was.
    pub(super) fn whole(&self) -> bool {
        self.whole
    }

    /// Appends a text with its control characters visible; whether it had none.
    fn show(&mut self, mut text: &str) -> bool {
        let mut clean = true;
        while let Some(split) = text::split_at_special(text, []) {
            clean = false;
            self.line.push_str(split.clean);
            self.escape.clear();
            text::push_escape(split.special, &mut self.escape);
            self.line.extend(self.escape.iter().map(|byte| char::from(*byte)));
            text = split.rest;
            // The rest would be cut away; it may be very long.
            if self.line.len() > MOST_CHARACTERS.saturating_mul(4) {
                return false;
            }
        }
        self.line.push_str(text);
        clean
    }
}

/// Cuts a text to at most so many characters, of which the last is then `…`; whether it had more.
pub(super) fn cut(text: &mut String, most: usize) -> bool {
    // No text has more characters than bytes.
    if text.len() <= most || text.chars().nth(most).is_none() {
        return false;
    }
    let end = text.char_indices().nth(most.saturating_sub(1)).map_or(0, |(at, _)| at);
    text.truncate(end);
    text.push('…');
    true
}
