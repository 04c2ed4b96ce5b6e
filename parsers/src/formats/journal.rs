//! A file of the systemd journal, read only.
//!
//! systemd-journald writes it: a header, and then objects one behind the other, each at a multiple of
//! eight bytes: hash tables, data (one `FIELD=value` each, stored once however many entries have it),
//! fields, entries (times, boot, and the offsets of their data), arrays of entries, and tags of sealed
//! journals. Data may be compressed with XZ (systemd 38), LZ4 (216) or zstd (246); the hashes may be
//! keyed (246); compact files (252) have offsets of 32 bits. After systemd 257
//! `src/libsystemd/sd-journal/journal-def.h`, `journal-file.c`.
//!
//! Journald appends objects and never moves them, so the entries are read in the order of the file,
//! from object to object; neither hash tables nor arrays are needed, and there is no graph to walk in
//! circles. Where a crash or a hand has damaged the file, the next object that another one follows is
//! looked for, and what lies between is told. Objects behind the last one that the header knows, as
//! after a crash, are read, too: such entries are `beyond_tail`.
//!
//! Limits: 1,024 fields of an entry, 1 MiB of a value, 16 MiB of a compressed value, 200 times the file
//! of values in all. Seals are not verified.

mod blocks;
mod data;
mod header;
mod lz4;
mod object;

use blocks::Blocks;
use data::{Compression, LONGEST_VALUE};
use dockline_evidence::ReadAt;
use dockline_timeline::IssueKind;
use header::Header;
use object::{DATA, ENTRY, Found, HEADER, Object, le32, le64};
use std::collections::HashMap;
use std::io;
use std::rc::Rc;

/// Fields of an entry that are read; journald takes no more.
const FIELDS: u64 = 1_024;
/// Longest name of a field.
const LONGEST_NAME: usize = 64;
/// Values up to this many bytes are remembered, as most entries have the same.
const REMEMBERED_VALUE: usize = 256;
/// Data objects that are remembered.
const REMEMBERED: usize = 32_768;
/// Flaws of one file that are told one by one.
const FLAWS: usize = 100;
/// Bytes of values that are read: so many times the length of the file, and never fewer than
/// [`VALUES`]. Entries may share values, but not without end.
const SHARED: u64 = 200;
const VALUES: u64 = 256 * 1024 * 1024;
/// What looks like an object and is followed by none, in one file.
const FALSE_OBJECTS: u32 = 100_000;

/// Something wrong in a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// In which way.
    pub kind: IssueKind,
    /// Offset in the file.
    pub at: u64,
    /// What, in words.
    pub what: String,
    /// Bytes that no object covers because of it.
    pub lost_bytes: u64,
}

impl Flaw {
    fn new(kind: IssueKind, at: u64, what: String) -> Flaw {
        Flaw { kind, at, what, lost_bytes: 0 }
    }

    fn io(at: u64, error: &io::Error) -> Flaw {
        Flaw::new(IssueKind::Unreadable, at, error.to_string())
    }
}

/// A field of an entry.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its value; may be no text.
    pub value: Vec<u8>,
}

/// An entry.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Offset in the file.
    pub at: u64,
    /// Bytes that it takes, without its data.
    pub size: u64,
    /// Microseconds since 1970.
    pub realtime: u64,
    /// Whether it lies behind what the header knows of: the journal was not closed.
    pub beyond_tail: bool,
    /// Its fields as far as they are wanted, in the order of the entry.
    pub fields: Vec<Rc<Field>>,
}

impl Entry {
    /// The first value of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.value.as_slice())
    }
}

/// A journal that is being read.
pub struct Journal<'r> {
    blocks: Blocks<'r>,
    header: Header,
    wanted: &'r dyn Fn(&str) -> bool,
    /// Data objects by offset: what they hold, or nothing where it is not wanted.
    known: HashMap<u64, Option<Rc<Field>>>,
    flaws: Vec<Flaw>,
    /// Bytes of values that may still be read.
    budget: u64,
    /// Things that only look like objects that may still be met.
    false_objects: u32,
}

