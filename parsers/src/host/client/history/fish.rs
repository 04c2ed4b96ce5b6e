//! The history of fish: `- cmd: <command>`, then `  when: <seconds since 1970>`, and paths.
//!
//! It looks like YAML and is none: in a command a line break is `\n` and a backslash is `\\`,
//! and nothing else is escaped.

use super::Entry;

pub(super) fn entries(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for (line, text) in (1_u64..).zip(text.lines()) {
        if let Some(command) = text.strip_prefix("- cmd: ") {
            entries.push(Entry { line, time: None, text: plain(command) });
        } else if let Some(when) = text.strip_prefix("  when: ")
            && let Some(last) = entries.last_mut()
        {
            last.time = last.time.or_else(|| when.trim().parse().ok());
        }
    }
    entries
}

fn plain(command: &str) -> String {
    let mut text = String::with_capacity(command.len());
    let mut characters = command.chars();
    while let Some(character) = characters.next() {
        match (character, character == '\\') {
            (_, true) => match characters.next() {
                Some('n') => text.push('\n'),
                Some('\\') | None => text.push('\\'),
                Some(other) => text.extend(['\\', other]),
            },
            (other, false) => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_the_time_behind_it() {
        let text =
            "- cmd: docker run x \\\\\\n sh\n  when: 1700000000\n  paths:\n    - x\n- cmd: ls\n";
        let expected = [(1, Some(1_700_000_000), "docker run x \\\n sh"), (5, None, "ls")];
        let expected =
            expected.map(|(line, time, text)| Entry { line, time, text: text.to_owned() });
        assert_eq!(entries(text), expected);
        assert_eq!(entries("  when: 5\n"), []);
    }
}
