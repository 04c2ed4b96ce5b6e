//! What in a message says when it was written, beside a clock that knows no date.
//!
//! | message | says |
//! |---|---|
//! | `time="2019-02-01T15:08:09-02:00" …` | the instant, and the offset of the host's zone |
//! | `time="2021-05-17T15:34:12.621554700Z" …` | the instant |
//! | `Registered state {…"date":1621265674}` | the second |
//! | `…"serverTime":1626618042689306200…` | the nanosecond |
//! | `2019-01-24T03:29:05Z,service;…` | the second, by the clock of the virtual machine |
//! | `Starting on: 8/7/2016 2:14:59 PM` | the date, as the host's culture writes it |

use super::header::{Local, local};
use super::time::{Clock, offset, rfc3339};
use dockline_timeline::Instant;

/// What a message says of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// An instant, and how many seconds east of UTC the host was.
    Zoned(Instant, i32),
    /// An instant.
    Utc(Instant),
    /// A time of the host: of these two the first, unless the file is older; they differ when
    /// nothing says whether the day or the month is first.
    Local(Local, Local),
}

/// Reads a message; `None` when it says nothing of its time.
#[must_use]
pub fn anchor(message: &str) -> Option<Anchor> {
    if let Some(time) = message.strip_prefix("time=\"") {
        let (time, _) = time.split_once('"')?;
        let instant = Instant::parse_rfc3339(time).ok()??;
        return Some(match offset(time) {
            Some(offset) if !time.ends_with(['Z', 'z']) => Anchor::Zoned(instant, offset),
            _ => Anchor::Utc(instant),
        });
    }
    if let Some(date) = message.strip_prefix("Starting on: ") {
        return cultural(date.trim());
    }
    if let Ok((rest, (_, instant))) = rfc3339(message) {
        return rest.starts_with(',').then_some(Anchor::Utc(instant));
    }
    let seconds = || {
        let (_, state) = message.split_once("egistered state {")?;
        unix(number(state, "\"date\":")?, 1)
    };
    let nanoseconds = || unix(number(message, "\"serverTime\":")?, 1_000_000_000);
    seconds().or_else(nanoseconds).map(Anchor::Utc)
}

/// The time that the engine gave to an event: `adding server timestamp to event (engines):
/// 1776459899950897000 docker: running`.
#[must_use]
pub fn server_time(message: &str) -> Option<Instant> {
    let (_, rest) =
        message.strip_prefix("adding server timestamp to event (")?.split_once("): ")?;
    unix(rest.split(' ').next()?.parse().ok()?, 1_000_000_000)
}

/// The number that follows a key in JSON.
fn number(text: &str, key: &str) -> Option<i64> {
    let (_, rest) = text.split_once(key)?;
    let rest = rest.trim_start();
    rest.get(..rest.bytes().take_while(u8::is_ascii_digit).count())?.parse().ok()
}

/// The instant so many units after 1970; `None` for zero, which says that there is none.
fn unix(units: i64, per_second: i64) -> Option<Instant> {
    let part = units.checked_rem_euclid(per_second)?;
    let nanoseconds = part.checked_mul(1_000_000_000_i64.checked_div(per_second)?)?;
    let instant = Instant::new(units.checked_div_euclid(per_second)?, nanoseconds.try_into().ok()?);
    instant.filter(|_| units > 0)
}

/// A date as .NET writes it in the culture of the host: `8/7/2016 2:14:59 PM`, `07.08.2016 14:14:59`.
fn cultural(text: &str) -> Option<Anchor> {
    let (date, time) = text.split_once(' ')?;
    let separator = date.chars().find(|c| !c.is_ascii_digit())?;
    let mut parts = date.split(separator).map(|part| part.parse::<u32>().ok());
    let (a, b, c) = (parts.next()??, parts.next()??, parts.next()??);
    let clock = time_of_day(time)?;
    let of = |date| local(date, clock);
    let one = |at: Option<Local>| at.map(|at| Anchor::Local(at, at));
    if a > 31 {
        return one(of((a, b, c)));
    }
    let (month_first, day_first) = (of((c, a, b)), of((c, b, a)));
    match (separator, month_first, day_first) {
        ('/', Some(american), Some(other)) => Some(Anchor::Local(american, other)),
        ('/', american, other) => one(american.or(other)),
        (_, _, other) => one(other),
    }
}

/// `2:14:59 PM`, `14:14:59`.
fn time_of_day(text: &str) -> Option<Clock> {
    let (time, half) = text.split_once(' ').unwrap_or((text, ""));
    let mut parts = time.split([':', '.']).map(|part| part.parse::<u32>().ok());
    let (hour, minute, second) =
        (parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0));
    let hour = match half.get(..1) {
        Some("P" | "p") if hour < 12 => hour.checked_add(12)?,
        Some("A" | "a") if hour == 12 => 0,
        _ => hour,
    };
    Clock::of(hour, minute, second)
}
