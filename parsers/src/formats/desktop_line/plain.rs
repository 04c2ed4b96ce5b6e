//! Lines that begin with a time without brackets, and those that begin with none.

use super::time::rfc3339;
use super::{Family, Level, Line, Stamp};
use nom::bytes::complete::{take_till1, take_while1};
use nom::character::complete::{alpha1, char, multispace1};
use nom::combinator::{map_opt, rest};
use nom::sequence::terminated;
use nom::{IResult, Parser as _};

/// Fewest dashes of a separator.
const DASHES: usize = 20;

/// Whether a line is what a process writes when it starts.
pub(super) fn is_separator(line: &str) -> bool {
    let dashes = line.strip_suffix(">8");
    dashes.is_some_and(|dashes| dashes.len() >= DASHES && dashes.bytes().all(|byte| byte == b'-'))
}

/// The families with a whole time: Electron, Rancher, service, memlogd.
pub(super) fn timed(line: &str) -> Option<Line<'_>> {
    let (behind, (time, instant)) = rfc3339(line).ok()?;
    let with = |family, component, level, message| {
        Some(Line { family, stamp: Stamp::Whole(instant), time, component, level, message })
    };
    if let Ok((_, (level, message))) = electron(behind) {
        return with(Family::Electron, "", Some(level), message);
    }
    if let Some(message) = behind.strip_prefix(':') {
        return with(Family::Rancher, "", None, message.trim_start_matches(' '));
    }
    if let Ok((_, (service, message))) = service(behind) {
        return with(Family::Service, service, None, message);
    }
    let (_, (service, message)) = memlogd(behind).ok()?;
    with(Family::Memlogd, service, None, message)
}

/// ` info \t[IPC] text`.
fn electron(input: &str) -> IResult<&str, (Level, &str)> {
    let level = map_opt(alpha1, Level::of);
    let (input, _) = char(' ').parse(input)?;
    let (input, level) = terminated(level, multispace1).parse(input)?;
    rest.map(|message| (level, message)).parse(input)
}

/// ` dockerd text`.
fn service(input: &str) -> IResult<&str, (&str, &str)> {
    let is_part =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.' | '-');
    let (input, _) = char(' ').parse(input)?;
    (terminated(take_while1(is_part), char(' ')), rest).parse(input)
}

/// `,onboot.004-format;text`.
fn memlogd(input: &str) -> IResult<&str, (&str, &str)> {
    let (input, _) = char(',').parse(input)?;
    (terminated(take_till1(|c| c == ';'), char(';')), rest).parse(input)
}

/// A JSON object; what is in it is read with the entry.
pub(super) fn json(line: &str) -> Option<Line<'_>> {
    let is_object =
        line.ends_with('}') && (line.contains("\"time\":") || line.contains("\"msg\":"));
    let family = Family::Json;
    let stamp = Stamp::None;
    is_object.then_some(Line { family, stamp, time: "", component: "", level: None, message: line })
}

/// `time="…" level=…`.
pub(super) fn logrus(line: &str) -> Option<Line<'_>> {
    let rest = line.strip_prefix("time=\"")?;
    let (time, _) = rest.split_once('"')?;
    let instant = dockline_timeline::Instant::parse_rfc3339(time).ok()??;
    let (family, stamp) = (Family::Logrus, Stamp::Whole(instant));
    Some(Line { family, stamp, time, component: "", level: None, message: line })
}
