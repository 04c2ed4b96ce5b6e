//! `$ATTRIBUTE_LIST`: where the attributes of a file are that did not fit into its base record.
//!
//! It lists every attribute but itself, ordered by type, name and first cluster. An attribute with
//! a long runlist is listed once for each of its parts.

use super::attribute::AttributeType;
use super::file_record::FileReference;
use super::names::Name;
use crate::EvidenceError;
use crate::fields::Fields;

/// Windows allows no longer one.
pub(super) const MAX_LENGTH: u64 = 256 << 10;
const WHAT: &str = "NTFS attribute list";
const SHORTEST_ENTRY: usize = 0x1A;

/// One attribute, or one part of it.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) kind: AttributeType,
    pub(super) name: Name,
    /// The first cluster of the value that it places.
    pub(super) first_cluster: u64,
    /// The record that holds it.
    pub(super) record: FileReference,
    /// Its number there.
    pub(super) instance: u16,
}

/// All entries of a list.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Listed>, EvidenceError> {
    let list = Fields::new(WHAT, 0, bytes);
    let mut found = Vec::new();
    let mut at = 0_usize;
    while at < bytes.len() {
        let length = usize::from(list.le16(at.saturating_add(4))?);
        if length < SHORTEST_ENTRY {
            let need = format!("an entry of {SHORTEST_ENTRY} bytes or more");
            return Err(list.malformed(at, need, length));
        }
        found.push(entry(&list.part(WHAT, at, length)?)?);
        at = at.saturating_add(length);
    }
    Ok(found)
}

fn entry(entry: &Fields<'_>) -> Result<Listed, EvidenceError> {
    let name_length = usize::from(entry.u8(0x06)?).saturating_mul(2);
    Ok(Listed {
        kind: AttributeType(entry.le32(0x00)?),
        name: Name::from_bytes(entry.bytes(usize::from(entry.u8(0x07)?), name_length)?),
        first_cluster: entry.le64(0x08)?,
        record: FileReference::from_stored(entry.le64(0x10)?),
        instance: entry.le16(0x18)?,
    })
}
