//! The date and the zone that lines with a local time of day leave out, concluded.
//!
//! The date is that of the last header above, of the last message that says when it was written
//! ([`Anchor`]), or of what follows, walked back; else the file's own time is that of its last line.
//! From there the days are counted: a clock that falls back by more than six hours has passed midnight. One that falls back
//! by less belongs to another stream, which is written late, or has been put back. Around midnight
//! a line of the day before may come late, too.
//!
//! The zone is that of the host's registry, unless a message names another offset; else the offset
//! that a message named last, also for the lines before the first that does; else one that another
//! file of the log, or another log of the same profile, names. If nothing says it, the time is taken as UTC, and said so. In the hour that a
//! clock shows twice, lines are of its first showing until the clock has fallen back.

use crate::formats::desktop_line::{Anchor, Clock};
use crate::formats::windows_zone::WindowsZone;
use chrono::{DateTime, LocalResult, NaiveDateTime};
use dockline_timeline::Instant;

const DAY: i64 = 86_400;
/// A clock that falls back further has passed midnight.
const ROLLOVER: i64 = 6 * 3_600;
/// A line of the day before comes this late at most.
const LATE: i64 = 600;
/// Seconds between what a message says of its time and the clock of its line.
const DELAY: i64 = 120;
/// Zones differ by multiples of a quarter of an hour.
const QUARTER: i64 = 900;
/// The zones furthest from UTC, where a date does not tell them apart.
const FURTHEST: std::ops::RangeInclusive<i64> = -10 * 3_600..=(13 * 3_600 + 2_700);
/// No zone is further from UTC.
const LIMIT: i64 = 14 * 3_600;
/// So far must a clock fall back to have been put back by an hour.
const PUT_BACK: i64 = 20 * 60;

/// Where the date of a line comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DateSource {
    /// A block at the start of a process.
    Header,
    /// A message that says when it was written.
    Anchor,
    /// What follows in the file or in the next, walked back: the latest day that it can be.
    Following,
    /// The time of the file, which is that of its last line.
    File,
}

impl DateSource {
    pub(super) fn name(self) -> &'static str {
        match self {
            DateSource::Header => "start of the process",
            DateSource::Anchor => "a message with a date",
            DateSource::Following => "what follows, walked back",
            DateSource::File => "time of the file",
        }
    }
}

/// Where the zone of a line comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ZoneSource {
    /// The registry of the host.
    Host,
    /// A message of the log that names an offset.
    Message,
    /// Another log of the same profile that names one.
    OtherLog,
    /// Nothing: taken as UTC.
    Unknown,
}

impl ZoneSource {
    pub(super) fn name(self) -> &'static str {
        match self {
            ZoneSource::Host => "time zone of the host",
            ZoneSource::Message => "a message of the log",
            ZoneSource::OtherLog => "another log of the host",
            ZoneSource::Unknown => "unknown, taken as UTC",
        }
    }
}

/// A local time, dated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dated {
    pub(super) instant: Instant,
    /// As the host's clock showed it, as if it were UTC.
    pub(super) local: Instant,
    pub(super) date: DateSource,
    pub(super) zone: ZoneSource,
    /// Why the date or the hour may be another; empty when nothing says so.
    pub(super) doubt: &'static str,
}

/// What is known of the host's zone before a file is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Zone<'z> {
    pub(super) host: Option<&'z WindowsZone>,
    /// Seconds east of UTC that another log of the profile names.
    pub(super) other_log: Option<i32>,
}

/// The first line's day, as the whole file tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// Days since 1970.
    pub(super) day: i64,
    pub(super) date: DateSource,
}

/// Tells the time of each line, in the order of the file.
#[derive(Clone, Debug)]
pub(super) struct LocalClock<'z> {
    zone: Zone<'z>,
    /// Whether a message named an offset that the host's zone does not have.
    is_elsewhere: bool,
    /// Days since 1970, of the file's own count while nothing says the date.
    day: i64,
    date: DateSource,
    /// The latest clock of this day.
    high: Option<i64>,
    /// The latest clock of the day before, when midnight has been passed.
    before_midnight: Option<i64>,
    /// Seconds east of UTC, as a message named them.
    offset: Option<i64>,
    /// Whether the hour that the clock shows twice is shown the second time.
    is_second: bool,
}

