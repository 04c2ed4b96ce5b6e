//! The message of an entry: `LogEntry` of `entry.proto`.

use crate::formats::protobuf::{Field, Value, fields};
use dockline_timeline::Instant;

/// How the first field of a message begins: six bytes of text, `stdout` or `stderr`.
pub(super) const SOURCE: &[u8] = b"\x0a\x06std";
/// Fields of one message; engines write six, and one for each attribute.
const FIELD_LIMIT: usize = 1_000;
/// What a broken clock or Go's zero time becomes in nanoseconds since 1970.
const ZERO_TIME: i64 = -6_795_364_578_871_345_152;

/// What an entry says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// When the engine read it.
    pub(super) time: Option<Instant>,
    /// `stdout` or `stderr`.
    pub(super) source: &'a str,
    /// What the program wrote, without the line break.
    pub(super) line: &'a [u8],
    /// Whether it is a piece of a message.
    pub(super) is_partial: bool,
    /// Which piece of which message.
    pub(super) piece: Option<Piece<'a>>,
    /// What the log options add, as `key=value`.
    pub(super) attributes: Vec<String>,
}

/// Which piece of which message an entry is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// Whether no other follows.
    pub(super) is_last: bool,
    /// The message: 64 hexadecimal digits.
    pub(super) id: &'a str,
    /// Its place among the pieces, from 1.
    pub(super) ordinal: i64,
}

impl<'a> Entry<'a> {
    /// Reads a message.
    ///
    /// # Errors
    /// When it is none, in words.
    pub(super) fn parse(message: &'a [u8]) -> Result<Entry<'a>, String> {
        let mut entry = Entry::default();
        for (count, field) in fields(message).enumerate() {
            if count == FIELD_LIMIT {
                return Err(format!("more than {FIELD_LIMIT} fields"));
            }
            let Field { number, value, .. } = field.map_err(|problem| problem.what)?;
            match (number, value) {
                (1, Value::Bytes(_)) => {
                    entry.source = value.text().ok_or("its source is no text")?;
                }
                (2, Value::Varint(time)) => entry.time = instant(time.cast_signed()),
                (3, Value::Bytes(line)) => entry.line = line,
                (4, Value::Varint(partial)) => entry.is_partial = partial != 0,
                (5, Value::Bytes(piece)) => entry.piece = Some(Piece::parse(piece)?),
                (6, Value::Bytes(pair)) => entry.attributes.push(attribute(pair)?),
                (1..=6, _) => return Err(format!("field {number} is of another kind")),
                _ => {}
            }
        }
        Ok(entry)
    }
}

impl<'a> Piece<'a> {
    fn parse(message: &'a [u8]) -> Result<Piece<'a>, String> {
        let mut piece = Piece::default();
        for field in fields(message).take(FIELD_LIMIT) {
            let Field { number, value, .. } = field.map_err(|problem| problem.what)?;
            match (number, value) {
                (1, Value::Varint(last)) => piece.is_last = last != 0,
                (2, Value::Bytes(_)) => {
                    piece.id = value.text().ok_or("the id of its message is no text")?;
                }
                (3, Value::Varint(ordinal)) => piece.ordinal = ordinal.cast_signed(),
                _ => {}
            }
        }
        Ok(piece)
    }
}

/// One entry of a map, as `key=value`.
fn attribute(message: &[u8]) -> Result<String, String> {
    let (mut key, mut text) = ("", "");
    for field in fields(message).take(FIELD_LIMIT) {
        let Field { number, value, .. } = field.map_err(|problem| problem.what)?;
        match number {
            1 => key = value.text().ok_or("the key of an attribute is no text")?,
            2 => text = value.text().ok_or("an attribute is no text")?,
            _ => {}
        }
    }
    Ok(format!("{key}={text}"))
}

/// The instant so many nanoseconds after 1970; `None` when none was said.
fn instant(nanoseconds: i64) -> Option<Instant> {
    if nanoseconds == 0 || nanoseconds == ZERO_TIME {
        return None;
    }
    let part = u32::try_from(nanoseconds.rem_euclid(1_000_000_000)).ok()?;
    Instant::new(nanoseconds.div_euclid(1_000_000_000), part)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second entry of a long line, as Docker 20.10.24 wrote it, with a shorter line.
    const LAST: &[u8] =
        b"\n\x06stdout\x10\xab\xc7\x97\xb6\xfa\xc1\x8b\xf5\x18\x1a\x02ZZ \x01*F\x08\x01\
        \x12@4864d0f9578f3a4d92ce1d9fb86afddc926bcba3093d86c0a0523bdde0e8575e\x18\x03";

    #[test]
    fn an_entry_of_the_engine_is_read_whole() {
        let entry = Entry::parse(LAST).unwrap();
        let time = entry.time.unwrap().to_string();
        assert_eq!((time.as_str(), entry.source), ("2026-11-21T21:54:06.217937835Z", "stdout"));
        assert_eq!((entry.line, entry.is_partial), (&b"ZZ"[..], true));
        let piece = entry.piece.unwrap();
        assert_eq!((piece.is_last, piece.ordinal, piece.id.len()), (true, 3, 64));
    }

    #[test]
    fn attributes_and_unknown_fields_are_no_trouble() {
        let message = b"\n\x06stderr\x10\x01\x32\x0b\n\x03tag\x12\x04prod\x3a\x01x";
        let entry = Entry::parse(message).unwrap();
        assert_eq!(entry.attributes, ["tag=prod"]);
        assert_eq!(entry.time.unwrap().to_string(), "1970-01-01T00:00:00.000000001Z");
        assert_eq!((entry.line, entry.piece), (&b""[..], None));
    }

    #[test]
    fn what_is_no_time_is_none() {
        let no_time = |message: &[u8]| Entry::parse(message).unwrap().time.is_none();
        assert!(no_time(b"\n\x06stderr"));
        assert!(no_time(b"\n\x06stderr\x10\0"));
        assert!(no_time(b"\n\x06stderr\x10\x80\x80\xe8\xe8\xb3\xfd\x80\xd9\xa1\x01"));
    }

    #[test]
    fn what_is_no_entry_is_said() {
        assert_eq!(Entry::parse(b"\x08\x01").unwrap_err(), "field 1 is of another kind");
        assert_eq!(Entry::parse(b"\n\x01\xff").unwrap_err(), "its source is no text");
        assert_eq!(Entry::parse(&b"\x38\x01".repeat(1_001)).unwrap_err(), "more than 1000 fields");
        assert!(Entry::parse(&LAST[..40]).is_err());
    }
}
