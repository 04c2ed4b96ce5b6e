//! Extended attributes: after the fields of an inode, and in a block that many inodes may share.
//!
//! Entries stand at the front, values at the back; a value may also be the content of an inode of
//! its own (`ea_inode`). Names are stored without their name space, which a number tells. Layout:
//! `struct ext4_xattr_entry` of the kernel (6.18). Attributes are named as the kernel names them,
//! and access control lists have the form that it gives them. Those that the kernel does not show
//! are shown too (`lustre.`, `encryption.`), but for content that is stored as one.

use super::access_control_list;
use super::content;
use super::inode::Inode;
use super::volume::Volume;
use crate::doubts::Doubts;
use crate::fields::Fields;
use crate::read_at::read_up_to;
use crate::{EvidenceError, ExtendedAttribute, crc32c};

const MAGIC: u32 = 0xea02_0000;
/// Bytes of the head of a block of attributes, and of an entry before its name.
const BLOCK_HEAD: usize = 32;
const ENTRY_HEAD: usize = 16;
const BLOCK_CHECKSUM: usize = 0x10;
/// Bytes of all values of one file.
const MAX_VALUES: u64 = 16 << 20;

/// Where the value `system.data` stands for the content of the file.
const SYSTEM: u8 = 7;
const INLINE_DATA: &[u8] = b"data";

/// An entry.
struct Stored<'a> {
    space: u8,
    name: &'a [u8],
    /// Inode with the value; 0 when it is in the same place as the entry.
    inode: u64,
    /// Offset of the value in the place.
    offset: usize,
    size: u32,
}

/// The attributes of a file; one that is damaged is told and left out.
pub(crate) fn all(
    volume: &Volume,
    inode: &Inode,
    doubts: &mut Doubts,
) -> Result<Vec<ExtendedAttribute>, EvidenceError> {
    let mut reader = Reader { volume, found: Vec::new(), left: MAX_VALUES };
    if let Some(area) = in_inode(inode) {
        reader.place(&area, 0, doubts)?;
    }
    if inode.attribute_block != 0 {
        let bytes = volume.read_block("ext4 attribute block", inode.attribute_block);
        let block = bytes.and_then(|bytes| {
            check_block(volume, inode.attribute_block, &bytes, doubts)?;
            Ok(bytes)
        });
        match block {
            Ok(bytes) => {
                let start = volume.offset(inode.attribute_block);
                let fields = Fields::new("ext4 attribute block", start, &bytes);
                reader.place(&fields, BLOCK_HEAD, doubts)?;
            }
            Err(error) => doubts.note(error),
        }
    }
    Ok(reader.found)
}

/// The part of the content of a file that is stored as an attribute of its inode.
pub(crate) fn inline_data(inode: &Inode, doubts: &mut Doubts) -> Vec<u8> {
    let Some(area) = in_inode(inode) else { return Vec::new() };
    let (entries, error) = stored(&area, 0);
    error.into_iter().for_each(|error| doubts.note(error));
    let is_data = |it: &&Stored<'_>| it.space == SYSTEM && it.name == INLINE_DATA && it.inode == 0;
    let value = entries.iter().find(is_data).map(|entry| value_here(&area, entry));
    match value {
        None => Vec::new(),
        Some(Ok(value)) => value.to_vec(),
        Some(Err(error)) => {
            doubts.note(error);
            Vec::new()
        }
    }
}

/// The attributes in an inode: entries from the start, which offsets of values count from.
fn in_inode(inode: &Inode) -> Option<Fields<'_>> {
    let (magic, entries) = inode.rest.split_first_chunk()?;
    let is_used = u32::from_le_bytes(*magic) == MAGIC;
    is_used.then_some(Fields::new("ext4 attributes in an inode", 0, entries))
}

/// A wrong checksum is told, a wrong magic number an error.
fn check_block(
    volume: &Volume,
    block: u64,
    bytes: &[u8],
    doubts: &mut Doubts,
) -> Result<(), EvidenceError> {
    let fields = Fields::new("ext4 attribute block", volume.offset(block), bytes);
    let magic = fields.le32(0)?;
    if magic != MAGIC {
        return Err(fields.malformed(0, "the magic number ea020000", format!("{magic:08x}")));
    }
    if !volume.superblock.features.has_metadata_checksums() {
        return Ok(());
    }
    let after = bytes.get(BLOCK_CHECKSUM.saturating_add(4)..).unwrap_or_default();
    let parts = [&block.to_le_bytes(), fields.bytes(0, BLOCK_CHECKSUM)?, &[0; 4], after];
    let sum = parts.into_iter().fold(volume.superblock.checksum_seed, crc32c::update);
    let found = fields.le32(BLOCK_CHECKSUM)?;
    if found != sum {
        let need = format!("the checksum {sum:08x}");
        doubts.note(fields.malformed(BLOCK_CHECKSUM, need, format!("{found:08x}")));
    }
    Ok(())
}

