//! A table of a store: blocks of records ordered by key, and an index of these blocks.

use super::{Flaw, Record, Take, is_checksum, malformed, number};
use dockline_timeline::IssueKind;
use std::borrow::Cow;

/// At the end of each table.
const MAGIC: [u8; 8] = 0xdb47_7524_8b80_fb57_u64.to_le_bytes();
const FOOTER: usize = 48;
/// Compression and checksum behind each block.
const TRAILER: usize = 5;
const PLAIN: u8 = 0;
const SNAPPY: u8 = 1;
/// Snappy makes of three bytes at most 64.
const MOST_GROWTH: usize = 32;
/// Bytes of all blocks of one table, as they are unpacked: an index may name one block many times.
const UNPACKED_LIMIT: usize = 256 << 20;

/// Where a block lies.
#[derive(Clone, Copy, Debug)]
struct Handle {
    offset: usize,
    length: usize,
}

impl Handle {
    fn read(bytes: &[u8]) -> Option<(Handle, &[u8])> {
        let (offset, rest) = number(bytes)?;
        let (length, rest) = number(rest)?;
        Some((Handle { offset, length }, rest))
    }
}

/// Gives every record of a table, ordered by key, and says what is wrong with it. A damaged block
/// costs the records in it.
pub fn records(bytes: &[u8], take: &mut Take<'_>) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let Some(index) = index_of(bytes) else {
        return vec![malformed(0, "not a table: no footer with the mark of one")];
    };
    let mut left = UNPACKED_LIMIT;
    let blocks = match read_block(bytes, index, &mut left) {
        Ok(block) => {
            let mut handles = Vec::new();
            let is_whole = each_entry(&block, &mut |_, value| {
                handles.push(Handle::read(value).map(|(handle, _)| handle));
            });
            if !is_whole {
                flaws.push(malformed(index.offset, "the index is damaged"));
            }
            handles
        }
        Err(flaw) => return vec![flaw],
    };
    for handle in blocks {
        let Some(handle) = handle else {
            flaws.push(malformed(index.offset, "an entry of the index that names no block"));
            continue;
        };
        match read_block(bytes, handle, &mut left) {
            Ok(block) => flaws.extend(tell(&block, handle.offset, take)),
            Err(flaw) => flaws.push(flaw),
        }
        if left == 0 {
            break;
        }
    }
    flaws
}

fn index_of(bytes: &[u8]) -> Option<Handle> {
    let footer = bytes.get(bytes.len().checked_sub(FOOTER)?..)?;
    let handles = footer.strip_suffix(&MAGIC)?;
    let (_, rest) = Handle::read(handles)?;
    Handle::read(rest).map(|(index, _)| index)
}

/// The content of a block.
fn read_block<'b>(bytes: &'b [u8], at: Handle, left: &mut usize) -> Result<Cow<'b, [u8]>, Flaw> {
    let packed_wrongly = || malformed(at.offset, "a block that cannot be unpacked");
    let end = at.offset.checked_add(at.length);
    let stored = end.and_then(|end| bytes.get(at.offset..end.checked_add(TRAILER)?));
    let Some((content, trailer)) = stored.and_then(|stored| stored.split_last_chunk::<TRAILER>())
    else {
        return Err(malformed(at.offset, "a block that reaches over the end of the file"));
    };
    let [compression, checksum @ ..] = *trailer;
    let covered = stored.and_then(|stored| stored.get(..stored.len().saturating_sub(4)));
    if !covered.is_some_and(|covered| is_checksum(checksum, covered)) {
        return Err(malformed(at.offset, "a block with a wrong checksum, its records are lost"));
    }
    let length = match compression {
        PLAIN => content.len(),
        SNAPPY => unpacked_length(content).ok_or_else(packed_wrongly)?,
        other => {
            let what = format!("a block with compression {other}, its records are lost");
            return Err(Flaw { kind: IssueKind::Unsupported, offset: at.offset, what });
        }
    };
    let Some(rest) = left.checked_sub(length) else {
        *left = 0;
        let what = format!("more than {UNPACKED_LIMIT} bytes in blocks, the rest is not read");
        return Err(Flaw { kind: IssueKind::LimitReached, offset: at.offset, what });
    };
    *left = rest;
    if compression == PLAIN {
        return Ok(Cow::Borrowed(content));
    }
    let unpacked = snap::raw::Decoder::new().decompress_vec(content);
    unpacked.map(Cow::Owned).map_err(|_| packed_wrongly())
}

/// What a block says of its own length, unless it cannot be that long.
fn unpacked_length(content: &[u8]) -> Option<usize> {
    let length = snap::raw::decompress_len(content).ok()?;
    (length <= content.len().saturating_mul(MOST_GROWTH)).then_some(length)
}

/// The records of a block.
fn tell(block: &[u8], offset: usize, take: &mut Take<'_>) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let is_whole = each_entry(block, &mut |key, value| {
        // Behind each key stand the number of the change and what it was.
        let Some((key, tail)) = key.split_last_chunk::<8>() else {
            return flaws.push(malformed(offset, "a key without the number of its change"));
        };
        let tail = u64::from_le_bytes(*tail);
        let value = (tail & 0xff == 1).then_some(value);
        take(&Record { sequence: tail >> 8, value, key, offset });
    });
    if !is_whole {
        flaws.push(malformed(offset, "a block whose end is damaged"));
    }
    flaws
}

/// Gives the entries of a block, each with its whole key; whether the block is well formed.
fn each_entry(block: &[u8], take: &mut dyn FnMut(&[u8], &[u8])) -> bool {
    let Some(entries) = without_restarts(block) else { return false };
    let (mut rest, mut key) = (entries, Vec::new());
    while !rest.is_empty() {
        let Some(found) = entry(rest).filter(|entry| entry.shared <= key.len()) else {
            return false;
        };
        key.truncate(found.shared);
        key.extend_from_slice(found.suffix);
        take(&key, found.value);
        rest = found.rest;
    }
    true
}

/// The entries of a block, without the table of those whose keys are whole, and its length.
fn without_restarts(block: &[u8]) -> Option<&[u8]> {
    let (rest, count) = block.split_last_chunk::<4>()?;
    let table = usize::try_from(u32::from_le_bytes(*count)).ok()?.checked_mul(4)?;
    rest.get(..rest.len().checked_sub(table)?)
}

/// One entry of a block, and what follows it.
struct Entry<'a> {
    /// Bytes that its key shares with the one before.
    shared: usize,
    /// The rest of its key.
    suffix: &'a [u8],
    value: &'a [u8],
    rest: &'a [u8],
}

fn entry(bytes: &[u8]) -> Option<Entry<'_>> {
    let (shared, rest) = number(bytes)?;
    let (own, rest) = number(rest)?;
    let (length, rest) = number(rest)?;
    let (suffix, rest) = rest.split_at_checked(own)?;
    let (value, rest) = rest.split_at_checked(length)?;
    Some(Entry { shared, suffix, value, rest })
}
