//! The reading of a record in any form, and of what is left of one.
//!
//! Any JSON object on one line that has a `time` is a record, whatever the order of its keys and
//! the spaces between them. What JSON forbids but can be read is read, and said: bytes that are not
//! UTF-8, raw control bytes, lone surrogates, unknown escapes, a key that stands twice (the last
//! counts, as for the engine itself), a value of the wrong type. Key names must stand unescaped.

use super::record::{Attrs, Escapes, Log, Record, Stream};
use super::text::{Blemishes, decode};
use dockline_timeline::Instant;
use memchr::{memchr, memchr2};

/// Values below unknown keys are skipped down to this depth; engines write none at all. The limit
/// keeps the search for the next record linear, whatever is nested into what.
const DEPTH_LIMIT: usize = 8;

/// The brace, spaces and key at the beginning of a record that is searched for fit in twice so many
/// bytes; engines write no spaces.
pub(super) const START_LENGTH: usize = 16;

/// The keys that a record can begin with.
const KEYS: [&[u8]; 4] = [b"\"log\"", b"\"stream\"", b"\"time\"", b"\"attrs\""];

/// What a record is decoded into; reused from record to record.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    log: String,
    stream: String,
    attrs: Vec<String>,
}

/// Why there is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Bytes that could have been a record.
    pub(super) at: usize,
    /// Whether the bytes ended there, inside of the record.
    pub(super) ran_out: bool,
}

/// A record whose ends and values are known, and not yet decoded.
#[derive(Default)]
pub(super) struct Parsed<'l> {
    log: Option<Value<'l>>,
    stream: Option<Value<'l>>,
    attrs: Option<Value<'l>>,
    time: Option<Value<'l>>,
    /// Bytes from the first brace to the last.
    pub(super) length: usize,
    blemishes: Blemishes,
}

/// A JSON value as it is written.
#[derive(Clone, Copy)]
enum Value<'l> {
    /// What stands between the quotes.
    Text(&'l [u8]),
    Null,
    /// An object, with its braces.
    Object(&'l [u8]),
    /// A list, number or truth value.
    Other(&'l [u8]),
}

/// Reads the record at the front of `line`.
pub(super) fn parse(line: &[u8]) -> Result<Parsed<'_>, Fault> {
    let mut cursor = Cursor { line, at: 0 };
    let mut parsed = Parsed::default();
    cursor.object(&mut |key, value| {
        let field = match key {
            b"log" => &mut parsed.log,
            b"stream" => &mut parsed.stream,
            b"attrs" => &mut parsed.attrs,
            b"time" => &mut parsed.time,
            _ => return,
        };
        if field.replace(value).is_some() {
            parsed.blemishes.add("a key that stands twice, of which the last counts");
        }
    })?;
    parsed.length = cursor.at;
    Ok(parsed)
}

impl Parsed<'_> {
    /// The record, decoded.
    pub(super) fn record(self, scratch: &mut Scratch) -> Record<'_> {
        let mut blemishes = self.blemishes;
        scratch.log.clear();
        scratch.stream.clear();
        scratch.attrs.clear();
        text(self.log, "log is not a text", &mut scratch.log, &mut blemishes);
        text(self.stream, "stream is not a text", &mut scratch.stream, &mut blemishes);
        match self.attrs {
            None | Some(Value::Null) => {}
            Some(Value::Object(object)) => pairs(object, &mut scratch.attrs, &mut blemishes),
            Some(Value::Text(raw) | Value::Other(raw)) => {
                blemishes.add("attrs is not an object");
                scratch.attrs.push(decoded(raw, &mut blemishes));
            }
        }
        Record {
            log: Log { text: &scratch.log, escapes: Escapes::None },
            stream: match scratch.stream.as_str() {
                "stdout" => Stream::Stdout,
                "stderr" => Stream::Stderr,
                "" => Stream::Unsaid,
                other => Stream::Other(other),
            },
            attrs: Attrs::Pairs(&scratch.attrs),
            time: instant(self.time),
            length: self.length,
            blemishes,
        }
    }
}

/// Where the next record may begin, at or after `from`: at a brace before a key of a record. No
/// record holds such a place in one of its texts, for a quote in a text is escaped.
pub(super) fn next_start(line: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at = at.checked_add(memchr(b'{', line.get(at..)?)?)?;
        let mut cursor = Cursor { line, at: at.checked_add(1)? };
        cursor.spaces();
        let key = line.get(at..cursor.at).filter(|open| open.len() <= START_LENGTH);
        let key = key.and_then(|open| line.get(at.checked_add(open.len())?..));
        if key.is_some_and(|key| KEYS.iter().any(|name| key.starts_with(name))) {
            return Some(at);
        }
        at = at.checked_add(1)?;
    }
}

