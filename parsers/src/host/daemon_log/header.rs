//! What syslog puts before a message.
//!
//! - The traditional form, RFC 3164: `Nov 21 21:54:16 web1 dockerd[58]: ...`, local time, no year, no
//!   zone. BusyBox writes `daemon.info` before the program.
//! - rsyslog's default since 8 on many systems: `2026-11-21T21:54:16.123456+01:00 web1 dockerd[58]: ...`.
//! - RFC 5424: `<30>1 2026-11-21T21:54:16.123456Z web1 dockerd 58 - - ...`.

use dockline_timeline::Instant;

/// When a line was written, by its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamp {
    /// With year and zone.
    Whole(Instant),
    /// Local time of an unknown year.
    Local(Local),
}

/// A date without a year, and a time of day without a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Local {
    /// 1 to 12.
    pub(super) month: u32,
    /// 1 to 31.
    pub(super) day: u32,
    /// Seconds since midnight.
    pub(super) second: i64,
}

impl Local {
    /// The date and time that a line in the traditional form begins with.
    pub(super) fn of_line(line: &[u8]) -> Option<Local> {
        // Room for `<191>Nov 21 21:54:16 `; what follows need not be UTF-8.
        let head = line.get(..line.len().min(21))?;
        let head = head.iter().take_while(|byte| byte.is_ascii()).count();
        let head = std::str::from_utf8(line.get(..head)?).ok()?;
        traditional(without_priority(head)).map(|(local, _)| local)
    }
}

/// A line without its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header<'l> {
    pub(super) stamp: Stamp,
    pub(super) program: &'l str,
    pub(super) pid: Option<i64>,
    pub(super) message: &'l str,
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl<'l> Header<'l> {
    /// Reads the header of a line; `None` when it has none.
    pub(super) fn read(line: &'l str) -> Option<Header<'l>> {
        let line = without_priority(line);
        if let Some(rest) = line.strip_prefix("1 ") {
            return Header::rfc5424(rest);
        }
        if let Some((local, rest)) = traditional(line) {
            return Header::tagged(Stamp::Local(local), rest);
        }
        let (time, rest) = line.split_once(' ')?;
        let instant = Instant::parse_rfc3339(time).ok()??;
        Header::tagged(Stamp::Whole(instant), rest)
    }

    /// `HOST PROGRAM[PID]: MESSAGE`.
    fn tagged(stamp: Stamp, rest: &'l str) -> Option<Header<'l>> {
        let (_host, rest) = rest.split_once(' ')?;
        let (mut tag, mut message) = rest.split_once(' ').unwrap_or((rest, ""));
        if !tag.contains([':', '[']) && tag.contains('.') {
            (tag, message) = message.split_once(' ').unwrap_or((message, ""));
        }
        let tag = tag.strip_suffix(':')?;
        let (program, pid) = match tag.split_once('[') {
            Some((program, pid)) => (program, pid.trim_end_matches(']').parse().ok()),
            None => (tag, None),
        };
        let message = if program == "kernel" { without_uptime(message) } else { message };
        Some(Header { stamp, program, pid, message })
    }

    /// `TIME HOST PROGRAM PID ID DATA MESSAGE`, all that is absent a `-`.
    fn rfc5424(rest: &'l str) -> Option<Header<'l>> {
        let mut parts = rest.splitn(6, ' ');
        let instant = Instant::parse_rfc3339(parts.next()?).ok()??;
        let (_host, program, pid, _id) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let data = parts.next()?;
        let message = if data.starts_with('[') {
            data.split_once("] ").map_or("", |(_, message)| message)
        } else {
            data.strip_prefix('-')?.trim_start_matches(' ')
        };
        let message = message.trim_start_matches('\u{feff}');
        Some(Header { stamp: Stamp::Whole(instant), program, pid: pid.parse().ok(), message })
    }
}

/// A line without the `<30>` that some daemons keep.
fn without_priority(line: &str) -> &str {
    match line.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        Some((priority, rest)) if priority.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => line,
    }
}

/// `Nov 21 21:54:16 `, and what follows.
fn traditional(line: &str) -> Option<(Local, &str)> {
    let month = MONTHS.iter().position(|name| line.starts_with(name))?;
    let date = line.get(4..6)?.trim_start();
    let time = line.get(7..15)?;
    let [hour, minute, second] = {
        let mut parts = time.split(':').map(|part| part.parse::<i64>().ok());
        [parts.next()??, parts.next()??, parts.next()??]
    };
    let is_time = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    let second =
        hour.saturating_mul(3_600).saturating_add(minute.saturating_mul(60)).saturating_add(second);
    let month = u32::try_from(month).ok()?.saturating_add(1);
    let day = date.parse().ok().filter(|day| (1..=31).contains(day))?;
    let rest = line.get(15..)?.strip_prefix(' ')?;
    is_time.then_some((Local { month, day, second }, rest))
}

/// A message of the kernel without the seconds since its start.
fn without_uptime(message: &str) -> &str {
    let after = message.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    after.map_or(message, |(_, rest)| rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(time: &str) -> Stamp {
        Stamp::Whole(Instant::parse_rfc3339(time).unwrap().unwrap())
    }

    #[test]
    fn every_form_is_read() {
        let local = Stamp::Local(Local { month: 11, day: 2, second: 78_856 });
        let read = |line| {
            let header = Header::read(line).unwrap();
            (header.stamp, header.program, header.pid, header.message)
        };
        let expected = (local, "dockerd", Some(58), "time=x y");
        assert_eq!(read("Nov  2 21:54:16 web1 dockerd[58]: time=x y"), expected);
        assert_eq!(read("<30>Nov 02 21:54:16 web1 dockerd[58]: time=x y"), expected);
        assert_eq!(read("Nov  2 21:54:16 web1 daemon.info dockerd[58]: time=x y"), expected);
        let time = "2026-11-21T21:54:16.123456+01:00";
        let expected = (whole(time), "dockerd", Some(58), "a b");
        assert_eq!(read("2026-11-21T21:54:16.123456+01:00 web1 dockerd[58]: a b"), expected);
        assert_eq!(
            read("<30>1 2026-11-21T21:54:16.123456+01:00 web1 dockerd 58 - - a b"),
            expected
        );
        let data =
            "<30>1 2026-11-21T21:54:16.123456+01:00 web1 dockerd 58 ID [x y=\"z\"] \u{feff}a b";
        assert_eq!(read(data), expected);
        let kernel = "Nov  2 21:54:16 web1 kernel: [  12.345678] oom-kill:constraint=x";
        assert_eq!(read(kernel), (local, "kernel", None, "oom-kill:constraint=x"));
        let container = "Nov  2 21:54:16 web1 docker/5f0a1b2c3d0a[58]: hello";
        assert_eq!(read(container), (local, "docker/5f0a1b2c3d0a", Some(58), "hello"));
    }

    #[test]
    fn what_is_no_header_is_refused() {
        for line in [
            "",
            "Nov",
            "Nov 21 21:54:16",
            "Nov 32 21:54:16 h p: m",
            "Nov 21 24:00:00 h p: m",
            "Nov 21 21:54:16 h no tag",
            "Nön 21 21:54:16 h p: m",
            "2026-11-21 21:54:16 h p: m",
            "1 x",
            "    at main.go:12",
        ] {
            assert_eq!(Header::read(line), None, "{line}");
        }
    }
}
