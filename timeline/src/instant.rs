//! A UTC instant with nanoseconds, from year 1 to year 9999.
//!
//! Container engines write Go's `time.RFC3339Nano`: 0 to 9 fraction digits with trailing zeros
//! trimmed, and `Z` or an offset. Go's zero time (`0001-01-01T00:00:00Z`) means "never set" and is
//! `None` at the door, so that it cannot become an event by accident.

use chrono::{DateTime, Datelike, NaiveDate, Timelike};
use std::fmt;
use thiserror::Error;

/// Seconds between 0001-01-01 and 1970-01-01, both UTC.
const SECONDS_FROM_YEAR_ONE: i64 = 62_135_596_800;
/// The first second of year 10000, which RFC 3339 cannot write.
const FIRST_SECOND_TOO_LATE: i64 = 253_402_300_800;
const DAYS_FROM_YEAR_ONE: i64 = 719_163;

/// A UTC instant between the years 1 and 9999: seconds since 1970 and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    seconds: i64,
    nanoseconds: u32,
}

/// Why a text is not an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InstantError {
    /// The text does not have the form of RFC 3339.
    #[error("not an RFC 3339 time: wrong at byte {at}")]
    Form {
        /// Offset in the text at which the form is first violated.
        at: usize,
    },
    /// The text has the form, but there is no such day, hour, minute, second or offset.
    #[error("no such date or time of day")]
    NoSuchTime,
    /// More than nine fraction digits: we would have to cut some.
    #[error("more than nine digits in the fraction of a second")]
    TooPrecise,
}

impl Instant {
    /// The earliest instant that can be written.
    pub const EARLIEST: Instant = Instant { seconds: -SECONDS_FROM_YEAR_ONE, nanoseconds: 0 };
    /// The latest instant that can be written.
    pub const LATEST: Instant =
        Instant { seconds: FIRST_SECOND_TOO_LATE - 1, nanoseconds: 999_999_999 };

    /// An instant from seconds since 1970 and nanoseconds; `None` outside the years 1 to 9999 or
    /// when there are more than 999,999,999 nanoseconds.
    #[must_use]
    pub fn new(seconds: i64, nanoseconds: u32) -> Option<Instant> {
        let instant = Instant { seconds, nanoseconds };
        let in_range = nanoseconds < 1_000_000_000
            && (Self::EARLIEST.seconds..=Self::LATEST.seconds).contains(&seconds);
        in_range.then_some(instant)
    }

    /// Whole seconds since 1970, rounded down; negative before.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds after [`Instant::seconds`], below one billion.
    #[must_use]
    pub fn nanoseconds(self) -> u32 {
        self.nanoseconds
    }

    /// Microseconds since 1970, rounded down.
    #[must_use]
    pub fn microseconds(self) -> i64 {
        // The years 1 to 9999 keep this far from the limits of an i64.
        self.seconds.saturating_mul(1_000_000).saturating_add(i64::from(self.nanoseconds / 1_000))
    }

    /// Nanoseconds from `earlier` to this instant; negative when that is the later one.
    #[must_use]
    pub fn nanoseconds_since(self, earlier: Instant) -> i128 {
        let whole = |instant: Instant| {
            i128::from(instant.seconds)
                .saturating_mul(1_000_000_000)
                .saturating_add(i128::from(instant.nanoseconds))
        };
        whole(self).saturating_sub(whole(earlier))
    }

    /// Reads RFC 3339 as Go writes it. `Ok(None)` is Go's zero time, "never set".
    ///
    /// Accepts 0 to 9 fraction digits, `Z` or `±hh:mm`, and a lower-case `t` or `z`. A leap second
    /// (`:60`) is refused: engines do not write it, and there is no instant for it.
    ///
    /// # Errors
    /// What is wrong with the text; nothing is guessed.
    pub fn parse_rfc3339(text: &str) -> Result<Option<Instant>, InstantError> {
        Self::parse_rfc3339_bytes(text.as_bytes())
    }

