//! Times of members: of DOS, of Unix and of NTFS, and what the first lack.

use super::member::Member;
use crate::fields::Fields;
use dockline_timeline::Instant;

/// Zones are whole quarters of an hour.
const QUARTER: i64 = 900;
/// No zone is further from UTC: 14 hours.
const FURTHEST: i64 = 14 * 3_600;
/// Seconds between 1601 and 1970.
const SECONDS_FROM_1601: i64 = 11_644_473_600;

/// A date and a time of DOS, as if they were UTC; `None` for the date 0 and dates that are none.
pub(super) fn of_dos(date: u16, time: u16) -> Option<Instant> {
    let year = (date >> 9).checked_add(1980)?;
    let (month, day) = ((date >> 5) & 15, date & 31);
    let (hour, minute) = (time >> 11, (time >> 5) & 63);
    let second = (time & 31).checked_mul(2)?;
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
    Instant::parse_rfc3339(&text).ok()?
}

/// The field `UT` of Info-ZIP: seconds since 1970.
pub(super) fn of_unix(field: &Fields<'_>) -> Option<Instant> {
    let has_modified = field.u8(0).ok()? & 1 == 1;
    let seconds = i32::from_le_bytes(field.array(1).ok()?);
    Instant::new(i64::from(seconds), 0).filter(|_| has_modified)
}

/// The field of NTFS: hundreds of nanoseconds since 1601.
pub(super) fn of_ntfs(field: &Fields<'_>) -> Option<Instant> {
    if field.le16(4).ok()? != 1 {
        return None;
    }
    let ticks = i64::try_from(field.le64(8).ok()?).ok().filter(|ticks| *ticks > 0)?;
    let seconds = ticks.div_euclid(10_000_000).checked_sub(SECONDS_FROM_1601)?;
    let rest = ticks.rem_euclid(10_000_000).checked_mul(100)?;
    Instant::new(seconds, u32::try_from(rest).ok()?)
}

/// Seconds that the clock of the archive's host was east of UTC; `None` where nothing tells.
pub(super) fn offset(members: &[Member], evidence: &str) -> Option<i64> {
    let both = members.iter().find_map(|member| {
        let apart = member.local?.seconds().checked_sub(member.utc?.seconds())?;
        // DOS counts in steps of two seconds.
        rounded(apart).filter(|offset| offset.abs_diff(apart) <= 2)
    });
    both.or_else(|| {
        let earliest = members.iter().filter_map(|member| member.local).min()?;
        rounded(earliest.seconds().checked_sub(stamp(evidence)?.seconds())?)
    })
}

fn rounded(seconds: i64) -> Option<i64> {
    let half = QUARTER.checked_div(2)?;
    let quarters = seconds.checked_add(half)?.div_euclid(QUARTER);
    quarters.checked_mul(QUARTER).filter(|offset| offset.abs() <= FURTHEST)
}

/// The stamp in UTC that an archive is named with: `20220709060409.zip`.
fn stamp(evidence: &str) -> Option<Instant> {
    let name = evidence.rsplit(['/', '\\', ':']).next()?;
    let (digits, _) = name.split_once('.')?;
    if digits.len() != 14 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    let date = format!("{}-{}-{}", part(0, 4), part(4, 6), part(6, 8));
    let time = format!("{}:{}:{}", part(8, 10), part(10, 12), part(12, 14));
    Instant::parse_rfc3339(&format!("{date}T{time}Z")).ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_of_dos_is_read_and_no_date_is_none() {
        let told = |date, time| of_dos(date, time).map(|at| at.to_string());
        // 2022-07-09 11:49:06
        let (date, time) = ((42 << 9) | (7 << 5) | 9, (11 << 11) | (49 << 5) | 3);
        assert_eq!(told(date, time).as_deref(), Some("2022-07-09T11:49:06.000000000Z"));
        assert_eq!([told(0, 0), told(0xffff, 0xffff)], [None, None]);
    }

    #[test]
    fn a_name_that_is_a_stamp_is_one() {
        let told = |name| stamp(name).map(|at| at.to_string());
        let expected = Some("2022-07-09T06:04:09.000000000Z".to_owned());
        assert_eq!(told("disk.raw:/p1/Users/a/Temp/AF/20220709060409.zip"), expected);
        assert_eq!(told("20220709060409.zip"), expected);
        for name in ["", "upload.zip", "20221309060409.zip", "2022070906040.zip", "20220709060409"]
        {
            assert_eq!(told(name), None, "{name}");
        }
    }

    #[test]
    fn offsets_are_quarters_of_an_hour_within_a_day() {
        assert_eq!(rounded(20_691), Some(20_700));
        assert_eq!(rounded(-12_600), Some(-12_600));
        assert_eq!([rounded(60_000), rounded(i64::MAX), rounded(i64::MIN)], [None, None, None]);
    }
}
