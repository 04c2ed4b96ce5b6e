//! What a whole file says of the times of its lines, before they are told.

use super::boot::{Boots, Count};
use super::clock::{DateSource, LocalClock, Start, Zone, last_day};
use super::record::{Record, Records, What};
use crate::formats::desktop_line::header::{Key, started};
use crate::formats::desktop_line::{Clock, Entry, Line, Shape, Stamp, anchor, read};
use crate::formats::lines;
use dockline_evidence::ReadAt;
use dockline_timeline::Instant;

const DAY: i64 = 86_400;
/// So many seconds between two lines may as well be days and so many seconds.
const GAP: i64 = 600;
/// Ranges of a file whose dates are in doubt that are kept.
const DOUBTS: usize = 1_024;

/// What was found.
pub(super) struct Survey<'z> {
    pub(super) zone: Zone<'z>,
    modified: Option<Instant>,
    /// Counts days from 1970 until something says the date.
    clock: LocalClock<'z>,
    /// The first line with a local time, and the last.
    first_local: Option<Clock>,
    last_local: Option<Clock>,
    /// What the clock showed in the line or the header before, in seconds since midnight.
    before: Option<i64>,
    /// When the last line or header with a local time was written, as far as it is known.
    newest: Option<Instant>,
    /// The first day, once something says it.
    start: Option<Start>,
    /// The first offset that a message names.
    pub(super) offset: Option<i64>,
    /// Where in the file, after the date was said last, the clock went on far enough that days may
    /// have gone by.
    gap: Option<u64>,
    /// From where to where the days may have been counted wrong.
    pub(super) doubts: Vec<(u64, u64)>,
    pub(super) boots: Boots,
    /// The first and the last time that a line has itself.
    pub(super) first: Option<Instant>,
    pub(super) last: Option<Instant>,
}

impl<'z> Survey<'z> {
    /// Reads a file that was last written at `modified`.
    pub(super) fn of(bytes: &dyn ReadAt, zone: Zone<'z>, modified: Option<Instant>) -> Survey<'z> {
        let unknown = Start { day: 0, date: DateSource::Following };
        let mut survey = Survey {
            zone,
            modified,
            clock: LocalClock::new(zone, unknown, None),
            first_local: None,
            last_local: None,
            before: None,
            newest: None,
            start: None,
            offset: None,
            gap: None,
            doubts: Vec::new(),
            boots: Boots::default(),
            first: None,
            last: None,
        };
        let mut records = Records::default();
        let mut header = None;
        let mut each = |record: Record| survey.record(&record, &mut header);
        // What cannot be read is told when the lines are read for their events.
        drop(lines::read(bytes, &mut |line| records.line(&line, &mut each)));
        records.finish(&mut each);
        if let Some((local, at)) = header.filter(|_| survey.first_local.is_some()) {
            survey.header(local, at);
        }
        survey.end();
        survey
    }

    /// Takes the offset that another file of the log names, unless this one or the host does.
    pub(super) fn learn_offset(&mut self, offset: Option<i64>) {
        if self.offset.is_none() && self.zone.other_log.is_none() {
            self.zone.other_log = offset.and_then(|offset| offset.try_into().ok());
            self.clock.set_zone(self.zone);
        }
    }

    /// Whether lines have a local time, and nothing in the file says the date.
    pub(super) fn needs_date(&self) -> bool {
        self.first_local.is_some() && self.start.is_none()
    }

    /// A clock that begins with the first line. `until` says when the last was written at the
    /// latest, if nothing in the file says the date.
    pub(super) fn clock(&self, until: Option<(Instant, DateSource)>) -> Option<LocalClock<'z>> {
        let walked = || {
            let (until, date) = until?;
            let last = last_day(self.last_local?, (until, date), &self.clock);
            Some(Start { day: last.checked_sub(self.clock.day())?, date })
        };
        Some(LocalClock::new(self.zone, self.start.or_else(walked)?, self.offset))
    }