    /// [`Instant::parse_rfc3339`] of bytes that need not be UTF-8.
    ///
    /// # Errors
    /// What is wrong with the text; nothing is guessed.
    pub fn parse_rfc3339_bytes(text: &[u8]) -> Result<Option<Instant>, InstantError> {
        let mut reader = Reader { text, at: 0 };
        let (days, second_of_day) = match plain_date_and_time(text) {
            Some(found) => {
                reader.at = PLAIN;
                found
            }
            None => reader.date_and_time()?,
        };
        let nanoseconds = reader.fraction()?;
        let offset = reader.offset()?;
        if reader.at != text.len() {
            return Err(InstantError::Form { at: reader.at });
        }
        let seconds =
            days.saturating_mul(86_400).saturating_add(second_of_day).saturating_sub(offset);
        if seconds == Self::EARLIEST.seconds && nanoseconds == 0 {
            return Ok(None);
        }
        Instant::new(seconds, nanoseconds).map(Some).ok_or(InstantError::NoSuchTime)
    }

    /// The calendar date and time of day of this instant, for renderers.
    #[must_use]
    pub fn civil(self) -> Civil {
        // Always in chrono's range; the fallback is never reached.
        let utc = DateTime::from_timestamp(self.seconds, 0).unwrap_or_default();
        Civil {
            year: utc.year(),
            month: utc.month(),
            day: utc.day(),
            hour: utc.hour(),
            minute: utc.minute(),
            second: utc.second(),
        }
    }
}

/// A date and time of day in UTC, as printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// 1 to 9999.
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 59.
    pub second: u32,
}

impl fmt::Display for Civil {
    /// `2019-06-28T11:11:08`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { year, month, day, hour, minute, second } = self;
        write!(formatter, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

impl fmt::Display for Instant {
    /// RFC 3339 with all nine digits: `2019-06-28T11:11:08.347278022Z`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:09}Z", self.civil(), self.nanoseconds)
    }
}

/// Length of `2019-06-28T11:11:08`.
const PLAIN: usize = 19;

/// Eight bytes of a time in the form that engines write.
struct Form {
    /// A zero stands for any digit.
    like: [u8; 8],
    /// All ones where the byte is always the same.
    fixed: [u8; 8],
}

const DATE: Form = Form { like: *b"0000-00-", fixed: *b"\0\0\0\0\xff\0\0\xff" };
const DAY_AND_TIME: Form = Form { like: *b"00T00:00", fixed: *b"\0\0\xff\0\0\xff\0\0" };

impl Form {
    /// At the first of two digits the number that they are, if the bytes have this form; what
    /// stands elsewhere means nothing. All eight are looked at together.
    fn numbers(&self, bytes: [u8; 8]) -> Option<[u8; 8]> {
        const HIGH: u64 = 0x80 * (u64::MAX / 0xff);
        // Brings every value above nine to the high bit of its byte.
        const ABOVE_NINE: u64 = (0x80 - 10) * (u64::MAX / 0xff);
        // The value of a digit, 0 elsewhere. A byte that is too small borrows from the next, but
        // has its own high bit set then.
        let values = u64::from_le_bytes(bytes).wrapping_sub(u64::from_le_bytes(self.like));
        let wrong = (values | values.wrapping_add(ABOVE_NINE)) & HIGH
            | values & u64::from_le_bytes(self.fixed);
        let numbers = values.wrapping_mul(10).wrapping_add(values >> 8);
        (wrong == 0).then(|| numbers.to_le_bytes())
    }
}

/// Days since 1970 and seconds since midnight, if the text begins with both in the form that
/// engines write: what is read for every line of a log. Whatever else there is, [`Reader`] reads,
/// or says what is wrong with it.
fn plain_date_and_time(text: &[u8]) -> Option<(i64, i64)> {
    let ([date, time], [b':', tens, ones, ..]) =
        text.as_chunks::<8>().0.first_chunk().zip(text.get(16..))?
    else {
        return None;
    };
    let [y1, _, y2, _, _, month, ..] = DATE.numbers(*date)?;
    let [day, _, _, hour, _, _, minute, _] = DAY_AND_TIME.numbers(*time)?;
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    if tens > 9 || ones > 9 {
        return None;
    }
    let number = |tens: u8, base: u32, ones: u8| {
        u32::from(tens).saturating_mul(base).saturating_add(ones.into())
    };
    let days = days_since_1970(number(y1, 100, y2), month.into(), day.into()).ok()?;
    let seconds = second_of_day(hour.into(), minute.into(), number(tens, 10, ones)).ok()?;
    Some((days, seconds))
}

fn days_since_1970(year: u32, month: u32, day: u32) -> Result<i64, InstantError> {
    let date = i32::try_from(year)
        .ok()
        .and_then(|year| NaiveDate::from_ymd_opt(year, month, day))
        .ok_or(InstantError::NoSuchTime)?;
    Ok(i64::from(date.num_days_from_ce()).saturating_sub(DAYS_FROM_YEAR_ONE))
}

fn second_of_day(hour: u32, minute: u32, second: u32) -> Result<i64, InstantError> {
    if hour > 23 || minute > 59 || second > 59 {
        return Err(InstantError::NoSuchTime);
    }
    let seconds = hour.saturating_mul(3_600).saturating_add(minute.saturating_mul(60));
    Ok(i64::from(seconds.saturating_add(second)))
}

/// Reads the fixed fields of RFC 3339 in order; every read is checked.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn wrong<T>(&self) -> Result<T, InstantError> {
        Err(InstantError::Form { at: self.at })
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn one_of(&mut self, allowed: &[u8]) -> Result<u8, InstantError> {
        match self.peek() {
            Some(byte) if allowed.contains(&byte) => {
                self.at = self.at.saturating_add(1);
                Ok(byte)
            }
            _ => self.wrong(),
        }
    }

