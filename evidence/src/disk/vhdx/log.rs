//! The log ([MS-VHDX] 2.3): what a writer changes of the metadata, it writes here first. Where the
//! header names a log, the file itself is older than it, and the active sequence of entries has to
//! be replayed before anything else is read. Here that is done in memory.
//!
//! The log is a ring of sectors of 4 KiB. An entry is a header with descriptors, then the data
//! sectors of those descriptors that have one; entries of one sequence follow each other with
//! numbers that go up by one.

use super::guid::Guid;
use super::header::{LogRegion, checksum};
use super::overlay::{Overlay, SECTOR};
use crate::fields::{Fields, read_exact};
use crate::{EvidenceError, ReadAt};
use std::collections::BTreeMap;

/// Bytes of a log that are read into memory; Windows and qemu make logs of 1 MiB.
const MAX_LOG: u32 = 64 << 20;
const ENTRY_HEADER: usize = 64;
const DESCRIPTOR: usize = 32;
/// Descriptors that have room in one sector; in the first, the header takes the place of two.
const DESCRIPTORS_OF_SECTOR: usize = 128;

/// What the log has to say.
pub(super) struct Replay {
    /// What it writes over the file.
    pub(super) overlay: Overlay,
    /// Bytes that the file had at least when the last entry was written.
    pub(super) flushed_file_offset: u64,
}

/// A sound entry.
struct Entry {
    sequence_number: u64,
    /// Sectors that it takes.
    sectors: usize,
    /// Sector of the oldest entry that still matters.
    tail: usize,
    flushed_file_offset: u64,
    last_file_offset: u64,
    writes: Vec<Write>,
}

/// What an entry writes, at a place of the file.
struct Write {
    file_offset: u64,
    what: Written,
}

enum Written {
    /// As many bytes of zeros.
    Zeros(u64),
    Sector(Vec<u8>),
}

/// Reads the log and finds what it writes over the file.
///
/// # Errors
/// When it cannot be read, or no sequence of its entries is sound.
pub(super) fn replay(file: &dyn ReadAt, region: &LogRegion) -> Result<Replay, EvidenceError> {
    let ring = Ring::read(file, region)?;
    let mut entries = BTreeMap::new();
    for sector in 0..ring.sectors() {
        if let Some(entry) = ring.entry(sector, region.guid) {
            entries.insert(sector, entry);
        }
    }
    let Some(active) = active_sequence(&entries, ring.sectors()) else {
        let (need, have) = (String::from("an active sequence of entries"), String::from("none"));
        return Err(EvidenceError::Malformed { what: "VHDX log", at: region.offset, need, have });
    };
    let mut replay = Replay { overlay: Overlay::default(), flushed_file_offset: 0 };
    for entry in active.iter().filter_map(|sector| entries.remove(sector)) {
        replay.flushed_file_offset = entry.flushed_file_offset;
        replay.overlay.extend_to(entry.last_file_offset);
        for write in entry.writes {
            match write.what {
                Written::Zeros(length) => replay.overlay.write_zeros(write.file_offset, length),
                Written::Sector(sector) => replay.overlay.write_sector(write.file_offset, sector),
            }
        }
    }
    Ok(replay)
}

/// The sectors at which the entries of the active sequence begin, in their order: of all sequences
/// the one with the highest numbers, from the tail that its last entry names.
fn active_sequence(entries: &BTreeMap<usize, Entry>, sectors: usize) -> Option<Vec<usize>> {
    let mut best: Option<(u64, Vec<usize>)> = None;
    let mut start = 0;
    while start < sectors {
        let (sequence, end) = sequence_from(entries, sectors, start);
        let head = sequence.last().and_then(|sector| entries.get(sector));
        let tail = head.and_then(|head| sequence.iter().position(|at| *at == head.tail));
        if let (Some(head), Some(tail)) = (head, tail)
            && best.as_ref().is_none_or(|(number, _)| *number < head.sequence_number)
        {
            let active = sequence.get(tail..).unwrap_or_default().to_vec();
            best = Some((head.sequence_number, active));
        }
        // What begins inside of a sequence ends as it does: only what follows can be another.
        start = end.max(start.saturating_add(1));
    }
    best.map(|(_, active)| active)
}

/// Where the entries begin that follow each other from `start` on, and the sector after the last of
/// them, counted on past the end of the ring.
fn sequence_from(
    entries: &BTreeMap<usize, Entry>,
    sectors: usize,
    start: usize,
) -> (Vec<usize>, usize) {
    let mut sequence = Vec::new();
    let mut end = start;
    let mut number = None;
    while let Some(at) = end.checked_rem(sectors) {
        let Some(entry) = entries.get(&at) else { break };
        let after = end.saturating_add(entry.sectors);
        let follows =
            number.is_none_or(|number| entry.sequence_number.checked_sub(1) == Some(number));
        if !follows || after.saturating_sub(start) > sectors {
            break;
        }
        sequence.push(at);
        number = Some(entry.sequence_number);
        end = after;
    }
    (sequence, end)
}

/// The bytes of a log.
struct Ring {
    bytes: Vec<u8>,
}

