//! The GUID partition table (UEFI specification 2.10, section 5.3): a header in the sector after the
//! first and one in the last, each with a table of its own, both under a CRC-32. Written by every
//! installer of a UEFI machine and by most cloud images; the sector size, 512 or 4,096 bytes, is
//! where the header is found.
//!
//! The first table is read while it is sound, else its backup, else whichever still has a header.

use super::crc32::crc32;
use super::{Partition, Table, malformed};
use crate::fields::{Fields, read_exact};
use crate::read_at::{Range, read_up_to};
use crate::{EvidenceError, ReadAt};
use std::sync::Arc;

const SECTOR_SIZES: [u64; 2] = [512, 4096];
/// Bytes of the header that have a meaning.
const HEADER: usize = 92;
/// A table has at least 128 entries of 128 bytes; this much is far more than any tool writes.
const MAX_TABLE: u64 = 1 << 20;
const ENTRY: usize = 128;
const MAX_ENTRY: usize = 4096;

/// One of the two copies.
struct Copy {
    partitions: Vec<Partition>,
    /// Byte at which the header says that the other copy is.
    other: u64,
    /// What is wrong with it.
    fault: Option<EvidenceError>,
}

/// The header of a copy.
struct Header {
    other: u64,
    table: u64,
    count: u64,
    entry: usize,
    table_crc: u32,
}

/// The table, and a flaw where it is not the first copy, or not sound.
pub(super) fn read(disk: &Arc<dyn ReadAt>) -> Option<Table> {
    let mut damaged = None;
    for sector in SECTOR_SIZES {
        let first = copy(disk, sector, sector);
        if let Ok(Copy { partitions, fault: None, .. }) = first {
            return Some(Table { kind: "GPT", partitions, flaws: Vec::new() });
        }
        let last = disk.len().saturating_sub(sector);
        let places = [first.as_ref().map_or(last, |first| first.other), last];
        let backups = places.map(|at| copy(disk, sector, at));
        let why = first.as_ref().map_or_else(Some, |first| first.fault.as_ref());
        let why = why.map_or_else(String::new, ToString::to_string);
        for backup in backups {
            match backup {
                Ok(Copy { partitions, fault: None, .. }) => {
                    let what = format!("the first GPT is damaged, its backup is used: {why}");
                    return Some(Table { kind: "GPT", partitions, flaws: vec![malformed(what)] });
                }
                Ok(unsound) => damaged = damaged.or(Some(unsound)),
                Err(_) => {}
            }
        }
        damaged = first.ok().or(damaged);
    }
    let Copy { partitions, fault, .. } = damaged?;
    let why = fault.map_or_else(String::new, |fault| fault.to_string());
    let what = format!("the GPT and its backup are damaged, what they say may be wrong: {why}");
    Some(Table { kind: "GPT", partitions, flaws: vec![malformed(what)] })
}

/// The copy of which the header lies at byte `at`.
fn copy(disk: &Arc<dyn ReadAt>, sector: u64, at: u64) -> Result<Copy, EvidenceError> {
    let length = usize::try_from(sector).unwrap_or(HEADER);
    let bytes = read_exact(disk, "GPT header", at, length)?;
    let fields = Fields::new("GPT header", at, &bytes);
    let header = header(&fields, sector)?;
    let wanted = header.count.saturating_mul(u64::try_from(header.entry).unwrap_or(u64::MAX));
    if wanted > MAX_TABLE {
        return Err(EvidenceError::LimitReached { what: "bytes of a GPT", limit: MAX_TABLE });
    }
    let (table, _) = read_up_to(&Range::new(disk.clone(), header.table, wanted), MAX_TABLE)?;
    let entries = Fields::new("GPT", header.table, &table);
    let fault = check(&fields, at, sector).and_then(|()| check_table(&entries, &header)).err();
    let entries = table.chunks_exact(header.entry).zip(1..);
    let partitions =
        entries.filter_map(|(entry, number)| partition(entry, number, sector)).collect();
    Ok(Copy { partitions, other: header.other, fault })
}

fn header(fields: &Fields, sector: u64) -> Result<Header, EvidenceError> {
    let signature = fields.bytes(0, 8)?;
    if signature != b"EFI PART" {
        return Err(fields.malformed(0, "EFI PART", signature.escape_ascii()));
    }
    let entry = usize::try_from(fields.le32(84)?).unwrap_or(usize::MAX);
    if !(ENTRY..=MAX_ENTRY).contains(&entry) {
        return Err(fields.malformed(84, "an entry size of 128 to 4096", entry));
    }
    Ok(Header {
        other: fields.le64(32)?.saturating_mul(sector),
        table: fields.le64(72)?.saturating_mul(sector),
        count: u64::from(fields.le32(80)?),
        entry,
        table_crc: fields.le32(88)?,
    })
}

/// The checksum of the header, and whether it lies where it says.
fn check(fields: &Fields, at: u64, sector: u64) -> Result<(), EvidenceError> {
    let length = usize::try_from(fields.le32(12)?).unwrap_or(usize::MAX);
    let covered = fields.bytes(0, length.max(HEADER))?;
    let (before, after) = (covered.get(..16), covered.get(20..));
    let crc = [before, Some(&[0; 4]), after].into_iter().flatten().fold(u32::MAX, crc32);
    let stored = fields.le32(16)?;
    if !crc != stored {
        return Err(fields.malformed(
            16,
            format!("checksum {:08x}", !crc),
            format!("{stored:08x}"),
        ));
    }
    let own = fields.le64(24)?;
    if own.saturating_mul(sector) != at {
        let here = at.checked_div(sector).unwrap_or(0);
        return Err(fields.malformed(24, format!("sector {here}"), own));
    }
    Ok(())
}

fn check_table(entries: &Fields, header: &Header) -> Result<(), EvidenceError> {
    let (crc, stored) = (!crc32(u32::MAX, entries.all()), header.table_crc);
    if crc != stored {
        let need = format!("a table of checksum {stored:08x}");
        return Err(entries.malformed(0, need, format!("{crc:08x}")));
    }
    Ok(())
}

/// The partition of an entry, if it is used.
fn partition(entry: &[u8], number: u64, sector: u64) -> Option<Partition> {
    let entry = Fields::new("GPT entry", 0, entry);
    let kind: [u8; 16] = entry.array(0).ok()?;
    let (first, last) = (entry.le64(32).ok()?, entry.le64(40).ok()?);
    if kind == [0; 16] || last < first {
        return None;
    }
    let count = last.saturating_sub(first).saturating_add(1);
    Some(Partition {
        number,
        start: first.saturating_mul(sector),
        length: count.saturating_mul(sector),
        uuid: guid(&entry),
        label: label(entry.bytes(56, 72).ok()?),
    })
}

/// The unique GUID of an entry, of which the first three parts are little-endian.
fn guid(entry: &Fields) -> Option<String> {
    let (one, two, three) = (entry.le32(16).ok()?, entry.le16(20).ok()?, entry.le16(22).ok()?);
    let (four, five) = (entry.be16(24).ok()?, entry.be64(24).ok()? & 0xffff_ffff_ffff);
    Some(format!("{one:08x}-{two:04x}-{three:04x}-{four:04x}-{five:012x}"))
}

/// A name in UTF-16, up to the first zero.
fn label(name: &[u8]) -> Option<String> {
    let (units, _) = name.as_chunks::<2>();
    let units: Vec<u16> =
        units.iter().map(|unit| u16::from_le_bytes(*unit)).take_while(|unit| *unit != 0).collect();
    (!units.is_empty()).then(|| String::from_utf16_lossy(&units))
}
