//! Characters that must not stand raw in a line of output, and how they are written instead.
//!
//! Control characters (C0, DEL, C1 with U+0085) and the separators U+2028 and U+2029: several
//! readers of JSONL and CSV end a line at them, and a terminal obeys them. They are written as in
//! JSON: `\n`, `\u001b`, `\u2028`.

/// Bytes that are looked at together; the compiler makes vector instructions of it.
const STEP: usize = 16;

/// A text split before and after the first character that must not stand raw.
pub(super) struct Split<'t> {
    pub(super) clean: &'t str,
    pub(super) special: char,
    pub(super) rest: &'t str,
}

/// Splits at the first control character, or ASCII character that is one of `also`; `None` when the
/// whole text is clean.
#[inline]
pub(super) fn split_at_special<const N: usize>(text: &str, also: [u8; N]) -> Option<Split<'_>> {
    let suspicious = |byte: u8| {
        let of_control = (byte < 0x20) | (byte == 0x7f) | (byte == 0xc2) | (byte == 0xe2);
        also.iter().fold(of_control, |any, other| any | (byte == *other))
    };
    let mut from: usize = 0;
    loop {
        let at = from.saturating_add(position(text.as_bytes().get(from..)?, suspicious)?);
        let (clean, tail) = text.split_at_checked(at)?;
        let mut characters = tail.chars();
        let special = characters.next()?;
        if is_control(special) || u8::try_from(special).is_ok_and(|byte| also.contains(&byte)) {
            return Some(Split { clean, special, rest: characters.as_str() });
        }
        // A character that only begins with the same byte.
        from = at.saturating_add(special.len_utf8());
    }
}

/// Whether a character is a control character or breaks lines.
fn is_control(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Position of the first byte of which `wanted` is true.
#[inline]
fn position(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let (chunks, _) = bytes.as_chunks::<STEP>();
    let clean = chunks
        .iter()
        .take_while(|chunk| !chunk.iter().fold(false, |any, byte| any | wanted(*byte)))
        .count()
        .saturating_mul(STEP);
    let found = bytes.get(clean..)?.iter().position(|byte| wanted(*byte))?;
    Some(clean.saturating_add(found))
}

/// Appends the escape of a character, as in JSON.
pub(super) fn push_escape(character: char, into: &mut Vec<u8>) {
    let short = match character {
        '"' | '\\' => character,
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{c}' => 'f',
        '\r' => 'r',
        other => return push_long_escape(other, into),
    };
    into.push(b'\\');
    into.extend(u8::try_from(short));
}

/// `\u2028`; every character that is escaped lies below U+10000.
fn push_long_escape(character: char, into: &mut Vec<u8>) {
    into.extend_from_slice(b"\\u");
    for shift in [12, 8, 4, 0] {
        let [digit, ..] = (u32::from(character) >> shift & 0xf).to_le_bytes();
        into.push(hex_digit(digit));
    }
}

/// The hexadecimal digit of a number below 16.
pub(super) fn hex_digit(number: u8) -> u8 {
    b"0123456789abcdef".get(usize::from(number)).copied().unwrap_or(b'?')
}
