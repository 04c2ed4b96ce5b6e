//! The times in lines, as grammars.

use dockline_timeline::Instant;
use nom::bytes::complete::{tag, take_while, take_while_m_n, take_while1};
use nom::character::complete::char;
use nom::combinator::{map_opt, recognize};
use nom::{IResult, Parser as _};

/// A time of day, without a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Clock {
    /// Seconds since midnight, below 86,400.
    pub second: u32,
    /// Nanoseconds after it.
    pub nanosecond: u32,
}

impl Clock {
    /// The time of day of an hour, a minute and a second; `None` when there is no such time.
    #[must_use]
    pub fn of(hour: u32, minute: u32, second: u32) -> Option<Clock> {
        let is_time = hour < 24 && minute < 60 && second < 60;
        let minutes = hour.checked_mul(60)?.checked_add(minute)?;
        let second = minutes.checked_mul(60)?.checked_add(second)?;
        is_time.then_some(Clock { second, nanosecond: 0 })
    }
}

/// A number of so many digits.
pub(super) fn digits(count: usize) -> impl Fn(&str) -> IResult<&str, u32> {
    move |input| {
        let number = take_while_m_n(count, count, |c: char| c.is_ascii_digit());
        map_opt(number, |digits: &str| digits.parse().ok()).parse(input)
    }
}

/// `hh:mm:ss`, with a fraction after a dot.
pub(super) fn clock(input: &str) -> IResult<&str, Clock> {
    let (rest, (hour, _, minute, _, second)) =
        (digits(2), char(':'), digits(2), char(':'), digits(2)).parse(input)?;
    let (rest, fraction) = (char('.'), take_while1(|c: char| c.is_ascii_digit())).parse(rest)?;
    let clock = Clock::of(hour, minute, second).zip(nanoseconds(fraction.1));
    match clock {
        Some((clock, nanosecond)) => Ok((rest, Clock { nanosecond, ..clock })),
        None => map_opt(nom::combinator::success(()), |()| None).parse(input),
    }
}

/// Nanoseconds of one to nine digits of a fraction.
pub(super) fn nanoseconds(digits: &str) -> Option<u32> {
    let length = u32::try_from(digits.len()).ok()?;
    let unit = 10_u32.checked_pow(9_u32.checked_sub(length)?)?;
    digits.parse::<u32>().ok()?.checked_mul(unit)
}

/// RFC 3339, with `Z` or an offset: the text, and the instant.
pub(super) fn rfc3339(input: &str) -> IResult<&str, (&str, Instant)> {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | ':' | '.' | '+' | 'T' | 'Z');
    let text = recognize((digits(4), tag("-"), take_while(is_part)));
    map_opt(text, |text: &str| {
        // `<time>Z: text` of Rancher Desktop.
        let time = text.trim_end_matches(':');
        Some((time, Instant::parse_rfc3339(time).ok()??))
    })
    .parse(input)
    .map(|(rest, (time, instant))| (input.get(time.len()..).unwrap_or(rest), (time, instant)))
}

/// Seconds east of UTC that an RFC 3339 time names; 0 for `Z`.
#[must_use]
pub(super) fn offset(time: &str) -> Option<i32> {
    if time.ends_with(['Z', 'z']) {
        return Some(0);
    }
    let zone = time.get(time.len().checked_sub(6)?..)?;
    let sign = match zone.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) =
        (zone.get(1..3)?.parse::<i32>().ok()?, zone.get(4..6)?.parse::<i32>().ok()?);
    let seconds = hours.checked_mul(3_600)?.checked_add(minutes.checked_mul(60)?)?;
    seconds.checked_mul(sign)
}
