//! Histories of bash, and of shells that write plain lines: ash, sh; and of tcsh.
//!
//! One line is one command. When bash has `HISTTIMEFORMAT`, a line `#<seconds since 1970>` stands
//! before each (tcsh writes `#+<seconds>`), and a command may go on over several lines, of which
//! only those within quotes can be told from the next command: a further line has no time of its
//! own. bash itself takes any line of `#` and digits for a time.

use super::super::words::Quotes;
use super::Entry;

pub(super) fn entries(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut time = None;
    let mut lines = (1_u64..).zip(text.lines()).peekable();
    while let Some((line, text)) = lines.next() {
        if let Some(seconds) = stamp(text) {
            time = Some(seconds);
            continue;
        }
        let Some(seconds) = time.take() else {
            entries.push(Entry { line, time: None, text: text.to_owned() });
            continue;
        };
        let mut text = text.to_owned();
        let mut quotes = Quotes::default();
        let mut goes_on = quotes.go_on_after(&text);
        while goes_on && let Some((_, more)) = lines.next_if(|(_, next)| stamp(next).is_none()) {
            text.push('\n');
            text.push_str(more);
            goes_on = quotes.go_on_after(more);
        }
        entries.push(Entry { line, time: Some(seconds), text });
    }
    entries.retain(|entry| !entry.text.trim().is_empty());
    entries
}

/// The time of a line that holds nothing else.
fn stamp(line: &str) -> Option<i64> {
    let digits = line.strip_prefix('#')?;
    let digits = digits.strip_prefix('+').unwrap_or(digits).trim_end();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<(u64, Option<i64>, String)> {
        entries(text).into_iter().map(|entry| (entry.line, entry.time, entry.text)).collect()
    }

    #[test]
    fn a_command_has_the_time_before_it_and_no_other() {
        let text = "ls\n#1700000000\ndocker ps\ndocker rm x\n\n#1700000001\n#+1700000002\nid\n#x\n";
        let expected = [
            (1, None, "ls"),
            (3, Some(1_700_000_000), "docker ps"),
            (4, None, "docker rm x"),
            (8, Some(1_700_000_002), "id"),
            (9, None, "#x"),
        ];
        assert_eq!(told(text), expected.map(|(line, time, text)| (line, time, text.to_owned())));
    }

    #[test]
    fn a_command_goes_on_while_a_quote_is_open_and_ends_at_the_next_time() {
        let text = "#1\ndocker run x sh -c 'a\nb'\nls\n#2\necho 'open\n#3\nid";
        let expected = [
            (2, Some(1), "docker run x sh -c 'a\nb'"),
            (4, None, "ls"),
            (6, Some(2), "echo 'open"),
            (8, Some(3), "id"),
        ];
        assert_eq!(told(text), expected.map(|(line, time, text)| (line, time, text.to_owned())));
    }

    #[test]
    fn a_time_of_too_many_digits_is_not_taken_for_another() {
        let text = format!("#{}\ndocker ps", "9".repeat(30));
        assert_eq!(told(&text), [(2, Some(i64::MAX), "docker ps".to_owned())]);
    }
}
