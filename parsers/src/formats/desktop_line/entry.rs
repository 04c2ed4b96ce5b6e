//! What a line says when all its layers are read.

use super::anchor::server_time;
use super::bracket::inner;
use super::time::{self, Clock, digits, offset};
use super::{Family, Level, Line, Stamp};
use crate::formats::logrus;
use dockline_timeline::Instant;
use nom::Parser as _;
use nom::character::complete::{char, one_of, space1};
use serde_json::{Map, Value};
use std::borrow::Cow;

const DAY: i64 = 86_400;
const SECOND: i128 = 1_000_000_000;
/// A line of a terminal that is longer is not searched for fields.
const LONGEST_TERMINAL: usize = 64 * 1024;
/// Places at which the fields of such a line may begin.
const PLACES: usize = 8;

/// A text of a line, or one that was decoded.
type Text<'a> = Cow<'a, str>;

/// A line with all its layers read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// When, by the innermost layer that says it.
    pub stamp: Stamp,
    /// The time of the line itself, as it stands there, where a layer in it has another.
    pub observed: Option<&'a str>,
    /// Who wrote it; empty when nothing says so.
    pub component: Text<'a>,
    /// How grave.
    pub level: Option<Level>,
    /// What.
    pub message: Text<'a>,
    /// What else there is, by name, in the order of the line; of JSON, by name.
    pub fields: Vec<(Text<'a>, Text<'a>)>,
    /// Seconds east of UTC of the zone that the time is written in, when it is written with one.
    pub offset: Option<i32>,
    /// When the engine gave the event to whoever wrote this line.
    pub server_time: Option<Instant>,
}

