//! One thing that happened at one instant to one subject, with one meaning, read from one place.
//!
//! An event borrows from the parser's buffer: on the hot path it costs no allocation.

use crate::file_times::Telling;
use crate::{Instant, Origin, Position};
use std::borrow::Cow;

/// What an instant means for its subject. The names are the ones that plaso gives to the same
/// meanings (`timestamp_desc`), so that analysts' searches and tags work on both.
///
/// The order of the variants orders events of one file at one instant: a life in its own order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Meaning {
    /// The subject came into being.
    Creation,
    /// The subject arrived on this host.
    Added,
    /// The subject began to run.
    Start,
    /// Something was recorded at this instant.
    Recorded,
    /// The subject's content was last written; for a log line, when it was written.
    ContentModification,
    /// The subject's metadata were last written.
    MetadataModification,
    /// The subject was last read.
    LastAccess,
    /// The subject was last updated by its owner.
    Update,
    /// The subject stopped to run.
    End,
    /// The subject ceased to be.
    Deletion,
}

impl Meaning {
    /// All meanings, in order.
    pub const ALL: [Meaning; 10] = [
        Meaning::Creation,
        Meaning::Added,
        Meaning::Start,
        Meaning::Recorded,
        Meaning::ContentModification,
        Meaning::MetadataModification,
        Meaning::LastAccess,
        Meaning::Update,
        Meaning::End,
        Meaning::Deletion,
    ];

    /// The `timestamp_desc` that is written out.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Meaning::Creation => "Creation Time",
            Meaning::Added => "Added Time",
            Meaning::Start => "Start Time",
            Meaning::Recorded => "Recorded Time",
            Meaning::ContentModification => "Content Modification Time",
            Meaning::MetadataModification => "Metadata Modification Time",
            Meaning::LastAccess => "Last Access Time",
            Meaning::Update => "Update Time",
            Meaning::End => "End Time",
            Meaning::Deletion => "Content Deletion Time",
        }
    }
}

/// How far an instant can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// The artifact says so.
    Recorded,
    /// Concluded from something else; the message says from what.
    Inferred,
    /// A time of the file system: of the file's last change, not of the fact itself.
    Filesystem,
}

impl Confidence {
    /// The `time_confidence` that is written out.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Recorded => "recorded",
            Confidence::Inferred => "inferred",
            Confidence::Filesystem => "filesystem",
        }
    }
}

/// The constant words of one kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// plaso's name where plaso has one: `docker:container:configuration`.
    pub data_type: &'static str,
    /// `DOCKER`.
    pub source_short: &'static str,
    /// `Docker container configuration`.
    pub source_long: &'static str,
}

/// To what it happened. Ids are full, names are as the engine shows them, absent is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// 64 hexadecimal digits.
    pub container_identifier: Option<String>,
    /// Without the leading `/` of the engine's own files.
    pub container_name: Option<String>,
    /// As the user typed it: `httpd:2.4.38-alpine`.
    pub image_name: Option<String>,
    /// `sha256:` and 64 hexadecimal digits.
    pub image_identifier: Option<String>,
}

impl Subject {
    /// Nothing is known of the subject.
    pub const UNKNOWN: Subject = Subject {
        container_identifier: None,
        container_name: None,
        image_name: None,
        image_identifier: None,
    };

    /// What a person calls it: the container's name, else 12 digits of its id, else the image's
    /// name, else 12 digits of its id. The message of each event begins with it, in brackets.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        let short = |id: &'_ str, from: usize| -> Option<std::ops::Range<usize>> {
            id.get(from..from.saturating_add(12)).map(|_| from..from.saturating_add(12))
        };
        let container_id = self.container_identifier.as_deref();
        let image_id = self.image_identifier.as_deref();
        self.container_name
            .as_deref()
            .or_else(|| container_id.map(|id| short(id, 0).and_then(|r| id.get(r)).unwrap_or(id)))
            .or(self.image_name.as_deref())
            .or_else(|| image_id.map(|id| short(id, 7).and_then(|r| id.get(r)).unwrap_or(id)))
    }
}

/// The value of an attribute that the fixed schema has no field for.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// An integer.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// A list of texts. Maps are written so too, as `key=value`: the keys are the evidence's, and
    /// a search engine would make a field of each.
    List(Vec<Cow<'a, str>>),
}

/// One more fact, under its own name; the same name always has a value of the same type.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute<'a> {
    /// Lower case with underscores, never the name of a field of the schema.
    pub name: &'static str,
    /// The fact.
    pub value: Value<'a>,
}

