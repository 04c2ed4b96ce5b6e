//! A file record: 1 KiB or more of the `$MFT` that holds the attributes of one file, or, as an
//! extension record, those that did not fit into the file's base record.

use super::attribute::Attribute;
use super::update_sequence;
use crate::EvidenceError;
use crate::fields::Fields;

pub(super) const WHAT: &str = "NTFS file record in $MFT";
const SIGNATURE: [u8; 4] = *b"FILE";
const IN_USE: u16 = 1;
const DIRECTORY: u16 = 2;
const END_OF_ATTRIBUTES: u32 = 0xFFFF_FFFF;
/// A shorter attribute has no room for a value.
const SHORTEST_ATTRIBUTE: usize = 0x18;

/// A file record's number, and how often that record was used anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileReference {
    pub(super) record: u64,
    /// 0 where it does not matter.
    pub(super) sequence: u16,
}

impl FileReference {
    /// As it is stored: 48 bits of number, 16 of sequence.
    pub(super) fn from_stored(stored: u64) -> FileReference {
        let sequence = u16::try_from(stored >> 48).unwrap_or(0);
        FileReference { record: stored & 0xFFFF_FFFF_FFFF, sequence }
    }

    /// As it is stored.
    pub(super) fn to_stored(self) -> u64 {
        u64::from(self.sequence) << 48 | self.record
    }

    /// The record of that number, whatever its sequence.
    pub(super) fn any(record: u64) -> FileReference {
        FileReference { record, sequence: 0 }
    }

    /// Whether both name the same file.
    pub(super) fn agrees(self, other: FileReference) -> bool {
        let any = self.sequence == 0 || other.sequence == 0;
        self.record == other.record && (any || self.sequence == other.sequence)
    }
}

/// A file record in use.
#[derive(Clone, Debug)]
pub(super) struct FileRecord {
    pub(super) reference: FileReference,
    /// Names that the file has, short names for DOS included.
    pub(super) links: u16,
    pub(super) is_directory: bool,
    /// The file that an extension record belongs to; record 0 for a base record.
    pub(super) base: FileReference,
    pub(super) attributes: Vec<Attribute>,
    /// Its offset in the `$MFT`.
    start: u64,
}

impl FileRecord {
    /// The record of that number, from its bytes as they are on disk; `start` is their offset in
    /// the `$MFT`.
    pub(super) fn parse(
        number: u64,
        start: u64,
        mut bytes: Vec<u8>,
    ) -> Result<FileRecord, EvidenceError> {
        let fields = Fields::new(WHAT, start, &bytes);
        if fields.array(0)? != SIGNATURE {
            return Err(fields.malformed(0, "\"FILE\"", fields.bytes(0, 4)?.escape_ascii()));
        }
        update_sequence::undo(WHAT, start, &mut bytes)?;
        let fields = Fields::new(WHAT, start, &bytes);
        let flags = fields.le16(0x16)?;
        if flags & IN_USE == 0 {
            return Err(fields.malformed(0x16, "a record in use", "a free one"));
        }
        Ok(FileRecord {
            reference: FileReference { record: number, sequence: fields.le16(0x10)? },
            links: fields.le16(0x12)?,
            is_directory: flags & DIRECTORY != 0,
            base: FileReference::from_stored(fields.le64(0x20)?),
            attributes: attributes(&fields, start)?,
            start,
        })
    }

    /// An error about the record.
    pub(super) fn malformed(&self, need: impl Into<String>, have: impl ToString) -> EvidenceError {
        let what = format!("{} of record {}", need.into(), self.reference.record);
        Fields::new(WHAT, self.start, &[]).malformed(0, what, have)
    }
}

fn attributes(record: &Fields<'_>, start: u64) -> Result<Vec<Attribute>, EvidenceError> {
    let used = usize::try_from(record.le32(0x18)?).unwrap_or(usize::MAX);
    let record = record.part(WHAT, 0, used)?;
    let mut at = usize::from(record.le16(0x14)?);
    let mut found = Vec::new();
    while record.le32(at)? != END_OF_ATTRIBUTES {
        let length = usize::try_from(record.le32(at.saturating_add(4))?).unwrap_or(usize::MAX);
        if length < SHORTEST_ATTRIBUTE {
            let need = format!("an attribute of {SHORTEST_ATTRIBUTE} bytes or more");
            return Err(record.malformed(at.saturating_add(4), need, length));
        }
        let start = start.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
        found.push(Attribute::parse(record.part("NTFS attribute", at, length)?, start)?);
        at = at.saturating_add(length);
    }
    Ok(found)
}
