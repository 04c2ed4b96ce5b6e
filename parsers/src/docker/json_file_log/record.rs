//! One record, and the reading of the form that the engine writes:
//! `{"log":"…","stream":"stdout"[,"attrs":{…}],"time":"…"}`.
//!
//! This is the hot path: no allocation, no copy. What is in doubt is read forward, quote by quote: a
//! search for `"time":` from either end would believe a record that a program wrote into its own
//! log, or swallow two records as one. Whatever is not exactly this form is left to
//! [`lenient`](super::lenient).

use super::lenient::attribute_pairs;
use super::text::{Blemishes, code_unit, is_copied, unescape};
use dockline_timeline::{Instant, RecentMinute, Text};
use memchr::{memchr, memrchr};
use simdutf8::basic::from_utf8;

/// A record as it stands in the file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record<'a> {
    /// What was logged.
    pub(super) log: Log<'a>,
    /// To where.
    pub(super) stream: Stream<'a>,
    /// What the log options `labels`, `env` and `tag` add.
    pub(super) attrs: Attrs<'a>,
    /// When; else why that is not known.
    pub(super) time: Result<Instant, String>,
    /// Bytes from the first brace to the last.
    pub(super) length: usize,
    /// What is wrong with it, though it could be read.
    pub(super) blemishes: Blemishes,
}

/// What was logged, usually with its final line break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Log<'a> {
    /// The text, or the text with its escapes.
    pub(super) text: &'a str,
    /// What escapes there are in it.
    pub(super) escapes: Escapes,
}

/// What escapes there are in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Escapes {
    /// None, or they have been decoded.
    #[default]
    None,
    /// Only those that [`Text::Json`] may have, and at the end that of the line break.
    Simple,
    /// Also those of control characters, which [`Text::JsonWithControls`] has.
    Controls,
    /// Others.
    Any,
}

impl<'a> Log<'a> {
    /// Whether it ends with a line break, as all but pieces and a program's very last line do.
    pub(super) fn ends_line(&self) -> bool {
        if self.escapes == Escapes::None {
            return self.text.ends_with('\n');
        }
        self.text.strip_suffix("\\n").is_some_and(|before| {
            let backslashes = before.bytes().rev().take_while(|byte| *byte == b'\\').count();
            backslashes % 2 == 0
        })
    }

    /// The text without its final line break, as an event has it; `buffer` is used where it must be
    /// decoded. A joined message has been decoded before.
    pub(super) fn of_event<'b>(&self, buffer: &'b mut String) -> Text<'b>
    where
        'a: 'b,
    {
        let still_json: Option<fn(_) -> _> = match self.escapes {
            Escapes::Simple => Some(Text::Json),
            Escapes::Controls => Some(Text::JsonWithControls),
            Escapes::None | Escapes::Any => None,
        };
        if let Some(still_json) = still_json
            && is_copied(self.text.as_bytes())
        {
            let end = if self.ends_line() { "\\n" } else { "" };
            return still_json(self.text.strip_suffix(end).unwrap_or(self.text));
        }
        let mut text = self.text;
        if self.escapes != Escapes::None {
            buffer.clear();
            unescape(self.text, buffer, &mut Blemishes::default());
            text = buffer;
        }
        Text::Plain(text.strip_suffix('\n').unwrap_or(text))
    }
}

/// Where a record's text was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream<'a> {
    /// `stdout`
    Stdout,
    /// `stderr`
    Stderr,
    /// Something that no engine writes.
    Other(&'a str),
    /// The record does not say.
    Unsaid,
}

impl<'a> Stream<'a> {
    /// As it stands in the record.
    pub(super) fn name(self) -> Option<&'a str> {
        match self {
            Stream::Stdout => Some("stdout"),
            Stream::Stderr => Some("stderr"),
            Stream::Other(name) => Some(name),
            Stream::Unsaid => None,
        }
    }
}