/// What happened, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text<'a> {
    /// As it is: may hold anything, such as line breaks.
    Plain(&'a str),
    /// The content of a JSON string as it stands in the evidence: an output of JSON copies it and
    /// others decode it, so that a log line is not unescaped only to be escaped again.
    ///
    /// Whoever gives it has made sure that the only escapes in it are `\"`, `\\`, `\u003c`, `\u003e`
    /// and `\u0026`, that there is no control character, and none of the bytes 0x7F, 0xC2 and 0xE2,
    /// with which the characters begin that an output must not write raw.
    Json(&'a str),
    /// The same with at least one escape of a control character below the space in it, in any form
    /// that JSON has for these.
    JsonWithControls(&'a str),
}

impl<'a> Text<'a> {
    /// The text as it is; `buffer` is used where it must be decoded.
    #[must_use]
    pub fn decoded<'b>(self, buffer: &'b mut String) -> &'b str
    where
        'a: 'b,
    {
        let mut rest = match self {
            Text::Plain(text) => return text,
            Text::Json(json) | Text::JsonWithControls(json) => json,
        };
        buffer.clear();
        while let Some((before, character, behind)) = split_at_escape(rest) {
            buffer.push_str(before);
            buffer.push(character);
            rest = behind;
        }
        buffer.push_str(rest);
        buffer
    }
}

/// A text that is still JSON split at its first escape: what stands before, the character, and what
/// stands behind.
pub(crate) fn split_at_escape(json: &str) -> Option<(&str, char, &str)> {
    let (before, escape) = json.split_once('\\')?;
    let (character, length) = match escape.as_bytes() {
        [b'n', ..] => ('\n', 1),
        [b'r', ..] => ('\r', 1),
        [b't', ..] => ('\t', 1),
        [b'b', ..] => ('\u{8}', 1),
        [b'f', ..] => ('\u{c}', 1),
        [b'u', ..] => (escape.get(1..5).and_then(hex_character).unwrap_or('\u{fffd}'), 5),
        [mark, ..] => (char::from(*mark), 1),
        [] => ('\\', 0),
    };
    Some((before, character, escape.get(length..).unwrap_or_default()))
}

fn hex_character(digits: &str) -> Option<char> {
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}

impl<'a, T: AsRef<str> + ?Sized> From<&'a T> for Text<'a> {
    fn from(text: &'a T) -> Text<'a> {
        Text::Plain(text.as_ref())
    }
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// The file it was read from.
    pub origin: &'a Origin,
    /// Where in the file.
    pub position: Position<'a>,
    /// When.
    pub instant: Instant,
    /// What the instant means.
    pub meaning: Meaning,
    /// How far the instant can be believed.
    pub confidence: Confidence,
    /// Of which kind.
    pub kind: &'a Kind,
    /// To what.
    pub subject: &'a Subject,
    /// The engine's verb: `create`, `start`, `die`, `log`.
    pub action: &'a str,
    /// What happened, for a person, without the subject's label. May hold anything, such as line
    /// breaks: an output shows it on one line and keeps the text as it was beside it.
    pub text: Text<'a>,
    /// `stdout` or `stderr`.
    pub log_source: Option<&'a str>,
    /// Exit code of a process.
    pub exit_code: Option<i64>,
    /// Process id on the host.
    pub pid: Option<i64>,
    /// Owner.
    pub uid: Option<u64>,
    /// Group.
    pub gid: Option<u64>,
    /// Size in bytes.
    pub size: Option<u64>,
    /// Inode number.
    pub inode: Option<u64>,
    /// Path of the file that it happened to.
    pub filename: Option<&'a str>,
    /// `-rw-r--r--`.
    pub mode_as_string: Option<&'a str>,
    /// Which of the four times of a file this instant is: `M.C.`.
    pub macb: Option<&'a str>,
    /// Whether it is one of the events of a file's times.
    pub telling: Telling<'a>,
    /// Layer: its chain id.
    pub layer_identifier: Option<&'a str>,
    /// Volume.
    pub volume_name: Option<&'a str>,
    /// Network.
    pub network_name: Option<&'a str>,
    /// The command with its arguments, quoted as a shell would need it.
    pub command_line: Option<&'a str>,
    /// User.
    pub user: Option<&'a str>,
    /// SHA-256 of a content, 64 hexadecimal digits.
    pub sha256_hash: Option<&'a str>,
    /// Labels as `key=value`.
    pub labels: &'a [String],
    /// Tags.
    pub tags: Vec<Cow<'a, str>>,
    /// What else is known.
    pub attributes: Vec<Attribute<'a>>,
}

impl<'a> Event<'a> {
    /// An event with all that every event has; the rest is absent until set.
    #[must_use]
    pub fn new(
        origin: &'a Origin,
        kind: &'a Kind,
        subject: &'a Subject,
        (instant, meaning): (Instant, Meaning),
    ) -> Event<'a> {
        Event {
            origin,
            position: Position::File,
            instant,
            meaning,
            confidence: Confidence::Recorded,
            kind,
            subject,
            action: "",
            text: Text::Plain(""),
            log_source: None,
            exit_code: None,
            pid: None,
            uid: None,
            gid: None,
            size: None,
            inode: None,
            filename: None,
            mode_as_string: None,
            macb: None,
            telling: Telling::Itself,
            layer_identifier: None,
            volume_name: None,
            network_name: None,
            command_line: None,
            user: None,
            sha256_hash: None,
            labels: &[],
            tags: Vec::new(),
            attributes: Vec::new(),
        }
    }

    /// Adds a fact, unless it is absent.
    pub fn attribute(&mut self, name: &'static str, value: Option<Value<'a>>) {
        if let Some(value) = value {
            self.attributes.push(Attribute { name, value });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_json_is_decoded_where_it_is_needed_plain() {
        let mut buffer = String::from("left over");
        let json = r#"say \"\u003cb\u003e \u0026 \\n\" é"#;
        assert_eq!(Text::Json(json).decoded(&mut buffer), r#"say "<b> & \n" é"#);
        assert_eq!(Text::Json("").decoded(&mut buffer), "");
        assert_eq!(Text::Plain(r"a\n").decoded(&mut buffer), r"a\n");
        let json = r#"\u001B[32m\ta\u0009\r\n\b\f\u001f\\u0026\u003c\""#;
        let text = "\u{1b}[32m\ta\t\r\n\u{8}\u{c}\u{1f}\\u0026<\"";
        assert_eq!(Text::JsonWithControls(json).decoded(&mut buffer), text);
    }
}
