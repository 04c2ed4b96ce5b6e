//! The event of the block of rows that a process writes when it starts.

use super::record::Record;
use crate::formats::attributes::Attributes;
use crate::formats::desktop_line::header::{Key, Row, started};
use dockline_timeline::{Attribute, Instant};

/// Seconds between a header and the line after it.
const DELAY: u64 = 600;
const QUARTER: i64 = 900;
const LIMIT: i64 = 14 * 3_600;

/// The value of a key.
fn value(record: &Record, key: Key) -> Option<&str> {
    let row = record.rows().find(|row| row.key == key && !row.value.is_empty())?;
    Some(row.value)
}

/// When the process started, in a zone that the lines after it tell.
pub(super) fn local(record: &Record) -> Option<Instant> {
    started(value(record, Key::Started)?)
}

/// When the process started, if the line after it was written at `next` and has a zone: UTC, unless
/// the two are apart by whole quarters of an hour.
pub(super) fn before_whole(local: Instant, next: Instant) -> (Instant, i64) {
    let apart = local.seconds().saturating_sub(next.seconds());
    let offset = apart.saturating_add(QUARTER / 2).div_euclid(QUARTER).saturating_mul(QUARTER);
    let is_zone = offset != 0 && offset.abs() <= LIMIT && apart.abs_diff(offset) < DELAY / 10;
    let offset = if is_zone && apart.unsigned_abs() > DELAY { offset } else { 0 };
    let at = local.seconds().checked_sub(offset);
    let shifted = at.and_then(|at| Instant::new(at, local.nanoseconds()));
    shifted.map_or((local, 0), |instant| (instant, offset))
}

/// In words, which begin with what was started.
pub(super) fn words(says: &str, record: &Record) -> String {
    let mut words = says.to_owned();
    if let Some(version) = value(record, Key::Version) {
        words.push_str(&format!(": Docker Desktop {version}"));
    }
    if let Some(os) = value(record, Key::Os) {
        words.push_str(&format!(" on {os}"));
    }
    if let Some(command) = value(record, Key::CommandLine) {
        words.push_str(&format!(", {command}"));
    }
    // What follows and begins no record.
    for line in record.text.lines().filter(|line| Row::read(line).is_none()) {
        words.push('\n');
        words.push_str(line);
    }
    words
}

/// The command line of the process.
pub(super) fn command_line(record: &Record) -> Option<&str> {
    value(record, Key::CommandLine)
}

/// The rows as attributes.
pub(super) fn attributes(record: &Record) -> Vec<Attribute<'_>> {
    let mut attributes = Attributes::default();
    for (name, key) in [
        ("desktop_version", Key::Version),
        ("channel", Key::Channel),
        ("commit", Key::Sha1),
        ("started_on", Key::Started),
        ("os", Key::Os),
        ("os_edition", Key::Edition),
        ("os_release", Key::Release),
        ("os_build", Key::Build),
        ("os_build_lab", Key::BuildLab),
        ("engine_version", Key::Engine),
        ("log_path", Key::File),
    ] {
        attributes.text(name, value(record, key));
    }
    attributes.into_vec()
}