/// What the log options `labels`, `env` and `tag` add to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attrs<'a> {
    /// Texts by name, as JSON.
    Json(&'a str),
    /// The same as `name=text`.
    Pairs(&'a [String]),
}

impl Attrs<'_> {
    /// There are none.
    pub(super) const NONE: Attrs<'static> = Attrs::Pairs(&[]);

    /// All of them as `name=text`.
    pub(super) fn to_pairs(self) -> Vec<String> {
        match self {
            Attrs::Json(object) => attribute_pairs(object),
            Attrs::Pairs(pairs) => pairs.to_vec(),
        }
    }
}

/// Reads the record at the front of `bytes` if it is exactly as the engine writes it and nothing is
/// wrong with it.
pub(super) fn canonical<'a>(bytes: &'a [u8], minute: &mut RecentMinute) -> Option<Record<'a>> {
    alone_on_its_line(bytes, minute).or_else(|| by_its_quotes(bytes, minute))
}

/// Reads what most lines are: one record without `attrs` whose text ends with a line break.
///
/// This begins at the end of the line, and is right all the same: the text is believed only when no
/// quote in it could have ended it, and then to read forward finds the same.
fn alone_on_its_line<'a>(bytes: &'a [u8], minute: &mut RecentMinute) -> Option<Record<'a>> {
    let (line, _) = bytes.split_at_checked(memchr(b'\n', bytes)?)?;
    let rest = line.strip_suffix(b"\"}")?;
    let (rest, time) = rest.split_at_checked(memrchr(b'"', rest)?)?;
    let rest = rest.strip_suffix(b",\"time\":")?;
    let (rest, stream) = match rest.strip_suffix(b"\"stdout\"") {
        Some(rest) => (rest, Stream::Stdout),
        None => (rest.strip_suffix(b"\"stderr\"")?, Stream::Stderr),
    };
    let text = rest.strip_suffix(b"\",\"stream\":")?.strip_prefix(b"{\"log\":\"")?;
    let escapes = escapes_at_a_glance(text)?;
    let instant = minute.parse_rfc3339(time.strip_prefix(b"\"")?).ok()??;
    let log = Log { text: from_utf8(text).ok()?, escapes };
    let (attrs, blemishes) = (Attrs::NONE, Blemishes::default());
    Some(Record { log, stream, attrs, time: Ok(instant), length: line.len(), blemishes })
}

/// What escapes there are in a text that ends with an escaped line break, if all are escapes, every
/// quote is escaped, and there is no control byte.
fn escapes_at_a_glance(text: &[u8]) -> Option<Escapes> {
    let text = text.strip_suffix(b"n").filter(|text| text.ends_with(b"\\"))?;
    // Below, a byte is judged with the one before it.
    let first = text.first()?;
    if *first == b'"' || *first < b' ' {
        return None;
    }
    // Without a branch for each byte: what compilers turn into vector instructions.
    let behind = text.get(1..).unwrap_or_default();
    let pairs = text.iter().zip(behind);
    let (wrong, other) = pairs.fold((false, false), |(wrong, other), (byte, next)| {
        let (backslash, quote) = (*byte == b'\\', *next == b'"');
        let bare = (*next < b' ') | (quote & !backslash);
        (wrong | bare, other | (backslash & !quote))
    });
    match (wrong, other) {
        (false, false) => Some(Escapes::Simple),
        (false, true) => escapes_one_by_one(text.strip_suffix(b"\\")?),
        (true, _) => None,
    }
}

/// The same of a text without its line break in which a backslash stands before every quote.
fn escapes_one_by_one(text: &[u8]) -> Option<Escapes> {
    let mut found = Escapes::Simple;
    let mut rest = text;
    while let Some((_, escape)) = escape_of_no_quote(rest).and_then(|at| rest.split_at_checked(at))
    {
        let (length, kind) = escape_kind(escape.get(1..)?)?;
        found = found.max(kind);
        rest = escape.get(length..)?;
        // The backslash before this quote is the second of two, and escapes nothing.
        if escape.starts_with(b"\\\\") && rest.starts_with(b"\"") {
            return None;
        }
    }
    Some(found)
}

