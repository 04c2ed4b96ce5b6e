//! Body file of The Sleuth Kit 3, for `mactime` and for plaso's `bodyfile` parser: one line an
//! event, eleven fields between bars.
//!
//! ```text
//! 0|[docker start] web1 (25b0ae39f0c1) node-17: container started; Start Time .347278022 e_9f0c2a1b4c5d|0|r/----------|0|0|0|t|t|t|t
//! ```
//!
//! An event is not a file, so its words go into the name: source and action, the label of the
//! subject and the first digits of its id, host, file, text, what the time means, the fraction of
//! its second, and digits of `event_identifier`, which make each name unique (`mactime` prints the
//! last owner and size of all lines of one name). Its time stands four times: that is exactly one
//! `macb` row in `mactime`, where an unset time would make a row of the year 0.
//!
//! In the name, control characters are visible escapes, `|` is `%7C`, and `%` before two
//! hexadecimal digits is `%25`: `mactime` undoes both. plaso undoes neither, and reads `\x0a` and
//! `\\` as escapes of its own.
//!
//! A file with its times is a file here, too: one line, however many events it gives elsewhere.
//!
//! ```text
//! 0|node-17/web1-25b0ae39f0c1/tmp/lnk -> /etc/passwd (deleted)|131077|l/lrwxrwxrwx|0|0|11|a|m|c|b
//! ```
//!
//! Its name is its path below the host and what it belongs to: a container, an image or a volume. To
//! get the path and the target of a link back from what `mactime` shows:
//! 1. A ` (deleted)` at the end says that the file is gone; remove one.
//! 2. Of a link (its type is `l`), what follows the first ` -> ` is the target.
//! 3. `\xNN` is a byte: of a control character, a backslash or what is not UTF-8, and the blank of a
//!    name that would look like one of these two marks.
//!
//! A time that is unknown, or not after 1970-01-01T00:00:00Z, is -1: no row in `mactime`, while the 0 of
//! `fls` makes one of the year 0 (plaso reads -1 as a time: give it the JSONL).
//!
//! What a body file cannot carry: fractions of a second other than in the name; a time at or before
//! 1970-01-01T00:00:00Z, where 0 and -1 mean "unset" to one reader and a time to the other (such an
//! event is left out and counted); a size, owner or inode that is unknown (it is 0; a line number or
//! offset stands for an unknown inode, so that lines of one second keep their order); any
//! other field, and the end of a long text. plaso takes the times for local ones: run it with
//! `-z UTC`. `mactime` sorts times as text, which holds until the year 2286.

mod file_line;

use super::identifier::Identifier;
use super::{Output, Rendered, Renderer, digits, text};
use crate::{Event, Telling};

/// Characters of a name before its last words.
const MOST_CHARACTERS: usize = 1_024;
/// So many bytes are more characters than that, whatever they are.
const MOST_BYTES: usize = MOST_CHARACTERS * 4;
/// Characters of `event_identifier` in a name.
const IDENTIFIER_CHARACTERS: usize = 14;
/// Mode of what is no file, or a file of unknown mode.
const NO_MODE: &[u8] = b"r/----------";

/// The output `bodyfile`.
pub struct Bodyfile;

impl Output for Bodyfile {
    fn name(&self) -> &'static str {
        "bodyfile"
    }

    fn extension(&self) -> &'static str {
        "body"
    }

    fn header(&self) -> Vec<u8> {
        Vec::new()
    }

    fn renderer(&self) -> Box<dyn Renderer> {
        Box::new(BodyfileRenderer::default())
    }
}

#[derive(Default)]
struct BodyfileRenderer {
    identifier: Identifier,
    name: String,
    /// For a text that is still JSON.
    decoded: String,
}

impl Renderer for BodyfileRenderer {
    fn render(&mut self, event: &Event<'_>, into: &mut Vec<u8>) -> Rendered {
        match event.telling {
            Telling::Itself => self.render_event(event, into),
            Telling::First(times) => self.render_file(event, times, into),
            Telling::Again => Rendered::Elsewhere,
        }
    }
}

