//! The text of a JSON string as it stands in a log, and how it is read whatever is wrong with it.

use memchr::{memchr, memchr3};
use std::fmt::Write;

/// What is wrong with a record that could be read all the same; each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Blemishes(Vec<&'static str>);

impl Blemishes {
    pub(super) fn add(&mut self, blemish: &'static str) {
        if !self.0.contains(&blemish) {
            self.0.push(blemish);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, for a person.
    pub(super) fn words(&self) -> String {
        self.0.join(", ")
    }
}

/// Appends the text that stands escaped in `raw`. What cannot be read is shown as it is written:
/// a byte that is not UTF-8 as `\xNN`, a lone surrogate and an unknown escape with its backslash.
pub(super) fn decode(raw: &[u8], into: &mut String, blemishes: &mut Blemishes) {
    if has_control(raw) {
        blemishes.add("raw control bytes");
    }
    for chunk in raw.utf8_chunks() {
        unescape(chunk.valid(), into, blemishes);
        for byte in chunk.invalid() {
            blemishes.add("invalid UTF-8, shown as \\xNN");
            // Writing to a string cannot fail.
            let _ = write!(into, "\\x{byte:02x}");
        }
    }
}

/// Whether there is a byte below the space. Looks at every byte: that is what compilers turn into
/// vector instructions.
pub(super) fn has_control(raw: &[u8]) -> bool {
    raw.iter().fold(false, |found, byte| found | (*byte < b' '))
}

/// Whether there is none of the bytes 0x7F, 0xC2 and 0xE2, which `Text::Json` must not have. Most
/// texts are ASCII: that is found out first, with vector instructions as above.
pub(super) fn is_copied(raw: &[u8]) -> bool {
    raw.iter().fold(true, |is_ascii, byte| is_ascii & (*byte < 0x7f))
        || memchr3(0x7f, 0xc2, 0xe2, raw).is_none()
}

/// Appends the text that stands escaped in `text`.
pub(super) fn unescape(text: &str, into: &mut String, blemishes: &mut Blemishes) {
    let mut rest = text;
    while let Some((before, escape)) =
        memchr(b'\\', rest.as_bytes()).and_then(|at| rest.split_at_checked(at))
    {
        into.push_str(before);
        rest = one_escape(escape, into, blemishes);
    }
    into.push_str(rest);
}

/// Appends what the escape at the front stands for; returns what follows it.
fn one_escape<'t>(escape: &'t str, into: &mut String, blemishes: &mut Blemishes) -> &'t str {
    let character = match escape.as_bytes().get(1) {
        Some(b'n') => '\n',
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => return unicode_escape(escape, into, blemishes),
        _ => {
            blemishes.add("an unknown escape, shown as it is");
            into.push('\\');
            return escape.get(1..).unwrap_or_default();
        }
    };
    into.push(character);
    escape.get(2..).unwrap_or_default()
}

/// The same for `\uNNNN`, and for two of them that make one character.
fn unicode_escape<'t>(escape: &'t str, into: &mut String, blemishes: &mut Blemishes) -> &'t str {
    let Some(code) = escape.as_bytes().get(1..).and_then(code_unit) else {
        blemishes.add("an unknown escape, shown as it is");
        into.push_str("\\u");
        return escape.get(2..).unwrap_or_default();
    };
    let (first, rest) = escape.split_at_checked(6).unwrap_or((escape, ""));
    if let Some(character) = char::from_u32(code) {
        into.push(character);
        return rest;
    }
    let low = rest.as_bytes().strip_prefix(b"\\").and_then(code_unit);
    let pair = low.and_then(|low| {
        let low = u16::try_from(low).ok()?;
        let units = [u16::try_from(code).ok()?, low];
        char::decode_utf16(units).next()?.ok()
    });
    if let Some(character) = pair {
        into.push(character);
        return rest.get(6..).unwrap_or_default();
    }
    blemishes.add("a lone surrogate, shown as it is");
    into.push_str(first);
    rest
}

/// The number in `uNNNN` at the front of `escape`.
pub(super) fn code_unit(escape: &[u8]) -> Option<u32> {
    let digits = escape.strip_prefix(b"u")?.first_chunk::<4>()?;
    digits.iter().try_fold(0_u32, |code, digit| {
        let value = char::from(*digit).to_digit(16)?;
        Some(code.wrapping_shl(4) | value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(raw: &[u8]) -> (String, String) {
        let (mut text, mut blemishes) = (String::new(), Blemishes::default());
        decode(raw, &mut text, &mut blemishes);
        (text, blemishes.words())
    }

    #[test]
    fn every_escape_of_the_engine_and_of_json_is_read() {
        let raw = br#"a\n\r\t\"\\\/\b\f\u0000\u001b\u003c\u2028\ufffd\u00E9"#;
        let text = "a\n\r\t\"\\/\u{8}\u{c}\0\u{1b}<\u{2028}\u{fffd}\u{e9}";
        assert_eq!(decoded(raw), (text.to_owned(), String::new()));
        assert_eq!(decoded(br"\ud83d\udc33!"), ("\u{1f433}!".to_owned(), String::new()));
    }

    #[test]
    fn what_is_no_text_is_shown_as_it_is_written() {
        let surrogate = "a lone surrogate, shown as it is".to_owned();
        assert_eq!(decoded(br"a\ud800b"), (r"a\ud800b".to_owned(), surrogate.clone()));
        assert_eq!(decoded(br"\ud800\u0041"), (r"\ud800A".to_owned(), surrogate.clone()));
        assert_eq!(decoded(br"\udc33"), (r"\udc33".to_owned(), surrogate));
        let utf8 = "invalid UTF-8, shown as \\xNN".to_owned();
        assert_eq!(decoded(b"raw \xff\xfe!"), ("raw \\xff\\xfe!".to_owned(), utf8));
        let escape = "an unknown escape, shown as it is".to_owned();
        assert_eq!(decoded(br"\q\u12"), (r"\q\u12".to_owned(), escape.clone()));
        assert_eq!(decoded(br"end\"), (r"end\".to_owned(), escape));
        assert_eq!(decoded(b"a\x01b"), ("a\u{1}b".to_owned(), "raw control bytes".to_owned()));
    }
}
