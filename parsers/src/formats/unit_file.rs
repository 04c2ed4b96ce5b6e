//! Unit files of systemd, and the files of shell assignments that units take their environment from.
//!
//! `[Section]`, `Key=value`, a backslash at the end of a line continues it, `#` and `;` begin a
//! comment line also between continued lines (systemd 257 `man systemd.syntax`). A shell's file
//! has `NAME="value"`, with or without `export`.

use crate::formats::shell::words;

/// Assignments that are read of one file; real ones have a few dozen.
const LIMIT: usize = 1_000;

/// An assignment in a unit file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// `Service`.
    pub section: String,
    /// `ExecStart`.
    pub key: String,
    /// The value, continued lines joined by a space.
    pub value: String,
    /// Number of its first line, from 1.
    pub line: u64,
}

/// The assignments of a unit file; `true` when there are more than are read.
#[must_use]
pub fn read(text: &str) -> (Vec<Assignment>, bool) {
    let (mut assignments, mut section) = (Vec::new(), String::new());
    let mut lines = text.lines().zip(1_u64..);
    while let Some((first, number)) = lines.next() {
        let line = first.trim();
        if line.is_empty() || is_comment(line) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut section);
            continue;
        }
        let whole = continued(line, &mut lines);
        let Some((key, value)) = whole.split_once('=') else { continue };
        if assignments.len() == LIMIT {
            return (assignments, true);
        }
        assignments.push(Assignment {
            section: section.clone(),
            key: key.trim().to_owned(),
            value: value.trim().to_owned(),
            line: number,
        });
    }
    (assignments, false)
}

/// A line with those that continue it.
fn continued<'a>(first: &str, lines: &mut impl Iterator<Item = (&'a str, u64)>) -> String {
    let Some(line) = first.strip_suffix('\\') else { return first.to_owned() };
    let mut whole = line.trim_end().to_owned();
    for (next, _) in lines {
        let next = next.trim();
        if is_comment(next) {
            continue;
        }
        let part = next.strip_suffix('\\');
        whole.push(' ');
        whole.push_str(part.unwrap_or(next).trim());
        if part.is_none() {
            break;
        }
    }
    whole
}

fn is_comment(line: &str) -> bool {
    line.starts_with(['#', ';'])
}

/// The assignments `NAME=value` of a shell's file, unquoted; `true` when there are more than are
/// read.
#[must_use]
pub fn shell_assignments(text: &str) -> (Vec<String>, bool) {
    let line = |line: &str| {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let (name, value) = line.split_once('=')?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        (!name.is_empty() && name.chars().all(is_name)).then(|| {
            let value = words(value).into_iter().next().unwrap_or_default();
            format!("{name}={value}")
        })
    };
    let mut found: Vec<String> =
        text.lines().filter_map(line).take(LIMIT.saturating_add(1)).collect();
    let cut = found.len() > LIMIT;
    found.truncate(LIMIT);
    (found, cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continued_lines_are_joined_over_comments() {
        let text = "; c\n[Service]\nExecStart=\nExecStart=/usr/bin/dockerd \\\n # no\n  -H fd:// \\\n\
                    --tls\nUser = root\n[Install]\njunk\n";
        let (found, cut) = read(text);
        let told: Vec<String> = found
            .iter()
            .map(|a| format!("{} {} {}={}", a.line, a.section, a.key, a.value))
            .collect();
        assert!(!cut);
        assert_eq!(
            told,
            [
                "3 Service ExecStart=",
                "4 Service ExecStart=/usr/bin/dockerd -H fd:// --tls",
                "8 Service User=root"
            ]
        );
        assert_eq!(read("a=b\\").0[0].value, "b");
    }

    #[test]
    fn a_shell_file_gives_its_assignments_unquoted() {
        let text = "# DOCKER_OPTS=\"no\"\nDOCKER_OPTS=\"-H tcp://0.0.0.0:2375 --tls\"\n\
                    export http_proxy='http://p:1/' # c\nif [ x=y ]; then\nA=\nB=\"open\n";
        let found = shell_assignments(text).0;
        assert_eq!(
            found,
            ["DOCKER_OPTS=-H tcp://0.0.0.0:2375 --tls", "http_proxy=http://p:1/", "A=", "B=\"open"]
        );
    }

    #[test]
    fn assignments_without_end_are_cut() {
        let (found, cut) = read(&"a=b\n".repeat(LIMIT + 1));
        assert_eq!((found.len(), cut), (LIMIT, true));
        let (found, cut) = shell_assignments(&"a=b\n".repeat(LIMIT + 1));
        assert_eq!((found.len(), cut), (LIMIT, true));
    }
}
