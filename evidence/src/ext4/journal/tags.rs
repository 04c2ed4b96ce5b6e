//! Descriptor blocks, which say where the blocks after them belong, and blocks of revocations,
//! which say what must not be written any more.

use super::superblock::JournalSuperblock;
use crate::EvidenceError;
use crate::fields::Fields;

/// Bytes of the head of every block of the journal.
pub(crate) const HEAD: usize = 12;
/// Bytes of the checksum at the end of a block.
const TAIL: usize = 4;

const ESCAPED: u32 = 1;
const SAME_UUID: u32 = 2;
const LAST: u32 = 8;

/// What a descriptor block says of one of the blocks after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    /// Block of the volume.
    pub(crate) block: u64,
    /// Whether its first word looked like a block of the journal, and was made zero.
    pub(crate) is_escaped: bool,
    pub(crate) checksum: TagChecksum,
}

/// The checksum of a block, as far as the tag has room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TagChecksum {
    None,
    Low(u16),
    Whole(u32),
}

impl TagChecksum {
    pub(crate) fn fits(self, sum: u32) -> bool {
        match self {
            TagChecksum::None => true,
            TagChecksum::Low(low) => sum & 0xffff == u32::from(low),
            TagChecksum::Whole(whole) => sum == whole,
        }
    }
}

/// The part of a block that is not its checksum.
fn body<'a>(block: &Fields<'a>, superblock: &JournalSuperblock) -> &'a [u8] {
    let tail = if superblock.has_block_checksums() { TAIL } else { 0 };
    let end = block.all().len().saturating_sub(tail);
    block.all().get(..end).unwrap_or_default()
}

/// The tags of a descriptor block.
pub(crate) fn tags(block: &Fields<'_>, superblock: &JournalSuperblock) -> Vec<Tag> {
    let body = Fields::new("ext4 journal descriptor", 0, body(block, superblock));
    let mut tags = Vec::new();
    let mut at = HEAD;
    while let Ok((tag, flags)) = tag(&body, at, superblock) {
        tags.push(tag);
        if flags & LAST != 0 {
            break;
        }
        let uuid = if flags & SAME_UUID != 0 { 0 } else { 16 };
        at = at.saturating_add(tag_size(superblock)).saturating_add(uuid);
    }
    tags
}

fn tag_size(superblock: &JournalSuperblock) -> usize {
    if superblock.has_wide_tags() {
        return 16;
    }
    let high = if superblock.is_64bit() { 4 } else { 0 };
    let checksum = if superblock.has_block_checksums() { 2 } else { 0 };
    8_usize.saturating_add(high).saturating_add(checksum)
}

fn tag(
    body: &Fields<'_>,
    at: usize,
    superblock: &JournalSuperblock,
) -> Result<(Tag, u32), EvidenceError> {
    let fields = body.part("ext4 journal tag", at, tag_size(superblock))?;
    let high = if superblock.is_64bit() { u64::from(fields.be32(8)?) } else { 0 };
    let block = u64::from(fields.be32(0)?) | high << 32;
    let (flags, checksum) = match (superblock.has_wide_tags(), superblock.has_block_checksums()) {
        (true, _) => (fields.be32(4)?, TagChecksum::Whole(fields.be32(12)?)),
        (false, true) => (u32::from(fields.be16(6)?), TagChecksum::Low(fields.be16(4)?)),
        (false, false) => (u32::from(fields.be16(6)?), TagChecksum::None),
    };
    Ok((Tag { block, is_escaped: flags & ESCAPED != 0, checksum }, flags))
}

/// The blocks of the volume that a block of revocations names.
pub(crate) fn revoked(
    block: &Fields<'_>,
    superblock: &JournalSuperblock,
) -> Result<Vec<u64>, EvidenceError> {
    let body = body(block, superblock);
    let used = usize::try_from(block.be32(HEAD)?).unwrap_or(usize::MAX);
    let numbers = body.get(..used).and_then(|used| used.get(HEAD.saturating_add(4)..));
    let numbers = numbers.ok_or_else(|| {
        block.malformed(HEAD, format!("revocations in {} bytes", body.len()), used)
    })?;
    if superblock.is_64bit() {
        let (numbers, _) = numbers.as_chunks::<8>();
        return Ok(numbers.iter().map(|number| u64::from_be_bytes(*number)).collect());
    }
    let (numbers, _) = numbers.as_chunks::<4>();
    Ok(numbers.iter().map(|number| u64::from(u32::from_be_bytes(*number))).collect())
}