    /// When the first line was written.
    pub(super) fn first(&self, clock: Option<&LocalClock<'z>>) -> Option<Instant> {
        let mut clock = clock.cloned();
        let local = self.first_local.and_then(|first| clock.as_mut()?.line(first));
        [self.first, local.map(|dated| dated.instant)].into_iter().flatten().min()
    }

    fn record(&mut self, record: &Record, header: &mut Option<(Instant, u64)>) {
        match record.what {
            What::Header => {
                let rows = record.rows().filter(|row| row.key == Key::Started);
                *header =
                    rows.filter_map(|row| started(row.value)).last().map(|at| (at, record.offset));
            }
            What::Line => {
                if let Shape::Line(line) = read(record.parts().0) {
                    self.line(&line, record.offset, header.take());
                }
            }
            _ => {}
        }
    }

    fn line(&mut self, line: &Line<'_>, offset: u64, header: Option<(Instant, u64)>) {
        let entry = Entry::of(line);
        if let Some(count) = Count::of(line.stamp) {
            let own = match entry.stamp {
                Stamp::Whole(instant) => Some(instant),
                _ => None,
            };
            return self.boots.take(count, own);
        }
        match line.stamp {
            Stamp::Local(clock) => {
                if let Some((local, at)) = header {
                    self.header(local, at);
                }
                self.local(clock, line, offset);
            }
            _ => {
                if let Stamp::Whole(instant) = entry.stamp {
                    self.boots.see(instant);
                    self.first = self.first.into_iter().chain([instant]).min();
                    self.last = self.last.into_iter().chain([instant]).max();
                }
            }
        }
    }

    /// A header whose time is local, as the lines after it have local times.
    fn header(&mut self, local: Instant, at: u64) {
        let second = local.seconds().rem_euclid(DAY);
        self.before = Some(second);
        let clock = Clock { second: u32::try_from(second).unwrap_or_default(), nanosecond: 0 };
        let counted = self.clock.line(clock).map(|_| self.clock.day());
        self.newest = self.clock.header(local).map(|dated| dated.instant);
        self.dated(counted, DateSource::Header, at);
    }

    fn local(&mut self, clock: Clock, line: &Line<'_>, at: u64) {
        let second = i64::from(clock.second);
        let before = self.before.replace(second).unwrap_or(second);
        let apart = second.saturating_sub(before).rem_euclid(DAY);
        if apart > GAP && apart < DAY.saturating_sub(GAP) {
            self.gap = self.gap.or(Some(at));
        }
        self.first_local = self.first_local.or(Some(clock));
        self.last_local = Some(clock);
        let dated = self.clock.line(clock);
        self.newest = dated.map(|dated| dated.instant);
        let counted = dated.map(|_| self.clock.day());
        let Some(anchor) = anchor(line.message) else { return };
        if self.clock.learn(clock, anchor, self.modified) && self.clock.is_dated() {
            self.newest = self.clock.again(clock).map(|dated| dated.instant);
            self.dated(counted, self.clock.date(), at);
        }
        self.offset = self.offset.or(self.clock.offset());
    }

    /// Something has said the date where so many days had been counted.
    fn dated(&mut self, counted: Option<i64>, date: DateSource, at: u64) {
        let Some(counted) = counted else { return };
        let wrong = self.clock.day().saturating_sub(counted);
        if self.start.is_none() {
            self.start = Some(Start { day: wrong, date: DateSource::Following });
        } else if wrong != 0 && date == DateSource::Anchor {
            self.doubt(at);
        }
        self.gap = None;
    }

    fn doubt(&mut self, until: u64) {
        if let Some(gap) = self.gap.filter(|_| self.doubts.len() < DOUBTS) {
            self.doubts.push((gap, until));
        }
    }

    /// Holds the last date against the time of the file.
    fn end(&mut self) {
        let newest = self.newest.filter(|_| self.start.is_some());
        let Some((newest, modified)) = newest.zip(self.modified) else { return };
        if newest.seconds().abs_diff(modified.seconds()) > DAY.unsigned_abs() {
            self.doubt(u64::MAX);
        }
    }
}