impl Ring {
    fn read(file: &dyn ReadAt, region: &LogRegion) -> Result<Ring, EvidenceError> {
        if region.version != 0 {
            return Err(EvidenceError::Unsupported(format!("VHDX log version {}", region.version)));
        }
        if region.length > MAX_LOG {
            let limit = u64::from(MAX_LOG);
            return Err(EvidenceError::LimitReached { what: "bytes of a VHDX log", limit });
        }
        let there = file.len().saturating_sub(region.offset);
        if u64::from(region.length) > there {
            let (need, have) = (format!("{} bytes", region.length), there.to_string());
            return Err(EvidenceError::Malformed {
                what: "VHDX log",
                at: region.offset,
                need,
                have,
            });
        }
        let length = usize::try_from(region.length).unwrap_or_default();
        Ok(Ring { bytes: read_exact(file, "VHDX log", region.offset, length)? })
    }

    fn sectors(&self) -> usize {
        self.bytes.len() / SECTOR
    }

    /// A sector; those past the end of the ring are those at its beginning.
    fn sector(&self, number: usize) -> Option<&[u8]> {
        let start = number.checked_rem(self.sectors())?.checked_mul(SECTOR)?;
        self.bytes.get(start..start.checked_add(SECTOR)?)
    }

    /// The entry that begins at that sector, if it is sound.
    ///
    /// Its structure is checked before its checksum. In a sound structure, no sector but the first
    /// begins as an entry does, so two of them never overlap, and all checksums together cost no
    /// more than the log is long, whatever the lengths in it claim.
    fn entry(&self, start: usize, guid: Guid) -> Option<Entry> {
        let first = self.sector(start)?;
        let header = Fields::new("VHDX log entry", 0, first);
        if first.get(..4) != Some(b"loge") || Guid::from_bytes(header.array(32).ok()?) != guid {
            return None;
        }
        let length = usize::try_from(header.le32(8).ok()?).ok()?;
        let sectors = length / SECTOR;
        let sequence_number = header.le64(16).ok()?;
        let is_sound = length % SECTOR == 0 && sectors >= 1 && sectors <= self.sectors();
        if !is_sound || sequence_number == 0 {
            return None;
        }
        let writes = self.writes(start..start.checked_add(sectors)?, sequence_number)?;
        let entry: Vec<u8> = (start..start.checked_add(sectors)?)
            .filter_map(|at| self.sector(at))
            .flatten()
            .copied()
            .collect();
        if checksum(&entry) != header.le32(4).ok()? {
            return None;
        }
        Some(Entry {
            sequence_number,
            sectors,
            tail: usize::try_from(header.le32(12).ok()?).ok()? / SECTOR,
            flushed_file_offset: header.le64(48).ok()?,
            last_file_offset: header.le64(56).ok()?,
            writes,
        })
    }

    /// What the entry in these sectors writes, if all its descriptors and data sectors are sound.
    fn writes(&self, sectors: std::ops::Range<usize>, sequence_number: u64) -> Option<Vec<Write>> {
        let first = Fields::new("VHDX log entry", 0, self.sector(sectors.start)?);
        let count = usize::try_from(first.le32(24).ok()?).ok()?;
        let places = count.checked_add(ENTRY_HEADER / DESCRIPTOR)?;
        let mut data = sectors.start.checked_add(places.div_ceil(DESCRIPTORS_OF_SECTOR))?;
        if data > sectors.end {
            return None;
        }
        let mut writes = Vec::new();
        for place in ENTRY_HEADER / DESCRIPTOR..places {
            let sector = self.sector(sectors.start.checked_add(place / DESCRIPTORS_OF_SECTOR)?)?;
            let at = (place % DESCRIPTORS_OF_SECTOR).checked_mul(DESCRIPTOR)?;
            let descriptor = sector.get(at..)?.first_chunk::<DESCRIPTOR>()?;
            let fields = Fields::new("VHDX log descriptor", 0, descriptor);
            let file_offset = fields.le64(16).ok()?;
            if fields.le64(24).ok()? != sequence_number || file_offset % 4096 != 0 {
                return None;
            }
            let what = match descriptor.first_chunk::<4>()? {
                b"zero" => Written::Zeros(fields.le64(8).ok()?),
                b"desc" if data < sectors.end => {
                    data = data.checked_add(1)?;
                    Written::Sector(whole_sector(descriptor, self.sector(data.checked_sub(1)?)?)?)
                }
                _ => return None,
            };
            writes.push(Write { file_offset, what });
        }
        Some(writes)
    }
}

/// The sector that a data sector of the log stands for. Signature and sequence number take the
/// place of its first 8 and last 4 bytes, which the descriptor has.
fn whole_sector(descriptor: &[u8; DESCRIPTOR], data: &[u8]) -> Option<Vec<u8>> {
    let fields = Fields::new("VHDX log data sector", 0, data);
    let [.., a, b, c, d, e, f, g, h] = *descriptor;
    let low = fields.le32(SECTOR.checked_sub(4)?).ok()?.to_le_bytes();
    let high = fields.le32(4).ok()?.to_le_bytes();
    let is_its_own =
        data.first_chunk() == Some(b"data") && [low, high] == [[a, b, c, d], [e, f, g, h]];
    if !is_its_own {
        return None;
    }
    let leading = descriptor.get(8..16)?;
    let trailing = descriptor.get(4..8)?;
    Some([leading, data.get(8..SECTOR.checked_sub(4)?)?, trailing].concat())
}
