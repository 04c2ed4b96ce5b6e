//! The bytes of a line as text.
//!
//! Lines are UTF-8, mostly. What `wsl.exe` says is UTF-16 and is quoted so; a terminal is told of colours;
//! texts of Windows in other languages are in its code page; what a crash left may be zeros.

use crate::formats::log_text::shown;
use std::borrow::Cow;

/// So many letters with a zero behind each are UTF-16.
const PAIRS: usize = 2;

/// A line as text: without a byte order mark, without commands for colours, UTF-16 read as such, and
/// what is not UTF-8 shown as `\xNN`.
#[must_use]
pub fn clean(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let bytes = narrow(bytes);
    let text = match bytes {
        Cow::Borrowed(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(replaced(bytes)),
        },
        Cow::Owned(bytes) => Cow::Owned(replaced(&bytes)),
    };
    if text.contains('\x1b') { Cow::Owned(without_colours(&text)) } else { text }
}

fn replaced(bytes: &[u8]) -> String {
    let mut buffer = String::new();
    shown(bytes, &mut buffer).0.to_owned()
}

/// The bytes with each run of UTF-16 in them as the letters that it is.
fn narrow(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(0, bytes).is_none() {
        return Cow::Borrowed(bytes);
    }
    let mark = bytes.strip_prefix(b"\xff\xfe").unwrap_or(bytes);
    // A line of UTF-16 begins with the second half of the line feed before it.
    let mut rest = match mark {
        [0, letter, 0, ..] if is_letter(*letter) => mark.get(1..).unwrap_or_default(),
        _ => mark,
    };
    let mut narrowed = Vec::with_capacity(rest.len());
    while let Some((first, after)) = rest.split_first() {
        let (pairs, _) = rest.as_chunks::<2>();
        let count =
            pairs.iter().take_while(|[letter, high]| *high == 0 && is_letter(*letter)).count();
        if count >= PAIRS {
            let run = pairs.iter().take(count).map(|[letter, _]| *letter);
            narrowed.extend(run.filter(|letter| *letter != b'\r'));
            rest = rest.get(count.saturating_mul(2)..).unwrap_or_default();
        } else {
            narrowed.push(*first);
            rest = after;
        }
    }
    Cow::Owned(narrowed)
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t' | b'\r')
}

/// A text without `ESC [ … m`.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, command)) = rest.split_once("\x1b[") {
        plain.push_str(before);
        let parameters = command.bytes().take_while(|b| b.is_ascii_digit() || *b == b';').count();
        match command.get(parameters..).and_then(|rest| rest.strip_prefix('m')) {
            Some(after) => rest = after,
            None => {
                plain.push_str("\x1b[");
                rest = command;
            }
        }
    }
    plain.push_str(rest);
    plain
}
