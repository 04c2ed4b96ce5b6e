//! Times of Windows: units of 100 nanoseconds since the year 1601 (`FILETIME`), as NTFS and the registry
//! have them. Zero is no time.

use dockline_timeline::Instant;

/// Seconds from 1601-01-01 to 1970-01-01.
const EPOCH: i64 = 11_644_473_600;

/// Units in a second.
const UNITS: u64 = 10_000_000;

/// A `FILETIME`; `None` for zero, and for what no calendar has.
#[must_use]
pub fn filetime(count: u64) -> Option<Instant> {
    if count == 0 {
        return None;
    }
    let seconds = i64::try_from(count.div_euclid(UNITS)).ok()?.checked_sub(EPOCH)?;
    let units = u32::try_from(count.rem_euclid(UNITS)).ok()?;
    Instant::new(seconds, units.checked_mul(100)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_counted_from_1601_and_zero_is_none() {
        let instant = |text| Instant::parse_rfc3339(text).unwrap();
        assert_eq!(filetime(133_000_000_000_000_005), instant("2022-06-18T04:26:40.0000005Z"));
        assert_eq!(filetime(1), instant("1601-01-01T00:00:00.0000001Z"));
        assert_eq!([filetime(0), filetime(u64::MAX)], [None; 2]);
    }
}
