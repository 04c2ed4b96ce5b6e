//! The time zone of a Windows host, as its registry states it.
//!
//! `HKLM\SYSTEM\ControlSetNNN\Control\TimeZoneInformation` holds what `GetTimeZoneInformation` of the
//! Windows API reports: a bias in minutes (UTC = local time + bias), what standard and daylight time
//! add to it, and when each begins. The two beginnings are structures of eight 16-bit numbers, in the
//! order of the kernel's `TIME_FIELDS`: year, month, day, hour, minute, second, millisecond, weekday
//! (not the order of `SYSTEMTIME`, in which the `TZI` values of the table of all zones are). A year
//! of 0 means every year, and the day is then the number of the week in the month in which the
//! weekday (0 is Sunday) is meant, 5 being the last; another year means that day of that year alone.
//! A month of 0 means that there is no daylight saving time.
//!
//! The start of daylight time is a reading of the clock in standard time, and vice versa.
//!
//! These values are the rules of the year in which the host last ran. Rules of earlier years, where
//! they were others, stand in `SOFTWARE\…\Time Zones\<name>\Dynamic DST` and are not read.

use chrono::{Datelike, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Weekday};

/// What the registry says of the zone, as it says it.
#[derive(Clone, Copy, Debug, Default)]
pub struct ZoneValues<'a> {
    /// `Bias`, in minutes.
    pub bias: i32,
    /// `StandardBias`, in minutes.
    pub standard_bias: i32,
    /// `DaylightBias`, in minutes.
    pub daylight_bias: i32,
    /// `StandardStart`, 16 bytes; empty when the value is absent.
    pub standard_start: &'a [u8],
    /// `DaylightStart`, 16 bytes; empty when the value is absent.
    pub daylight_start: &'a [u8],
    /// `DynamicDaylightTimeDisabled` or, before Windows Vista, `DisableAutoDaylightTimeSet`: the user
    /// does not want the clock to be changed.
    pub daylight_disabled: bool,
    /// `TimeZoneKeyName`, such as `W. Europe Standard Time`.
    pub key_name: Option<&'a str>,
}

/// The time zone of a Windows host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowsZone {
    /// Seconds east of UTC in standard time.
    pub standard: i32,
    /// Seconds east of UTC in daylight saving time, and when both begin, where there is any.
    pub daylight: Option<Daylight>,
    /// The name of the zone in the registry, such as `W. Europe Standard Time`.
    pub key_name: Option<String>,
}

/// Daylight saving time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daylight {
    /// Seconds east of UTC.
    pub offset: i32,
    /// When it begins, on a clock of standard time.
    pub start: Start,
    /// When it ends, on a clock of daylight saving time.
    pub end: Start,
}

/// When standard or daylight saving time begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// In one year.
    Once(NaiveDateTime),
    /// In every year.
    Yearly {
        /// From 1.
        month: u32,
        /// From 1; 5 is the last in the month.
        week: u32,
        /// On this day of the week.
        weekday: Weekday,
        /// When the clock shows this.
        time: NaiveTime,
    },
}

/// Zones reach from 12 hours west to 14 hours east; a bias of more than this is none.
const MAX_BIAS: i32 = 24 * 60;

impl WindowsZone {
    /// The zone of these values; `None` when they are no zone.
    #[must_use]
    pub fn parse(values: &ZoneValues<'_>) -> Option<WindowsZone> {
        let offset = |more: i32| {
            let bias = values.bias.checked_add(more)?;
            (bias.checked_abs()? <= MAX_BIAS).then(|| bias.saturating_mul(-60))
        };
        let standard = offset(values.standard_bias)?;
        let daylight = offset(values.daylight_bias)?;
        let ends = Start::parse(values.standard_start)?;
        let starts = Start::parse(values.daylight_start)?;
        let daylight = match (starts, ends) {
            (Some(start), Some(end))
                if !values.daylight_disabled && start != end && daylight != standard =>
            {
                Some(Daylight { offset: daylight, start, end })
            }
            _ => None,
        };
        Some(WindowsZone { standard, daylight, key_name: values.key_name.map(String::from) })
    }

