//! A physical volume: a label in one of its first four sectors, the header that follows it (UUID,
//! data areas, metadata areas), and the metadata areas: a header with the place of the newest text
//! in a circular buffer. All numbers are little-endian; the structures are those of
//! `lib/format_text/layout.h` and `lib/label/label.h` of LVM2 2.03.

use super::super::crc32::crc32;
use crate::fields::{Fields, read_exact};
use crate::file_system::Flaw;
use crate::read_at::{Range, read_up_to};
use crate::{EvidenceError, ReadAt};
use dockline_timeline::IssueKind;
use std::sync::Arc;

/// Bytes in which the label is looked for.
pub(super) const LABELS: u64 = 4 * 512;
const SECTOR: usize = 512;
/// Start of every checksum of LVM2.
const CRC_START: u32 = 0xf597_a6cf;
const MDA_MAGIC: &[u8] = b" LVM2 x[5A%r0N*>";
/// Metadata areas of one physical volume; the tools make two at most.
const MAX_AREAS: usize = 4;
/// Bytes of a text; the default area is 1 MiB, for two generations of it.
const MAX_TEXT: u64 = 1 << 24;

/// Whether one of the first four sectors has a label.
pub(in super::super) fn has_label(head: &[u8]) -> bool {
    label(head).is_some()
}

/// The sector with the label, and which one it is.
fn label(head: &[u8]) -> Option<(&[u8], u64)> {
    let is_label =
        |sector: &[u8]| sector.starts_with(b"LABELONE") && sector.get(24..32) == Some(b"LVM2 001");
    head.chunks_exact(SECTOR).zip(0..4).find(|(sector, _)| is_label(sector))
}

/// A physical volume.
pub(super) struct PhysicalVolume {
    /// What it is called in flaws.
    name: String,
    /// As metadata writes it: seven groups of letters and digits.
    pub(super) uuid: String,
    /// All its bytes.
    pub(super) bytes: Arc<dyn ReadAt>,
    /// Its metadata areas: offset and size.
    areas: Vec<(u64, u64)>,
    /// Whether it is prepared for a volume group, and belongs to none.
    pub(super) is_unused: bool,
}

impl PhysicalVolume {
    /// Reads the label and the header.
    pub(super) fn open(
        name: &str,
        bytes: Arc<dyn ReadAt>,
        flaws: &mut Vec<Flaw>,
    ) -> Result<PhysicalVolume, EvidenceError> {
        let (head, _) = read_up_to(&bytes, LABELS)?;
        let none = || EvidenceError::Malformed {
            what: "LVM2 label",
            at: 0,
            need: "LABELONE in one of four sectors".to_owned(),
            have: "none".to_owned(),
        };
        let (sector, number) = label(&head).ok_or_else(none)?;
        let place = number.saturating_mul(512);
        let label = Fields::new("LVM2 label", place, sector);
        let crc = crc32(CRC_START, label.bytes(20, SECTOR.saturating_sub(20))?);
        let header = usize::try_from(label.le32(20)?).unwrap_or(usize::MAX);
        let rest = SECTOR.saturating_sub(header);
        let header = label.part("LVM2 physical volume header", header, rest)?;
        let mut volume = PhysicalVolume {
            name: name.to_owned(),
            uuid: uuid(&header)?,
            bytes,
            areas: areas(&header)?,
            is_unused: false,
        };
        if crc != label.le32(16)? {
            flaws.push(volume.flaw(IssueKind::Malformed, "the checksum of its label is wrong"));
        }
        if volume.areas.len() > MAX_AREAS {
            let what = format!("metadata areas: limit of {MAX_AREAS} reached");
            flaws.push(volume.flaw(IssueKind::LimitReached, &what));
            volume.areas.truncate(MAX_AREAS);
        }
        volume.is_unused = volume.has_only_empty_areas();
        Ok(volume)
    }

    /// A flaw of this physical volume.
    pub(super) fn flaw(&self, kind: IssueKind, what: &str) -> Flaw {
        Flaw { kind, what: format!("{}: {what}", self.name) }
    }

