//! Directories: an index of the names of files.
//!
//! A small index lies in `$INDEX_ROOT`; of a larger one all but the root of the tree lies in blocks
//! of `$INDEX_ALLOCATION`, and `$BITMAP` says which blocks are in use. All blocks in use are read in
//! their order, and their place in the tree does not matter: no block is read twice, however the
//! tree is made. `$INDEX_ROOT` says how large a block is. A damaged entry costs those behind it in
//! its block, and a damaged block its names. Where `$BITMAP` is lost, all blocks are read: names
//! that were removed may be among them.

use super::attribute::AttributeType;
use super::file::File;
use super::file_name::FileName;
use super::file_record::FileReference;
use super::mft::Mft;
use super::names::Name;
use super::update_sequence;
use crate::doubts::Doubts;
use crate::fields::{Fields, fill};
use crate::read_at::read_up_to;
use crate::{EvidenceError, ReadAt};

const BLOCK: &str = "NTFS index block";
const ENTRIES: &str = "NTFS index entries";
const ENTRY: &str = "NTFS index entry";
const SIGNATURE: [u8; 4] = *b"INDX";
const BLOCK_SIZES: std::ops::RangeInclusive<u32> = 512..=(64 << 10);
/// Where the header of the entries lies: in the root, and in a block.
const ROOT_ENTRIES: usize = 0x10;
const BLOCK_ENTRIES: usize = 0x18;
const ENTRY_HEADER: usize = 0x10;
const LAST_ENTRY: u16 = 2;
/// Entries of one directory, and blocks for them.
const MAX_ENTRIES: usize = 1 << 22;
const MAX_BITMAP: u64 = 1 << 20;
/// Blocks that cannot be read; an index of holes would have millions.
const MAX_LOST_BLOCKS: u64 = 1 << 12;

/// One name in a directory.
pub(super) struct DirectoryEntry {
    pub(super) file: FileReference,
    pub(super) name: FileName,
}

/// All names in a directory but those for DOS. What is damaged is noted.
pub(super) fn entries(
    mft: &Mft,
    file: &File,
    doubts: &mut Doubts,
) -> Result<Vec<DirectoryEntry>, EvidenceError> {
    let index = Name::of_directory_index();
    let root = mft.value(file, AttributeType::INDEX_ROOT, &index)?;
    let root = root.ok_or_else(|| file.base.malformed("the index of a directory", "none"))?;
    let fields = Fields::new("NTFS index root", 0, &root);
    let mut found = Vec::new();
    let added = add_entries(&fields, ROOT_ENTRIES, &mut found);
    unless_limit(added, doubts)?;
    let added = match mft.stream(file, AttributeType::INDEX_ALLOCATION, &index) {
        Ok(Some(blocks)) => {
            let bitmap = unless_limit(bitmap(mft, file), doubts)?;
            let size = block_size(&fields);
            size.and_then(|size| add_blocks((blocks.as_ref(), size), bitmap, doubts, &mut found))
        }
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    unless_limit(added, doubts)?;
    Ok(found)
}

/// Notes an error and goes on without what it cost, unless a limit was reached.
fn unless_limit<T>(
    result: Result<T, EvidenceError>,
    doubts: &mut Doubts,
) -> Result<Option<T>, EvidenceError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error @ EvidenceError::LimitReached { .. }) => Err(error),
        Err(error) => {
            doubts.note(error);
            Ok(None)
        }
    }
}

/// Which blocks are in use, a bit for each.
fn bitmap(mft: &Mft, file: &File) -> Result<Vec<u8>, EvidenceError> {
    let index = Name::of_directory_index();
    let bitmap = mft.stream(file, AttributeType::BITMAP, &index)?;
    let bitmap = bitmap.ok_or_else(|| file.base.malformed("the bitmap of an index", "none"))?;
    let (bitmap, more) = read_up_to(bitmap.as_ref(), MAX_BITMAP)?;
    if more {
        let what = "bytes of the bitmap of an NTFS directory";
        return Err(EvidenceError::LimitReached { what, limit: MAX_BITMAP });
    }
    Ok(bitmap)
}

