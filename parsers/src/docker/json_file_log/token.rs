//! What a log is made of: records, the line breaks between them, and what is neither.
//!
//! A token is a function of the bytes from its first one on, and of nothing before: a reading may
//! begin at any token and goes on as one that came from the beginning of the file. No token but a
//! run of separators contains a line break that is not its last byte.

use super::lenient::{self, Fault, START_LENGTH, Scratch};
use super::record::{Record, canonical};
use super::window::wide;
use dockline_timeline::RecentMinute;
use memchr::{memchr, memchr2};

/// A line may be this long, in bytes; engines write at most 16 KiB of text in one, about 100 KB
/// when every byte is escaped.
pub(super) const LINE_LIMIT: usize = 1024 * 1024;

/// The next thing in a log.
#[derive(Debug, PartialEq)]
pub(super) enum Token<'a> {
    /// Cannot be told without more bytes.
    More,
    /// A record, and its line break if that is there.
    Record(Record<'a>, usize),
    /// Line breaks and spaces.
    Separators(usize),
    /// What no record is made of.
    Damage(Damage, usize),
}

/// What is not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// A run of NUL bytes: a block that was allocated and never written before a crash.
    Nuls,
    /// A line beyond [`LINE_LIMIT`].
    TooLong,
    /// What is left of records.
    Torn {
        /// What is wrong with the first.
        fault: Fault,
        /// How many there were.
        records: u64,
    },
}

/// What the reading of tokens needs to remember.
#[derive(Debug, Default)]
pub(super) struct Memory {
    scratch: Scratch,
    minute: RecentMinute,
    /// Up to this offset there is no line break from here on: spares a search of the whole line for
    /// each of many damages on it.
    no_line_break: u64,
    /// The same for a NUL.
    no_nul: u64,
    /// Whether the reading is inside of a line that is too long.
    skipping: bool,
}

/// The token at the front of `view`, which lies at `offset` and reaches to the file's end or not.
pub(super) fn token<'a>(
    view: &'a [u8],
    offset: u64,
    is_at_end: bool,
    memory: &'a mut Memory,
) -> Token<'a> {
    if memory.skipping {
        if let Some(token) = skip(view, is_at_end) {
            return token;
        }
        memory.skipping = false;
    }
    if let Some(record) = canonical(view, &mut memory.minute)
        && record.length <= LINE_LIMIT
    {
        return with_line_break(record, view);
    }
    match view.first() {
        None => Token::More,
        Some(b' ' | b'\t' | b'\r' | b'\n') => {
            let is_separator = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            Token::Separators(view.iter().take_while(is_separator).count())
        }
        Some(0) => Token::Damage(Damage::Nuls, view.iter().take_while(|byte| **byte == 0).count()),
        Some(_) => match line(view, offset, is_at_end, memory) {
            Some((line, is_cut)) => from_line(line, is_cut, view, memory),
            None => Token::More,
        },
    }
}

/// The record with the line break behind it, so that a good log has one token a record.
fn with_line_break<'a>(record: Record<'a>, view: &[u8]) -> Token<'a> {
    let is_ended = view.get(record.length) == Some(&b'\n');
    let used = record.length.saturating_add(usize::from(is_ended));
    Token::Record(record, used)
}

/// The rest of the line without its line break; or, when the line is too long, what is looked at of
/// it, and `true`.
fn line<'a>(
    view: &'a [u8],
    offset: u64,
    is_at_end: bool,
    memory: &mut Memory,
) -> Option<(&'a [u8], bool)> {
    let end = find(b'\n', view, offset, &mut memory.no_line_break);
    if let Some(end) = end.filter(|end| *end <= LINE_LIMIT) {
        return Some((view.get(..end)?, false));
    }
    if view.len() <= LINE_LIMIT {
        return is_at_end.then_some((view, false));
    }
    let nul = find(0, view, offset, &mut memory.no_nul);
    Some(match nul.filter(|nul| *nul <= LINE_LIMIT) {
        Some(nul) => (view.get(..nul)?, false),
        None => (view.get(..LINE_LIMIT)?, true),
    })
}

/// The first such byte in `view`, which lies at `offset`; none lies before `none_before`, which is
/// moved on.
fn find(byte: u8, view: &[u8], offset: u64, none_before: &mut u64) -> Option<usize> {
    let known = usize::try_from(none_before.saturating_sub(offset)).unwrap_or(usize::MAX);
    let known = known.min(view.len());
    let found = memchr(byte, view.get(known..)?).map(|at| known.saturating_add(at));
    *none_before = offset.saturating_add(wide(found.unwrap_or(view.len())));
    found
}

/// The token at the front of a line on which there is no record of the engine's form.
fn from_line<'a>(line: &[u8], is_cut: bool, view: &[u8], memory: &'a mut Memory) -> Token<'a> {
    let fault = match lenient::parse(line) {
        Ok(parsed) => return with_line_break(parsed.record(&mut memory.scratch), view),
        Err(fault) => fault,
    };
    let mut records = 1_u64;
    let mut from = 1_usize;
    while let Some(start) = lenient::next_start(line, from) {
        let is_record = match lenient::parse(line.get(start..).unwrap_or_default()) {
            Ok(parsed) => !lenient::is_inside_attrs(line, start, parsed.length),
            Err(fault) => is_cut && fault.ran_out,
        };
        if is_record {
            return Token::Damage(Damage::Torn { fault, records }, start);
        }
        records = records.saturating_add(1);
        from = start.saturating_add(1);
    }
    if is_cut {
        memory.skipping = true;
        // A start of a record may be cut in two by the end of what was looked at.
        let length = line.len().saturating_sub(START_LENGTH.saturating_mul(2));
        return Token::Damage(Damage::TooLong, length);
    }
    Token::Damage(Damage::Torn { fault, records }, line.len())
}

/// The rest of a line that is too long, up to its end, to a NUL or to where a record may begin;
/// `None` when that is here.
fn skip<'a>(view: &[u8], is_at_end: bool) -> Option<Token<'a>> {
    let ends = [memchr2(b'\n', 0, view), lenient::next_start(view, 0)];
    let length = match ends.into_iter().flatten().min() {
        Some(0) => return None,
        Some(end) => end,
        None if is_at_end => view.len(),
        None => view.len().saturating_sub(START_LENGTH.saturating_mul(2)),
    };
    if length == 0 {
        return Some(Token::More);
    }
    Some(Token::Damage(Damage::TooLong, length))
}
