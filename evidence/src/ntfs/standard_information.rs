//! `$STANDARD_INFORMATION`: the times of a file, and its flags as DOS had them.

use crate::EvidenceError;
use crate::fields::Fields;
use dockline_timeline::Instant;

/// From 1601, where the times of Windows start, to 1970.
const SECONDS_TO_1970: i64 = 11_644_473_600;
const TICKS_OF_A_SECOND: i64 = 10_000_000;
const NANOSECONDS_OF_A_TICK: i64 = 100;
const SYSTEM: u32 = 0x0004;

/// What a file's record says of it first of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct StandardInformation {
    pub(super) born: Option<Instant>,
    pub(super) modified: Option<Instant>,
    /// When the file record was last written.
    pub(super) changed: Option<Instant>,
    pub(super) accessed: Option<Instant>,
    pub(super) is_system: bool,
}

impl StandardInformation {
    pub(super) fn parse(bytes: &[u8]) -> Result<StandardInformation, EvidenceError> {
        let fields = Fields::new("NTFS standard information", 0, bytes);
        let time = |at| fields.array(at).map(|bytes| instant(i64::from_le_bytes(bytes)));
        Ok(StandardInformation {
            born: time(0x00)?,
            modified: time(0x08)?,
            changed: time(0x10)?,
            accessed: time(0x18)?,
            is_system: fields.le32(0x20)? & SYSTEM != 0,
        })
    }
}

/// An instant from units of 100 ns since 1601; 0 means that no time was set.
fn instant(ticks: i64) -> Option<Instant> {
    if ticks == 0 {
        return None;
    }
    let seconds = ticks.div_euclid(TICKS_OF_A_SECOND).checked_sub(SECONDS_TO_1970)?;
    let nanoseconds = ticks.rem_euclid(TICKS_OF_A_SECOND).checked_mul(NANOSECONDS_OF_A_TICK)?;
    Instant::new(seconds, u32::try_from(nanoseconds).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_right_before_1970_and_after_2038() {
        let written = |ticks| instant(ticks).map(|found| found.to_string());
        let time = |text: &str| Some(text.to_owned());
        assert_eq!(written(0), None);
        assert_eq!(written(1), time("1601-01-01T00:00:00.000000100Z"));
        assert_eq!(written(-1), time("1600-12-31T23:59:59.999999900Z"));
        assert_eq!(written(116_444_736_000_000_000), time("1970-01-01T00:00:00.000000000Z"));
        assert_eq!(written(116_444_735_999_999_999), time("1969-12-31T23:59:59.999999900Z"));
        assert_eq!(written(137_919_572_480_000_001), time("2038-01-19T03:14:08.000000100Z"));
        assert_eq!(written(i64::MAX), None);
    }
}
