//! The year and the zone that traditional syslog leaves out, concluded.
//!
//! The year: the last line of a file was written at the time of the file or before, and each time that
//! the date falls back, a year has begun; counted back from the last line, this gives the year of the
//! first. The zone: a daemon's message carries its own time with an offset, so a line that has both
//! tells how the host's clock was set then. It holds for the lines after it, until another tells
//! otherwise; the first such line of a file speaks also for those before it. Without any the zone is
//! unknown: UTC is taken, and said.

use super::header::{Local, Stamp};
use crate::formats::daemon_message::When;
use dockline_timeline::{Confidence, Instant};

/// A line later than the time of its file by less than this is not of the year before.
const AHEAD: i64 = 86_400;
/// Days that a date may fall back because lines came late.
const LATE: u32 = 30;
/// No zone is further from UTC.
const FURTHEST: i64 = 14 * 3_600;
/// Zones differ by multiples of a quarter of an hour.
const QUARTER: i64 = 900;
/// Seconds between a message and the line that holds it.
const DELAY: i64 = 60;

const ZONE_KNOWN: &str =
    "year concluded from the file's time, zone from a message nearby that has both times";
const ZONE_UNKNOWN: &str =
    "year concluded from the file's time; the line names no zone and was taken as UTC";

/// A day in a year of equal months, to compare dates.
fn ordinal(local: Local) -> u32 {
    local.month.saturating_mul(31).saturating_add(local.day)
}

/// Whether a year has begun between two lines.
fn wraps(last: Local, next: Local) -> bool {
    ordinal(next).saturating_add(LATE) < ordinal(last)
}

/// Whether `next` belongs to the year before that of `last`: it came late, at the turn of the year.
fn is_late(last: Local, next: Local) -> bool {
    last.month == 1 && last.day <= 2 && next.month == 12 && next.day >= 30
}

/// What the dates of a file say of its years.
#[derive(Default)]
pub(super) struct Survey {
    last: Option<Local>,
    /// Years that have begun since the first line.
    turns: i32,
    /// The first line whose message carries its own time, that time, and the turns before it.
    both: Option<(Local, Instant, i32)>,
}

impl Survey {
    /// Takes the next line.
    pub(super) fn take(&mut self, local: Local, line: &[u8]) {
        if let Some(last) = self.last {
            if is_late(last, local) {
                return;
            }
            if wraps(last, local) {
                self.turns = self.turns.saturating_add(1);
            }
        }
        self.last = Some(local);
        if self.both.is_none() {
            self.both = own_time(line).map(|own| (local, own, self.turns));
        }
    }

    /// A clock that begins with the first line of the file, which was last written at `modified`.
    pub(super) fn clock(&self, modified: Option<Instant>) -> Clock {
        let of_last = self.last.zip(modified).and_then(|(last, modified)| year_of(last, modified));
        let year = of_last.map(|year| year.saturating_sub(self.turns));
        let offset = self.both.zip(year).and_then(|((local, own, turns), year)| {
            let shown = at(year.saturating_add(turns), local)?;
            offset(shown.seconds(), own.seconds())
        });
        Clock { year, last: None, offset }
    }
}

/// The time with an offset that a daemon's message carries.
fn own_time(line: &[u8]) -> Option<Instant> {
    let at = memchr::memmem::find(line, b"time=\"")?.saturating_add(6);
    let time = line.get(at..)?.split(|byte| *byte == b'"').next()?;
    Instant::parse_rfc3339_bytes(time).ok()?
}

/// Seconds east of UTC of a clock that shows one time at another; `None` when they are further apart
/// than any zone.
fn offset(shown: i64, own: i64) -> Option<i64> {
    let difference = shown.saturating_sub(own);
    let quarters = difference.saturating_add(QUARTER / 2).div_euclid(QUARTER);
    let offset = quarters.saturating_mul(QUARTER);
    let is_zone = offset.abs() <= FURTHEST && difference.abs_diff(offset) <= DELAY.unsigned_abs();
    is_zone.then_some(offset)
}

/// The last year in which the line was not written after the file.
fn year_of(local: Local, modified: Instant) -> Option<i32> {
    let latest = modified.seconds().saturating_add(AHEAD);
    let year = modified.civil().year;
    // There is a 29 February at least every eight years.
    let years = (0..=8).map(|back| year.saturating_add(1).saturating_sub(back));
    years
        .into_iter()
        .find(|year| at(*year, local).is_some_and(|instant| instant.seconds() <= latest))
}

