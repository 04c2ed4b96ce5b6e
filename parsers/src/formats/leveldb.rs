//! `LevelDB`: the key-value store of Chromium's profiles. Files are read as bytes: nothing is opened
//! by the library itself, which would lock, replay and delete.
//!
//! | file | what it holds |
//! |---|---|
//! | `NNNNNN.log` | [`log`]: changes since the last table was written, in order |
//! | `NNNNNN.ldb`, before 1.14 `.sst` | [`table`]: records ordered by key, in blocks that may be compressed |
//! | `LOG`, `LOG.old` | [`info_log`]: when the store was opened and compacted, in words |
//! | `MANIFEST-NNNNNN`, `CURRENT`, `LOCK` | which tables are in use; not needed: each record has a number, and the highest of a key is the latest |
//!
//! Every file is read, also those that are no longer in use: each state of a key that is still on disk
//! is given. After leveldb 1.23 `db/log_format.h`, `db/write_batch.cc`, `db/dbformat.h`,
//! `table/format.cc`, `table/block.cc`, `doc/table_format.md`.
//!
//! Not supported: blocks compressed with zstd, which Chromium does not write.

pub mod info_log;
pub mod log;
pub mod table;
#[cfg(test)]
mod tests;

use crate::formats::protobuf::varint;
use dockline_evidence::crc32c::crc32c;
use dockline_timeline::IssueKind;

/// One state of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Counts all changes of the store.
    pub sequence: u64,
    /// What was written; `None` when the key was deleted.
    pub value: Option<&'a [u8]>,
    /// The key.
    pub key: &'a [u8],
    /// Where the record, or the block that holds it, begins in the file.
    pub offset: usize,
}

/// Something wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// In which way.
    pub kind: IssueKind,
    /// Where in the file.
    pub offset: usize,
    /// What, in words.
    pub what: String,
}

/// Takes the records of a file.
pub type Take<'t> = dyn FnMut(&Record<'_>) + 't;

fn malformed(offset: usize, what: impl Into<String>) -> Flaw {
    Flaw { kind: IssueKind::Malformed, offset, what: what.into() }
}

/// Whether a stored checksum is that of these bytes. It is stored changed, because the checksum of
/// bytes that end with their checksum says little.
fn is_checksum(stored: [u8; 4], bytes: &[u8]) -> bool {
    const DELTA: u32 = 0xa282_ead8;
    u32::from_le_bytes(stored) == crc32c(bytes).rotate_right(15).wrapping_add(DELTA)
}

/// A number and what follows it.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, length) = varint(bytes)?;
    Some((usize::try_from(number).ok()?, bytes.get(length..)?))
}

/// Bytes behind their length, and what follows them.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = number(bytes)?;
    rest.split_at_checked(length)
}
