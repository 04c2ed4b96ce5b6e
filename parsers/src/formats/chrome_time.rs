//! Times as Chromium keeps them: microseconds since 1601-01-01 UTC, the epoch of Windows. 0 is no
//! time. After chromium 140 `base/time/time.h`.

use dockline_timeline::Instant;

/// Seconds from 1601 to 1970.
const EPOCH: i64 = 11_644_473_600;
const MICROSECONDS: i64 = 1_000_000;
const NANOSECONDS: u32 = 1_000;
/// 2008, when Chromium came out, and 2100 as such times: numbers outside of these are others.
const LIKELY: std::ops::Range<i64> = 12_843_619_200_000_000..15_746_832_000_000_000;

/// The instant so many microseconds after 1601; `None` for 0, and beyond the years that an instant
/// may have.
#[must_use]
pub fn instant(microseconds: i64) -> Option<Instant> {
    let seconds = microseconds.div_euclid(MICROSECONDS).checked_sub(EPOCH)?;
    let rest = u32::try_from(microseconds.rem_euclid(MICROSECONDS)).ok()?;
    Instant::new(seconds, rest.checked_mul(NANOSECONDS)?).filter(|_| microseconds != 0)
}

/// The instant of a text that looks like such a time.
#[must_use]
pub fn likely(text: &str) -> Option<Instant> {
    let is_number = text.len() == 17 && text.bytes().all(|byte| byte.is_ascii_digit());
    let microseconds = text.parse().ok().filter(|_| is_number)?;
    LIKELY.contains(&microseconds).then(|| instant(microseconds))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_count_from_1601() {
        let at = |microseconds| instant(microseconds).map(|instant| instant.to_string());
        let shown = |text: &str| Some(text.to_owned());
        assert_eq!(at(13_300_000_000_000_000), shown("2022-06-18T04:26:40.000000000Z"));
        assert_eq!(at(13_439_834_080_029_073), shown("2026-11-22T15:14:40.029073000Z"));
        assert_eq!(at(11_644_473_599_999_999), shown("1969-12-31T23:59:59.999999000Z"));
        assert_eq!(at(-1), shown("1600-12-31T23:59:59.999999000Z"));
        assert_eq!([at(0), at(i64::MAX), at(i64::MIN)], [None, None, None]);
    }

    #[test]
    fn only_a_text_in_the_likely_range_is_a_time() {
        assert_eq!(likely("13300000000000000"), instant(13_300_000_000_000_000));
        for text in [
            "",
            "1330000000000000",
            "133000000000000000",
            "12843619199999999",
            "15746832000000000",
            "1330000000000000x",
            "+1330000000000000",
        ] {
            assert_eq!(likely(text), None, "{text}");
        }
    }
}