/// Where the first backslash is that no quote stands behind: a text that is JSON itself is full of
/// those before quotes, which need not be looked at one by one.
fn escape_of_no_quote(text: &[u8]) -> Option<usize> {
    /// Bytes that are looked at together, without a branch for each, as above.
    const STEP: usize = 16;
    let behind = text.get(1..)?;
    let is_found = |(byte, next): (&u8, &u8)| (*byte == b'\\') & (*next != b'"');
    let steps = text.as_chunks::<STEP>().0.iter().zip(behind.as_chunks::<STEP>().0);
    let before = steps.take_while(|(step, behind)| {
        !step.iter().zip(*behind).fold(false, |found, pair| found | is_found(pair))
    });
    let at = before.count().checked_mul(STEP)?;
    let found = text.get(at..)?.iter().zip(behind.get(at..)?).position(is_found);
    let is_last = text.ends_with(b"\\");
    found.map(|found| at.saturating_add(found)).or_else(|| is_last.then_some(behind.len()))
}

/// Reads the record forward, quote by quote.
fn by_its_quotes<'a>(bytes: &'a [u8], minute: &mut RecentMinute) -> Option<Record<'a>> {
    let rest = bytes.strip_prefix(b"{\"log\":\"")?;
    let (text, escapes, rest) = string(rest)?;
    let rest = rest.strip_prefix(b",\"stream\":\"std")?;
    let (stream, rest) = match rest.strip_prefix(b"out\"") {
        Some(rest) => (Stream::Stdout, rest),
        None => (Stream::Stderr, rest.strip_prefix(b"err\"")?),
    };
    let (attrs, rest) = match rest.strip_prefix(b",\"attrs\":") {
        Some(rest) => flat_object(rest)?,
        None => (Attrs::NONE, rest),
    };
    let rest = rest.strip_prefix(b",\"time\":\"")?;
    let (time, rest) = rest.split_at_checked(memchr(b'"', rest)?)?;
    let instant = minute.parse_rfc3339(time).ok()??;
    let rest = rest.strip_prefix(b"\"}")?;
    let length = bytes.len().checked_sub(rest.len())?;
    let log = Log { text, escapes };
    let blemishes = Blemishes::default();
    Some(Record { log, stream, attrs, time: Ok(instant), length, blemishes })
}

/// The string that ends at the first quote that is not escaped: its content, what escapes
/// that has, and what follows the quote. `None` when it does not end or anything is wrong with it.
fn string(bytes: &[u8]) -> Option<(&str, Escapes, &[u8])> {
    let mut at = 0_usize;
    let mut escapes = Escapes::None;
    loop {
        let ahead = bytes.get(at..)?;
        let next = plain_length(ahead)?;
        at = at.checked_add(next)?;
        match ahead.get(next..)? {
            [b'"', ..] => break,
            [b'\\', escape @ ..] => {
                let (length, kind) = escape_kind(escape)?;
                at = at.checked_add(length)?;
                escapes = escapes.max(kind);
            }
            _ => return None,
        }
    }
    let (content, rest) = bytes.split_at_checked(at)?;
    Some((from_utf8(content).ok()?, escapes, rest.get(1..)?))
}

/// Number of bytes before the first quote, backslash or control byte. Looks at eight bytes at once:
/// in texts full of escapes, as JSON in JSON is, a call of `memchr` for each costs more than that.
fn plain_length(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut length = 0_usize;
    for word in words {
        if let Some(special) = first_special(*word) {
            return length.checked_add(special);
        }
        length = length.checked_add(8)?;
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..b' ');
    length.checked_add(rest.iter().position(is_special)?)
}

