//! Hives of the Windows registry: `SYSTEM`, `SOFTWARE`, `NTUSER.DAT` and the like.
//!
//! A hive is a base block of 4,096 bytes and then bins, which are made of cells: a length (negative
//! while the cell is in use) and content. A cell is a key (`nk`), a list of the keys below one (`lf`,
//! `lh`, `li`, or `ri` of several such lists), a list of values, a value (`vk`), its data, or the
//! segments of data above 16,344 bytes (`db`). Cells name one another by their distance from the first
//! bin. Windows NT 4 to 11 write version 1.3 to 1.6. After the published descriptions of the format
//! by M. Suhanov (`regf`) and J. Metz (`libregf`).
//!
//! Cells are read when they are asked for, so a hive of any size costs what is asked of it. Windows
//! writes changes to the transaction logs beside a hive first (`.LOG1`, `.LOG2`) and to the hive much
//! later; a hive that was taken from a running host, or one that crashed, lacks them. They are laid
//! over it ([`Hive::open`]); the older kind of log (Windows 8 and before) is not.
//!
//! What is wrong is a [`Flaw`] and costs only what depends on it. Not read: deleted keys, classes of
//! keys, security descriptors, and the single `.LOG` of Windows 2000 and XP.

mod key;
mod transaction_log;
mod value;

#[cfg(test)]
mod tests;

pub use key::Key;
pub use value::RegistryValue;

use crate::ArtifactFile;
use crate::formats::windows_time::filetime;
use dockline_evidence::{ReadAt, read_at};
use dockline_timeline::{Findings, Instant, IssueKind, Position};
use std::cell::{Cell as Counter, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes of the base block; offsets of cells count from behind it.
const BASE_BLOCK: u64 = 4096;
/// The base block's checksum is over so many bytes and lies behind them.
const CHECKED: usize = 508;
/// Flaws of one hive that are told one by one.
const FLAW_LIMIT: usize = 50;
/// Bytes of cells that are read of one hive: keys may share lists, so what asks for many could take
/// time without end. The keys of Docker take less than one.
const READ_LIMIT: usize = 256 * 1024 * 1024;
/// What a cell costs beyond its bytes.
const CELL_COST: usize = 64;
/// What a cell says when it names no other.
const NO_CELL: u32 = u32::MAX;

/// Something wrong in a hive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// In which way.
    pub kind: IssueKind,
    /// At which byte of the file.
    pub offset: u64,
    /// What, in words.
    pub what: String,
}

impl Flaw {
    /// What is written wrong at `offset`.
    pub fn malformed(offset: u64, what: impl Into<String>) -> Flaw {
        Flaw { kind: IssueKind::Malformed, offset, what: what.into() }
    }

    /// Tells it as an issue with `file`.
    pub fn report(&self, file: &ArtifactFile, findings: &mut dyn Findings) {
        findings.issue(file.issue(self.kind, Position::Offset(self.offset), self.what.clone()));
    }
}

/// A hive that is open.
pub struct Hive {
    bytes: Arc<dyn ReadAt>,
    /// What the transaction logs change, by offset in the file.
    changes: BTreeMap<u64, Vec<u8>>,
    /// The cell of the topmost key.
    root: u32,
    /// Bytes of the bins.
    bins: u64,
    /// When it was last written, as its base block says.
    pub last_written: Option<Instant>,
    flaws: RefCell<Vec<Flaw>>,
    /// What was read of [`READ_LIMIT`].
    read: Counter<usize>,
}

impl Hive {
    /// Opens a hive, with the content of the transaction logs beside it.
    ///
    /// # Errors
    /// The flaw because of which this is no hive.
    pub fn open(bytes: Arc<dyn ReadAt>, logs: &[Vec<u8>]) -> Result<Hive, Flaw> {
        let mut block = vec![0; CHECKED.saturating_add(4)];
        let filled =
            read_at::fill(&*bytes, 0, &mut block).map_err(|error| unreadable(0, &error))?;
        if filled < block.len() || !block.starts_with(b"regf") {
            return Err(Flaw::malformed(0, "no hive: need a base block that begins with regf"));
        }
        let mut flaws = Vec::new();
        let is_sound = u32_at(&block, CHECKED) == checksum(&block);
        if !is_sound {
            flaws.push(Flaw::malformed(0, "the checksum of the base block is wrong"));
        }
        let sequences = (u32_at(&block, 4), u32_at(&block, 8));
        let mut changes = BTreeMap::new();
        if sequences.0 != sequences.1 || !is_sound {
            let replayed = transaction_log::replay(logs, sequences.1.unwrap_or(0));
            flaws.extend(replayed.flaws);
            changes = replayed.pages;
            if replayed.entries == 0 {
                let what = "the hive was not written to the end and no transaction log \
                            has the rest: its newest changes are missing";
                flaws.push(Flaw::malformed(4, what));
            }
        }
        let bins = bytes.len().max(transaction_log::end(&changes)).saturating_sub(BASE_BLOCK);
        let root = u32_at(&block, 36).unwrap_or(NO_CELL);
        let last_written = u64_at(&block, 12).and_then(filetime);
        let flaws = RefCell::new(flaws);
        Ok(Hive { bytes, changes, root, bins, last_written, flaws, read: Counter::new(0) })
    }

