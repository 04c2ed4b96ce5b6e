//! Histories of PowerShell: `ConsoleHost_history.txt` of PSReadLine.
//!
//! One line is one command, without a time; the line of a command that goes on in the next ends with
//! a backtick. PSReadLine writes each command when it is entered, and keeps the last 4,096.

use super::Entry;

pub(super) fn entries(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut lines = (1_u64..).zip(text.trim_start_matches('\u{feff}').lines());
    while let Some((line, first)) = lines.next() {
        let mut text = first.to_owned();
        while text.ends_with('`')
            && let Some((_, more)) = lines.next()
        {
            text.pop();
            text.push('\n');
            text.push_str(more);
        }
        if !text.trim().is_empty() {
            entries.push(Entry { line, time: None, text });
        }
    }
    entries
}

/// A command as a shell of Linux would write it: there a backslash is no part of a path.
pub(super) fn as_shell(command: &str) -> String {
    command.replace('\\', "/").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::super::super::command::recognise;
    use super::*;

    #[test]
    fn a_command_goes_on_behind_a_backtick() {
        let text = "\u{feff}cd C:\\x\r\ndocker run `\r\n  -it alpine\r\n\r\nls";
        let told: Vec<_> =
            entries(text).into_iter().map(|entry| (entry.line, entry.text)).collect();
        let expected = [(1, "cd C:\\x"), (2, "docker run \n  -it alpine"), (5, "ls")];
        assert_eq!(told, expected.map(|(line, text)| (line, text.to_owned())));
    }

    #[test]
    fn programs_of_windows_are_recognised_as_they_are_called_there() {
        for command in [
            r"docker.exe ps",
            r"& 'C:\Program Files\Docker\Docker\resources\bin\docker.exe' ps",
            r".\DOCKER.EXE ps",
            r"wsl -d Ubuntu docker ps",
            r"wsl.exe -d docker-desktop -u root -e docker ps",
        ] {
            let found = recognise(&as_shell(command)).expect(command);
            assert_eq!(found.tools, ["docker"], "{command}");
        }
        assert_eq!(recognise(&as_shell(r"dir C:\docker")), None);
    }
}
