//! Times of which neighbours mostly share the minute, as those of the lines of a log do.

use crate::{Instant, InstantError};

/// Length of `2019-06-28T11:11`.
const LENGTH: usize = 16;

/// The minute that was read last. The calendar is most of the work of reading a time, and the same
/// for all times in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecentMinute {
    /// Its text, and seconds from 1970 to its beginning.
    minute: Option<([u8; LENGTH], i64)>,
}

impl RecentMinute {
    /// [`Instant::parse_rfc3339`] of bytes that need not be UTF-8, with the same result.
    ///
    /// # Errors
    /// What is wrong with the text; nothing is guessed.
    pub fn parse_rfc3339(&mut self, text: &[u8]) -> Result<Option<Instant>, InstantError> {
        if let Some(instant) = self.within(text) {
            return Ok(Some(instant));
        }
        let read = Instant::parse_rfc3339_bytes(text)?;
        let minute = text.first_chunk().filter(|_| text.ends_with(b"Z"));
        if let (Some(minute), Some(instant)) = (minute, read) {
            let start = instant.seconds().saturating_sub(instant.seconds().rem_euclid(60));
            // One second of the first minute of all is no time: that minute is not kept.
            self.minute = (start != Instant::EARLIEST.seconds()).then_some((*minute, start));
        }
        Ok(read)
    }

    /// The instant, if it is one in the same minute in the form that engines write.
    fn within(&self, text: &[u8]) -> Option<Instant> {
        let (minute, rest) = text.split_first_chunk()?;
        let (_, start) = self.minute.filter(|(recent, _)| recent == minute)?;
        let [b':', tens @ b'0'..=b'5', ones @ b'0'..=b'9', fraction @ .., b'Z'] = rest else {
            return None;
        };
        let nanoseconds = match fraction {
            [] => 0,
            [b'.', digits @ ..] => nanoseconds(digits)?,
            _ => return None,
        };
        let second = i64::from(tens.wrapping_sub(b'0')).saturating_mul(10);
        let second = second.saturating_add(ones.wrapping_sub(b'0').into());
        Instant::new(start.saturating_add(second), nanoseconds)
    }
}

/// The nanoseconds that one to nine digits of a fraction are.
fn nanoseconds(digits: &[u8]) -> Option<u32> {
    const UNITS: [u32; 9] =
        [100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];
    if let Some((first, [last @ b'0'..=b'9'])) = digits.split_first_chunk() {
        // At most nine digits: this stays below one billion.
        let last = u32::from(last.wrapping_sub(b'0'));
        return Some(eight_digits(*first)?.wrapping_mul(10).wrapping_add(last));
    }
    let unit = UNITS.get(digits.len().checked_sub(1)?)?;
    let mut number = 0_u32;
    for digit in digits.iter().map(|byte| byte.wrapping_sub(b'0')) {
        if digit > 9 {
            return None;
        }
        number = number.wrapping_mul(10).wrapping_add(digit.into());
    }
    Some(number.wrapping_mul(*unit))
}

/// The number that eight digits are: all of them are looked at together, in three steps that each
/// make one number of two neighbours.
fn eight_digits(digits: [u8; 8]) -> Option<u32> {
    const ONES: u64 = u64::MAX / 0xff;
    let word = u64::from_le_bytes(digits);
    let numbers = word ^ ONES.wrapping_mul(b'0'.into());
    // What is no digit is 10 or more now: it has a high half, or gets one.
    if (numbers | numbers.wrapping_add(ONES.wrapping_mul(6))) & ONES.wrapping_mul(0xf0) != 0 {
        return None;
    }
    let pairs = (numbers.wrapping_mul((10 << 8) | 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul((100 << 16) | 1) >> 16) & 0x0000_ffff_0000_ffff;
    u32::try_from(fours.wrapping_mul((10_000 << 32) | 1) >> 32).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_the_same_whatever_was_read_before() {
        let mut texts = Vec::new();
        for start in
            ["2026-11-21T21:54", "0001-01-01T00:00", "9999-12-31T23:59", "1969-12-31t23:59"]
        {
            for second in ["00", "07", "59", "60", "5", ":1"] {
                for fraction in [
                    "",
                    ".",
                    ".5",
                    ".123456789",
                    ".1234567890",
                    ".12x",
                    ".1234567:9",
                    ".12345678/",
                    "x",
                ] {
                    for offset in ["Z", "z", "+00:00", "-01:30", "", "ZZ"] {
                        texts.push(format!("{start}:{second}{fraction}{offset}"));
                    }
                }
            }
        }
        let (mut minute, mut accepted) = (RecentMinute::default(), 0);
        for text in texts.iter().flat_map(|text| [text, text]).chain(texts.iter().rev()) {
            let read = Instant::parse_rfc3339(text);
            assert_eq!(minute.parse_rfc3339(text.as_bytes()), read, "{text}");
            accepted += usize::from(read.is_ok());
        }
        assert!(accepted > 100, "{accepted}");
    }

    #[test]
    fn what_is_no_time_matches_no_minute() {
        let mut minute = RecentMinute::default();
        for text in ["", "\0", &"\0".repeat(16), &format!("{}:00Z", "\0".repeat(16))] {
            let wrong = Instant::parse_rfc3339(text);
            assert!(wrong.is_err());
            assert_eq!(minute.parse_rfc3339(text.as_bytes()), wrong);
        }
    }
}
