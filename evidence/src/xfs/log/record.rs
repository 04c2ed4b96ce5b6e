//! A record of the log: a header, and up to 256 KiB of operations. `struct xlog_rec_header`.

use super::blocks::{BLOCK, LogBlocks};
use crate::EvidenceError;
use crate::crc32c;
use crate::fields::Fields;

/// What a header begins with, and no other block.
pub(super) const MAGIC: u32 = 0xfeed_babe;
/// Bytes of operations.
const MAX_LENGTH: u32 = 256 << 10;
/// Blocks of operations whose first words one header block has room for.
const WORDS: usize = 64;
/// Bytes of these blocks.
const WORDS_COVER: u32 = 32 << 10;
/// Bytes of the header that the checksum covers: 64-bit machines, 32-bit machines.
const CHECKED_LENGTHS: [usize; 2] = [328, 324];
/// Bytes of a further header block that the checksum covers.
const CHECKED_MORE: usize = 260;
const CHECKSUM_AT: usize = 32;
const NAME: &str = "XFS log record";

/// The header of a record.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// Block of the log at which it begins.
    pub(super) block: u64,
    /// Log sequence number: the round, then the block.
    pub(super) lsn: u64,
    /// Sequence number of the first record whose changes may not be on the disk yet.
    pub(super) tail_lsn: u64,
    /// Number of operations.
    pub(super) operations: u32,
    checksum: u32,
    /// Bytes of operations.
    length: usize,
    /// Blocks of the header.
    header_blocks: u64,
}

impl Record {
    /// Reads the header at a block of the log.
    pub(super) fn read(log: &LogBlocks, block: u64) -> Result<Record, EvidenceError> {
        let bytes = log.read(block, 1)?;
        let fields = Fields::new(NAME, log.offset(block), &bytes);
        if fields.be32(0)? != MAGIC {
            return Err(fields.malformed(0, "the magic number of a record", fields.be32(0)?));
        }
        if fields.be32(300)? > 1 {
            return Err(EvidenceError::Unsupported("an XFS log of a big-endian machine".into()));
        }
        if fields.array(304)? != log.uuid && fields.array(304)? != [0; 16] {
            return Err(fields.malformed(304, "the UUID of the file system", "another"));
        }
        let (version, length, size) = (fields.be32(8)?, fields.be32(12)?, fields.be32(320)?);
        if length > MAX_LENGTH || size > MAX_LENGTH {
            return Err(fields.malformed(12, format!("at most {MAX_LENGTH} bytes"), length));
        }
        let has_more = version & 2 != 0 && size > WORDS_COVER;
        Ok(Record {
            block,
            lsn: fields.be64(16)?,
            tail_lsn: fields.be64(24)?,
            operations: fields.be32(40)?,
            checksum: fields.be32(CHECKSUM_AT)?.swap_bytes(),
            length: usize::try_from(length).unwrap_or_default(),
            header_blocks: if has_more { size.div_ceil(WORDS_COVER).into() } else { 1 },
        })
    }

    /// Blocks from its first to the one after its last.
    pub(super) fn blocks(&self) -> u64 {
        self.header_blocks.saturating_add(self.content_blocks())
    }

    fn content_blocks(&self) -> u64 {
        u64::try_from(self.length.div_ceil(BLOCK)).unwrap_or_default()
    }

    /// Its operations, if the checksum is right. The first word of each block, where the number of
    /// the round stands, is put back from the header.
    pub(super) fn content(&self, log: &LogBlocks) -> Result<Vec<u8>, EvidenceError> {
        let mut headers = log.read(self.block, self.header_blocks)?;
        let start = log.after(self.block, self.header_blocks);
        let mut content = log.read(start, self.content_blocks())?;
        content.truncate(self.length);
        if log.has_checksums && !self.checksum_is_right(&mut headers, &content) {
            let fields = Fields::new(NAME, log.offset(self.block), &headers);
            return Err(fields.malformed(CHECKSUM_AT, "the checksum of the content", "another"));
        }
        for (index, block) in content.chunks_mut(BLOCK).enumerate() {
            if let Some(first) = block.first_chunk_mut::<4>() {
                *first = first_word(&headers, index).unwrap_or(*first);
            }
        }
        Ok(content)
    }

    fn checksum_is_right(&self, headers: &mut [u8], content: &[u8]) -> bool {
        if let Some(stored) = headers.get_mut(CHECKSUM_AT..).and_then(<[u8]>::first_chunk_mut) {
            *stored = [0; 4];
        }
        // `mkfs.xfs` writes the first record of a log, and leaves the checksum out.
        if self.checksum == 0 {
            return true;
        }
        // Header blocks that a short record does not need are not covered.
        let covered = content.len().div_ceil(BLOCK).div_ceil(WORDS).max(1);
        CHECKED_LENGTHS.into_iter().any(|length| {
            let mut state = u32::MAX;
            for (index, header) in headers.chunks(BLOCK).take(covered).enumerate() {
                let length = if index == 0 { length } else { CHECKED_MORE };
                state = crc32c::update(state, header.get(..length).unwrap_or_default());
            }
            !crc32c::update(state, content) == self.checksum
        })
    }
}

/// The first word of block `index` of the content: [`WORDS`] of them stand in each header block.
fn first_word(headers: &[u8], index: usize) -> Option<[u8; 4]> {
    let header = headers.chunks(BLOCK).nth(index / WORDS)?;
    let start: usize = if index < WORDS { 44 } else { 4 };
    let at = start.checked_add((index % WORDS).checked_mul(4)?)?;
    header.get(at..)?.first_chunk().copied()
}
