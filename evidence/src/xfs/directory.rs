//! Directories: in the inode, or in data blocks. What stands in the blocks for hashes and free space
//! only helps to find and to make names, so it is not read. `xfs_da_format.h`.

use super::bmap_btree::{Mapping, Place, mappings};
use super::dinode::{Dinode, Fork, ForkFormat};
use super::volume::Volume;
use crate::doubts::Doubts;
use crate::extents::Pieces;
use crate::fields::{Fields, fill};
use crate::{EvidenceError, FileKind};

/// Data blocks lie before this byte of a directory, hashes and free space after it.
const DATA_END: u64 = 32 << 30;
/// Bytes of data blocks of one directory: more than ten million names.
const MAX_BYTES: u64 = 512 << 20;
/// What stands in place of an inode number where names were removed.
const FREE_TAG: u16 = 0xffff;
/// Where a block of version 5 has its checksum.
const CHECKSUM_AT: usize = 4;
const BLOCK: &str = "XFS directory block";

/// A name in a directory.
pub(super) struct DirectoryEntry {
    pub(super) name: Vec<u8>,
    pub(super) inode: u64,
    /// What it names, where the directory says so.
    pub(super) kind: Option<FileKind>,
}

/// All names of a directory but `.` and `..`. A damaged name is noted and costs those behind it in
/// the same block, a damaged block its names.
pub(super) fn entries(
    volume: &Volume,
    directory: &Dinode,
    doubts: &mut Doubts,
) -> Result<Vec<DirectoryEntry>, EvidenceError> {
    let fork = directory.data_fork()?;
    let mut found = Vec::new();
    if fork.format == ForkFormat::Local {
        short_form(volume, &fork, &mut found).unwrap_or_else(|error| doubts.note(error));
    } else {
        data_blocks(volume, &fork, doubts, &mut found)?;
    }
    found.retain(|entry: &DirectoryEntry| entry.name != b"." && entry.name != b"..");
    Ok(found)
}

/// The names in the inode itself; inode numbers have four bytes as long as all of them fit.
fn short_form(
    volume: &Volume,
    fork: &Fork<'_>,
    found: &mut Vec<DirectoryEntry>,
) -> Result<(), EvidenceError> {
    let fields = &fork.fields;
    let number_length = if fields.u8(1)? > 0 { 8 } else { 4 };
    let mut at = 2_usize.saturating_add(number_length);
    for _ in 0..fields.u8(0)? {
        let name_length = usize::from(fields.u8(at)?);
        let name = fields.bytes(at.saturating_add(3), name_length)?.to_vec();
        at = at.saturating_add(3).saturating_add(name_length);
        let mut kind = None;
        if volume.superblock.has_file_types {
            kind = file_kind(fields.u8(at)?);
            at = at.saturating_add(1);
        }
        let wide = number_length == 8;
        let inode = if wide { fields.be64(at)? } else { fields.be32(at)?.into() };
        at = at.saturating_add(number_length);
        found.push(DirectoryEntry { name, inode, kind });
    }
    Ok(())
}

/// The names in data blocks, each of which can be several blocks of the file system.
fn data_blocks(
    volume: &Volume,
    fork: &Fork<'_>,
    doubts: &mut Doubts,
    found: &mut Vec<DirectoryEntry>,
) -> Result<(), EvidenceError> {
    let size = volume.superblock.directory_block_size;
    let mappings = mappings(volume, fork, doubts)?;
    let extents = volume.extents(&mappings);
    let content = Pieces::partly_lost(volume.device.clone(), extents, DATA_END);
    let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
    for number in block_numbers(volume, &mappings)? {
        let start = number.saturating_mul(size);
        if let Err(error) = fill(&content, BLOCK, start, &mut bytes) {
            doubts.note(error);
            continue;
        }
        let block = Fields::new(BLOCK, start, &bytes);
        match data_block(volume, &block, found) {
            Ok(()) => volume.check((&block, CHECKSUM_AT), &content.places(start, size), doubts),
            Err(error) => doubts.note(error),
        }
    }
    Ok(())
}