    /// Seconds east of UTC when it is this time in UTC.
    #[must_use]
    pub fn offset_at_utc(&self, utc: NaiveDateTime) -> i32 {
        let Some(daylight) = &self.daylight else { return self.standard };
        let local = utc.checked_add_signed(seconds(self.standard)).unwrap_or(utc);
        let mut changes = Vec::new();
        for year in [-1, 0, 1].map(|step| local.year().saturating_add(step)) {
            let to_daylight = daylight.start.on_clock(year);
            changes.extend(Change::at(to_daylight, self.standard, daylight.offset));
            let to_standard = daylight.end.on_clock(year);
            changes.extend(Change::at(to_standard, daylight.offset, self.standard));
        }
        changes.sort_by_key(|change| change.utc);
        let last = changes.iter().rev().find(|change| change.utc <= utc).map(|last| last.to);
        last.or_else(|| changes.first().map(|first| first.from)).unwrap_or(self.standard)
    }

    /// Seconds east of UTC when a clock shows this: none when it never does because the clock is put
    /// forward, two (of the earlier instant first) when it does twice because it is put back.
    #[must_use]
    pub fn offset_at_local(&self, local: NaiveDateTime) -> LocalResult<i32> {
        let is_offset = |offset: &i32| {
            let utc = local.checked_sub_signed(seconds(*offset));
            utc.is_some_and(|utc| self.offset_at_utc(utc) == *offset)
        };
        let standard = Some(self.standard).filter(is_offset);
        let daylight = self.daylight.as_ref().map(|daylight| daylight.offset).filter(is_offset);
        match (standard, daylight) {
            // Farther east, the same reading comes earlier.
            (Some(one), Some(other)) => LocalResult::Ambiguous(one.max(other), one.min(other)),
            (Some(only), None) | (None, Some(only)) => LocalResult::Single(only),
            (None, None) => LocalResult::None,
        }
    }
}

/// One change of the clock.
struct Change {
    utc: NaiveDateTime,
    from: i32,
    to: i32,
}

impl Change {
    /// The change when a clock that is `from` seconds east of UTC shows `clock`.
    fn at(clock: Option<NaiveDateTime>, from: i32, to: i32) -> Option<Change> {
        Some(Change { utc: clock?.checked_sub_signed(seconds(from))?, from, to })
    }
}

impl Start {
    /// A beginning as the registry has it: `Some(None)` when there is none, `None` when the bytes
    /// say nothing that can be.
    fn parse(bytes: &[u8]) -> Option<Option<Start>> {
        if bytes.is_empty() {
            return Some(None);
        }
        let (words, _) = bytes.as_chunks::<2>();
        let mut fields = [0_u32; 8];
        for (field, word) in fields.iter_mut().zip(words.get(..8)?) {
            *field = u32::from(u16::from_le_bytes(*word));
        }
        let [year, month, day, hour, minute, second, milli, weekday] = fields;
        if month == 0 {
            return Some(None);
        }
        let time = NaiveTime::from_hms_milli_opt(hour, minute, second, milli)?;
        if year != 0 {
            let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
            return Some(Some(Start::Once(date.and_time(time))));
        }
        let monday_based = u8::try_from(weekday.checked_add(6)? % 7).ok()?;
        let weekday = Weekday::try_from(monday_based).ok().filter(|_| weekday < 7)?;
        let can_be = (1..=12).contains(&month) && (1..=5).contains(&day);
        can_be.then_some(Some(Start::Yearly { month, week: day, weekday, time }))
    }

    /// What the clock shows when it begins in this year; when it begins in one year alone, in that.
    fn on_clock(self, year: i32) -> Option<NaiveDateTime> {
        let Start::Yearly { month, week, weekday, time } = self else {
            let Start::Once(time) = self else { return None };
            return Some(time);
        };
        // The fifth is the last: in most months there are only four.
        let date = |week: u32| {
            let week = u8::try_from(week).ok()?;
            NaiveDate::from_weekday_of_month_opt(year, month, weekday, week)
        };
        Some(date(week).or_else(|| date(4).filter(|_| week == 5))?.and_time(time))
    }
}