/// The line's time in a year, as if it were UTC.
fn at(year: i32, local: Local) -> Option<Instant> {
    let midnight = format!("{year:04}-{:02}-{:02}T00:00:00Z", local.month, local.day);
    let midnight = Instant::parse_rfc3339(&midnight).ok()??;
    Instant::new(midnight.seconds().saturating_add(local.second), 0)
}

/// Tells the time of each line, in the order of the file.
pub(super) struct Clock {
    /// Of the last line; unknown without a time of the file.
    year: Option<i32>,
    last: Option<Local>,
    /// Seconds east of UTC.
    offset: Option<i64>,
}

impl Clock {
    /// When a line was written.
    pub(super) fn when(&mut self, stamp: Stamp) -> Option<When> {
        let local = match stamp {
            Stamp::Whole(instant) => return Some(When::recorded(instant)),
            Stamp::Local(local) => local,
        };
        let late = self.last.is_some_and(|last| is_late(last, local));
        if !late {
            let turned = self.last.is_some_and(|last| wraps(last, local));
            self.year = self.year.map(|year| year.saturating_add(i32::from(turned)));
            self.last = Some(local);
        }
        let instant = at(self.year?.saturating_sub(i32::from(late)), local)?;
        let (offset, from) = match self.offset {
            Some(offset) => (offset, ZONE_KNOWN),
            None => (0, ZONE_UNKNOWN),
        };
        let instant = Instant::new(instant.seconds().saturating_sub(offset), 0)?;
        Some(When { instant, confidence: Confidence::Inferred, from })
    }

    /// Learns the zone from a line: `around` is what [`Clock::when`] said of it, `own` the time that
    /// its message carries.
    pub(super) fn learn(&mut self, around: When, own: When) {
        if around.confidence == Confidence::Recorded || own.confidence != Confidence::Recorded {
            return;
        }
        let shown = around.instant.seconds().saturating_add(self.offset.unwrap_or(0));
        self.offset = offset(shown, own.instant.seconds()).or(self.offset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Instant {
        Instant::parse_rfc3339(text).unwrap().unwrap()
    }

    fn local(month: u32, day: u32) -> Local {
        Local { month, day, second: 3_600 }
    }

    fn years(days: &[(u32, u32)], modified: &str) -> Vec<String> {
        let mut survey = Survey::default();
        days.iter().for_each(|(month, day)| survey.take(local(*month, *day), b""));
        let mut clock = survey.clock(Some(instant(modified)));
        let mut when =
            |(month, day): &(u32, u32)| clock.when(Stamp::Local(local(*month, *day))).unwrap();
        days.iter().map(|day| when(day).instant.to_string()[..10].to_owned()).collect()
    }

    #[test]
    fn years_are_counted_back_from_the_time_of_the_file() {
        let days = [(11, 3), (12, 31), (1, 1), (12, 31), (1, 1), (8, 9), (2, 28)];
        let expected = [
            "2024-11-03",
            "2024-12-31",
            "2025-01-01",
            "2024-12-31",
            "2025-01-01",
            "2025-08-09",
            "2026-02-28",
        ];
        assert_eq!(years(&days, "2026-03-01T00:00:00Z"), expected);
        assert_eq!(years(&[(1, 1)], "2025-12-31T23:30:00Z"), ["2026-01-01"]);
        assert_eq!(years(&[(2, 29)], "2026-12-31T23:30:00Z"), ["2024-02-29"]);
    }

    #[test]
    fn the_zone_is_learned_from_a_message_that_carries_its_own_time() {
        let mut survey = Survey::default();
        survey.take(local(7, 1), b"");
        let mut clock = survey.clock(Some(instant("2026-07-02T00:00:00Z")));
        let before = clock.when(Stamp::Local(local(7, 1))).unwrap();
        assert_eq!(before.instant, instant("2026-07-01T01:00:00Z"));
        assert_eq!(before.from, ZONE_UNKNOWN);
        clock.learn(before, When::recorded(instant("2026-06-30T23:00:01+01:00")));
        let nonsense = When::recorded(instant("2020-06-30T23:00:01Z"));
        clock.learn(before, nonsense);
        let after = clock.when(Stamp::Local(local(7, 1))).unwrap();
        assert_eq!((after.instant, after.from), (instant("2026-06-30T22:00:00Z"), ZONE_KNOWN));
    }

    #[test]
    fn without_a_time_of_the_file_there_is_no_year() {
        let mut survey = Survey::default();
        survey.take(local(7, 1), b"");
        assert_eq!(survey.clock(None).when(Stamp::Local(local(7, 1))), None);
    }
}
