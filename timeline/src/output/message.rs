//! The message: what happened, on one line, for a person.
//!
//! `[label] text`, with control characters and line breaks shown as escapes, and cut at
//! [`MOST_CHARACTERS`]. A backslash stays as it is. Where that does not show the text as it was,
//! [`Message::whole`] says so, and the outputs write it into `message_body`.

use super::text;
use crate::Event;

/// Characters of a message, with the `…` that stands for what was cut.
const MOST_CHARACTERS: usize = 4_096;
/// So many bytes are more characters than that, whatever they are.
const MOST_BYTES: usize = MOST_CHARACTERS * 4;

/// The message of the last event that was set.
#[derive(Default)]
pub(super) struct Message {
    line: String,
    whole: bool,
}

impl Message {
    pub(super) fn set(&mut self, event: &Event<'_>) {
        self.line.clear();
        if let Some(label) = event.subject.label() {
            self.line.push('[');
            text::push_visible(label, MOST_BYTES, &mut self.line);
            self.line.push_str("] ");
        }
        let visible = text::push_visible(event.text, MOST_BYTES, &mut self.line);
        self.whole = !text::cut(&mut self.line, MOST_CHARACTERS) && visible;
    }

    pub(super) fn line(&self) -> &str {
        &self.line
    }

    /// Whether the text stands in the line as it was.
    pub(super) fn whole(&self) -> bool {
        self.whole
    }
}
