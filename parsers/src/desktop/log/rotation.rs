//! The time in the name of a rotation: `init.log.20260516-201416.652`, in the zone of the host.

use crate::formats::desktop_line::{Clock, header::local};
use dockline_timeline::Instant;

const QUARTER: i64 = 900;
const LIMIT: i64 = 14 * 3_600;
/// Seconds between the last line of a log and its rotation.
const DELAY: u64 = 300;

/// When the host's clock showed that the log was rotated, as if it were UTC; `None` for other names.
pub(super) fn stamp(rotation: &str) -> Option<Instant> {
    let stamp = rotation.strip_prefix('.')?;
    let stamp = stamp.strip_suffix(".gz").unwrap_or(stamp);
    let (date, time) = stamp.split_once('-')?;
    let (time, milliseconds) = time.split_once('.').unwrap_or((time, "0"));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if date.len() != 8 || time.len() != 6 || !are_digits(date) || !are_digits(time) {
        return None;
    }
    let number = |text: &str, at: usize, end: usize| text.get(at..end)?.parse::<u32>().ok();
    let milliseconds: u32 = milliseconds.parse().ok().filter(|count| *count < 1_000)?;
    let clock = Clock::of(number(time, 0, 2)?, number(time, 2, 4)?, number(time, 4, 6)?)?;
    let clock = Clock { nanosecond: milliseconds.checked_mul(1_000_000)?, ..clock };
    local((number(date, 0, 4)?, number(date, 4, 6)?, number(date, 6, 8)?), clock)
}

/// Seconds east of UTC of the host, when the last line of the rotated log was written at `last`.
pub(super) fn offset(stamp: Instant, last: Instant) -> Option<i32> {
    let apart = stamp.seconds().checked_sub(last.seconds())?;
    let quarters = apart.checked_add(QUARTER / 2)?.div_euclid(QUARTER);
    let offset = quarters.checked_mul(QUARTER)?;
    let is_zone = offset.abs() <= LIMIT && apart.abs_diff(offset) <= DELAY;
    i32::try_from(offset).ok().filter(|_| is_zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Instant {
        Instant::parse_rfc3339(text).unwrap().unwrap()
    }

    #[test]
    fn a_name_holds_the_time_of_the_host() {
        let shown = |name| stamp(name).map(|at| at.to_string());
        assert_eq!(shown(".20260516-201416.652").unwrap(), "2026-05-16T20:14:16.652000000Z");
        assert_eq!(shown(".20260516-201416.652.gz").unwrap(), "2026-05-16T20:14:16.652000000Z");
        for name in
            ["", ".3", ".20260516", ".20260516-2014", ".20261316-201416.652", ".2026051x-201416"]
        {
            assert_eq!(shown(name), None, "{name}");
        }
    }

    #[test]
    fn the_last_line_tells_how_far_that_is_from_utc() {
        let stamp = stamp(".20260516-131717.001").unwrap();
        assert_eq!(offset(stamp, instant("2026-05-16T07:47:16.9Z")), Some(19_800));
        assert_eq!(offset(stamp, instant("2026-05-16T13:17:17Z")), Some(0));
        assert_eq!(offset(stamp, instant("2026-05-16T07:40:16Z")), None);
        assert_eq!(offset(stamp, instant("2026-05-14T07:47:16Z")), None);
    }
}
