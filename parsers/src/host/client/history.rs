//! Histories of shells: commands that concern containers.
//!
//! A shell writes its history when it ends or after each command, and keeps the last so many lines.
//! bash, zsh, tcsh and fish can keep the time at which each command was entered; fish always does.
//! A history without times is told in one event of the file, or in one for each [`LISTED`] of its
//! commands: what is known is only that they were entered before the file was last written.
//!
//! Commands that have nothing to do with containers are counted, and not told.

mod bash;
mod fish;
mod powershell;
mod zsh;

use super::HomeFile;
use super::command::{Use, recognise};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Kind, Meaning, Position, Subject, Value,
};
use std::borrow::Cow;

static BASH: Kind =
    Kind { data_type: "bash:history:entry", source_short: "HOST", source_long: "Bash history" };
static ZSH: Kind =
    Kind { data_type: "shell:zsh:history", source_short: "HOST", source_long: "Zsh history" };
static POWERSHELL: Kind = Kind {
    data_type: "shell:powershell:history",
    source_short: "HOST",
    source_long: "PowerShell history",
};
static OTHER: Kind =
    Kind { data_type: "shell:history", source_short: "HOST", source_long: "Shell history" };

/// Undated commands that one event lists.
const LISTED: usize = 200;

/// A command as it was entered.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    /// The line that it begins in, counted from 1.
    line: u64,
    /// When it was entered, in seconds since 1970, as far as the history says.
    time: Option<i64>,
    text: String,
}

/// Whether a file of this name, in lower case, is a history.
pub(super) fn is_history(name: &[u8]) -> bool {
    name.ends_with(b"history") || name.ends_with(b"_history.txt")
}

impl HomeFile<'_> {
    pub(super) fn history(&self, findings: &mut dyn Findings) {
        let Some(bytes) = self.artifact.read(self.file, findings) else { return };
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if bytes.starts_with(b"\x81\x01") {
            let what = "a history of ksh is not supported";
            let issue = self.file.issue(IssueKind::Unsupported, Position::File, what);
            return findings.issue(issue.losing(1, length));
        }
        let name = self.file.path.file_name().unwrap_or_default().to_ascii_lowercase();
        let (kind, entries) = match name.as_slice() {
            b".zsh_history" | b".zhistory" => (&ZSH, zsh::entries(&bytes)),
            b"fish_history" => (&OTHER, fish::entries(&self.as_text(&bytes, findings))),
            b".bash_history" => (&BASH, bash::entries(&self.as_text(&bytes, findings))),
            _ if self.file.capture("shell").is_some() => {
                (&POWERSHELL, powershell::entries(&self.as_text(&bytes, findings)))
            }
            _ => (&OTHER, bash::entries(&self.as_text(&bytes, findings))),
        };
        let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        findings.records(&self.file.origin, count, length);
        let history = History { home: self, kind, subject: self.container() };
        history.tell(&entries, findings);
    }

    /// The container in whose writable layer the history lies; nothing when it is the host's own.
    fn container(&self) -> Subject {
        let components: Vec<&[u8]> = self.file.path.components().collect();
        let is_mount = |mount: &&crate::inventory::Mount| {
            let id = mount.mount_id.as_deref().map(str::as_bytes);
            let driver = mount.driver.as_bytes();
            let found =
                |pair: &[&[u8]]| pair.first() == Some(&driver) && pair.get(1).copied() == id;
            components.windows(2).any(found)
        };
        let mount = self.inventory.mounts.iter().find(is_mount);
        mount
            .map_or(Subject::UNKNOWN, |mount| self.inventory.container_subject(&mount.container_id))
    }
}

/// A history that is being told.
struct History<'a> {
    home: &'a HomeFile<'a>,
    kind: &'static Kind,
    subject: Subject,
}

/// A command that concerns containers.
struct Command<'a> {
    entry: &'a Entry,
    found: Use,
}

impl History<'_> {
    fn tell(&self, entries: &[Entry], findings: &mut dyn Findings) {
        let mut undated: Vec<Command<'_>> = Vec::new();
        for entry in entries {
            let recognised = match self.kind == &POWERSHELL {
                true => recognise(&powershell::as_shell(&entry.text)),
                false => recognise(&entry.text),
            };
            let Some(found) = recognised else {
                findings.unconcerned(&self.home.file.origin, 1);
                continue;
            };
            let command = Command { entry, found };
            match entry.time.map(|time| (time, Instant::new(time, 0))) {
                Some((_, Some(instant))) => self.dated(instant, &command, findings),
                Some((time, None)) => {
                    let what =
                        format!("a command of the second {time} since 1970, which is no time");
                    let at = Position::Line(entry.line);
                    findings.issue(self.home.file.issue(IssueKind::Malformed, at, what));
                    undated.push(command);
                }
                None => undated.push(command),
            }
        }
        if undated.is_empty() {
            return;
        }
        let Some(modified) = self.home.modified(findings) else { return };
        for some in undated.chunks(LISTED) {
            self.undated(modified, some, findings);
        }
    }

    fn dated(&self, instant: Instant, command: &Command<'_>, findings: &mut dyn Findings) {
        let entry = command.entry;
        let text = format!("command entered{}: {}", self.by_user(), entry.text);
        let at = (instant, Meaning::Recorded);
        let mut event = self.home.event(self.kind, &self.subject, at);
        event.confidence = Confidence::Recorded;
        event.position = Position::Line(entry.line);
        event.action = "command";
        event.text = (&text).into();
        event.command_line = Some(&entry.text);
        describe(&mut event, std::slice::from_ref(command));
        findings.event(&event);
    }

    fn undated(&self, modified: Instant, some: &[Command<'_>], findings: &mut dyn Findings) {
        let Some(first) = some.first() else { return };
        let commands: Vec<&str> = some.iter().map(|known| known.entry.text.as_str()).collect();
        let count = match commands.len() {
            1 => "a command".to_owned(),
            count => format!("{count} commands"),
        };
        let text = format!(
            "{count} without a time entered{} before this, the last write of the history:\n{}",
            self.by_user(),
            commands.join("\n")
        );
        let at = (modified, Meaning::ContentModification);
        let mut event = self.home.event(self.kind, &self.subject, at);
        event.position = Position::Line(first.entry.line);
        event.action = "command";
        event.text = (&text).into();
        describe(&mut event, some);
        let commands = commands.into_iter().map(Cow::from).collect();
        event.attribute("undated_commands", Some(Value::List(commands)));
        findings.event(&event);
    }

    fn by_user(&self) -> String {
        self.home.user.as_deref().map(|user| format!(" by {user}")).unwrap_or_default()
    }
}

fn describe(event: &mut Event<'_>, commands: &[Command<'_>]) {
    let mut tools: Vec<&'static str> = Vec::new();
    let mut secrets: Vec<String> = Vec::new();
    for command in commands {
        tools.extend(&command.found.tools);
        secrets.extend_from_slice(&command.found.secrets);
    }
    tools.sort_unstable();
    tools.dedup();
    secrets.sort();
    secrets.dedup();
    event.attribute("tools", Some(Value::List(tools.into_iter().map(Cow::from).collect())));
    if !secrets.is_empty() {
        event.tags.push(Cow::from("possible-secret"));
        let secrets = secrets.into_iter().map(Cow::from).collect();
        event.attribute("possible_secrets", Some(Value::List(secrets)));
    }
}