fn seconds(offset: i32) -> TimeDelta {
    TimeDelta::seconds(i64::from(offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight numbers as the registry has them.
    fn start(fields: [u16; 8]) -> Vec<u8> {
        fields.iter().flat_map(|field| field.to_le_bytes()).collect()
    }

    fn at(text: &str) -> NaiveDateTime {
        let (date, time) = text.split_once(' ').unwrap();
        let numbers = |text: &str, between: char| -> Vec<u32> {
            text.split(between).map(|number| number.parse().unwrap()).collect()
        };
        let (date, time) = (numbers(date, '-'), numbers(time, ':'));
        let year = i32::try_from(date[0]).unwrap();
        let date = NaiveDate::from_ymd_opt(year, date[1], date[2]).unwrap();
        date.and_hms_opt(time[0], time[1], time[2]).unwrap()
    }

    /// The values of `W. Europe Standard Time` as a published export of the registry has them.
    fn berlin() -> WindowsZone {
        let daylight_start = [0, 0, 3, 0, 5, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let standard_start = [0, 0, 10, 0, 5, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let values = ZoneValues {
            bias: -60,
            daylight_bias: -60,
            standard_start: &standard_start,
            daylight_start: &daylight_start,
            key_name: Some("W. Europe Standard Time"),
            ..ZoneValues::default()
        };
        WindowsZone::parse(&values).unwrap()
    }

    fn sydney() -> WindowsZone {
        let values = ZoneValues {
            bias: -600,
            daylight_bias: -60,
            standard_start: &start([0, 4, 1, 3, 0, 0, 0, 0]),
            daylight_start: &start([0, 10, 1, 2, 0, 0, 0, 0]),
            ..ZoneValues::default()
        };
        WindowsZone::parse(&values).unwrap()
    }

    const HOUR: i32 = 3600;

    #[test]
    fn the_last_sundays_of_march_and_october_change_the_clock_in_berlin() {
        let zone = berlin();
        assert_eq!(zone.key_name.as_deref(), Some("W. Europe Standard Time"));
        let offset = |utc: &str| zone.offset_at_utc(at(utc));
        assert_eq!(offset("2026-01-15 12:00:00"), HOUR);
        assert_eq!(offset("2026-03-29 00:59:59"), HOUR);
        assert_eq!(offset("2026-03-29 01:00:00"), 2 * HOUR);
        assert_eq!(offset("2026-10-25 00:59:59"), 2 * HOUR);
        assert_eq!(offset("2026-10-25 01:00:00"), HOUR);
        // The last Sunday of March 2024 is the fifth, of March 2026 the fifth, of October 2022 the
        // fifth and of March 2023 the fourth.
        assert_eq!(offset("2023-03-26 01:00:00"), 2 * HOUR);
        assert_eq!(offset("2023-03-26 00:59:59"), HOUR);
    }

    #[test]
    fn a_reading_in_the_gap_is_never_shown_and_one_in_the_fold_twice() {
        let zone = berlin();
        let offset = |local: &str| zone.offset_at_local(at(local));
        assert_eq!(offset("2026-03-29 01:59:59"), LocalResult::Single(HOUR));
        assert_eq!(offset("2026-03-29 02:00:00"), LocalResult::None);
        assert_eq!(offset("2026-03-29 02:59:59"), LocalResult::None);
        assert_eq!(offset("2026-03-29 03:00:00"), LocalResult::Single(2 * HOUR));
        assert_eq!(offset("2026-10-25 01:59:59"), LocalResult::Single(2 * HOUR));
        assert_eq!(offset("2026-10-25 02:00:00"), LocalResult::Ambiguous(2 * HOUR, HOUR));
        assert_eq!(offset("2026-10-25 02:59:59"), LocalResult::Ambiguous(2 * HOUR, HOUR));
        assert_eq!(offset("2026-10-25 03:00:00"), LocalResult::Single(HOUR));
    }

    #[test]
    fn south_of_the_equator_the_year_begins_in_daylight_saving_time() {
        let zone = sydney();
        assert_eq!(zone.offset_at_utc(at("2026-01-01 00:00:00")), 11 * HOUR);
        assert_eq!(zone.offset_at_utc(at("2025-12-31 13:30:00")), 11 * HOUR);
        assert_eq!(zone.offset_at_utc(at("2026-07-01 00:00:00")), 10 * HOUR);
        // 2026-04-05 and 2026-10-04 are the first Sundays.
        let offset = |local: &str| zone.offset_at_local(at(local));
        assert_eq!(offset("2026-04-05 02:30:00"), LocalResult::Ambiguous(11 * HOUR, 10 * HOUR));
        assert_eq!(offset("2026-10-04 02:30:00"), LocalResult::None);
        assert_eq!(offset("2026-10-04 03:00:00"), LocalResult::Single(11 * HOUR));
    }

    #[test]
    fn a_start_with_a_year_is_of_that_year_alone() {
        let values = ZoneValues {
            bias: 180,
            daylight_bias: -60,
            daylight_start: &start([2018, 11, 4, 0, 0, 0, 0, 0]),
            standard_start: &start([2019, 2, 17, 0, 0, 0, 0, 0]),
            ..ZoneValues::default()
        };
        let zone = WindowsZone::parse(&values).unwrap();
        assert_eq!(zone.offset_at_utc(at("2018-11-04 02:59:59")), -3 * HOUR);
        assert_eq!(zone.offset_at_utc(at("2018-11-04 03:00:00")), -2 * HOUR);
        assert_eq!(zone.offset_at_utc(at("2019-02-17 01:59:59")), -2 * HOUR);
        assert_eq!(zone.offset_at_utc(at("2019-02-17 02:00:00")), -3 * HOUR);
        assert_eq!(zone.offset_at_utc(at("2025-01-01 00:00:00")), -3 * HOUR);
        assert_eq!(zone.offset_at_utc(at("2001-01-01 00:00:00")), -3 * HOUR);
    }

    #[test]
    fn a_zone_without_daylight_saving_time_has_one_offset() {
        let none = start([0; 8]);
        let seoul = ZoneValues {
            bias: -540,
            daylight_bias: -60,
            standard_start: &none,
            daylight_start: &none,
            ..ZoneValues::default()
        };
        let disabled = ZoneValues {
            bias: -540,
            daylight_bias: -60,
            standard_start: &start([0, 10, 5, 3, 0, 0, 0, 0]),
            daylight_start: &start([0, 3, 5, 2, 0, 0, 0, 0]),
            daylight_disabled: true,
            ..ZoneValues::default()
        };
        for values in [seoul, disabled, ZoneValues { bias: -540, ..ZoneValues::default() }] {
            let zone = WindowsZone::parse(&values).unwrap();
            assert_eq!(zone.offset_at_utc(at("2026-07-01 00:00:00")), 9 * HOUR);
            let local = zone.offset_at_local(at("2026-03-29 02:30:00"));
            assert_eq!(local, LocalResult::Single(9 * HOUR));
        }
    }

    #[test]
    fn values_that_are_no_zone_are_refused() {
        let change = start([0, 3, 5, 2, 0, 0, 0, 0]);
        let good = ZoneValues { standard_start: &change, ..ZoneValues::default() };
        assert!(WindowsZone::parse(&good).is_some());
        for bad in [
            start([0, 13, 5, 2, 0, 0, 0, 0]),
            start([0, 3, 6, 2, 0, 0, 0, 0]),
            start([0, 3, 0, 2, 0, 0, 0, 0]),
            start([0, 3, 5, 24, 0, 0, 0, 0]),
            start([0, 3, 5, 2, 0, 0, 0, 7]),
            start([2026, 2, 30, 2, 0, 0, 0, 0]),
            vec![0; 15],
        ] {
            let values = ZoneValues { standard_start: &bad, ..ZoneValues::default() };
            assert_eq!(WindowsZone::parse(&values), None, "{bad:?}");
        }
        for bias in [i32::MIN, i32::MAX, 1441] {
            assert_eq!(WindowsZone::parse(&ZoneValues { bias, ..ZoneValues::default() }), None);
        }
    }

    #[test]
    fn every_instant_of_a_year_has_the_offset_that_its_clock_gives() {
        for zone in [berlin(), sydney()] {
            let mut utc = at("2025-12-30 00:00:00");
            while utc < at("2027-01-03 00:00:00") {
                let offset = zone.offset_at_utc(utc);
                let told = match zone.offset_at_local(utc + seconds(offset)) {
                    LocalResult::Single(one) => vec![one],
                    LocalResult::Ambiguous(one, other) => vec![one, other],
                    LocalResult::None => vec![],
                };
                assert!(told.contains(&offset), "{utc} {told:?}");
                utc += TimeDelta::minutes(30);
            }
        }
    }
}
