//! Base64 (RFC 4648), in either alphabet, with or without padding.

/// The bytes; `None` when the text holds anything else.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte.wrapping_sub(b'A'),
            b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => byte.wrapping_sub(b'0').wrapping_add(52),
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count = count.wrapping_add(6);
        if count >= 8 {
            count = count.wrapping_sub(8);
            let [.., low] = (bits >> count).to_be_bytes();
            bytes.push(low);
            bits &= (1_u32 << count).wrapping_sub(1);
        }
    }
    // Of the last byte at most four bits can be left over, and they say nothing.
    (count < 6 && bits == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_length_are_decoded_and_others_refused() {
        let decoded = |text| decode(text).map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(decoded("").as_deref(), Some(""));
        assert_eq!(decoded("YQ==").as_deref(), Some("a"));
        assert_eq!(decoded("YWI").as_deref(), Some("ab"));
        assert_eq!(decoded("YWxpY2U6UzNjcjN0LWxhYi1wdw==").as_deref(), Some("alice:S3cr3t-lab-pw"));
        assert_eq!(decode("-_-_"), Some(vec![0xfb, 0xff, 0xbf]));
        assert_eq!(decode("+/+/"), Some(vec![0xfb, 0xff, 0xbf]));
        for text in ["Y", "Y Q", "YR==", "Y=Q", "\u{e9}"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
