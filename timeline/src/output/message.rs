//! The message: what happened, on one line, for a person.
//!
//! `[label] text`, with control characters and line breaks shown as escapes, and cut at
//! [`MOST_CHARACTERS`]. A backslash stays as it is. Where that does not show the text as it was,
//! [`Message::whole`] says so, and the outputs write it into `message_body`.

use super::schema::Datum;
use super::{json, text};
use crate::{Event, Text};

/// Characters of a message, with the `…` that stands for what was cut.
const MOST_CHARACTERS: usize = 4_096;
/// So many bytes are more characters than that, whatever they are.
const MOST_BYTES: usize = MOST_CHARACTERS * 4;

/// The message of the last event that was set.
#[derive(Default)]
pub(super) struct Message {
    /// The label of the event before, and how it is shown.
    label: Option<String>,
    shown: String,
    /// The same as the content of a JSON string.
    shown_in_json: Vec<u8>,
    /// The whole message; nothing where the text is still JSON.
    line: String,
    form: Form,
    /// A text that was JSON.
    decoded: String,
}

/// How the message relates to the text of its event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    /// The text stands in the line as it was.
    #[default]
    Whole,
    /// The line shows the text cut, or with escapes.
    Shown,
    /// The text is to be written after the line as the JSON that it is, and is whole there.
    Json,
}

impl Message {
    /// `takes_json`: whether the output can write a [`Text::Json`] as it is.
    pub(super) fn set(&mut self, event: &Event<'_>, takes_json: bool) {
        self.set_label(event.subject.label());
        if let Text::Json(json) = event.text
            && takes_json
            && self.shown.len().saturating_add(json.len()) <= MOST_CHARACTERS
        {
            self.form = Form::Json;
            return;
        }
        self.line.clone_from(&self.shown);
        let plain = event.text.decoded(&mut self.decoded);
        let visible = text::push_visible(plain, MOST_BYTES, &mut self.line);
        let is_whole = !text::cut(&mut self.line, MOST_CHARACTERS) && visible;
        self.form = if is_whole { Form::Whole } else { Form::Shown };
    }

    fn set_label(&mut self, label: Option<&str>) {
        if self.label.as_deref() == label {
            return;
        }
        self.label = label.map(str::to_owned);
        self.shown.clear();
        if let Some(label) = label {
            self.shown.push('[');
            text::push_visible(label, MOST_BYTES, &mut self.shown);
            self.shown.push_str("] ");
        }
        self.shown_in_json.clear();
        json::push_content(&self.shown, &mut self.shown_in_json);
    }

    /// The message of the event that was set.
    pub(super) fn line<'e>(&'e self, event: &Event<'e>) -> Datum<'e> {
        match (self.form, event.text) {
            (Form::Json, Text::Json(json)) => Datum::LineOfJson(&self.shown_in_json, json),
            _ => Datum::Line(&self.line),
        }
    }

    /// The text of the event that was set, where the message does not show it as it was.
    pub(super) fn body<'e>(&'e self, event: &Event<'e>) -> Option<&'e str> {
        match event.text {
            _ if self.form != Form::Shown => None,
            Text::Plain(text) => Some(text),
            Text::Json(_) => Some(&self.decoded),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::Subject;

    fn message(subject: &Subject, text: &str) -> (String, bool) {
        let mut message = Message::default();
        let event = Event { subject, text: Text::Plain(text), ..samples::bare("") };
        message.set(&event, true);
        (message.line.clone(), message.body(&event).is_none())
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
