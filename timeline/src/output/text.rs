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
    let distance = |byte: u8| {
        let control = (byte & 0xe0).min(byte ^ 0x7f).min((byte & 0xdf) ^ 0xc2);
        also.iter().fold(control, |least, other| least.min(byte ^ *other))
    };
    let mut from: usize = 0;
    loop {
        let at = from.saturating_add(position(text.as_bytes().get(from..)?, distance)?);
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

/// Position of the first byte of which `distance` is 0; it must not be 0 for a space.
#[inline]
fn position(bytes: &[u8], distance: impl Fn(u8) -> u8) -> Option<usize> {
    let (steps, rest) = bytes.as_chunks::<STEP>();
    for (index, step) in steps.iter().enumerate() {
        if let Some(at) = position_in(step, &distance) {
            return Some(index.saturating_mul(STEP).saturating_add(at));
        }
    }
    if rest.is_empty() {
        return None;
    }
    if let Some(last) = bytes.last_chunk() {
        // Overlaps the step before, in which nothing was found.
        let at = position_in(last, &distance)?;
        return Some(bytes.len().saturating_sub(STEP).saturating_add(at));
    }
    let mut short = [b' '; STEP];
    short.get_mut(..rest.len())?.copy_from_slice(rest);
    position_in(&short, &distance)
}

/// [`position`] in one step: without a branch for each byte, which is what makes it fast.
#[inline]
fn position_in(step: &[u8; STEP], distance: impl Fn(u8) -> u8) -> Option<usize> {
    const ONES: u128 = u128::from_ne_bytes([0x01; STEP]);
    const HIGH: u128 = u128::from_ne_bytes([0x80; STEP]);
    let mut distances = [0; STEP];
    for (place, byte) in distances.iter_mut().zip(step) {
        *place = distance(*byte);
    }
    let distances = u128::from_le_bytes(distances);
    // The lowest byte that is 0 borrows into its high bit; what follows it does not matter.
    let zeros = distances.wrapping_sub(ONES) & !distances & HIGH;
    if zeros == 0 {
        return None;
    }
    usize::try_from(zeros.trailing_zeros() / u8::BITS).ok()
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

/// Appends a text with its control characters visible as escapes, but of a longer one only the
/// beginning, so that `into` then holds more than `most` bytes; whether the text stands there as it
/// was.
pub(super) fn push_visible(text: &str, most: usize, into: &mut String) -> bool {
    let mut rest = beginning(text, most);
    let mut as_it_was = rest.len() == text.len();
    let mut escape = Vec::new();
    while let Some(split) = split_at_special(rest, []) {
        as_it_was = false;
        into.push_str(split.clean);
        if into.len() > most {
            return false;
        }
        push_escape(split.special, &mut escape);
        into.extend(escape.drain(..).map(char::from));
        rest = split.rest;
    }
    into.push_str(rest);
    as_it_was
}

/// The text, or if it is longer its beginning, of a few bytes more than `most`.
fn beginning(text: &str, most: usize) -> &str {
    (most.saturating_add(1)..text.len()).find_map(|end| text.get(..end)).unwrap_or(text)
}

/// Cuts a text to at most so many characters, of which the last is then `…`; whether it had more.
pub(super) fn cut(text: &mut String, most: usize) -> bool {
    // No text has more characters than bytes.
    if text.len() <= most || text.chars().nth(most).is_none() {
        return false;
    }
    let end = text.char_indices().nth(most.saturating_sub(1)).map_or(0, |(at, _)| at);
    text.truncate(end);
    text.push('…');
    true
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
    // Counted, not looked up, so that sixteen can be made at once.
    let letter = if number > 9 { b'a' - b'0' - 10 } else { 0 };
    b'0'.wrapping_add(number).wrapping_add(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_special_character_is_found_wherever_it_stands() {
        let specials = ['\0', '\u{1f}', '\u{7f}', '\u{80}', '\u{85}', '\u{9f}', '\u{2028}', '"'];
        for filler in [" ", "x", "é", "Â£", "–", "😀"] {
            for before in 0..40 {
                for special in specials {
                    let clean = filler.repeat(before);
                    let text = format!("{clean}{special}rest\n");
                    let split = split_at_special(&text, *b"\"").unwrap();
                    assert_eq!(
                        (split.clean, split.special, split.rest),
                        (clean.as_str(), special, "rest\n")
                    );
                }
                assert!(split_at_special(&filler.repeat(before), *b"\"\\").is_none());
            }
        }
    }

    #[test]
    fn what_only_looks_like_a_special_character_is_left_alone() {
        let text = "\u{a0}\u{bf}\u{2027}\u{202a}\u{2128}\u{20a8}\u{feff}~\u{c2}\u{e2}\"\\";
        assert!(split_at_special(text, []).is_none());
    }

    #[test]
    fn escapes_are_those_of_json() {
        let mut shown = String::new();
        let text = "\u{8}\t\n\u{c}\r\0\u{1b}\u{7f}\u{85}\u{2028}\u{2029}\\n";
        assert!(!push_visible(text, 1_000, &mut shown));
        assert_eq!(shown, r"\b\t\n\f\r\u0000\u001b\u007f\u0085\u2028\u2029\n");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        for (text, most, expected) in [
            ("abc", 3, None),
            ("abcd", 3, Some("ab…")),
            ("€€€", 3, None),
            ("€€€€", 3, Some("€€…")),
            ("a😀b😀", 3, Some("a😀…")),
            ("", 3, None),
        ] {
            let mut kept = text.to_owned();
            assert_eq!(cut(&mut kept, most), expected.is_some(), "{text}");
            assert_eq!(kept, expected.unwrap_or(text));
        }
    }

    #[test]
    fn a_long_text_is_not_shown_to_its_end() {
        for part in ["x", "\0", "€", "😀", "€\n"] {
            let mut shown = String::new();
            assert!(!push_visible(&part.repeat(100_000), 100, &mut shown));
            assert!((101..120).contains(&shown.len()), "{}", shown.len());
        }
        let mut shown = String::new();
        assert!(push_visible(&"€".repeat(33), 100, &mut shown), "99 bytes are shown whole");
    }
}
