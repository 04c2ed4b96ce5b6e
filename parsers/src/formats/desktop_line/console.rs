//! Lines of the virtual machine's console: of the kernel, and of logrus that thinks it writes to a
//! terminal.

use super::time::{digits, nanoseconds};
use super::{Family, Level, Line, Stamp};
use nom::bytes::complete::take_while_m_n;
use nom::character::complete::{alpha1, char, digit1, space0};
use nom::combinator::{map_opt, recognize};
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser as _};

fn seconds(input: &str) -> IResult<&str, (&str, &str)> {
    (digit1, preceded(char('.'), recognize(digits(6)))).parse(input)
}

/// `[    1.192537]`.
fn since_boot(input: &str) -> IResult<&str, (&str, &str)> {
    delimited(char('['), preceded(space0, seconds), char(']')).parse(input)
}

/// `INFO[12356]`.
fn since_start(input: &str) -> IResult<&str, (Level, &str)> {
    let word = map_opt(alpha1, |word: &str| Level::of(word).filter(|_| word.len() == 4));
    let count = take_while_m_n(4, 18, |c: char| c.is_ascii_digit());
    (word, delimited(char('['), count, char(']'))).parse(input)
}

/// `[    1.192537] text`.
pub(super) fn kernel(line: &str) -> Option<Line<'_>> {
    let (behind, (whole, fraction)) = since_boot(line).ok()?;
    let message = behind.strip_prefix(' ').or_else(|| behind.is_empty().then_some(""))?;
    let microseconds = u64::from(nanoseconds(fraction)? / 1_000);
    let since = whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(microseconds)?;
    let time = line.strip_suffix(behind)?.trim_matches(['[', ']', ' ']);
    let (family, stamp) = (Family::Kernel, Stamp::SinceBoot(since));
    Some(Line { family, stamp, time, component: "kernel", level: None, message })
}

/// `INFO[12356] text  key=value`.
pub(super) fn terminal(line: &str) -> Option<Line<'_>> {
    let (behind, (level, time)) = since_start(line).ok()?;
    let message = behind.strip_prefix(' ').or_else(|| behind.is_empty().then_some(""))?;
    let stamp = Stamp::SinceStart(time.parse().ok()?);
    let level = Some(level);
    Some(Line { family: Family::Terminal, stamp, time, component: "", level, message })
}
