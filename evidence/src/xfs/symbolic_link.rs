//! Symbolic links: in the inode, or in blocks, which version 5 gives a header (`struct
//! xfs_dsymlink_hdr`), one for each extent.

use super::bmap_btree::mappings;
use super::dinode::{Dinode, ForkFormat};
use super::volume::Volume;
use crate::EvidenceError;
use crate::doubts::Doubts;
use crate::fields::{Fields, read_exact};

/// The longest target that XFS writes.
const MAX_LENGTH: u64 = 1024;
/// Bytes of a header of version 5.
const HEADER: usize = 56;
const NAME: &str = "XFS symbolic link";

/// The target of a symbolic link.
pub(super) fn target(volume: &Volume, link: &Dinode) -> Result<Vec<u8>, EvidenceError> {
    if link.size > MAX_LENGTH {
        let what = "bytes of a symbolic link";
        return Err(EvidenceError::LimitReached { what, limit: MAX_LENGTH });
    }
    let length = usize::try_from(link.size).unwrap_or_default();
    let fork = link.data_fork()?;
    if fork.format == ForkFormat::Local {
        return Ok(fork.fields.bytes(0, length)?.to_vec());
    }
    let mut doubts = Doubts::default();
    let extents = volume.extents(&mappings(volume, &fork, &mut doubts)?);
    // A part of a target is none.
    if let Some(error) = doubts.into_errors().into_iter().next() {
        return Err(error);
    }
    let mut target = Vec::with_capacity(length);
    for extent in extents {
        // No more than the target and one header are of interest.
        let most = MAX_LENGTH.saturating_mul(2).min(extent.length);
        let wanted = usize::try_from(most).unwrap_or_default();
        let bytes = read_exact(&volume.device, NAME, extent.offset, wanted)?;
        let fields = Fields::new(NAME, extent.offset, &bytes);
        let header = if volume.superblock.is_v5 { check_header(&fields)? } else { 0 };
        let rest = length.saturating_sub(target.len());
        target.extend(bytes.iter().skip(header).take(rest));
        if target.len() == length {
            return Ok(target);
        }
    }
    let fields = fork.fields;
    Err(fields.malformed(0, format!("{length} bytes of a target"), target.len()))
}

fn check_header(fields: &Fields<'_>) -> Result<usize, EvidenceError> {
    if fields.array(0)? != *b"XSLM" {
        return Err(fields.malformed(0, "the letters XSLM", "other bytes"));
    }
    Ok(HEADER)
}