/// Which of eight bytes is the first quote, backslash or control byte.
fn first_special(bytes: [u8; 8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 0xff;
    // Subtraction borrows into the top bit of a byte that is smaller. What it does to the bytes
    // behind such a one does not matter: the first is searched for.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES.wrapping_mul(limit)) & !word;
    let word = u64::from_le_bytes(bytes);
    let quotes = below(word ^ ONES.wrapping_mul(0x22), 1);
    let backslashes = below(word ^ ONES.wrapping_mul(0x5c), 1);
    let found = (below(word, 0x20) | quotes | backslashes) & (ONES << 7);
    if found == 0 {
        return None;
    }
    usize::try_from(found.trailing_zeros() / 8).ok()
}

/// Length of an escape and what it is to a text, if it stands for one character alone; `escape` is
/// what follows its backslash. A quote behind `n` is not escaped: it ends the text.
fn escape_kind(escape: &[u8]) -> Option<(usize, Escapes)> {
    match escape {
        [b'"' | b'\\', ..] | [b'n', b'"', ..] => Some((2, Escapes::Simple)),
        [b'n' | b'r' | b't' | b'b' | b'f', ..] => Some((2, Escapes::Controls)),
        [b'/', ..] => Some((2, Escapes::Any)),
        [b'u', b'0', b'0', b'3', b'c' | b'e', ..] | [b'u', b'0', b'0', b'2', b'6', ..] => {
            Some((6, Escapes::Simple))
        }
        [b'u', ..] => match char::from_u32(code_unit(escape)?)? {
            ..' ' => Some((6, Escapes::Controls)),
            _ => Some((6, Escapes::Any)),
        },
        _ => None,
    }
}

/// What escapes there are in a text that [`canonical`] has read before.
pub(super) fn kind_of_escapes(text: &str) -> Escapes {
    // The final line break is the only one that is simple, and no quote follows it here.
    let mut found = Escapes::Simple;
    let mut rest = text.strip_suffix("\\n").unwrap_or(text).as_bytes();
    while let Some((_, escape)) = escape_of_no_quote(rest).and_then(|at| rest.split_at_checked(at))
    {
        match escape.get(1..).and_then(escape_kind) {
            Some((length, kind)) if kind < Escapes::Any => {
                found = found.max(kind);
                rest = escape.get(length..).unwrap_or_default();
            }
            _ => return Escapes::Any,
        }
    }
    found
}

/// An object whose values are all strings, without spaces.
fn flat_object(bytes: &[u8]) -> Option<(Attrs<'_>, &[u8])> {
    let mut rest = bytes.strip_prefix(b"{\"")?;
    loop {
        let (_, _, after) = string(rest)?;
        let (_, _, after) = string(after.strip_prefix(b":\"")?)?;
        if let Some(after) = after.strip_prefix(b"}") {
            let object = bytes.get(..bytes.len().checked_sub(after.len())?)?;
            return Some((Attrs::Json(from_utf8(object).ok()?), after));
        }
        rest = after.strip_prefix(b",\"")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAGGED: &str = concat!(
        r#"{"log":"app \"starting\"\n","stream":"stdout","#,
        r#""attrs":{"MODE":"prod","tag":"web/0339c0ad8aad"},"time":"2026-11-21T21:54:03.719144237Z"}"#
    );

    fn read(bytes: &[u8]) -> Option<Record<'_>> {
        canonical(bytes, &mut RecentMinute::default())
    }

    #[test]
    fn a_record_is_read_without_a_copy() {
        let line = format!("{TAGGED}\nmore");
        let record = read(line.as_bytes()).unwrap();
        assert_eq!(record.log, Log { text: r#"app \"starting\"\n"#, escapes: Escapes::Simple });
        assert_eq!(record.stream, Stream::Stdout);
        assert_eq!(record.attrs, Attrs::Json(r#"{"MODE":"prod","tag":"web/0339c0ad8aad"}"#));
        assert_eq!(record.time.unwrap().to_string(), "2026-11-21T21:54:03.719144237Z");
        assert_eq!(record.length, TAGGED.len());
    }

    #[test]
    fn what_is_read_from_the_end_of_its_line_is_what_is_read_forward() {
        const TIME: &str = r#""time":"2026-11-21T21:54:03.7Z"}"#;
        let mut accepted = 0;
        let mut minute = RecentMinute::default();
        let texts = [
            r"\n",
            r"GET /a HTTP/1.1\n",
            r#"say \"hello\"\n"#,
            r#"\"\n"#,
            r#"\\"#,
            r#"a \\\" b\n"#,
            r"ends with a backslash \\n",
            r"no line break",
            r"tab \t and \u003c\n",
            r"\u001b[31mred\u001b[0m \u0009 \u00e9\u00E9\r\n",
            r"\u2028 \u01ff \u00g0 \ud83d\udc33\n",
            r"\b\f\/\r\n\n",
            r"\u003chtml\u003e a \u0026 b\n",
            r"\u003e\n",
            r"\\u003e and \u003d and \u0026\n",
            r#"{\"a\":\"\u003c\\u003c\\\u003c\"}\n"#,
            r#"","stream":"stdout","time":"2020-01-01T00:00:00Z"}\n"#,
            r#"\",\"stream\":\"stdout\",\"time\":\"2020-01-01T00:00:00Z\"}\n"#,
        ];
        for text in texts {
            for stream in ["stdout", "stderr"] {
                let line = format!("{{\"log\":\"{text}\",\"stream\":\"{stream}\",{TIME}\nmore");
                for at in 0..line.len() {
                    for byte in *b"\"\\nu2}\x01\xff" {
                        let mut bytes = line.clone().into_bytes();
                        *bytes.get_mut(at).unwrap() = byte;
                        if let Some(record) = alone_on_its_line(&bytes, &mut minute) {
                            assert_eq!(
                                Some(record),
                                by_its_quotes(&bytes, &mut minute),
                                "{bytes:?}"
                            );
                            accepted += 1;
                        }
                    }
                }
            }
        }
        assert!(accepted > 1_000, "{accepted}");
    }

    #[test]
    fn every_other_form_is_left_to_the_lenient_reader() {
        for (from, to) in [
            ("{\"log", "{ \"log"),
            ("stdout", "stdin"),
            ("\"app", "\"\u{1}app"),
            ("\\n", "\\ud800"),
            ("\\n", "\\q"),
            ("\"prod\"", "1"),
            ("2026-11-21T21:54:03.719144237Z", "0001-01-01T00:00:00Z"),
            ("2026", "202x"),
            ("Z\"}", "Z\",\"time\":\"\"}"),
        ] {
            assert_eq!(read(TAGGED.replacen(from, to, 1).as_bytes()), None, "{from} {to}");
        }
        assert_eq!(read(b"{\"log\":\"\xff\",\"stream\":\"stdout\",\"time\":\"\"}"), None);
        for cut in 0..TAGGED.len() {
            assert_eq!(read(TAGGED.as_bytes().get(..cut).unwrap()), None, "{cut}");
        }
    }

    #[test]
    fn the_first_special_byte_is_found_at_any_place_among_any_bytes() {
        for length in 0..100 {
            for special in *b"\"\\\x00\x1f\n" {
                for other in [b' ', b'#', b'!', b'[', b']', 0x7f, 0x80, 0xff, 0xa2, 0xdc] {
                    let mut bytes = vec![other; length];
                    assert_eq!(plain_length(&bytes), None);
                    bytes.extend([special, b'"', 0, other, other, other, other, other, other]);
                    assert_eq!(plain_length(&bytes), Some(length), "{special} {other}");
                }
            }
        }
    }

    #[test]
    fn only_a_line_break_that_is_not_escaped_itself_ends_a_line() {
        let ends = |text, escapes| Log { text, escapes }.ends_line();
        let (escaped, not) = (Escapes::Simple, Escapes::None);
        assert!(ends(r"a\n", escaped) && ends(r"\\\n", escaped) && ends("a\n", not));
        assert!(!ends(r"a\\n", escaped) && !ends("a", not) && !ends(r"\n", not));
    }
}
