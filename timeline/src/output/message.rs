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

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::Subject;

    fn message(subject: &Subject, text: &str) -> (String, bool) {
        let mut message = Message::default();
        message.set(&Event { subject, text, ..samples::bare("") });
        (message.line().to_owned(), message.whole())
    }

    fn named(name: &str) -> Subject {
        Subject { container_name: Some(name.to_owned()), ..Subject::UNKNOWN }
    }

    #[test]
    fn a_message_is_the_label_in_brackets_and_the_text_on_one_line() {
        let web = named("web");
        for (subject, text, expected, whole) in [
            (&web, "started", "[web] started", true),
            (&Subject::UNKNOWN, "started", "started", true),
            (&web, "", "[web] ", true),
            (&web, r"C:\new", r"[web] C:\new", true),
            (&web, "one\r\ntwo\u{2028}three", r"[web] one\r\ntwo\u2028three", false),
            (&named("w\nb"), "started", r"[w\nb] started", true),
        ] {
            assert_eq!(message(subject, text), (expected.to_owned(), whole));
        }
    }

    #[test]
    fn a_message_is_cut_at_4096_characters_of_any_length() {
        for character in ["x", "é", "€", "😀"] {
            let fits = character.repeat(4_096);
            assert_eq!(message(&Subject::UNKNOWN, &fits), (fits.clone(), true));
            let cut = (character.repeat(4_095) + "…", false);
            assert_eq!(message(&Subject::UNKNOWN, &character.repeat(4_097)), cut);
            assert_eq!(message(&Subject::UNKNOWN, &character.repeat(100_000)), cut);
        }
    }

    #[test]
    fn a_label_that_fills_the_message_leaves_the_text_to_the_body() {
        let (line, whole) = message(&named(&"n".repeat(5_000)), "started");
        assert_eq!((line.chars().count(), whole), (4_096, false));
        let (line, whole) = message(&named(&"\0".repeat(50_000)), "started");
        assert_eq!((line.chars().count(), whole), (4_096, false));
    }
}