    fn digit(&mut self) -> Result<u32, InstantError> {
        match self.peek() {
            Some(byte @ b'0'..=b'9') => {
                self.at = self.at.saturating_add(1);
                Ok(u32::from(byte.saturating_sub(b'0')))
            }
            _ => self.wrong(),
        }
    }

    fn digits(&mut self, count: usize) -> Result<u32, InstantError> {
        let mut number: u32 = 0;
        for _ in 0..count {
            number = number.saturating_mul(10).saturating_add(self.digit()?);
        }
        Ok(number)
    }

    /// Days since 1970 and seconds since midnight.
    fn date_and_time(&mut self) -> Result<(i64, i64), InstantError> {
        let days = self.date()?;
        self.one_of(b"Tt")?;
        Ok((days, self.time_of_day()?))
    }

    /// Days since 1970.
    fn date(&mut self) -> Result<i64, InstantError> {
        let year = self.digits(4)?;
        self.one_of(b"-")?;
        let month = self.digits(2)?;
        self.one_of(b"-")?;
        let day = self.digits(2)?;
        days_since_1970(year, month, day)
    }

    /// Seconds since midnight.
    fn time_of_day(&mut self) -> Result<i64, InstantError> {
        let hour = self.digits(2)?;
        self.one_of(b":")?;
        let minute = self.digits(2)?;
        self.one_of(b":")?;
        second_of_day(hour, minute, self.digits(2)?)
    }

