//! The header of a journal file.

use super::object::{le32, le64};
use super::{Flaw, blocks::Blocks};
use dockline_timeline::IssueKind;

const SIGNATURE: &[u8] = b"LPKSHHRH";
/// Bytes of the header of the first version.
const LEAST: u64 = 208;
/// A header longer than this is none.
const MOST: u64 = 4_096;
/// XZ, LZ4, keyed hashes, zstd, compact.
const KNOWN: u32 = 0x1f;
const COMPACT: u32 = 0x10;

/// What a journal says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Offset of the first object.
    pub(super) first_object: u64,
    /// Offset of the last object that the header knows; 0 for none.
    pub(super) tail_object: u64,
    /// Whether objects have the compact form.
    pub(super) is_compact: bool,
}

impl Header {
    pub(super) fn read(blocks: &mut Blocks<'_>) -> Result<Header, Flaw> {
        let malformed = |what: &str| Flaw::new(IssueKind::Malformed, 0, what.to_owned());
        let mut bytes = Vec::new();
        let is_whole = blocks.read(0, LEAST, &mut bytes).map_err(|error| Flaw::io(0, &error))?;
        if !bytes.starts_with(SIGNATURE) && is_whole {
            return Err(malformed("no systemd journal: it does not begin with LPKSHHRH"));
        }
        let (Some(incompatible), Some(size), Some(tail_object)) =
            (le32(&bytes, 12), le64(&bytes, 88), le64(&bytes, 136))
        else {
            return Err(malformed("too short for a systemd journal"));
        };
        if incompatible & !KNOWN != 0 {
            let what =
                format!("a systemd journal with the features {incompatible:#x} is not supported");
            return Err(Flaw::new(IssueKind::Unsupported, 12, what));
        }
        if !(LEAST..=MOST).contains(&size) {
            let what = format!("header of a systemd journal: need 208 to 4096 bytes, have {size}");
            return Err(Flaw::new(IssueKind::Malformed, 88, what));
        }
        let first_object = size.saturating_add(7) & !7;
        Ok(Header { first_object, tail_object, is_compact: incompatible & COMPACT != 0 })
    }
}