    /// The texts of its metadata areas.
    pub(super) fn metadata(&self, flaws: &mut Vec<Flaw>) -> Vec<String> {
        let mut texts = Vec::new();
        for area in &self.areas {
            match self.text(*area) {
                Ok(text) => texts.extend(text),
                Err(error) => flaws.push(self.flaw(error.issue_kind(), &error.to_string())),
            }
        }
        texts
    }

    fn has_only_empty_areas(&self) -> bool {
        let is_empty = |area: &(u64, u64)| matches!(self.location(*area), Ok(None));
        !self.areas.is_empty() && self.areas.iter().all(is_empty)
    }

    /// Where the newest text of an area is.
    fn location(&self, (start, _): (u64, u64)) -> Result<Option<Location>, EvidenceError> {
        let header = read_exact(&self.bytes, "LVM2 metadata area", start, SECTOR)?;
        let header = Fields::new("LVM2 metadata area", start, &header);
        let magic = header.bytes(4, 16)?;
        if magic != MDA_MAGIC {
            return Err(header.malformed(4, "' LVM2 x[5A%r0N*>'", magic.escape_ascii()));
        }
        let crc = crc32(CRC_START, header.bytes(4, SECTOR.saturating_sub(4))?);
        let stored = header.le32(0)?;
        if crc != stored {
            let need = format!("checksum {crc:08x}");
            return Err(header.malformed(0, need, format!("{stored:08x}")));
        }
        let location = Location {
            offset: header.le64(40)?,
            size: header.le64(48)?,
            crc: header.le32(56)?,
            is_ignored: header.le32(60)? & 1 == 1,
        };
        Ok((location.offset != 0).then_some(location))
    }

    /// The newest text of an area, if it has one.
    fn text(&self, (start, size): (u64, u64)) -> Result<Option<String>, EvidenceError> {
        let Some(location) = self.location((start, size))?.filter(|found| !found.is_ignored) else {
            return Ok(None);
        };
        if location.size > MAX_TEXT {
            return Err(EvidenceError::LimitReached { what: "LVM2 metadata", limit: MAX_TEXT });
        }
        let at = start.saturating_add(location.offset);
        // What does not fit before the end of the area goes on behind its header.
        let before = location.size.min(size.saturating_sub(location.offset));
        let (mut text, _) = read_up_to(&Range::new(self.bytes.clone(), at, before), MAX_TEXT)?;
        let again = start.saturating_add(512);
        let after = location.size.saturating_sub(before);
        let (rest, _) = read_up_to(&Range::new(self.bytes.clone(), again, after), MAX_TEXT)?;
        text.extend(rest);
        let crc = crc32(CRC_START, &text);
        if crc != location.crc {
            let fields = Fields::new("LVM2 metadata", at, &text);
            let need = format!("text of checksum {:08x}", location.crc);
            return Err(fields.malformed(0, need, format!("{crc:08x}")));
        }
        Ok(Some(String::from_utf8_lossy(&text).into_owned()))
    }
}

/// Where a text is in its area.
struct Location {
    offset: u64,
    size: u64,
    crc: u32,
    is_ignored: bool,
}

/// Thirty-two letters and digits, in the groups that metadata writes.
fn uuid(header: &Fields) -> Result<String, EvidenceError> {
    let raw = header.bytes(0, 32)?;
    if !raw.iter().all(u8::is_ascii_alphanumeric) {
        return Err(header.malformed(0, "a UUID of letters and digits", raw.escape_ascii()));
    }
    let mut uuid = String::new();
    for (byte, at) in raw.iter().zip(0..) {
        if matches!(at, 6 | 10 | 14 | 18 | 22 | 26) {
            uuid.push('-');
        }
        uuid.push(char::from(*byte));
    }
    Ok(uuid)
}

/// The metadata areas: the second of two lists, each of which ends with zeros.
fn areas(header: &Fields) -> Result<Vec<(u64, u64)>, EvidenceError> {
    let mut lists = [Vec::new(), Vec::new()];
    let mut at = 40_usize;
    for list in &mut lists {
        loop {
            let area = (header.le64(at)?, header.le64(at.saturating_add(8))?);
            at = at.saturating_add(16);
            if area.0 == 0 {
                break;
            }
            list.push(area);
        }
    }
    let [_, metadata] = lists;
    Ok(metadata)
}
