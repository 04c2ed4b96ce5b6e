//! The stamp in the name of a bundle, and how far the host's clock was from it.

use dockline_timeline::Instant;

/// Zones are whole quarters of an hour.
const QUARTER: i64 = 900;
/// No zone is further from UTC: 14 hours.
const FURTHEST: i64 = 14 * 3_600;

/// `20220709060409`, in UTC.
pub(super) fn stamp(digits: &str) -> Option<Instant> {
    if digits.len() != 14 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (date, time) = digits.split_at_checked(8)?;
    let part =
        |text: &str, from: usize, to: usize| text.get(from..to).unwrap_or_default().to_owned();
    let date = [part(date, 0, 4), part(date, 4, 6), part(date, 6, 8)].join("-");
    let time = [part(time, 0, 2), part(time, 2, 4), part(time, 4, 6)].join(":");
    Instant::parse_rfc3339(&format!("{date}T{time}Z")).ok()?
}

/// The stamp in the name of an evidence: `disk.raw:/p1/Users/ann/.../20220709060409.zip`.
pub(super) fn of_evidence(name: &str) -> Option<Instant> {
    let name = name.rsplit(['/', '\\', ':']).next()?;
    stamp(name.split_once('.').map_or(name, |(stem, _)| stem))
}

/// The offset from UTC of a clock that showed `local` at the instant of the stamp, to the quarter
/// of an hour: `+05:45`.
pub(super) fn between(local: &str, stamp: Instant) -> Option<String> {
    let shown = Instant::parse_rfc3339(&format!("{local}Z")).ok()??;
    let apart = shown.seconds().checked_sub(stamp.seconds())?;
    // Members are written for some minutes after the stamp.
    let half = QUARTER.checked_div(2)?;
    let offset = apart.checked_add(half)?.div_euclid(QUARTER).checked_mul(QUARTER)?;
    let distance = i64::try_from(offset.unsigned_abs()).ok().filter(|far| *far <= FURTHEST)?;
    let sign = if offset < 0 { '-' } else { '+' };
    let (hours, rest) = (distance.checked_div(3_600)?, distance.checked_rem(3_600)?);
    Some(format!("{sign}{hours:02}:{:02}", rest.checked_div(60)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_of_a_bundle_follows_from_its_stamp_and_its_local_times() {
        let at = of_evidence("disk:/p1/Temp/AF/20220709060409.zip").unwrap();
        assert_eq!(at.to_string(), "2022-07-09T06:04:09.000000000Z");
        assert_eq!(between("2022-07-09T11:49:00", at).as_deref(), Some("+05:45"));
        assert_eq!(between("2022-07-08T20:05:30", at).as_deref(), Some("-10:00"));
        assert_eq!(between("2022-07-10T06:05:30", at), None);
        assert_eq!(between("garbage", at), None);
        for name in ["", "upload.zip", "20221309060409.zip", "2022070906040x.zip", "é0220709060409"]
        {
            assert_eq!(of_evidence(name), None, "{name}");
        }
    }
}
