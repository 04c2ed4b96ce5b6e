//! Lines that begin with a time in brackets.

use super::time::{Clock, clock, rfc3339};
use super::{Family, Level, Line, Stamp};
use dockline_timeline::Instant;
use nom::bytes::complete::{take_till1, take_while_m_n};
use nom::character::complete::char;
use nom::combinator::{all_consuming, map_opt, opt, rest, verify};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser as _};

/// The longest name of a component; those of both halves of Desktop are shorter.
const LONGEST_COMPONENT: usize = 80;

/// `[component]`, padded with blanks in the C# half.
fn component(input: &str) -> IResult<&str, &str> {
    let name = take_till1(|c| c == ']' || c == '[');
    let name = verify(name, |name: &str| name.len() <= LONGEST_COMPONENT);
    delimited(char('['), name, char(']')).map(str::trim).parse(input)
}

/// `[I]`, `[Warning]`, padded likewise.
fn level(input: &str) -> IResult<&str, Level> {
    map_opt(component, Level::of).parse(input)
}

/// The message behind the last bracket: a blank and any text, or nothing.
fn message(input: &str) -> IResult<&str, &str> {
    opt(preceded(char(' '), rest)).map(Option::unwrap_or_default).parse(input)
}

/// A blank, or none.
fn perhaps_blank(input: &str) -> IResult<&str, &str> {
    take_while_m_n(0, 1, |c| c == ' ').parse(input)
}

/// `[component][level] message`, the level perhaps absent.
fn body(input: &str) -> IResult<&str, (&str, Option<Level>, &str)> {
    all_consuming((preceded(perhaps_blank, component), opt(level), message)).parse(input)
}

/// `[2023-03-05T08:02:14.398643700Z]`.
fn whole_time(input: &str) -> IResult<&str, (&str, Instant)> {
    delimited(char('['), rfc3339, char(']')).parse(input)
}

/// `[21:04:59.950900000Z]`, in UTC.
fn inner_time(input: &str) -> IResult<&str, Clock> {
    delimited(char('['), terminated(clock, char('Z')), char(']')).parse(input)
}

/// `[14:14:59.523]`, in the zone of the host.
fn local_time(input: &str) -> IResult<&str, Clock> {
    delimited(char('['), clock, char(']')).parse(input)
}

/// `[component][level] message`, with blanks between, or without the level.
fn local_body(input: &str) -> IResult<&str, (&str, Option<Level>, &str)> {
    let level = opt(preceded(perhaps_blank, level));
    all_consuming((preceded(perhaps_blank, component), level, message)).parse(input)
}

/// What stands between the brackets of which `behind` is what follows.
fn between<'a>(line: &'a str, behind: &str) -> Option<&'a str> {
    Some(line.strip_suffix(behind)?.trim_matches(['[', ']']))
}

/// The families with a whole time: monitor, bracket.
pub(super) fn whole(line: &str) -> Option<Line<'_>> {
    let (behind, (time, instant)) = whole_time(line).ok()?;
    let stamp = Stamp::Whole(instant);
    let (family, component, level) = (Family::Monitor, "", None);
    let captured = |message| Line { family, stamp, time, component, level, message };
    if let Some(message) = behind.strip_prefix(' ').filter(|text| is_captured(text)) {
        return Some(captured(message));
    }
    if let Ok((_, (component, level, message))) = body(behind) {
        return Some(Line { family: Family::Bracket, stamp, time, component, level, message });
    }
    behind.strip_prefix(' ').map(captured)
}

/// Whether a text is a line as the monitor captures them: with a clock of its own, or JSON.
fn is_captured(text: &str) -> bool {
    text.starts_with('{') || inner(text).is_some()
}

/// The line of another process in one of the monitor: a clock in UTC, its component, and so on.
pub(super) fn inner(text: &str) -> Option<(Clock, Line<'_>)> {
    let (behind, clock) = inner_time(text).ok()?;
    let (_, (component, level, message)) = body(behind).ok()?;
    let (family, stamp, time) = (Family::Monitor, Stamp::None, between(text, behind)?);
    Some((clock, Line { family, stamp, time, component, level, message }))
}

/// The families with a local time of day: clock, installer.
pub(super) fn local(line: &str) -> Option<Line<'_>> {
    let (behind, clock) = local_time(line).ok()?;
    let (_, (component, level, message)) = local_body(behind).ok()?;
    let (time, stamp) = (between(line, behind)?, Stamp::Local(clock));
    let family = if level.is_some() { Family::Clock } else { Family::Installer };
    Some(Line { family, stamp, time, component, level, message })
}