impl BodyfileRenderer {
    fn render_event(&mut self, event: &Event<'_>, into: &mut Vec<u8>) -> Rendered {
        if event.instant.seconds() <= 0 {
            return Rendered::NotCarried;
        }
        self.identifier.set(event);
        self.name_subject(event);
        self.name_fact(event);
        into.extend_from_slice(b"0|");
        push_escaped(&self.name, into);
        self.push_last_words(event, into);
        into.push(b'|');
        digits::push(event.inode.unwrap_or_else(|| event.position.ordinal()), into);
        into.push(b'|');
        push_mode(event.mode_as_string, into);
        for number in [event.uid, event.gid, event.size] {
            into.push(b'|');
            digits::push(number.unwrap_or(0), into);
        }
        for _ in ["accessed", "modified", "changed", "born"] {
            into.push(b'|');
            digits::push_signed(event.instant.seconds(), into);
        }
        into.push(b'\n');
        Rendered::Row
    }

    /// `[docker start] web1 (25b0ae39f0c1) node-17`
    fn name_subject(&mut self, event: &Event<'_>) {
        self.name.clear();
        self.name.push('[');
        self.name.extend(event.kind.source_short.chars().map(|c| c.to_ascii_lowercase()));
        if !event.action.is_empty() {
            self.name.push(' ');
            self.show(event.action);
        }
        self.name.push_str("] ");
        if let Some(label) = event.subject.label() {
            self.show(label);
            self.name.push(' ');
        }
        let id = event.subject.container_identifier.as_deref().and_then(|id| id.get(..12));
        if let (Some(id), Some(_)) = (id, &event.subject.container_name) {
            self.name.push('(');
            self.show(id);
            self.name.push_str(") ");
        }
        self.show(&event.origin.host);
    }

    /// `: /etc/passwd; container started; Start Time`
    fn name_fact(&mut self, event: &Event<'_>) {
        let mut mark = ": ";
        let mut buffer = std::mem::take(&mut self.decoded);
        for part in [event.filename.unwrap_or_default(), event.text.decoded(&mut buffer)] {
            if !part.is_empty() {
                self.name.push_str(mark);
                self.show(part);
                mark = "; ";
            }
        }
        self.decoded = buffer;
        text::cut(&mut self.name, MOST_CHARACTERS);
    }

    fn show(&mut self, part: &str) {
        text::push_visible(part, MOST_BYTES, &mut self.name);
    }
}

impl BodyfileRenderer {
    /// `; Start Time .347278022 e_9f0c2a1b4c5d`: what makes a name unique is never cut.
    fn push_last_words(&self, event: &Event<'_>, into: &mut Vec<u8>) {
        into.extend_from_slice(b"; ");
        into.extend_from_slice(event.meaning.description().as_bytes());
        into.extend_from_slice(b" .");
        into.extend_from_slice(&digits::fixed::<9>(event.instant.nanoseconds()));
        into.push(b' ');
        let identifier = self.identifier.text();
        into.extend_from_slice(identifier.get(..IDENTIFIER_CHARACTERS).unwrap_or(identifier));
    }
}