/// Whether the object of `length` bytes at `start` is not a record but the `attrs` of one that has
/// lost its head: a label may be called `log`.
pub(super) fn is_inside_attrs(line: &[u8], start: usize, length: usize) -> bool {
    let before = line.get(..start).unwrap_or_default();
    let after = start.checked_add(length).and_then(|end| line.get(end));
    before.ends_with(b"\"attrs\":") && after == Some(&b',')
}

/// The texts of an object that the strict reader has accepted, as `name=text`.
pub(super) fn attribute_pairs(object: &str) -> Vec<String> {
    let mut found = Vec::new();
    pairs(object.as_bytes(), &mut found, &mut Blemishes::default());
    found
}

fn text(
    value: Option<Value<'_>>,
    wrong: &'static str,
    into: &mut String,
    blemishes: &mut Blemishes,
) {
    match value {
        None | Some(Value::Null) => {}
        Some(Value::Text(raw)) => decode(raw, into, blemishes),
        Some(Value::Object(raw) | Value::Other(raw)) => {
            blemishes.add(wrong);
            into.push_str(&String::from_utf8_lossy(raw));
        }
    }
}

fn decoded(raw: &[u8], blemishes: &mut Blemishes) -> String {
    let mut text = String::new();
    decode(raw, &mut text, blemishes);
    text
}

fn pairs(object: &[u8], into: &mut Vec<String>, blemishes: &mut Blemishes) {
    let mut cursor = Cursor { line: object, at: 0 };
    // The object was read to its end before: it cannot fail now.
    let _ = cursor.object(&mut |key, value| {
        let mut pair = decoded(key, blemishes);
        pair.push('=');
        match value {
            Value::Text(raw) => decode(raw, &mut pair, blemishes),
            Value::Null => pair.push_str("null"),
            Value::Object(raw) | Value::Other(raw) => pair.push_str(&String::from_utf8_lossy(raw)),
        }
        into.push(pair);
    });
}

fn instant(value: Option<Value<'_>>) -> Result<Instant, String> {
    match value {
        None | Some(Value::Null) => Err("record without time".to_owned()),
        Some(Value::Text(raw)) => match Instant::parse_rfc3339_bytes(raw) {
            Ok(Some(instant)) => Ok(instant),
            Ok(None) => Err("record whose time is the zero time".to_owned()),
            Err(error) => Err(format!("record whose time cannot be read: {error}")),
        },
        Some(Value::Object(_) | Value::Other(_)) => {
            Err("record whose time is not a text".to_owned())
        }
    }
}

/// A place in a line.
struct Cursor<'l> {
    line: &'l [u8],
    at: usize,
}