/// The entries of a place from offset `at`, as far as they can be read, and why no further.
fn stored<'a>(place: &Fields<'a>, mut at: usize) -> (Vec<Stored<'a>>, Option<EvidenceError>) {
    let mut found = Vec::new();
    // Four zeros, or the end of the place, end the list.
    while place.le32(at).is_ok_and(|first| first != 0) {
        match entry(place, at) {
            Ok(entry) => {
                let length = ENTRY_HEAD.saturating_add(entry.name.len());
                at = at.saturating_add(length.next_multiple_of(4));
                found.push(entry);
            }
            Err(error) => return (found, Some(error)),
        }
    }
    (found, None)
}

fn entry<'a>(place: &Fields<'a>, at: usize) -> Result<Stored<'a>, EvidenceError> {
    let head = place.part("ext4 attribute", at, ENTRY_HEAD)?;
    Ok(Stored {
        space: head.u8(1)?,
        name: place.bytes(at.saturating_add(ENTRY_HEAD), usize::from(head.u8(0)?))?,
        offset: usize::from(head.le16(2)?),
        inode: u64::from(head.le32(4)?),
        size: head.le32(8)?,
    })
}

fn value_here<'a>(place: &Fields<'a>, entry: &Stored<'_>) -> Result<&'a [u8], EvidenceError> {
    match entry.size {
        0 => Ok(&[]),
        size => place.bytes(entry.offset, usize::try_from(size).unwrap_or(usize::MAX)),
    }
}

struct Reader<'a> {
    volume: &'a Volume,
    found: Vec<ExtendedAttribute>,
    /// Bytes that further values may have.
    left: u64,
}

impl Reader<'_> {
    fn place(
        &mut self,
        place: &Fields<'_>,
        first: usize,
        doubts: &mut Doubts,
    ) -> Result<(), EvidenceError> {
        let (entries, error) = stored(place, first);
        error.into_iter().for_each(|error| doubts.note(error));
        for entry in entries {
            if entry.space == SYSTEM && entry.name == INLINE_DATA {
                continue;
            }
            self.left = self.left.checked_sub(u64::from(entry.size)).ok_or(
                EvidenceError::LimitReached { what: "bytes of attributes", limit: MAX_VALUES },
            )?;
            match self.value(place, &entry, doubts) {
                Ok(value) => self.found.push(attribute(&entry, value, doubts)),
                Err(error) => doubts.note(error),
            }
        }
        Ok(())
    }

    fn value(
        &self,
        place: &Fields<'_>,
        entry: &Stored<'_>,
        doubts: &mut Doubts,
    ) -> Result<Vec<u8>, EvidenceError> {
        if entry.inode == 0 {
            return value_here(place, entry).map(<[u8]>::to_vec);
        }
        let inode = self.volume.inode(entry.inode)?;
        if !inode.is_attribute_value() || inode.size != u64::from(entry.size) {
            let need = format!("an attribute value of {} bytes", entry.size);
            return Err(inode.malformed(&need, inode.size));
        }
        Ok(read_up_to(&content::content(self.volume, &inode, doubts)?, inode.size)?.0)
    }
}

fn attribute(entry: &Stored<'_>, value: Vec<u8>, doubts: &mut Doubts) -> ExtendedAttribute {
    let value = match entry.space {
        2 | 3 => access_control_list::as_shown(&value).unwrap_or_else(|error| {
            doubts.note(error);
            value
        }),
        _ => value,
    };
    let unknown = format!("ext4-name-space-{}.", entry.space);
    let space = match entry.space {
        1 => "user.",
        2 => "system.posix_acl_access",
        3 => "system.posix_acl_default",
        4 => "trusted.",
        5 => "lustre.",
        6 => "security.",
        SYSTEM => "system.",
        8 => "system.richacl",
        9 => "encryption.",
        10 => "gnu.",
        _ => &unknown,
    };
    ExtendedAttribute { name: [space.as_bytes(), entry.name].concat(), value }
}
