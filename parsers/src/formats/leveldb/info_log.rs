//! `LOG` and `LOG.old`: what the library did with the store, one line each. The first of them tells that
//! a program opened it.
//!
//! `2026/11/22-15:14:41.593 1e5e Reusing MANIFEST …`: local time with three digits (six in other
//! programs), the thread, the words. After chromium 140 `third_party/leveldatabase/chromium_logger.h`.

use chrono::{NaiveDate, NaiveDateTime};
use nom::bytes::complete::{tag, take_while_m_n, take_while1};
use nom::combinator::{map_res, rest};
use nom::sequence::terminated;
use nom::{IResult, Parser as _};

/// One line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// On the clock of the host; nothing says its zone.
    pub local: NaiveDateTime,
    /// The text of that time.
    pub time: &'a str,
    /// What was done.
    pub words: &'a str,
}

impl<'a> Line<'a> {
    /// Reads a line; `None` when it is none.
    #[must_use]
    pub fn parse(line: &'a str) -> Option<Line<'a>> {
        let (behind, local) = local_time(line).ok()?;
        let time = line.get(..line.len().checked_sub(behind.len())?)?;
        let (_, words) = thread_and_words(behind).ok()?;
        Some(Line { local: local?, time, words })
    }

    /// Whether it says that the store was opened.
    #[must_use]
    pub fn is_opening(&self) -> bool {
        self.words.starts_with("Reusing MANIFEST") || self.words.starts_with("Creating DB")
    }
}

fn digits<'a>(
    count: usize,
) -> impl nom::Parser<&'a str, Output = u32, Error = nom::error::Error<&'a str>> {
    map_res(take_while_m_n(count, count, |c: char| c.is_ascii_digit()), str::parse)
}

fn local_time(line: &str) -> IResult<&str, Option<NaiveDateTime>> {
    let (line, (year, month, day)) = (
        terminated(digits(4), tag("/")),
        terminated(digits(2), tag("/")),
        terminated(digits(2), tag("-")),
    )
        .parse(line)?;
    let (line, (hour, minute, second)) = (
        terminated(digits(2), tag(":")),
        terminated(digits(2), tag(":")),
        terminated(digits(2), tag(".")),
    )
        .parse(line)?;
    let (line, fraction) = take_while_m_n(3, 6, |c: char| c.is_ascii_digit()).parse(line)?;
    let micro = format!("{fraction:0<6}").parse::<u32>().ok();
    let date = i32::try_from(year).ok().and_then(|year| NaiveDate::from_ymd_opt(year, month, day));
    let local = date
        .zip(micro)
        .and_then(|(date, micro)| date.and_hms_micro_opt(hour, minute, second, micro));
    Ok((line, local))
}

fn thread_and_words(line: &str) -> IResult<&str, &str> {
    let (line, _) = tag(" ").parse(line)?;
    let (line, _) =
        terminated(take_while1(|c: char| c.is_ascii_hexdigit()), tag(" ")).parse(line)?;
    rest(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_local_time_and_what_was_done() {
        let line =
            Line::parse("2024/10/10-19:48:01.123 1a2c Reusing MANIFEST C:\\x/MANIFEST-000001")
                .unwrap();
        assert_eq!(line.local.to_string(), "2024-10-10 19:48:01.123");
        assert_eq!(
            (line.time, line.words),
            ("2024/10/10-19:48:01.123", "Reusing MANIFEST C:\\x/MANIFEST-000001")
        );
        assert!(line.is_opening());
        let other = Line::parse("2024/02/29-00:00:00.000001 7f Recovering log #3").unwrap();
        assert_eq!(other.local.to_string(), "2024-02-29 00:00:00.000001");
        assert!(!other.is_opening());
    }

    #[test]
    fn what_is_no_line_is_none() {
        for text in [
            "",
            "2024/13/10-19:48:01.123 1 x",
            "2024/10/10 19:48:01.123 1 x",
            "2024/10/10-24:00:00.000 1 x",
            "2024/10/10-19:48:01.123",
            "2024/10/10-19:48:01.12 1 x",
        ] {
            assert_eq!(Line::parse(text), None, "{text}");
        }
    }
}