/// Which directory blocks are there, in their order, but those that are lost.
fn block_numbers(volume: &Volume, mappings: &[Mapping]) -> Result<Vec<u64>, EvidenceError> {
    let superblock = &volume.superblock;
    let size = superblock.directory_block_size;
    let number_of = |block: u64| {
        let offset = block.saturating_mul(superblock.block_size).min(DATA_END);
        offset.checked_div(size).unwrap_or_default()
    };
    let mut numbers: Vec<u64> = Vec::new();
    for mapping in mappings.iter().filter(|mapping| mapping.place != Place::Lost) {
        let last = mapping.end().saturating_sub(1);
        let after_known = numbers.last().map_or(0, |known| known.saturating_add(1));
        let first = number_of(mapping.start).max(after_known);
        let end = number_of(last).saturating_add(1).min(number_of(u64::MAX));
        numbers.extend(first..end);
        let bytes = size.saturating_mul(u64::try_from(numbers.len()).unwrap_or(u64::MAX));
        if bytes > MAX_BYTES {
            let what = "bytes of a directory";
            return Err(EvidenceError::LimitReached { what, limit: MAX_BYTES });
        }
    }
    Ok(numbers)
}

/// The names in one block.
fn data_block(
    volume: &Volume,
    block: &Fields<'_>,
    found: &mut Vec<DirectoryEntry>,
) -> Result<(), EvidenceError> {
    let header = if volume.superblock.is_v5 { 64 } else { 16 };
    let end = match (&block.array(0)?, volume.superblock.is_v5) {
        (b"XDD3", true) | (b"XD2D", false) => block.all().len(),
        (b"XDB3", true) | (b"XD2B", false) => before_leaf_entries(block)?,
        _ => return Err(block.malformed(0, "XDD3, XDB3, XD2D or XD2B", "other bytes")),
    };
    let mut at: usize = header;
    while at < end {
        let length = if block.be16(at)? == FREE_TAG {
            usize::from(block.be16(at.saturating_add(2))?)
        } else {
            data_entry(volume, block, at, found)?
        };
        if length == 0 || !length.is_multiple_of(8) {
            return Err(block.malformed(at, "a length that is a multiple of 8", length));
        }
        at = at.saturating_add(length);
    }
    Ok(())
}

/// A directory of one block has the hashes in the same block, their number in its last eight bytes.
fn before_leaf_entries(block: &Fields<'_>) -> Result<usize, EvidenceError> {
    let tail = block.all().len().saturating_sub(8);
    let count = usize::try_from(block.be32(tail)?).unwrap_or(usize::MAX);
    let end = tail.checked_sub(count.saturating_mul(8));
    end.ok_or_else(|| block.malformed(tail, "hashes that fit the block", count))
}

/// Adds the name at `at` and returns the length of its entry.
fn data_entry(
    volume: &Volume,
    block: &Fields<'_>,
    at: usize,
    found: &mut Vec<DirectoryEntry>,
) -> Result<usize, EvidenceError> {
    let inode = block.be64(at)?;
    let name_length = usize::from(block.u8(at.saturating_add(8))?);
    let name_at = at.saturating_add(9);
    let name = block.bytes(name_at, name_length)?.to_vec();
    let has_type = volume.superblock.has_file_types;
    let type_at = name_at.saturating_add(name_length);
    let kind = if has_type { file_kind(block.u8(type_at)?) } else { None };
    found.push(DirectoryEntry { name, inode, kind });
    // The number, the length of the name, the name, perhaps the kind, and the entry's own offset.
    let length = name_length.saturating_add(11).saturating_add(usize::from(has_type));
    Ok(length.next_multiple_of(8))
}

/// `None` for the kinds that say nothing.
fn file_kind(file_type: u8) -> Option<FileKind> {
    match file_type {
        1 => Some(FileKind::Regular),
        2 => Some(FileKind::Directory),
        3 | 8 => Some(FileKind::CharacterDevice), // 8 is a whiteout
        4 => Some(FileKind::BlockDevice),
        5 => Some(FileKind::Fifo),
        6 => Some(FileKind::Socket),
        7 => Some(FileKind::SymbolicLink),
        _ => None,
    }
}
