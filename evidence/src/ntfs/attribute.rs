//! Attributes: everything that a file record says of its file, its content included, each of them
//! inside the record (resident) or in clusters elsewhere.

use super::names::Name;
use crate::EvidenceError;
use crate::fields::Fields;

/// What an attribute is for, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AttributeType(pub(super) u32);

impl AttributeType {
    pub(super) const STANDARD_INFORMATION: AttributeType = AttributeType(0x10);
    pub(super) const ATTRIBUTE_LIST: AttributeType = AttributeType(0x20);
    pub(super) const FILE_NAME: AttributeType = AttributeType(0x30);
    pub(super) const VOLUME_NAME: AttributeType = AttributeType(0x60);
    pub(super) const VOLUME_INFORMATION: AttributeType = AttributeType(0x70);
    pub(super) const DATA: AttributeType = AttributeType(0x80);
    pub(super) const INDEX_ROOT: AttributeType = AttributeType(0x90);
    pub(super) const INDEX_ALLOCATION: AttributeType = AttributeType(0xA0);
    pub(super) const BITMAP: AttributeType = AttributeType(0xB0);
    pub(super) const REPARSE_POINT: AttributeType = AttributeType(0xC0);
    pub(super) const EXTENDED_ATTRIBUTES: AttributeType = AttributeType(0xE0);
}

const WHAT: &str = "NTFS attribute";
const COMPRESSION_MASK: u16 = 0x00FF;
const ENCRYPTED: u16 = 0x4000;

/// One attribute of a file record, or one part of it where others lie in further records.
#[derive(Clone, Debug)]
pub(super) struct Attribute {
    pub(super) kind: AttributeType,
    /// Streams and indexes have a name; the content of a file has none.
    pub(super) name: Name,
    /// Its number in the record.
    pub(super) instance: u16,
    pub(super) flags: u16,
    start: u64,
    bytes: Vec<u8>,
}

/// Where the value of an attribute is.
pub(super) enum Form<'a> {
    /// In the record.
    Resident(Fields<'a>),
    /// In clusters.
    NonResident(NonResident<'a>),
}

/// What the record says of a value that lies in clusters.
pub(super) struct NonResident<'a> {
    /// The first cluster of the value that this part places.
    pub(super) first_cluster: u64,
    /// Where the clusters are: see `runlist.rs`.
    pub(super) mapping_pairs: Fields<'a>,
    /// Logarithm of the number of clusters that are compressed together.
    pub(super) compression_unit: u8,
    /// Bytes of the value; stands in its first part alone.
    pub(super) size: u64,
    /// Bytes that were ever written; those behind are zeros.
    pub(super) initialized: u64,
}

impl Attribute {
    /// The attribute whose bytes these are.
    pub(super) fn parse(fields: Fields<'_>, start: u64) -> Result<Attribute, EvidenceError> {
        let name_length = usize::from(fields.u8(0x09)?).saturating_mul(2);
        let name = fields.bytes(usize::from(fields.le16(0x0A)?), name_length)?;
        Ok(Attribute {
            kind: AttributeType(fields.le32(0x00)?),
            name: Name::from_bytes(name),
            flags: fields.le16(0x0C)?,
            instance: fields.le16(0x0E)?,
            start,
            bytes: fields.all().to_vec(),
        })
    }

    /// Where its value is.
    pub(super) fn form(&self) -> Result<Form<'_>, EvidenceError> {
        let fields = self.fields();
        if fields.u8(0x08)? == 0 {
            let length = usize::try_from(fields.le32(0x10)?).unwrap_or(usize::MAX);
            let value = fields.part(WHAT, usize::from(fields.le16(0x14)?), length)?;
            return Ok(Form::Resident(value));
        }
        let first_cluster = fields.le64(0x10)?;
        let pairs = usize::from(fields.le16(0x20)?);
        let rest = self.bytes.len().saturating_sub(pairs);
        // The sizes stand in the first part alone; others need not have room for them.
        let size_at = |at| if first_cluster == 0 { fields.le64(at) } else { Ok(0) };
        Ok(Form::NonResident(NonResident {
            first_cluster,
            mapping_pairs: fields.part("NTFS runlist", pairs, rest)?,
            compression_unit: fields.u8(0x22)?,
            size: size_at(0x30)?,
            initialized: size_at(0x38)?,
        }))
    }

    /// Bytes of the value of which this is the first part.
    pub(super) fn size(&self) -> Result<u64, EvidenceError> {
        Ok(match self.form()? {
            Form::Resident(value) => u64::try_from(value.all().len()).unwrap_or(u64::MAX),
            Form::NonResident(value) => value.size,
        })
    }

    /// Whether this is the first part of a value.
    pub(super) fn is_first(&self) -> Result<bool, EvidenceError> {
        Ok(match self.form()? {
            Form::Resident(_) => true,
            Form::NonResident(value) => value.first_cluster == 0,
        })
    }

    /// Number of the compression method; 0 for none.
    pub(super) fn compression(&self) -> u16 {
        self.flags & COMPRESSION_MASK
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & ENCRYPTED != 0
    }

    /// An error about it.
    pub(super) fn malformed(&self, need: impl Into<String>, have: impl ToString) -> EvidenceError {
        self.fields().malformed(0, need, have)
    }

    fn fields(&self) -> Fields<'_> {
        Fields::new(WHAT, self.start, &self.bytes)
    }
}