    fn fraction(&mut self) -> Result<u32, InstantError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let Some(digits) = rest.strip_prefix(b".") else { return Ok(0) };
        self.at = self.at.saturating_add(1);
        let mut nanoseconds = 0_u32;
        let mut unit = 1_000_000_000_u32;
        for digit in
            digits.iter().map(|byte| byte.wrapping_sub(b'0')).take_while(|digit| *digit < 10)
        {
            if unit == 1 {
                return Err(InstantError::TooPrecise);
            }
            unit /= 10;
            nanoseconds = nanoseconds.wrapping_mul(10).wrapping_add(digit.into());
            self.at = self.at.saturating_add(1);
        }
        // At most nine digits: neither this nor what was added up above reaches two billion.
        if unit == 1_000_000_000 { self.wrong() } else { Ok(nanoseconds.wrapping_mul(unit)) }
    }

    /// Seconds east of UTC.
    fn offset(&mut self) -> Result<i64, InstantError> {
        if self.peek() == Some(b'Z') {
            self.at = self.at.saturating_add(1);
            return Ok(0);
        }
        let sign = match self.one_of(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Ok(0),
        };
        let hours = self.digits(2)?;
        self.one_of(b":")?;
        let minutes = self.digits(2)?;
        if hours > 23 || minutes > 59 {
            return Err(InstantError::NoSuchTime);
        }
        let seconds =
            i64::from(hours.saturating_mul(3_600).saturating_add(minutes.saturating_mul(60)));
        Ok(seconds.saturating_mul(sign))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<Instant> {
        Instant::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn every_number_of_fraction_digits_is_kept() {
        assert_eq!(
            parsed("2026-11-21T21:54:17Z").unwrap().to_string(),
            "2026-11-21T21:54:17.000000000Z"
        );
        assert_eq!(parsed("2026-11-21T21:54:17.2Z").unwrap().nanoseconds(), 200_000_000);
        assert_eq!(parsed("2026-11-21T21:54:17.000000001Z").unwrap().nanoseconds(), 1);
        assert_eq!(parsed("2026-11-21T21:54:17.84658851Z").unwrap().nanoseconds(), 846_588_510);
        assert_eq!(
            Instant::parse_rfc3339("2026-11-21T21:54:17.1234567890Z"),
            Err(InstantError::TooPrecise)
        );
    }

    #[test]
    fn an_offset_is_turned_into_utc() {
        assert_eq!(parsed("2026-11-22T00:54:17+03:00"), parsed("2026-11-21T21:54:17Z"));
        assert_eq!(parsed("2026-11-21T16:24:17-05:30"), parsed("2026-11-21T21:54:17Z"));
    }

    #[test]
    fn the_zero_time_of_go_is_no_time() {
        assert_eq!(parsed("0001-01-01T00:00:00Z"), None);
        assert!(parsed("0001-01-01T00:00:00.000000001Z").is_some());
    }

    #[test]
    fn times_that_do_not_exist_are_refused() {
        for text in [
            "2019-02-30T00:00:00Z",
            "2019-02-29T00:00:00Z",
            "2019-13-01T00:00:00Z",
            "2019-01-01T24:00:00Z",
            "2019-01-01T23:59:60Z",
            "2019-01-01T00:00:00+24:00",
            "0000-01-01T00:00:00Z",
        ] {
            assert_eq!(Instant::parse_rfc3339(text), Err(InstantError::NoSuchTime), "{text}");
        }
        assert!(parsed("2020-02-29T00:00:00Z").is_some());
    }

    #[test]
    fn a_wrong_form_is_named_by_its_place() {
        for (text, at) in [
            ("", 0),
            ("2019", 4),
            ("2019-01-01 00:00:00Z", 10),
            ("2019-01-01T00:00:00", 19),
            ("2019-01-01T00:00:00.Z", 20),
            ("2019-01-01T00:00:00Zjunk", 20),
            ("+019-01-01T00:00:00Z", 0),
        ] {
            assert_eq!(Instant::parse_rfc3339(text), Err(InstantError::Form { at }), "{text}");
        }
    }

    #[test]
    fn the_ends_of_the_range_are_written_and_read() {
        for instant in [Instant::EARLIEST, Instant::LATEST] {
            assert_eq!(Instant::new(instant.seconds(), instant.nanoseconds()), Some(instant));
        }
        assert_eq!(Instant::LATEST.to_string(), "9999-12-31T23:59:59.999999999Z");
        assert_eq!(parsed("9999-12-31T23:59:59.999999999Z"), Some(Instant::LATEST));
        assert_eq!(Instant::new(Instant::LATEST.seconds() + 1, 0), None);
        assert_eq!(Instant::new(0, 1_000_000_000), None);
        assert_eq!(
            Instant::parse_rfc3339("9999-12-31T23:59:59-01:00"),
            Err(InstantError::NoSuchTime)
        );
    }

    #[test]
    fn before_1970_the_second_is_rounded_down() {
        let instant = parsed("1969-12-31T23:59:59.25Z").unwrap();
        assert_eq!((instant.seconds(), instant.nanoseconds()), (-1, 250_000_000));
        assert_eq!(instant.microseconds(), -750_000);
        assert_eq!(instant.to_string(), "1969-12-31T23:59:59.250000000Z");
    }
}