impl<'r> Journal<'r> {
    /// Opens a journal, to read those fields whose names are `wanted`.
    ///
    /// # Errors
    /// Why it is no journal, or none that can be read.
    pub fn open(
        file: &'r dyn ReadAt,
        wanted: &'r dyn Fn(&str) -> bool,
    ) -> Result<Journal<'r>, Flaw> {
        let mut blocks = Blocks::new(file);
        let header = Header::read(&mut blocks)?;
        Ok(Journal {
            header,
            wanted,
            known: HashMap::new(),
            flaws: Vec::new(),
            budget: blocks.len().saturating_mul(SHARED).max(VALUES),
            false_objects: FALSE_OBJECTS,
            blocks,
        })
    }

    /// Gives every entry to `each`, in the order of the file; what is wrong with the journal.
    pub fn entries(mut self, each: &mut dyn FnMut(&Entry)) -> Vec<Flaw> {
        let mut at = self.header.first_object;
        if let Err(error) = self.walk(&mut at, each) {
            self.flaw(Flaw::io(at, &error));
        }
        self.flaws
    }

    fn walk(&mut self, at: &mut u64, each: &mut dyn FnMut(&Entry)) -> io::Result<()> {
        loop {
            if self.budget == 0 || self.false_objects == 0 {
                let what = "too much of the journal refers to the same, or only looks like objects";
                self.flaw(Flaw::new(IssueKind::LimitReached, *at, what.to_owned()));
                return Ok(());
            }
            match Found::at(&mut self.blocks, *at, self.header.is_compact)? {
                Found::Object(object) => {
                    if object.kind == ENTRY {
                        self.entry(&object, each)?;
                    }
                    *at = object.next();
                }
                Found::Nothing | Found::Garbage => {
                    let is_garbage = self.skip(at)?;
                    if is_garbage.is_none() {
                        return Ok(());
                    }
                }
                Found::End => {
                    if *at <= self.header.tail_object {
                        let what = format!(
                            "cut off before the last object, at {}",
                            self.header.tail_object
                        );
                        self.flaw(Flaw::new(IssueKind::Malformed, *at, what));
                    }
                    return Ok(());
                }
            }
        }
    }

    /// Goes on at the next object behind what is none, and tells what was left out; `None` at the end
    /// of the file.
    fn skip(&mut self, at: &mut u64) -> io::Result<Option<()>> {
        let start = *at;
        let mut next = start;
        let mut garbage = 0_u64;
        let found = loop {
            match Found::at(&mut self.blocks, next, self.header.is_compact)? {
                Found::Object(object) if self.is_followed(&object)? => break Some(next),
                Found::Nothing => next = self.after_zeros(next)?,
                Found::End => break None,
                Found::Object(_) if self.false_objects == 0 => break None,
                Found::Object(_) | Found::Garbage => {
                    garbage = garbage.saturating_add(8);
                    next = next.saturating_add(8);
                }
            }
        };
        *at = next;
        let lost = next.min(self.blocks.len()).saturating_sub(start);
        let is_within = found.is_some() || start <= self.header.tail_object;
        if garbage > 0 || is_within {
            let what = format!("{lost} bytes that are no objects of a journal");
            self.flaw(Flaw { lost_bytes: lost, ..Flaw::new(IssueKind::Malformed, start, what) });
        }
        Ok(found.map(drop))
    }

    /// Whether an object is followed by another, or by nothing: one that was only taken for an object
    /// hardly ever is.
    fn is_followed(&mut self, object: &Object) -> io::Result<bool> {
        let next = Found::at(&mut self.blocks, object.next(), self.header.is_compact)?;
        if next == Found::Garbage {
            self.false_objects = self.false_objects.saturating_sub(1);
        }
        Ok(next != Found::Garbage)
    }

    /// The first multiple of eight from `at` on where not everything is zero.
    fn after_zeros(&mut self, at: u64) -> io::Result<u64> {
        let mut at = at;
        loop {
            let rest = self.blocks.rest_of_block(at)?;
            if rest.is_empty() {
                return Ok(at);
            }
            let zeros = rest.iter().position(|byte| *byte != 0);
            let count = u64::try_from(zeros.unwrap_or(rest.len())).unwrap_or(u64::MAX);
            at = at.saturating_add(count);
            if zeros.is_some() {
                return Ok(at & !7);
            }
        }
    }

    fn entry(&mut self, object: &Object, each: &mut dyn FnMut(&Entry)) -> io::Result<()> {
        let width = if self.header.is_compact { 4 } else { 16 };
        let fixed = 64_u64;
        let items = object.size.saturating_sub(fixed).checked_div(width).unwrap_or_default();
        if items > FIELDS {
            let what = format!("entry with {items} fields, more than the {FIELDS} that are read");
            self.flaw(Flaw::new(IssueKind::LimitReached, object.at, what));
        }
        let length = items.min(FIELDS).saturating_mul(width);
        let mut bytes = Vec::new();
        self.blocks.read(object.at, fixed.saturating_add(length), &mut bytes)?;
        let mut entry = Entry {
            at: object.at,
            size: object.size,
            realtime: le64(&bytes, 24).unwrap_or_default(),
            beyond_tail: object.at > self.header.tail_object && self.header.tail_object > 0,
            fields: Vec::new(),
        };
        let (mut bad, mut first_bad) = (0_u64, 0);
        let items = bytes.get(64..).unwrap_or_default();
        for item in items.chunks_exact(usize::try_from(width).unwrap_or(16)) {
            let at = le64(item, 0).or_else(|| le32(item, 0).map(u64::from)).unwrap_or_default();
            match self.field(at)? {
                Some(field) => entry.fields.extend(field),
                None => {
                    bad = bad.saturating_add(1);
                    first_bad = at;
                }
            }
        }
        if bad > 0 {
            let what =
                format!("entry with {bad} fields that cannot be read, one of them at {first_bad}");
            self.flaw(Flaw::new(IssueKind::Malformed, object.at, what));
        }
        each(&entry);
        Ok(())
    }

    /// The field at an offset: `None` when there is none, and `Some(None)` when it is not wanted.
    fn field(&mut self, at: u64) -> io::Result<Option<Option<Rc<Field>>>> {
        if let Some(known) = self.known.get(&at) {
            return Ok(Some(known.clone()));
        }
        let Found::Object(object) = Found::at(&mut self.blocks, at, self.header.is_compact)? else {
            return Ok(None);
        };
        let compression = Compression::of(&object).filter(|_| object.kind == DATA);
        let Some(compression) = compression.filter(|_| at >= HEADER) else { return Ok(None) };
        let name = self.content(&object, compression, LONGEST_NAME.saturating_add(1))?;
        let Some(name) = name.as_deref().and_then(name_of) else { return Ok(None) };
        let field = if (self.wanted)(&name) {
            let Some(content) = self.content(&object, compression, LONGEST_VALUE)? else {
                return Ok(None);
            };
            let value = content.get(name.len().saturating_add(1)..).unwrap_or_default().to_vec();
            Some(Rc::new(Field { name, value }))
        } else {
            None
        };
        if field.as_ref().is_none_or(|field| field.value.len() <= REMEMBERED_VALUE) {
            if self.known.len() >= REMEMBERED {
                self.known.clear();
            }
            self.known.insert(at, field.clone());
        }
        Ok(Some(field))
    }

    /// The first `limit` bytes of what a data object holds.
    fn content(
        &mut self,
        object: &Object,
        compression: Compression,
        limit: usize,
    ) -> io::Result<Option<Vec<u8>>> {
        let start = Object::payload(self.header.is_compact);
        let length = compression.needed(object.size.saturating_sub(start), limit);
        let mut payload = Vec::new();
        let is_whole = self.blocks.read(object.at.saturating_add(start), length, &mut payload)?;
        let read = payload.len();
        let content = compression.content(payload, limit).filter(|_| is_whole);
        let spent = read.saturating_add(content.as_ref().map_or(0, Vec::len));
        self.budget = self.budget.saturating_sub(u64::try_from(spent).unwrap_or(u64::MAX));
        Ok(content)
    }

    fn flaw(&mut self, flaw: Flaw) {
        match self.flaws.len() {
            count if count < FLAWS => self.flaws.push(flaw),
            FLAWS => {
                let what = format!("more than {FLAWS} faults, the rest is not told");
                self.flaws.push(Flaw::new(IssueKind::LimitReached, flaw.at, what));
            }
            _ => {}
        }
    }
}

/// The name of a field that `FIELD=value` begins with.
fn name_of(content: &[u8]) -> Option<String> {
    let end = content.iter().position(|byte| *byte == b'=')?;
    let name = content.get(..end).filter(|name| !name.is_empty())?;
    let is_name = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let name = name.iter().all(is_name).then_some(name)?;
    String::from_utf8(name.to_vec()).ok()
}

#[cfg(test)]
mod tests;
