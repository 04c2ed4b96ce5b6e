//! Times that are counted from the year 1601, as Windows and what was made for it do: in units of
//! 100 nanoseconds (`FILETIME`: NTFS, the registry) or in microseconds (Chromium). Zero is no time.

use dockline_timeline::Instant;

/// Seconds from 1601-01-01 to 1970-01-01.
const EPOCH: i64 = 11_644_473_600;

/// A `FILETIME`; `None` for zero, and for what no calendar has.
#[must_use]
pub fn filetime(hundreds_of_nanoseconds: u64) -> Option<Instant> {
    since_1601(hundreds_of_nanoseconds, 10_000_000)
}

/// A time of Chromium, in microseconds; `None` for zero or less, and for what no calendar has.
#[must_use]
pub fn chromium(microseconds: i64) -> Option<Instant> {
    since_1601(u64::try_from(microseconds).ok()?, 1_000_000)
}

fn since_1601(count: u64, in_a_second: u32) -> Option<Instant> {
    if count == 0 {
        return None;
    }
    let seconds = count.checked_div(u64::from(in_a_second))?;
    let seconds = i64::try_from(seconds).ok()?.checked_sub(EPOCH)?;
    let rest = u32::try_from(count.checked_rem(u64::from(in_a_second))?).ok()?;
    let unit = 1_000_000_000_u32.checked_div(in_a_second)?;
    Instant::new(seconds, rest.checked_mul(unit)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_units_are_counted_from_1601() {
        let instant = |text| Instant::parse_rfc3339(text).unwrap();
        assert_eq!(chromium(13_300_000_000_000_000), instant("2022-06-18T04:26:40Z"));
        assert_eq!(chromium(13_300_000_000_000_001), instant("2022-06-18T04:26:40.000001Z"));
        assert_eq!(filetime(133_000_000_000_000_005), instant("2022-06-18T04:26:40.0000005Z"));
        assert_eq!(filetime(1), instant("1601-01-01T00:00:00.0000001Z"));
    }

    #[test]
    fn what_is_no_time_is_none() {
        assert_eq!([filetime(0), filetime(u64::MAX)], [None; 2]);
        assert_eq!([chromium(0), chromium(-1), chromium(i64::MAX)], [None; 3]);
    }
}
