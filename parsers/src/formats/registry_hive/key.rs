//! Keys (`nk`) and the lists of those below them.

use super::{Cell, Flaw, Hive, NO_CELL, RegistryValue, name};
use crate::formats::windows_time::filetime;
use dockline_timeline::{Instant, IssueKind};
use std::collections::BTreeSet;

/// Bytes of a key before its name, and of the longest name.
const FIXED: usize = 76;
const LONGEST_NAME: usize = 1024;
/// So many keys below one are looked at.
const SUBKEY_LIMIT: usize = 100_000;
/// So many values of one key.
const VALUE_LIMIT: usize = 10_000;
/// Flag of a key whose name has one byte for each character.
const NAME_IN_ONE_BYTE: u16 = 0x20;

/// A key.
#[derive(Clone)]
pub struct Key<'h> {
    hive: &'h Hive,
    /// As the registry has it.
    pub name: String,
    /// When the key, or a value of it, was last written.
    pub last_written: Option<Instant>,
    /// Where it lies in the file.
    pub offset: u64,
    subkeys: u32,
    values: (u32, u32),
}

impl<'h> Key<'h> {
    pub(super) fn read(hive: &'h Hive, cell: u32) -> Result<Key<'h>, Flaw> {
        let cell = hive.cell(cell, FIXED.saturating_add(LONGEST_NAME))?;
        if !cell.bytes.starts_with(b"nk") {
            return Err(Flaw::malformed(cell.offset, "no key where one should be"));
        }
        let in_one_byte = cell.u16(2)? & NAME_IN_ONE_BYTE != 0;
        let length = usize::from(cell.u16(72)?);
        let subkeys = if cell.u32(20)? == 0 { NO_CELL } else { cell.u32(28)? };
        Ok(Key {
            hive,
            name: name(cell.slice(FIXED, length)?, in_one_byte),
            last_written: filetime(cell.u64(4)?),
            offset: cell.offset,
            subkeys,
            values: (cell.u32(36)?, cell.u32(40)?),
        })
    }

    /// The keys below it, in their order; those that cannot be read are flaws.
    pub fn subkeys(&self) -> impl Iterator<Item = Key<'h>> + use<'h> {
        let hive = self.hive;
        let read = move |cell| Key::read(hive, cell).map_err(|flaw| hive.flaw(flaw)).ok();
        self.cells_of_subkeys().into_iter().filter_map(read)
    }

    /// The key of this name below it, in any case.
    pub fn subkey(&self, name: &str) -> Option<Key<'h>> {
        self.subkeys().find(|key| key.name.eq_ignore_ascii_case(name))
    }

    /// Its values; those that cannot be read are flaws.
    pub fn values(&self) -> Vec<RegistryValue> {
        let read = |cell| RegistryValue::read(self.hive, cell);
        self.cells_of_values().into_iter().filter_map(|cell| self.sound(read(cell))).collect()
    }

    /// The value of this name, in any case.
    pub fn value(&self, name: &str) -> Option<RegistryValue> {
        let is_it = |cell: &u32| {
            let found = RegistryValue::name_of(self.hive, *cell);
            self.sound(found).is_some_and(|found| found.eq_ignore_ascii_case(name))
        };
        let cell = self.cells_of_values().into_iter().find(is_it)?;
        self.sound(RegistryValue::read(self.hive, cell))
    }

    /// The text of the value of this name.
    pub fn text(&self, name: &str) -> Option<String> {
        self.value(name)?.text()
    }

    /// The number of the value of this name.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.value(name)?.number()
    }

    /// What could be read; what could not is a flaw.
    fn sound<T>(&self, read: Result<T, Flaw>) -> Option<T> {
        read.map_err(|flaw| self.hive.flaw(flaw)).ok()
    }

    fn cells_of_values(&self) -> Vec<u32> {
        let (count, list) = self.values;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count > VALUE_LIMIT {
            self.limit(format!("a key with {count} values: {VALUE_LIMIT} are read"));
        }
        let length = count.min(VALUE_LIMIT).saturating_mul(4);
        if length == 0 {
            return Vec::new();
        }
        let list = self.hive.cell(list, length);
        let found = list.and_then(|list| Ok(cells(list.slice(0, length)?, 4).collect()));
        self.sound(found).unwrap_or_default()
    }

    fn limit(&self, what: String) {
        let (kind, offset) = (IssueKind::LimitReached, self.offset);
        self.hive.flaw(Flaw { kind, offset, what });
    }

    fn cells_of_subkeys(&self) -> Vec<u32> {
        if self.subkeys == NO_CELL {
            return Vec::new();
        }
        let mut found = Found { hive: self.hive, cells: Vec::new(), seen: BTreeSet::new() };
        if let Err(flaw) = found.list(self.subkeys) {
            self.hive.flaw(flaw);
        }
        if found.cells.len() >= SUBKEY_LIMIT {
            self.limit(format!("a key with more than {SUBKEY_LIMIT} below it: these are read"));
        }
        found.cells
    }
}

/// Keys that lists name.
struct Found<'h> {
    hive: &'h Hive,
    cells: Vec<u32>,
    /// A damaged list may name the same key, or list, any number of times.
    seen: BTreeSet<u32>,
}

impl Found<'_> {
    fn list(&mut self, list: u32) -> Result<(), Flaw> {
        let cell = read_list(self.hive, list)?;
        if !cell.bytes.starts_with(b"ri") {
            return self.elements(&cell);
        }
        for inner in cells(cell.bytes.get(4..).unwrap_or_default(), 4) {
            if !self.seen.insert(inner) {
                continue;
            }
            match read_list(self.hive, inner) {
                // Windows writes no such list below another.
                Ok(inner) if inner.bytes.starts_with(b"ri") => {
                    let what = "a list of lists of keys in another";
                    self.hive.flaw(Flaw::malformed(inner.offset, what));
                }
                Ok(inner) => {
                    self.elements(&inner).unwrap_or_else(|flaw| self.hive.flaw(flaw));
                }
                Err(flaw) => self.hive.flaw(flaw),
            }
        }
        Ok(())
    }

    fn elements(&mut self, list: &Cell) -> Result<(), Flaw> {
        let size = match list.bytes.get(..2) {
            Some(b"lf" | b"lh") => 8,
            Some(b"li") => 4,
            _ => return Err(Flaw::malformed(list.offset, "no list of keys where one should be")),
        };
        for cell in cells(list.bytes.get(4..).unwrap_or_default(), size) {
            if self.cells.len() < SUBKEY_LIMIT && self.seen.insert(cell) {
                self.cells.push(cell);
            }
        }
        Ok(())
    }
}

/// A list with just the elements that it counts.
fn read_list(hive: &Hive, list: u32) -> Result<Cell, Flaw> {
    let head = hive.cell(list, 4)?;
    let size = if head.bytes.starts_with(b"li") || head.bytes.starts_with(b"ri") { 4 } else { 8 };
    let length = usize::from(head.u16(2)?).saturating_mul(size).saturating_add(4);
    let mut cell = hive.cell(list, length)?;
    cell.slice(0, length)?;
    cell.bytes.truncate(length);
    Ok(cell)
}

/// The cells that elements of a list name; the first four bytes of each element do.
fn cells(bytes: &[u8], size: usize) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(size).filter_map(|element| super::u32_at(element, 0))
}
