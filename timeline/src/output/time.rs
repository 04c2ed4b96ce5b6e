//! An instant as the two texts that every event carries, with the last day kept: neighbours in a
//! timeline share it, and the calendar is most of the work.

use super::digits;
use crate::Instant;

const SECONDS_OF_A_DAY: i64 = 86_400;

/// The texts of the last instant that was set, in quotes.
pub(super) struct TimeText {
    /// Days since 1970, and the date that this is.
    day: Option<i64>,
    date: [u8; 10],
    microseconds: [u8; 34],
    nanoseconds: [u8; 32],
}

impl Default for TimeText {
    fn default() -> TimeText {
        TimeText { day: None, date: [b'0'; 10], microseconds: [b'0'; 34], nanoseconds: [b'0'; 32] }
    }
}

impl TimeText {
    pub(super) fn set(&mut self, instant: Instant) {
        let day = instant.seconds().div_euclid(SECONDS_OF_A_DAY);
        if self.day != Some(day) {
            self.day = Some(day);
            self.date = date(instant);
        }
        // Below 86,400, so it fits.
        let second = instant.seconds().rem_euclid(SECONDS_OF_A_DAY);
        let second = u32::try_from(second).unwrap_or_default();
        let [y1, y2, y3, y4, m1, m2, m3, d1, d2, d3] = self.date;
        let [h1, h2] = digits::fixed::<2>(second / 3_600);
        let [i1, i2] = digits::fixed::<2>(second / 60 % 60);
        let [s1, s2] = digits::fixed::<2>(second % 60);
        // Cut, never rounded: rounding would move an event past another, even into the next year.
        let [a, b, c, d, e, f, g, h, i] = digits::fixed::<9>(instant.nanoseconds());
        self.microseconds = [
            b'"', y1, y2, y3, y4, m1, m2, m3, d1, d2, d3, b'T', h1, h2, b':', i1, i2, b':', s1, s2,
            b'.', a, b, c, d, e, f, b'+', b'0', b'0', b':', b'0', b'0', b'"',
        ];
        self.nanoseconds = [
            b'"', y1, y2, y3, y4, m1, m2, m3, d1, d2, d3, b'T', h1, h2, b':', i1, i2, b':', s1, s2,
            b'.', a, b, c, d, e, f, g, h, i, b'Z', b'"',
        ];
    }

    /// In quotes. Always 6 digits and `+00:00`: one time of another form makes Timesketch's importer read the
    /// whole chunk around it wrongly, and nine digits limit its years to 1677..2262.
    pub(super) fn datetime(&self) -> &[u8] {
        &self.microseconds
    }

    /// In quotes. All nine digits and `Z`.
    pub(super) fn datetime_ns(&self) -> &[u8] {
        &self.nanoseconds
    }
}

/// `2019-06-28`.
fn date(instant: Instant) -> [u8; 10] {
    let civil = instant.civil();
    let [y1, y2, y3, y4] = digits::fixed::<4>(civil.year.unsigned_abs());
    let [m1, m2] = digits::fixed::<2>(civil.month);
    let [d1, d2] = digits::fixed::<2>(civil.day);
    [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(time: &mut TimeText, instant: Instant) -> (String, String) {
        time.set(instant);
        let text = |quoted: &[u8]| {
            let quoted = String::from_utf8(quoted.to_vec()).unwrap();
            quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap().to_owned()
        };
        (text(time.datetime()), text(time.datetime_ns()))
    }

    #[test]
    fn microseconds_are_cut_and_nanoseconds_are_whole() {
        let mut time = TimeText::default();
        for (seconds, nanoseconds, datetime, datetime_ns) in [
            (
                1_561_720_268,
                0,
                "2019-06-28T11:11:08.000000+00:00",
                "2019-06-28T11:11:08.000000000Z",
            ),
            (
                1_561_720_268,
                999,
                "2019-06-28T11:11:08.000000+00:00",
                "2019-06-28T11:11:08.000000999Z",
            ),
            (-1, 999_999_999, "1969-12-31T23:59:59.999999+00:00", "1969-12-31T23:59:59.999999999Z"),
            (0, 1_000, "1970-01-01T00:00:00.000001+00:00", "1970-01-01T00:00:00.000001000Z"),
            (951_782_400, 0, "2000-02-29T00:00:00.000000+00:00", "2000-02-29T00:00:00.000000000Z"),
        ] {
            let instant = Instant::new(seconds, nanoseconds).unwrap();
            assert_eq!(
                texts(&mut time, instant),
                (datetime.to_owned(), datetime_ns.to_owned()),
                "{seconds}.{nanoseconds:09}"
            );
        }
    }

    #[test]
    fn the_last_second_of_all_does_not_become_the_year_10000() {
        let (datetime, datetime_ns) = texts(&mut TimeText::default(), Instant::LATEST);
        assert_eq!(datetime, "9999-12-31T23:59:59.999999+00:00");
        assert_eq!(datetime_ns, "9999-12-31T23:59:59.999999999Z");
        let (datetime, _) = texts(&mut TimeText::default(), Instant::EARLIEST);
        assert_eq!(datetime, "0001-01-01T00:00:00.000000+00:00");
    }

    #[test]
    fn nine_digits_are_those_of_the_instant_itself() {
        let mut time = TimeText::default();
        for seconds in (-70_000_000_000..250_000_000_000_i64).step_by(999_999_937) {
            let Some(instant) = Instant::new(seconds, 7) else { continue };
            assert_eq!(texts(&mut time, instant).1, instant.to_string());
        }
    }
}
