//! Instants as Go's `time.Time.MarshalBinary` writes them: `createdat` and `updatedat` of containerd.
//!
//! A version, seconds since the year 1 in UTC (64 bits), nanoseconds (32 bits) and the offset of the
//! zone in minutes (16 bits, -1 for UTC), all big-endian: 15 bytes. Version 2, for zones with
//! seconds in their offset, has these in one more byte. The seconds are UTC: the offset only says
//! how the instant would be shown. After Go 1.25 `time/time.go`.

use dockline_timeline::Instant;
use thiserror::Error;

/// Seconds between 0001-01-01 and 1970-01-01.
const SECONDS_FROM_YEAR_ONE: i64 = 62_135_596_800;

/// Why bytes are not an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum GoTimeError {
    /// Another version, or not the length of its version.
    #[error("no time of Go: {length} bytes of version {version}")]
    Form {
        /// How many bytes there are.
        length: usize,
        /// The first of them, or 0.
        version: u8,
    },
    /// The form is right, the instant is not between the years 1 and 9999.
    #[error("no time of Go: {seconds} seconds since year 1 and {nanoseconds} nanoseconds")]
    NoSuchTime {
        /// Seconds as written.
        seconds: i64,
        /// Nanoseconds as written.
        nanoseconds: u32,
    },
}

/// Reads an instant; Go's zero time is `None`.
///
/// # Errors
/// What is wrong with the bytes; nothing is guessed.
pub fn parse(bytes: &[u8]) -> Result<Option<Instant>, GoTimeError> {
    let version = bytes.first().copied().unwrap_or_default();
    let wrong = GoTimeError::Form { length: bytes.len(), version };
    if !matches!((version, bytes.len()), (1, 15) | (2, 16)) {
        return Err(wrong);
    }
    let (_, rest) = bytes.split_first_chunk::<1>().ok_or(wrong)?;
    let (seconds, rest) = rest.split_first_chunk().ok_or(wrong)?;
    let (nanoseconds, _) = rest.split_first_chunk().ok_or(wrong)?;
    let (seconds, nanoseconds) = (i64::from_be_bytes(*seconds), u32::from_be_bytes(*nanoseconds));
    if (seconds, nanoseconds) == (0, 0) {
        return Ok(None);
    }
    let since_1970 = seconds.checked_sub(SECONDS_FROM_YEAR_ONE);
    let instant = since_1970.and_then(|seconds| Instant::new(seconds, nanoseconds));
    instant.map(Some).ok_or(GoTimeError::NoSuchTime { seconds, nanoseconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    const UTC: &[u8] = b"\x01\0\0\0\x0e\xdd\x25\x74\x25\x28\x77\x35\xf2\xff\xff";

    fn told(bytes: &[u8]) -> Result<Option<String>, GoTimeError> {
        parse(bytes).map(|at| at.map(|at| at.to_string()))
    }

    #[test]
    fn both_versions_are_read_and_the_zone_changes_nothing() {
        let instant = Ok(Some("2024-01-02T03:04:05.678901234Z".to_owned()));
        assert_eq!(told(UTC), instant);
        let berlin = [&UTC[..13], b"\0\x3c"].concat();
        assert_eq!(told(&berlin), instant);
        let amsterdam_1930 = [b"\x02", &UTC[1..13], b"\0\x13\x20"].concat();
        assert_eq!(told(&amsterdam_1930), instant);
    }

    #[test]
    fn the_zero_time_is_none_in_any_zone() {
        assert_eq!(told(b"\x01\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff"), Ok(None));
        assert_eq!(told(b"\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x3c"), Ok(None));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let form = |length, version| Err(GoTimeError::Form { length, version });
        assert_eq!(told(b""), form(0, 0));
        assert_eq!(told(&UTC[..14]), form(14, 1));
        assert_eq!(told(&[UTC, b"\0"].concat()), form(16, 1));
        assert_eq!(told(&[b"\x03", &UTC[1..]].concat()), form(15, 3));
        let billion = b"\x01\0\0\0\x0e\xdd\x25\x74\x25\x3b\x9a\xca\0\xff\xff";
        let error = told(billion).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no time of Go: 63839761445 seconds since year 1 and 1000000000 nanoseconds"
        );
        assert!(told(b"\x01\x80\0\0\0\0\0\0\0\0\0\0\0\xff\xff").is_err());
    }
}
