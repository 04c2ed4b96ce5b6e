//! Histories of zsh: plain lines, or with `EXTENDED_HISTORY` lines of `: <seconds since 1970>:<seconds
//! that it took>;<command>`.
//!
//! A line that ends with a backslash goes on in the next. The bytes 0x83 to 0xa2 and NUL are written
//! as 0x83 and the byte with its bit 5 flipped.

use super::Entry;

pub(super) fn entries(bytes: &[u8]) -> Vec<Entry> {
    let text = plain(bytes);
    let mut entries = Vec::new();
    let mut lines = (1_u64..).zip(text.lines());
    while let Some((line, first)) = lines.next() {
        let (time, command) = extended(first).map_or((None, first), |(at, text)| (Some(at), text));
        let mut text = command.to_owned();
        while goes_on(&text) {
            let Some((_, more)) = lines.next() else { break };
            text.pop();
            text.push('\n');
            text.push_str(more);
        }
        if !text.trim().is_empty() {
            entries.push(Entry { line, time, text });
        }
    }
    entries
}

/// The text without zsh's way of writing some bytes.
fn plain(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(bytes.len());
    let mut bytes = bytes.iter();
    while let Some(byte) = bytes.next() {
        let byte =
            if *byte == 0x83 { bytes.next().map_or(0x83, |next| next ^ 0x20) } else { *byte };
        text.push(byte);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// `: 1700000000:0;docker ps`.
fn extended(line: &str) -> Option<(i64, &str)> {
    let (times, command) = line.strip_prefix(": ")?.split_once(';')?;
    let (at, took) = times.split_once(':')?;
    took.trim().parse::<u64>().ok()?;
    Some((at.trim().parse().ok()?, command))
}

/// Whether a line ends with a backslash that no other stands before.
fn goes_on(text: &str) -> bool {
    text.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extended_lines_have_their_time_and_plain_ones_none() {
        let text =
            b": 1700000000:12;docker run x \\\n  sh\nls\\\\\n: x:y;z\n: 5:0;caf\xc3\x83\x89\n";
        let found = entries(text);
        let expected = [
            (1, Some(1_700_000_000), "docker run x \n  sh"),
            (3, None, "ls\\\\"),
            (4, None, ": x:y;z"),
            (5, Some(5), "caf\u{e9}"),
        ];
        let expected =
            expected.map(|(line, time, text)| Entry { line, time, text: text.to_owned() });
        assert_eq!(found, expected);
    }

    #[test]
    fn a_last_line_that_goes_on_ends_with_the_file() {
        assert_eq!(entries(b"docker ps \\")[0].text, "docker ps \\");
        assert_eq!(entries(b"x\x83").len(), 1);
    }
}