impl<'l> Cursor<'l> {
    fn rest(&self) -> &'l [u8] {
        self.line.get(self.at..).unwrap_or_default()
    }

    fn fault(&self) -> Fault {
        Fault { at: self.at, ran_out: self.rest().is_empty() }
    }

    fn forward(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.line.len());
    }

    fn spaces(&mut self) {
        let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r');
        self.forward(self.rest().iter().take_while(is_space).count());
    }

    fn take(&mut self, byte: u8) -> Result<(), Fault> {
        self.spaces();
        if self.rest().first() != Some(&byte) {
            return Err(self.fault());
        }
        self.forward(1);
        Ok(())
    }

    /// Reads an object; tells every key with its value.
    fn object(&mut self, field: &mut dyn FnMut(&'l [u8], Value<'l>)) -> Result<(), Fault> {
        self.take(b'{')?;
        if self.take(b'}').is_ok() {
            return Ok(());
        }
        loop {
            let key = self.string()?;
            self.take(b':')?;
            field(key, self.value()?);
            if self.take(b'}').is_ok() {
                return Ok(());
            }
            self.take(b',')?;
        }
    }

    /// What stands between quotes.
    fn string(&mut self) -> Result<&'l [u8], Fault> {
        self.take(b'"')?;
        let start = self.at;
        loop {
            let Some(next) = memchr2(b'"', b'\\', self.rest()) else {
                self.at = self.line.len();
                return Err(self.fault());
            };
            self.forward(next);
            if self.rest().first() == Some(&b'"') {
                let content = self.line.get(start..self.at).unwrap_or_default();
                self.forward(1);
                return Ok(content);
            }
            self.forward(2);
        }
    }

    fn value(&mut self) -> Result<Value<'l>, Fault> {
        self.spaces();
        let start = self.at;
        match self.rest().first() {
            Some(b'"') => return self.string().map(Value::Text),
            Some(b'{' | b'[') => self.nested()?,
            _ => self.word()?,
        }
        let raw = self.line.get(start..self.at).unwrap_or_default();
        Ok(match raw {
            b"null" => Value::Null,
            [b'{', ..] => Value::Object(raw),
            _ => Value::Other(raw),
        })
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<(), Fault> {
        let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let rest = self.rest();
        let length = rest.iter().take_while(is_word).count();
        let word = rest.get(..length).unwrap_or_default();
        let is_known = matches!(word, b"null" | b"true" | b"false")
            || word.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-');
        if !is_known {
            return Err(Fault { at: self.at, ran_out: length == rest.len() });
        }
        self.forward(length);
        Ok(())
    }

    /// An object or a list, to its end. Only its brackets and strings are looked at.
    fn nested(&mut self) -> Result<(), Fault> {
        let mut open = Vec::with_capacity(DEPTH_LIMIT);
        loop {
            match self.rest().first() {
                Some(b'"') => {
                    self.string()?;
                    continue;
                }
                Some(b'{') if open.len() < DEPTH_LIMIT => open.push(b'}'),
                Some(b'[') if open.len() < DEPTH_LIMIT => open.push(b']'),
                Some(byte @ (b'}' | b']')) if open.last() == Some(byte) => {
                    open.pop();
                }
                None | Some(b'{' | b'[' | b'}' | b']' | 0..=8) => return Err(self.fault()),
                Some(_) => {}
            }
            self.forward(1);
            if open.is_empty() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (String, Option<String>, Vec<String>, Result<String, String>, String) {
        let mut scratch = Scratch::default();
        let record = parse(line.as_bytes()).unwrap_or_else(|_| panic!()).record(&mut scratch);
        let Attrs::Pairs(attrs) = record.attrs else { unreachable!() };
        let found = (
            record.log.text.to_owned(),
            record.stream.name().map(str::to_owned),
            attrs.to_vec(),
            record.time.map(|time| time.to_string()),
        );
        (found.0, found.1, found.2, found.3, record.blemishes.words())
    }

    fn fault(line: &str) -> Fault {
        parse(line.as_bytes()).err().unwrap()
    }

    #[test]
    fn keys_may_stand_in_any_order_with_spaces_between_and_unknown_ones_among_them() {
        let line = r#"{ "time" : "2026-11-21T21:54:03+01:00", "n":[1,{"x":"]}"},-1e5,null], "attrs":{"a":"b"},"log":"x\n" ,"stream":"stderr"}"#;
        let time = Ok("2026-11-21T20:54:03.000000000Z".to_owned());
        let attrs = vec!["a=b".to_owned()];
        let expected = ("x\n".to_owned(), Some("stderr".to_owned()), attrs, time, String::new());
        assert_eq!(read(line), expected);
    }

    #[test]
    fn of_two_values_of_a_key_the_last_counts_and_that_is_said() {
        let line = r#"{"log":"a\n","log":"b\n","stream":"stdout","time":"2026-11-21T21:54:03Z"}"#;
        let (log, _, _, _, blemishes) = read(line);
        assert_eq!(log, "b\n");
        assert_eq!(blemishes, "a key that stands twice, of which the last counts");
    }

    #[test]
    fn values_of_the_wrong_type_are_shown_as_they_are_written() {
        let line = r#"{"log":[1],"stream":2,"attrs":{"a":1,"b":null},"time":3}"#;
        let (log, stream, attrs, time, blemishes) = read(line);
        assert_eq!((log.as_str(), stream.as_deref()), ("[1]", Some("2")));
        assert_eq!(attrs, ["a=1", "b=null"]);
        assert_eq!(time, Err("record whose time is not a text".to_owned()));
        assert_eq!(blemishes, "log is not a text, stream is not a text");
    }

    #[test]
    fn a_fault_tells_whether_the_record_ended_too_early() {
        assert_eq!(fault(r#"{"log":"tor"#), Fault { at: 11, ran_out: true });
        assert_eq!(fault(r#"{"log":nu"#), Fault { at: 7, ran_out: true });
        assert_eq!(fault(r#"{"log":"torn{"log":"x"}"#), Fault { at: 14, ran_out: false });
        assert_eq!(fault("garbage"), Fault { at: 0, ran_out: false });
        let deep = format!("{{\"x\":{}{}}}", "[".repeat(9), "]".repeat(9));
        assert_eq!(fault(&deep), Fault { at: 13, ran_out: false });
    }

    #[test]
    fn the_next_record_is_found_by_its_brace_and_key_and_never_inside_a_text() {
        let line = br#"x{"log":"{\"log\":\"quoted\"}{ "stream"{"tag":"#;
        assert_eq!(next_start(line, 0), Some(1));
        assert_eq!(next_start(line, 2), Some(29));
        assert_eq!(next_start(line, 30), None);
    }
}
