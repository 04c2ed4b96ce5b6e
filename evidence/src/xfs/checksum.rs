//! The checksums of version 5: CRC-32C over a whole structure in which the checksum itself is zeros.
//! `xfs_cksum.h`; they are little-endian, unlike all else.

use crate::crc32c::update;

/// Whether the checksum at offset `at` is that of the structure.
pub(super) fn is_right(structure: &[u8], at: usize) -> bool {
    let Some((before, rest)) = structure.split_at_checked(at) else { return false };
    let Some((stored, after)) = rest.split_first_chunk::<4>() else { return false };
    let state = [before, &[0; 4], after].into_iter().fold(u32::MAX, update);
    !state == u32::from_le_bytes(*stored)
}