/// Appends a name that holds no control character, with what `mactime` would take for a field's end
/// or for an escape of its own.
fn push_escaped(name: &str, into: &mut Vec<u8>) {
    let mut bytes = name.as_bytes();
    while let Some(at) = bytes.iter().position(|byte| matches!(byte, b'|' | b'%')) {
        let (clean, [mark, rest @ ..]) = bytes.split_at(at) else { break };
        into.extend_from_slice(clean);
        into.extend_from_slice(match (mark, rest) {
            (b'|', _) => b"%7C",
            (_, [high, low, ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => b"%25",
            _ => b"%",
        });
        bytes = rest;
    }
    into.extend_from_slice(bytes);
}

/// Appends `r/rrw-r--r--` for `-rw-r--r--`: the type of the directory entry, and that of the file.
fn push_mode(mode: Option<&str>, into: &mut Vec<u8>) {
    let known = mode.and_then(|mode| {
        let (kind, permissions) = mode.as_bytes().split_first()?;
        let kind = match kind {
            b'-' => b'r',
            b's' => b'h', // a socket; `s` is a shadow file of Solaris
            b'd' | b'l' | b'b' | b'c' | b'p' => *kind,
            _ => return None,
        };
        let of_form = permissions.len() == 9
            && permissions.iter().all(|permission| b"rwxstST-".contains(permission));
        of_form.then_some((kind, permissions))
    });
    let Some((kind, permissions)) = known else {
        return into.extend_from_slice(NO_MODE);
    };
    into.extend_from_slice(&[kind, b'/', kind]);
    into.extend_from_slice(permissions);
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::{Meaning, Position, Text};

    fn line(event: &Event<'_>) -> String {
        let mut bytes = Vec::new();
        assert_eq!(Bodyfile.renderer().render(event, &mut bytes), Rendered::Row);
        String::from_utf8(bytes).unwrap()
    }

    fn escaped(name: &str) -> String {
        let mut bytes = Vec::new();
        push_escaped(name, &mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    /// What `mactime` does to each field.
    fn percent_decoded(text: &str) -> String {
        let mut decoded = Vec::new();
        let mut bytes = text.as_bytes();
        while let [byte, rest @ ..] = bytes {
            let code = rest.get(..2).filter(|code| code.iter().all(u8::is_ascii_hexdigit));
            bytes = rest;
            match (byte, code) {
                (b'%', Some(code)) => {
                    let code = std::str::from_utf8(code).unwrap();
                    decoded.push(u8::from_str_radix(code, 16).unwrap());
                    bytes = &rest[2..];
                }
                _ => decoded.push(*byte),
            }
        }
        String::from_utf8(decoded).unwrap()
    }

    #[test]
    fn an_event_of_a_container_is_one_line() {
        let at = (samples::instant(1_561_720_268, 347_278_022), Meaning::Start);
        let event = Event {
            position: Position::Line(42),
            action: "start",
            text: Text::Plain("container started | 100%41"),
            ..Event::new(&samples::ORIGIN, &samples::KIND, &samples::APACHE, at)
        };
        let expected = [
            "0|[docker start] apache (25b025b025b0) alpine-host: container started %7C 100%2541; ",
            "Start Time .347278022 e_0588c53b5b79|42|r/----------|0|0|0",
            "|1561720268|1561720268|1561720268|1561720268\n",
        ];
        assert_eq!(line(&event), expected.concat());
    }

    #[test]
    fn an_event_of_a_file_has_the_mode_owner_size_and_inode_of_the_file() {
        let expected = [
            "0|[docker create] apache (25b025b025b0) alpine-host: /etc/passwd; ",
            r"container created\nfrom httpd; Creation Time .347278022 e_22ab725f840b",
            "|131077|r/rrw-r--r--|0|18446744073709551615|123456789012",
            "|1561720268|1561720268|1561720268|1561720268\n",
        ];
        assert_eq!(line(&samples::full()), expected.concat());
    }

    #[test]
    fn a_time_at_which_one_reader_sees_none_is_not_written() {
        for (seconds, nanoseconds) in
            [(0, 0), (0, 999_999_999), (-1, 0), (-1, 999_999_999), (-5, 0)]
        {
            let instant = samples::instant(seconds, nanoseconds);
            let mut bytes = b"before".to_vec();
            let event = Event { instant, ..samples::bare("text") };
            assert_eq!(Bodyfile.renderer().render(&event, &mut bytes), Rendered::NotCarried);
            assert_eq!(bytes, b"before");
        }
        let event = Event { instant: samples::instant(1, 0), ..samples::bare("text") };
        assert!(line(&event).ends_with("|1|1|1|1\n"));
    }

    #[test]
    fn mactime_gets_back_every_name() {
        for name in ["", "%", "%%", "%4", "%41", "%%41", "%zz", "%7C", "|", "%|", "%4|1", "é%c3%a9"]
        {
            assert_eq!(percent_decoded(&escaped(name)), name, "{}", escaped(name));
            assert!(!escaped(name).contains('|'));
        }
    }

    #[test]
    fn a_mode_that_is_none_does_not_shift_the_fields() {
        let mode = |mode| {
            let mut bytes = Vec::new();
            push_mode(mode, &mut bytes);
            String::from_utf8(bytes).unwrap()
        };
        assert_eq!(mode(Some("drwxr-xr-t")), "d/drwxr-xr-t");
        assert_eq!(mode(Some("srw-------")), "h/hrw-------");
        for other in [None, Some(""), Some("-rw"), Some("-rw-r--r-:"), Some("?rw-r--r--")] {
            assert_eq!(mode(other), "r/----------", "{other:?}");
        }
    }

    #[test]
    fn a_very_long_text_leaves_what_makes_the_name_unique() {
        let text = "€".repeat(100_000);
        let line = line(&samples::bare(&text));
        assert!(line.contains("€…; Recorded Time .347278022 e_1a0900836b47|"), "{line}");
        assert!(line.len() < 4_000, "{}", line.len());
    }
}