impl<'z> LocalClock<'z> {
    /// A clock before the first line.
    pub(super) fn new(zone: Zone<'z>, start: Start, offset: Option<i64>) -> LocalClock<'z> {
        LocalClock {
            zone,
            is_elsewhere: false,
            day: start.day,
            date: start.date,
            high: None,
            before_midnight: None,
            offset,
            is_second: false,
        }
    }

    /// What is known of the zone from elsewhere.
    pub(super) fn set_zone(&mut self, zone: Zone<'z>) {
        self.zone = zone;
    }

    /// The day that it has reached, in days since 1970.
    pub(super) fn day(&self) -> i64 {
        self.day
    }

    /// Whether something has said the date.
    pub(super) fn is_dated(&self) -> bool {
        self.date != DateSource::Following
    }

    /// Where its date comes from.
    pub(super) fn date(&self) -> DateSource {
        self.date
    }

    /// Seconds east of UTC that a message named.
    pub(super) fn offset(&self) -> Option<i64> {
        self.offset
    }

    /// The day of a line with this clock; days and clock go on.
    fn advance(&mut self, clock: i64) -> i64 {
        let Some(high) = self.high else {
            self.high = Some(clock);
            return self.day;
        };
        let fallen = high.saturating_sub(clock);
        if fallen > ROLLOVER {
            self.before_midnight = Some(high);
            self.set_day(self.day.saturating_add(1));
            self.high = Some(clock);
        } else if self.is_late(clock, high) {
            return self.day.saturating_sub(1);
        } else {
            self.is_second |= fallen > PUT_BACK && self.shows_twice(clock);
            self.high = Some(high.max(clock));
        }
        self.day
    }

    fn set_day(&mut self, day: i64) {
        self.day = day;
        self.is_second = false;
    }

    /// Whether a line just after midnight is of the day before.
    fn is_late(&self, clock: i64, high: i64) -> bool {
        let before = self.before_midnight.unwrap_or_default();
        high < LATE && before > DAY.saturating_sub(LATE) && clock > before.saturating_sub(LATE)
    }

    /// Whether the host's clock shows this time of the day twice.
    fn shows_twice(&self, clock: i64) -> bool {
        let local = naive(seconds(self.day, clock));
        let zone = self.host();
        let offsets = zone.zip(local).map(|(zone, local)| zone.offset_at_local(local));
        matches!(offsets, Some(LocalResult::Ambiguous(..)))
    }

    /// The host's zone, unless a message names another offset.
    fn host(&self) -> Option<&'z WindowsZone> {
        self.zone.host.filter(|_| !self.is_elsewhere)
    }

    /// When a line was written; `None` when there is no such instant.
    pub(super) fn line(&mut self, clock: Clock) -> Option<Dated> {
        let day = self.advance(clock.second.into());
        let local = Instant::new(seconds(day, clock.second.into()), clock.nanosecond)?;
        self.dated(local)
    }

    /// When the line was written that was read last, after its message has told more.
    pub(super) fn again(&self, clock: Clock) -> Option<Dated> {
        let late = self.high.is_some_and(|high| self.is_late(clock.second.into(), high));
        let day = if late { self.day.saturating_sub(1) } else { self.day };
        self.dated(Instant::new(seconds(day, clock.second.into()), clock.nanosecond)?)
    }

    /// When the process of a header started, in the zone of the host.
    pub(super) fn header(&mut self, local: Instant) -> Option<Dated> {
        self.date_is(local, DateSource::Header);
        self.dated(local)
    }

    /// The clock goes on at a date.
    pub(super) fn date_is(&mut self, local: Instant, source: DateSource) {
        let (day, clock) = split(local.seconds());
        if day != self.day {
            self.set_day(day);
            self.before_midnight = None;
            self.high = Some(clock);
        } else if self.high.is_none() || source == DateSource::Header {
            self.high = Some(clock);
        }
        self.date = source;
    }

    /// Learns from what the message of a line with this clock says of its time; whether it is about
    /// that line.
    pub(super) fn learn(
        &mut self,
        clock: Clock,
        anchor: Anchor,
        modified: Option<Instant>,
    ) -> bool {
        match anchor {
            Anchor::Zoned(instant, offset) => self.learn_offset(clock, instant, offset.into()),
            Anchor::Utc(instant) => {
                let offset = self.offset_at(clock, instant);
                offset.is_some_and(|offset| self.learn_offset(clock, instant, offset))
            }
            Anchor::Local(one, other) => {
                let latest = modified.map(|modified| modified.seconds().saturating_add(LIMIT));
                let is_past = |at: &Instant| latest.is_none_or(|latest| at.seconds() <= latest);
                let nearest = [one, other].into_iter().filter(is_past);
                let local = match latest {
                    Some(_) => nearest.max(),
                    None => Some(one),
                };
                let local = local.filter(|local| is_near(*local, clock));
                if let Some(local) = local {
                    self.date_is(local, DateSource::Header);
                }
                local.is_some()
            }
        }
    }

    /// The line with this clock was written at an instant, in a zone so far from UTC; whether it can
    /// have been.
    fn learn_offset(&mut self, clock: Clock, instant: Instant, offset: i64) -> bool {
        let shown = instant.seconds().saturating_add(offset);
        let (day, _) = split(shown);
        let near = [0, -1, 1]
            .map(|step| day.saturating_add(step))
            .into_iter()
            .find(|day| seconds(*day, clock.second.into()).abs_diff(shown) <= DELAY.unsigned_abs());
        let (Some(day), true) = (near, offset.abs() <= LIMIT) else { return false };
        self.offset = Some(offset);
        let of_host = naive(instant.seconds()).zip(self.zone.host);
        self.is_elsewhere =
            of_host.is_some_and(|(at, zone)| i64::from(zone.offset_at_utc(at)) != offset);
        let is_late = self.before_midnight.is_some() && day.saturating_add(1) == self.day;
        let local = Instant::new(seconds(day, clock.second.into()), clock.nanosecond);
        if let Some(local) = local.filter(|_| !is_late) {
            self.date_is(local, DateSource::Anchor);
        }
        true
    }

