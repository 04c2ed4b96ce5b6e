//! What Docker Desktop and Rancher Desktop say of themselves: every log on Windows, macOS and Linux.
//!
//! Who writes it: all their programs, on the host and in the virtual machine, and their installers.
//! Each line is of one of many families, which [`formats::desktop_line`](crate::formats::desktop_line)
//! tells apart line by line; lines that are of none belong to the record before them. What a message
//! means is [`formats::desktop_message`](crate::formats::desktop_message).
//!
//! | record | instant | event |
//! |---|---|---|
//! | a message with a known meaning | its own | `create`, `exec_start`, `engine_state`, ...: what it means |
//! | any other | its own | `log` |
//! | a message of dockerd or containerd | its own | the same as in their own logs |
//! | block of rows at the start of a process | `Started on:` | `process_start`, with version, Windows and command line; of an installer `install_start` or `uninstall_start` |
//! | `-----…-->8` | of the line after it | `process_start` |
//! | a time with an offset, or a rotation named after its time | of the line | `host_utc_offset`, when it is another than before |
//! | `electron-audit-log.json` | in it | `log_create`: a log was begun that may be gone |
//! | a log with its rotations | of its first line | `log_window`: from when to when it reaches |
//!
//! Times with a zone are recorded. Where a line holds another line, the time of the innermost counts,
//! and that of the outermost is `observed`. Logs until 4.0 have the time of day in the zone of the
//! host and no date, consoles count from a start: `clock` and `boot` say how these are dated. Such
//! times are `inferred`; `date_source`, `zone_source` and `local_time` say from what, and what could
//! be otherwise. `Started on:` is local time before lines with a local time, and UTC before others. A line
//! without any time has that of the line before it, at the beginning of a file that of the one after
//! it, and in a file without times that of the file.
//!
//! The rotations of a log are one artifact, read in the order of their first lines: their numbers say nothing.
//!
//! Matched by their place in `log/host` and `log/vm` and by content, as their names or their presence
//! are unconfirmed: `com.docker.diagnose.exe.log`, `*.stdout.log`, `*.stderr.log`, `vpnkit*.log`,
//! `com.docker.proxy*.log`, `install-log-user.txt`, and the place of Rancher Desktop's logs on Linux. After
//! lines in public issues of docker/for-win, docker/for-mac, docker/desktop-linux and
//! rancher-sandbox/rancher-desktop.
//!
//! Limits: a line, and a record, of 1 MiB; 4,096 starts of a machine in one file. Not supported: files
//! in UTF-16 whose letters are not of ASCII; `VM has started` of another log as the start of a console.

mod audit;
mod boot;
mod clock;
mod header;
mod names;
mod reader;
mod record;
mod rotation;
mod set;
mod survey;
mod when;

use crate::formats::user_profile;
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use clock::{DateSource, LocalClock, Zone};
use dockline_evidence::ReadAt;
use dockline_timeline::{Findings, Instant};
use reader::Reader;
use set::Set;
use std::sync::Arc;
use survey::Survey;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "desktop.log",
    reads: &[
        "(?i)log/host/{log}.log{rotation*}",
        "(?i)log/vm/{log}.log{rotation*}",
        "(?i)log/host/{list}-audit-log.json",
        "(?i)AppData/Local/Docker/{log}.{rotation}.txt",
        "(?i)AppData/Local/Docker/{log}.txt",
        "(?i)ProgramData/DockerDesktop/{log}.{rotation}.txt",
        "(?i)ProgramData/DockerDesktop/{log}.txt",
        "(?i)DockerDesktop/{log}-log-admin.{rotation}.txt",
        "(?i)DockerDesktop/{log}-log-admin.txt",
        "Library/Logs/Docker Desktop/{log}.log{rotation*}",
        "(?i)rancher-desktop/logs/{log}.log{rotation*}",
        "Library/Logs/rancher-desktop/{log}.log{rotation*}",
    ],
    gather: Gather::Together,
    about: "every log of Docker Desktop and Rancher Desktop, dated where its lines are not",
    yields: "API calls, containers, engine and machine started and stopped, settings, installs, every other line; how far each log reaches",
    references: &[
        "docker/for-win, docker/for-mac, docker/desktop-linux: lines in public issues, see testdata/README.md",
        "sirupsen/logrus 1.9 text_formatter.go",
        "kubernetes/klog 2 klog.go",
    ],
    parse,
};

