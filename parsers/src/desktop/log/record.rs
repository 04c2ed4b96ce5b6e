//! Records: a line that begins one, and the lines after it that do not.

use crate::formats::desktop_line::header::{Key, Row};
use crate::formats::desktop_line::{Shape, read, text::clean};
use crate::formats::lines::{LONGEST_LINE, Line};

/// Bytes of text that one record holds.
const LONGEST: usize = 1024 * 1024;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// It begins with a line that says what it is.
    Line,
    /// A process starts.
    Separator,
    /// The block that a process writes when it starts.
    Header,
    /// Text that follows nothing.
    Raw,
    /// What does not fit into the record before it.
    Rest,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) what: What,
    /// Where it begins in the content of the file.
    pub(super) offset: u64,
    /// Its lines, as text.
    pub(super) text: String,
    /// How many lines it has, blank ones not counted.
    pub(super) lines: u64,
    /// Bytes that it covers.
    pub(super) length: u64,
    /// Whether a line of it was cut because it is too long.
    pub(super) is_cut: bool,
}

impl Record {
    fn new(what: What, line: &Line<'_>, text: &str) -> Record {
        Record {
            what,
            offset: line.offset,
            text: text.to_owned(),
            lines: 1,
            length: line.length,
            is_cut: line.is_cut(),
        }
    }

    /// Its first line, and what follows it.
    pub(super) fn parts(&self) -> (&str, &str) {
        self.text.split_once('\n').unwrap_or((&self.text, ""))
    }

    /// The rows of a header.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.text.lines().filter_map(Row::read)
    }

    fn has_room(&self, text: &str) -> bool {
        self.text.len().saturating_add(text.len()) < LONGEST.max(LONGEST_LINE)
    }

    fn push(&mut self, line: &Line<'_>, text: &str) {
        self.text.push('\n');
        self.text.push_str(text);
        self.lines = self.lines.saturating_add(1);
        self.length = self.length.saturating_add(line.length);
        self.is_cut |= line.is_cut();
    }

    fn append(&mut self, other: &Record) {
        self.text.push('\n');
        self.text.push_str(&other.text);
        self.lines = self.lines.saturating_add(other.lines);
        self.length = self.length.saturating_add(other.length);
        self.is_cut |= other.is_cut;
    }
}

/// Takes lines and gives records.
#[derive(Default)]
pub(super) struct Records {
    current: Option<Record>,
    /// Rows that are a header if one of them says when the process started.
    rows: Option<Record>,
}

impl Records {
    /// Takes the next line; records that it ends go to `each`.
    pub(super) fn line(&mut self, line: &Line<'_>, each: &mut dyn FnMut(Record)) {
        let text = clean(line.bytes);
        let text = text.trim_end();
        let what = match read(text) {
            Shape::Header(_) => return self.row(line, text, each),
            Shape::Continuation => {
                self.end_rows(each);
                return self.more(line, text, each);
            }
            Shape::Separator => What::Separator,
            Shape::Line(_) => What::Line,
        };
        self.end_rows(each);
        self.end(each);
        self.current = Some(Record::new(what, line, text));
    }

    /// Gives what is left.
    pub(super) fn finish(mut self, each: &mut dyn FnMut(Record)) {
        self.end_rows(each);
        self.end(each);
    }

    fn end(&mut self, each: &mut dyn FnMut(Record)) {
        if let Some(record) = self.current.take() {
            each(record);
        }
    }

    fn row(&mut self, line: &Line<'_>, text: &str, each: &mut dyn FnMut(Record)) {
        // A row that comes again is of the next process, whose header follows at once.
        let key = Row::read(text).map(|row| row.key);
        let again = |rows: &Record| rows.rows().any(|row| Some(row.key) == key);
        if self.rows.as_ref().is_some_and(|rows| again(rows) || !rows.has_room(text)) {
            self.end_rows(each);
        }
        match &mut self.rows {
            Some(rows) => rows.push(line, text),
            None => self.rows = Some(Record::new(What::Header, line, text)),
        }
    }

    /// Decides whether the rows so far are a header.
    fn end_rows(&mut self, each: &mut dyn FnMut(Record)) {
        let Some(rows) = self.rows.take() else { return };
        let is_header = rows.rows().any(|row| row.key == Key::Started);
        match &mut self.current {
            Some(current) if !is_header && takes_more(current) && current.has_room(&rows.text) => {
                current.append(&rows);
            }
            _ => {
                self.end(each);
                let what = if is_header { What::Header } else { What::Raw };
                self.current = Some(Record { what, ..rows });
            }
        }
    }

    /// A line that begins no record.
    fn more(&mut self, line: &Line<'_>, text: &str, each: &mut dyn FnMut(Record)) {
        let current = self.current.as_mut().filter(|current| takes_more(current));
        match current {
            Some(current) if text.is_empty() => {
                current.length = current.length.saturating_add(line.length);
            }
            Some(current) if current.has_room(text) => current.push(line, text),
            Some(_) => {
                self.end(each);
                self.current = Some(Record::new(What::Rest, line, text));
            }
            None if text.is_empty() => {}
            None => {
                self.end(each);
                self.current = Some(Record::new(What::Raw, line, text));
            }
        }
    }
}

/// Whether lines that begin no record may belong to this one.
fn takes_more(record: &Record) -> bool {
    record.what != What::Separator
}