impl<'a> Entry<'a> {
    /// Reads the layers of a line.
    #[must_use]
    pub fn of(line: &Line<'a>) -> Entry<'a> {
        let mut entry = Entry {
            stamp: line.stamp,
            observed: None,
            component: Cow::Borrowed(line.component),
            level: line.level,
            message: Cow::Borrowed(line.message),
            fields: Vec::new(),
            offset: None,
            server_time: None,
        };
        let text = entry.captured(line).unwrap_or(line.message);
        let is_read = entry.json(text, line) || entry.logrus(text, line) || entry.klog(text, line);
        if !is_read && line.family == Family::Terminal {
            entry.terminal(text);
        }
        // A daemon's own line in a line of JSON.
        if entry.message.starts_with("time=\"") {
            let text = entry.message.clone().into_owned();
            entry.logrus_in_json(&text, line);
        }
        entry.server_time = server_time(&entry.message);
        if line.family == Family::Bracket && entry.level.is_none() {
            entry.level = Some(Level::Info);
        }
        entry
    }

    /// A field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// The line that the monitor captured; what it says.
    fn captured(&mut self, line: &Line<'a>) -> Option<&'a str> {
        let Stamp::Whole(outer) = line.stamp else { return None };
        let (clock, captured) = inner(line.message).filter(|_| line.family == Family::Monitor)?;
        self.stamp = Stamp::Whole(near(outer, clock)?);
        self.observed = Some(line.time);
        self.component = Cow::Borrowed(captured.component);
        self.level = captured.level.or(Some(Level::Info));
        self.message = Cow::Borrowed(captured.message);
        Some(captured.message)
    }

    fn json(&mut self, text: &str, line: &Line<'a>) -> bool {
        if !text.starts_with('{') {
            return false;
        }
        let Ok(object) = serde_json::from_str::<Map<String, Value>>(text) else { return false };
        if !(object.contains_key("msg")
            && (object.contains_key("time") || object.contains_key("level")))
        {
            return false;
        }
        self.message = Cow::Borrowed("");
        for (key, value) in object {
            let text = match value {
                Value::String(text) => text,
                other => other.to_string(),
            };
            match key.as_str() {
                "component" if !text.is_empty() => self.component = text.into(),
                "level" => self.level = Level::of(&text).or(self.level),
                "msg" => self.message = text.into(),
                "time" if self.take_time(&text, line) => {}
                _ => self.fields.push((key.into(), text.into())),
            }
        }
        true
    }

    fn logrus(&mut self, text: &'a str, line: &Line<'a>) -> bool {
        let Some(found) = logrus::Entry::parse(text) else { return false };
        self.take(found, line);
        true
    }

    fn logrus_in_json(&mut self, text: &str, line: &Line<'a>) {
        let Some(found) = logrus::Entry::parse(text) else { return };
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let fields = found.fields.into_iter().map(|(key, value)| (owned(key), owned(value)));
        self.take(
            logrus::Entry {
                time: found.time.map(owned),
                level: found.level.map(owned),
                message: owned(found.message),
                fields: fields.collect(),
            },
            line,
        );
    }

    fn take(&mut self, found: logrus::Entry<'a>, line: &Line<'a>) {
        if let Some(time) = &found.time {
            self.take_time(time, line);
        }
        self.level = found.level.as_deref().and_then(Level::of).or(self.level);
        self.message = found.message;
        for (key, value) in found.fields {
            match &*key {
                "component" => self.component = value,
                _ => self.fields.push((key, value)),
            }
        }
    }

    /// Takes the time of a layer; whether it is one.
    fn take_time(&mut self, time: &str, line: &Line<'a>) -> bool {
        let Ok(Some(instant)) = Instant::parse_rfc3339(time) else { return false };
        self.offset = offset(time).filter(|_| !time.ends_with(['Z', 'z']));
        if let Stamp::Whole(outer) = self.stamp
            && is_finer(outer, instant)
        {
            return true;
        }
        self.stamp = Stamp::Whole(instant);
        if !line.time.is_empty() && line.family != Family::Logrus {
            self.observed = Some(line.time);
        }
        true
    }

    /// `W0221 21:35:04.506792     798 reflector.go:539] …`: the date has no year.
    fn klog(&mut self, text: &'a str, line: &Line<'a>) -> bool {
        let Stamp::Whole(outer) = line.stamp else { return false };
        let mut head = (one_of("IWEF"), digits(2), digits(2), char(' '), time::clock, space1);
        let parsed: nom::IResult<&str, _> = head.parse(text);
        let Ok((_, (level, month, day, _, clock, _))) = parsed else { return false };
        let year = outer.civil().year;
        let years = [Some(year), year.checked_sub(1), year.checked_add(1)];
        let instants = years.into_iter().filter_map(|year| {
            let year = u32::try_from(year?).ok()?;
            super::header::local((year, month, day), clock)
        });
        let nearest = instants.min_by_key(|at| at.seconds().abs_diff(outer.seconds()));
        let Some(instant) = nearest else { return false };
        self.stamp = Stamp::Whole(instant);
        self.observed = Some(line.time);
        self.level = Level::of(level.encode_utf8(&mut [0; 4])).or(self.level);
        true
    }

    /// `text  key=value`: logrus pads the text and sets each field behind a blank.
    fn terminal(&mut self, text: &'a str) {
        if text.len() > LONGEST_TERMINAL {
            return;
        }
        for (at, _) in text.match_indices("  ").take(PLACES) {
            let Some((message, fields)) = text.split_at_checked(at) else { continue };
            let Some(fields) = logrus::pairs(fields.trim()).filter(|pairs| !pairs.is_empty())
            else {
                continue;
            };
            self.message = Cow::Borrowed(message.trim_end());
            for (key, value) in fields {
                match key {
                    "component" => self.component = value,
                    _ => self.fields.push((Cow::Borrowed(key), value)),
                }
            }
            return;
        }
        self.message = Cow::Borrowed(text.trim_end());
    }
}

/// Whether the time of a line tells more than the whole second that a layer in it names: the line
/// was written right after it, so that their order is that of the file.
#[must_use]
pub fn is_finer(outer: Instant, inner: Instant) -> bool {
    let apart = outer.nanoseconds_since(inner);
    inner.nanoseconds() == 0 && (0..2 * SECOND).contains(&apart)
}

/// The instant of a clock in UTC that was read at most half a day from another instant.
fn near(outer: Instant, clock: Clock) -> Option<Instant> {
    let midnight = outer.seconds().checked_sub(outer.seconds().checked_rem_euclid(DAY)?)?;
    let on = |days: i64| {
        let day = midnight.checked_add(days.checked_mul(DAY)?)?;
        Instant::new(day.checked_add(clock.second.into())?, clock.nanosecond)
    };
    let nearest = |at: &Instant| at.nanoseconds_since(outer).unsigned_abs();
    [on(0), on(-1), on(1)].into_iter().flatten().min_by_key(nearest)
}
