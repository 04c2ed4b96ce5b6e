//! The message: what happened, on one line, for a person.
//!
//! `[label] text`, with control characters and line breaks shown as escapes, and cut at
//! [`MOST_CHARACTERS`]. A backslash stays as it is. Where that does not show the text as it was,
//! [`Message::whole`] says so, and the outputs write it into `message_body`.

use super::schema::Datum;
use super::{json, text};
use crate::event::split_at_escape;
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
    /// The whole message; nothing where it was made of JSON.
    line: String,
    /// The text in the line, and as it was, of one with escapes of control characters; both as the
    /// content of a JSON string.
    line_in_json: Vec<u8>,
    body_in_json: Vec<u8>,
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
    /// The text is JSON that stands in the line as it is.
    Json,
    /// The text was JSON, and so are the text in the line and as it was.
    ShownInJson,
}

impl Message {
    /// `takes_json`: whether the output can write a text that is still JSON.
    pub(super) fn set(&mut self, event: &Event<'_>, takes_json: bool) {
        self.set_label(event.subject.label());
        // No escape is shown longer than it is in JSON.
        let fits = |json: &str| self.shown.len().saturating_add(json.len()) <= MOST_CHARACTERS;
        match event.text {
            Text::Json(json) if takes_json && fits(json) => self.form = Form::Json,
            Text::JsonWithControls(json) if takes_json && fits(json) => self.set_json(json),
            _ => self.set_decoded(event),
        }
    }

    /// Writes each control character as its escape into the body, and the escape of that, which
    /// shows it, into the line.
    fn set_json(&mut self, json: &str) {
        self.form = Form::ShownInJson;
        self.line_in_json.clear();
        self.body_in_json.clear();
        let mut rest = json;
        while let Some((before, character, behind)) = split_at_escape(rest) {
            self.line_in_json.extend_from_slice(before.as_bytes());
            self.body_in_json.extend_from_slice(before.as_bytes());
            if character < ' ' {
                self.line_in_json.push(b'\\');
            }
            push_unescaped(character, &mut self.line_in_json);
            push_unescaped(character, &mut self.body_in_json);
            rest = behind;
        }
        self.line_in_json.extend_from_slice(rest.as_bytes());
        self.body_in_json.extend_from_slice(rest.as_bytes());
    }

    fn set_decoded(&mut self, event: &Event<'_>) {
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
            (Form::Json, Text::Json(json)) => Datum::Json(&self.shown_in_json, json.as_bytes()),
            (Form::ShownInJson, _) => Datum::Json(&self.shown_in_json, &self.line_in_json),
            _ => Datum::Line(&self.line),
        }
    }

    /// The text of the event that was set, where the message does not show it as it was.
    pub(super) fn body<'e>(&'e self, event: &Event<'e>) -> Datum<'e> {
        match (self.form, event.text) {
            (Form::Whole | Form::Json, _) => Datum::Absent,
            (Form::ShownInJson, _) => Datum::Json(&[], &self.body_in_json),
            (Form::Shown, Text::Plain(text)) => Datum::Text(text),
            (Form::Shown, _) => Datum::Text(&self.decoded),
        }
    }
}

/// Appends a character that was escaped, and is again if it must be.
fn push_unescaped(character: char, into: &mut Vec<u8>) {
    match character {
        '<' | '>' | '&' => into.extend(u8::try_from(character)),
        other => text::push_escape(other, into),
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
        (message.line.clone(), message.body(&event) == Datum::Absent)
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