/// Adds the entries of the blocks that the bitmap says are in use, or of all where it is lost.
fn add_blocks(
    (blocks, size): (&dyn ReadAt, usize),
    bitmap: Option<Vec<u8>>,
    doubts: &mut Doubts,
    found: &mut Vec<DirectoryEntry>,
) -> Result<(), EvidenceError> {
    let length = u64::try_from(size).unwrap_or(u64::MAX);
    let end = blocks.len().checked_div(length).unwrap_or(0);
    let used: Box<dyn Iterator<Item = u64>> = match &bitmap {
        Some(bitmap) => Box::new(set_bits(bitmap)),
        None => Box::new(0..MAX_BITMAP),
    };
    let mut block = vec![0; size];
    let mut lost = 0_u64;
    for number in used.take_while(|number| *number < end) {
        let at = number.saturating_mul(length);
        let read = fill(blocks, BLOCK, at, &mut block);
        let added = read.and_then(|()| add_block(at, &mut block, found));
        if unless_limit(added, doubts)?.is_none() {
            lost = lost.saturating_add(1);
        }
        if lost > MAX_LOST_BLOCKS {
            let what = "lost blocks of an NTFS directory";
            return Err(EvidenceError::LimitReached { what, limit: MAX_LOST_BLOCKS });
        }
    }
    Ok(())
}

fn block_size(root: &Fields<'_>) -> Result<usize, EvidenceError> {
    let size = root.le32(0x08)?;
    if !size.is_power_of_two() || !BLOCK_SIZES.contains(&size) {
        return Err(root.malformed(0x08, "a size of an index block", size));
    }
    usize::try_from(size).map_err(|_| root.malformed(0x08, "a size that fits memory", size))
}

/// The numbers of the bits that are set.
fn set_bits(bitmap: &[u8]) -> impl Iterator<Item = u64> {
    let bits = bitmap.iter().flat_map(|byte| (0..8_u32).map(move |bit| byte.checked_shr(bit)));
    let bits = (0_u64..).zip(bits);
    bits.filter(|(_, shifted)| shifted.unwrap_or(0) & 1 == 1).map(|(number, _)| number)
}

fn add_block(
    at: u64,
    block: &mut [u8],
    found: &mut Vec<DirectoryEntry>,
) -> Result<(), EvidenceError> {
    let fields = Fields::new(BLOCK, at, block);
    if fields.array(0)? != SIGNATURE {
        return Err(fields.malformed(0, "\"INDX\"", fields.bytes(0, 4)?.escape_ascii()));
    }
    update_sequence::undo(BLOCK, at, block)?;
    add_entries(&Fields::new(BLOCK, at, block), BLOCK_ENTRIES, found)
}

/// Adds the entries whose header lies at `header` of the structure.
fn add_entries(
    fields: &Fields<'_>,
    header: usize,
    found: &mut Vec<DirectoryEntry>,
) -> Result<(), EvidenceError> {
    let in_memory = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let mut at = in_memory(fields.le32(header)?);
    let length = in_memory(fields.le32(header.saturating_add(4))?);
    let entries = fields.part(ENTRIES, header, length)?;
    loop {
        let length = usize::from(entries.le16(at.saturating_add(0x08))?);
        if length < ENTRY_HEADER {
            let need = format!("an entry of {ENTRY_HEADER} bytes or more");
            return Err(entries.malformed(at, need, length));
        }
        let entry = entries.part(ENTRY, at, length)?;
        if entry.le16(0x0C)? & LAST_ENTRY != 0 {
            return Ok(());
        }
        let key = entry.part("NTFS file name", ENTRY_HEADER, usize::from(entry.le16(0x0A)?))?;
        let (file, name) = (FileReference::from_stored(entry.le64(0)?), FileName::parse(&key)?);
        if found.len() >= MAX_ENTRIES {
            let limit = u64::try_from(MAX_ENTRIES).unwrap_or(u64::MAX);
            return Err(EvidenceError::LimitReached {
                what: "entries of an NTFS directory",
                limit,
            });
        }
        if !name.is_short_form() {
            found.push(DirectoryEntry { file, name });
        }
        at = at.saturating_add(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_numbered_from_the_lowest() {
        assert_eq!(set_bits(&[0x81, 0, 0x02]).collect::<Vec<_>>(), [0, 7, 17]);
    }
}