    /// The topmost key; `None` when it cannot be read.
    pub fn root(&self) -> Option<Key<'_>> {
        Key::read(self, self.root).map_err(|flaw| self.flaw(flaw)).ok()
    }

    /// The key at a path from the topmost, such as `Software\Docker Inc.`, in any case.
    pub fn key(&self, path: &str) -> Option<Key<'_>> {
        path.split('\\').try_fold(self.root()?, |key, name| key.subkey(name))
    }

    /// What is wrong, as far as it was met.
    pub fn into_flaws(self) -> Vec<Flaw> {
        self.flaws.into_inner()
    }

    pub(super) fn flaw(&self, flaw: Flaw) {
        let mut flaws = self.flaws.borrow_mut();
        if flaws.len() < FLAW_LIMIT && !flaws.contains(&flaw) {
            flaws.push(flaw);
        }
    }

    /// The content of a cell, at most `limit` bytes of it, which a caller has bounded.
    fn cell(&self, cell: u32, limit: usize) -> Result<Cell, Flaw> {
        let offset = BASE_BLOCK.saturating_add(u64::from(cell));
        if u64::from(cell) >= self.bins || !cell.is_multiple_of(8) {
            return Err(Flaw::malformed(offset, "no cell can be here"));
        }
        let read = self.read.get().saturating_add(CELL_COST);
        if read > READ_LIMIT {
            let what = format!("more than {READ_LIMIT} bytes were read; the rest is not");
            return Err(Flaw { kind: IssueKind::LimitReached, offset: 0, what });
        }
        self.read.set(read.saturating_add(limit));
        let mut bytes = vec![0; limit.saturating_add(4)];
        let filled = self.fill(offset, &mut bytes).map_err(|error| unreadable(offset, &error))?;
        bytes.truncate(filled);
        let length =
            u32_at(&bytes, 0).and_then(|size| i32::from_ne_bytes(size.to_ne_bytes()).checked_neg());
        let Some(length) = length.and_then(|length| usize::try_from(length).ok()) else {
            return Err(Flaw::malformed(offset, "a cell that is not in use, or has no length"));
        };
        bytes.truncate(length);
        bytes.drain(..4.min(bytes.len()));
        Ok(Cell { offset, bytes })
    }

    /// Reads from the file as the transaction logs change it.
    fn fill(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        let filled = read_at::fill(&*self.bytes, offset, buffer)?;
        Ok(transaction_log::lay_over(&self.changes, offset, buffer).max(filled))
    }
}

/// The content of a cell.
struct Cell {
    /// Where the cell begins in the file.
    offset: u64,
    bytes: Vec<u8>,
}

impl Cell {
    fn u16(&self, at: usize) -> Result<u16, Flaw> {
        let found = self.bytes.get(at..).and_then(|rest| rest.first_chunk().copied());
        found.map(u16::from_le_bytes).ok_or_else(|| self.short())
    }

    fn u32(&self, at: usize) -> Result<u32, Flaw> {
        u32_at(&self.bytes, at).ok_or_else(|| self.short())
    }

    fn u64(&self, at: usize) -> Result<u64, Flaw> {
        u64_at(&self.bytes, at).ok_or_else(|| self.short())
    }

    fn slice(&self, at: usize, length: usize) -> Result<&[u8], Flaw> {
        let found = at.checked_add(length).and_then(|end| self.bytes.get(at..end));
        found.ok_or_else(|| self.short())
    }

    fn short(&self) -> Flaw {
        Flaw::malformed(self.offset, "a cell that is shorter than what it should hold")
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn unreadable(offset: u64, error: &std::io::Error) -> Flaw {
    Flaw { kind: IssueKind::Unreadable, offset, what: error.to_string() }
}

/// The words of a base block before its checksum, joined by exclusive or; 0 and -1 are not used.
fn checksum(block: &[u8]) -> Option<u32> {
    let (words, _) = block.get(..CHECKED)?.as_chunks::<4>();
    let sum = words.iter().fold(0, |sum, word| sum ^ u32::from_le_bytes(*word));
    Some(match sum {
        0 => 1,
        u32::MAX => u32::MAX.saturating_sub(1),
        sum => sum,
    })
}

/// A name or text of so many UTF-16 units, up to its first NUL.
fn utf16(bytes: &[u8]) -> String {
    let (units, _) = bytes.as_chunks::<2>();
    let units: Vec<u16> =
        units.iter().map(|unit| u16::from_le_bytes(*unit)).take_while(|unit| *unit != 0).collect();
    String::from_utf16_lossy(&units)
}

/// A name as keys and values have it: in one byte each, or in UTF-16.
fn name(bytes: &[u8], in_one_byte: bool) -> String {
    if in_one_byte { bytes.iter().map(|byte| char::from(*byte)).collect() } else { utf16(bytes) }
}