/// Where the log lies that shows the offset of the host's zone, beside a log that does not.
const MONITOR: &[u8] = b"log/host/monitor.log";
/// A file that was last written so long after another began, in seconds, is the one before it.
const ROTATED: u64 = 3_600;

/// A file of the log, and what its lines say of their times.
struct Surveyed<'a> {
    file: &'a ArtifactFile,
    bytes: Arc<dyn ReadAt>,
    modified: Option<Instant>,
    survey: Survey<'a>,
    clock: Option<LocalClock<'a>>,
    first: Option<Instant>,
}

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let user = artifact.files.first().and_then(user_profile::user_of);
    if artifact.capture("list").is_some() {
        let lists = artifact.files.iter();
        return lists.for_each(|file| audit::tell(artifact, file, user.as_deref(), findings));
    }
    let host = inventory.zone();
    let zone = Zone { host, other_log: host.map_or_else(|| offset_beside(artifact), |_| None) };
    let mut files = Vec::new();
    for file in &artifact.files {
        let Some(bytes) = artifact.open(file, findings) else { continue };
        let modified = artifact.metadata(file, findings).and_then(|found| found.modified);
        let survey = Survey::of(&*bytes, zone, modified);
        files.push(Surveyed { file, bytes, modified, survey, clock: None, first: None });
    }
    share_offset(&mut files);
    date_the_rest(&mut files);
    files.sort_by_key(|surveyed| (surveyed.first.is_none(), surveyed.first));
    let kind = if is_rancher(artifact) { &set::RANCHER } else { &set::LOG };
    let mut set = Set::new(inventory, kind, user.as_deref());
    for surveyed in files {
        let Surveyed { file, bytes, modified, survey, clock, .. } = surveyed;
        Reader::new(&mut set, file, (modified, survey), clock).read(&*bytes, findings);
    }
    set.finish(findings);
}

/// Whether it is a log of Rancher Desktop.
fn is_rancher(artifact: &Artifact) -> bool {
    let mut names = artifact.files.iter().flat_map(|file| file.path.components());
    names.any(|name| name.eq_ignore_ascii_case(b"rancher-desktop"))
}

/// Gives the offset that a file of the log names to those that name none.
fn share_offset(files: &mut [Surveyed<'_>]) {
    let offset = files.iter().find_map(|file| file.survey.offset);
    for file in files {
        file.survey.learn_offset(offset);
        file.clock = file.survey.clock(None);
        file.first = file.survey.first(file.clock.as_ref());
    }
}

/// Dates the files in which nothing says the date: by the file that follows, else by their own time.
fn date_the_rest(files: &mut [Surveyed<'_>]) {
    let dated: Vec<(bool, Instant)> = files
        .iter()
        .filter_map(|file| {
            Some((file.file.capture("rotation").is_none_or(str::is_empty), file.first?))
        })
        .collect();
    for file in files.iter_mut().filter(|file| file.survey.needs_date()) {
        let until = match file.modified {
            None => dated.iter().find(|(is_current, _)| *is_current).map(|(_, first)| *first),
            Some(modified) => {
                let apart = |first: &Instant| first.seconds().abs_diff(modified.seconds());
                let after =
                    dated.iter().map(|(_, first)| *first).filter(|first| apart(first) <= ROTATED);
                after.min_by_key(apart)
            }
        };
        let by_file = || Some((file.modified?, DateSource::File));
        let until = until.map(|first| (first, DateSource::Following)).or_else(by_file);
        file.clock = file.survey.clock(until);
        file.first = file.survey.first(file.clock.as_ref());
    }
}

/// The offset that the monitor's log of the same profile shows, if the log lies where a log without
/// a zone does.
fn offset_beside(artifact: &Artifact) -> Option<i32> {
    let directory = artifact.files.first()?.path.parent()?;
    let log = artifact.read_beside(&directory.below(MONITOR)?)?;
    when::offset_in(&log)
}

#[cfg(test)]
mod tests;