    /// Seconds east of UTC of a clock that shows this at an instant; `None` when no zone does.
    fn offset_at(&self, clock: Clock, instant: Instant) -> Option<i64> {
        let of_host = || Some(i64::from(self.host()?.offset_at_utc(naive(instant.seconds())?)));
        let known = of_host().or(self.offset);
        let (_, of_day) = split(instant.seconds());
        let apart = i64::from(clock.second).saturating_sub(of_day);
        let quarters = apart.saturating_add(QUARTER / 2).div_euclid(QUARTER);
        let offset = quarters.saturating_mul(QUARTER);
        if apart.abs_diff(offset) > DELAY.unsigned_abs() {
            return None;
        }
        let days = [offset.saturating_sub(DAY), offset, offset.saturating_add(DAY)];
        let possible = || days.iter().copied().filter(|offset| offset.abs() <= LIMIT);
        let here = |offset: &i64| {
            self.date != DateSource::Following
                && split(instant.seconds().saturating_add(*offset)).0 == self.day
        };
        let same = known.and_then(|known| possible().find(|offset| *offset == known));
        let by_day = || possible().find(here);
        same.or_else(by_day).or_else(|| possible().find(|offset| FURTHEST.contains(offset)))
    }

    /// The instant of a local time.
    fn dated(&self, local: Instant) -> Option<Dated> {
        let (offset, zone, doubt) = self.offset_of(local);
        let at = local.seconds().checked_sub(offset)?;
        let instant = Instant::new(at, local.nanoseconds())?;
        let walked = match self.date {
            DateSource::Following => "the date is the latest that it can be",
            _ => "",
        };
        let doubt = if doubt.is_empty() { walked } else { doubt };
        Some(Dated { instant, local, date: self.date, zone, doubt })
    }

    fn offset_of(&self, local: Instant) -> (i64, ZoneSource, &'static str) {
        if let Some((zone, at)) = self.host().zip(naive(local.seconds())) {
            let (offset, doubt) = match zone.offset_at_local(at) {
                LocalResult::Single(offset) => (offset, ""),
                LocalResult::Ambiguous(_, second) if self.is_second => {
                    (second, "the clock showed this hour twice; taken as the second time")
                }
                LocalResult::Ambiguous(first, _) => {
                    (first, "the clock showed this hour twice; taken as the first time")
                }
                LocalResult::None => (zone.standard, "the clock of this zone never showed this"),
            };
            return (offset.into(), ZoneSource::Host, doubt);
        }
        let other = self.zone.other_log.map(|offset| (offset.into(), ZoneSource::OtherLog, ""));
        let message = self.offset.map(|offset| (offset, ZoneSource::Message, ""));
        message.or(other).unwrap_or((0, ZoneSource::Unknown, ""))
    }
}

/// The day of the last line of a file, with its clock, which was written at `until` or before;
/// `zone` says what is known of the zone.
pub(super) fn last_day(
    clock: Clock,
    (until, source): (Instant, DateSource),
    zone: &LocalClock<'_>,
) -> i64 {
    let of_host = zone.host().zip(naive(until.seconds()));
    let of_host = of_host.map(|(zone, at)| i64::from(zone.offset_at_utc(at)));
    let offset = of_host.or(zone.offset).or(zone.zone.other_log.map(i64::from));
    let (day, shown) = split(until.seconds().saturating_add(offset.unwrap_or_default()));
    let second = i64::from(clock.second);
    if offset.is_none() && source == DateSource::File {
        // No zone is further from UTC than about half a day.
        let apart = |day: &i64| seconds(*day, second).abs_diff(until.seconds());
        let days = [0, -1, 1].map(|step| day.saturating_add(step));
        return days.into_iter().min_by_key(apart).unwrap_or(day);
    }
    // The time of a file is a little before that of its last line when it is written in pieces.
    let is_before = second <= shown.saturating_add(DELAY);
    if is_before { day } else { day.saturating_sub(1) }
}

/// Whether a line's clock shows about this.
fn is_near(local: Instant, clock: Clock) -> bool {
    let (_, shown) = split(local.seconds());
    shown.abs_diff(clock.second.into()) <= DELAY.unsigned_abs()
}

fn split(seconds: i64) -> (i64, i64) {
    (seconds.div_euclid(DAY), seconds.rem_euclid(DAY))
}

fn seconds(day: i64, clock: i64) -> i64 {
    day.saturating_mul(DAY).saturating_add(clock)
}

fn naive(seconds: i64) -> Option<NaiveDateTime> {
    Some(DateTime::from_timestamp(seconds, 0)?.naive_utc())
}
