//! The block that Docker Desktop until 4.0, and its installer to this day, writes when a process
//! starts: one fact a row.
//!
//! `Started on:` is the time of the host; of a process whose lines have whole times it is UTC. Its
//! separators are those of the host's culture, and the calendar may be: the years of the Buddhist one
//! are read (not seen in public), those of the Hijri and Persian ones are not.

use super::time::{Clock, digits, nanoseconds};
use dockline_timeline::Instant;
use nom::bytes::complete::take_while1;
use nom::character::complete::{char, satisfy};
use nom::{IResult, Parser as _};

/// What a row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Version of Desktop, with its build in parentheses.
    Version,
    /// `stable`, `edge`; until 2.5.
    Channel,
    /// Commit of Desktop.
    Sha1,
    /// When the process started.
    Started,
    /// Directory of the resources.
    Resources,
    /// Name of Windows.
    Os,
    /// Its edition.
    Edition,
    /// Version of the engine, in 2.2.
    Engine,
    /// Release of Windows.
    Release,
    /// Build of Windows.
    Build,
    /// The same with its branch and date.
    BuildLab,
    /// Path of the log.
    File,
    /// Command line of the process.
    CommandLine,
    /// Where feedback is welcome.
    Feedback,
}

const KEYS: &[(&str, Key)] = &[
    ("Version", Key::Version),
    ("Channel", Key::Channel),
    ("Sha1", Key::Sha1),
    ("Started on", Key::Started),
    ("Resources", Key::Resources),
    ("OS", Key::Os),
    ("Windows Version", Key::Os),
    ("Edition", Key::Edition),
    ("Docker version", Key::Engine),
    ("Id", Key::Release),
    ("Build", Key::Build),
    ("BuildLabName", Key::BuildLab),
    ("File", Key::File),
    ("LogFile", Key::File),
    ("CommandLine", Key::CommandLine),
];

/// A row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// What it says.
    pub key: Key,
    /// What that is.
    pub value: &'a str,
}

impl<'a> Row<'a> {
    /// Reads a line; `None` when it is no row.
    #[must_use]
    pub fn read(line: &'a str) -> Option<Row<'a>> {
        if line.starts_with("You can send feedback") {
            return Some(Row { key: Key::Feedback, value: line });
        }
        let (name, value) = line.split_once(':')?;
        let name = name.trim_end();
        let (_, key) = KEYS.iter().find(|(known, _)| *known == name)?;
        Some(Row { key: *key, value: value.trim() })
    }
}

/// A date and a time of day in a zone that is not known yet: as if it were UTC.
pub type Local = Instant;

/// The value of [`Key::Started`].
#[must_use]
pub fn started(value: &str) -> Option<Local> {
    let separator = |input| satisfy(|c: char| !c.is_ascii_digit()).parse(input);
    let short = |input| {
        let digits = take_while1(|c: char| c.is_ascii_digit());
        nom::combinator::map_opt(digits, |text: &str| {
            text.parse::<u32>().ok().filter(|_| text.len() <= 2)
        })
        .parse(input)
    };
    let mut date = (digits(4), separator, short, separator, short, char(' '));
    let (rest, (year, _, month, _, day, _)): (&str, _) = date.parse(value).ok()?;
    let mut time = (digits(2), separator, digits(2), separator, digits(2));
    let (rest, (hour, _, minute, _, second)) = time.parse(rest).ok()?;
    let fraction: IResult<&str, (char, &str)> =
        (char('.'), take_while1(|c: char| c.is_ascii_digit())).parse(rest);
    let nanosecond = fraction.map_or(Some(0), |(_, (_, digits))| nanoseconds(digits))?;
    let clock = Clock { nanosecond, ..Clock::of(hour, minute, second)? };
    // No Gregorian year of Desktop begins so.
    let year = if year >= 2400 { year.checked_sub(543)? } else { year };
    local((year, month, day), clock).filter(|_| year >= 2000)
}

/// A time of day on a date.
#[must_use]
pub fn local((year, month, day): (u32, u32, u32), clock: Clock) -> Option<Local> {
    let midnight = format!("{year:04}-{month:02}-{day:02}T00:00:00Z");
    let midnight = Instant::parse_rfc3339(&midnight).ok()??;
    Instant::new(midnight.seconds().checked_add(clock.second.into())?, clock.nanosecond)
}
