//! What a program wrote, as text: a program may write any bytes, an event holds UTF-8.

use simdutf8::basic::from_utf8;
use std::fmt::Write;

/// The bytes as text, and whether some of them are not UTF-8: those are shown as `\xNN`. `buffer` is
/// used for such a text.
pub fn shown<'b>(bytes: &'b [u8], buffer: &'b mut String) -> (&'b str, bool) {
    if let Ok(text) = from_utf8(bytes) {
        return (text, false);
    }
    buffer.clear();
    for chunk in bytes.utf8_chunks() {
        buffer.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(buffer, "\\x{byte:02x}");
        }
    }
    (buffer, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_shown_by_their_numbers() {
        let mut buffer = String::from("left over");
        assert_eq!(shown("é\0\r".as_bytes(), &mut buffer), ("é\0\r", false));
        assert_eq!(shown(b"\xffraw \xe2\x82", &mut buffer), (r"\xffraw \xe2\x82", true));
    }
}
