//! Checksums of the journal: CRC-32C of blocks (versions 2 and 3), CRC-32 of a whole transaction
//! (version 1).

use crate::fields::Fields;
use crate::{EvidenceError, crc32c};
use std::sync::LazyLock;

/// An error when the CRC-32C of a block, with zeros in place of the checksum, is not the big-endian
/// number at offset `at`.
pub(crate) fn check(seed: u32, block: &Fields<'_>, at: usize) -> Result<(), EvidenceError> {
    let found = block.be32(at)?;
    let after = block.all().get(at.saturating_add(4)..).unwrap_or_default();
    let sum = [block.bytes(0, at)?, &[0; 4], after].into_iter().fold(seed, crc32c::update);
    if found != sum {
        let need = format!("the checksum {sum:08x}");
        return Err(block.malformed(at, need, format!("{found:08x}")));
    }
    Ok(())
}

/// Goes on with a CRC-32 of the polynomial 0x04C11DB7, not reflected, as the kernel's `crc32_be`.
pub(crate) fn crc32_be(start: u32, bytes: &[u8]) -> u32 {
    static TABLE: LazyLock<[u32; 256]> = LazyLock::new(|| {
        std::array::from_fn(|byte| {
            let top = u32::try_from(byte).unwrap_or_default() << 24;
            let shift = |sum: u32, _| (sum << 1) ^ if sum >> 31 == 1 { 0x04c1_1db7 } else { 0 };
            (0..8).fold(top, shift)
        })
    });
    let table = &*TABLE;
    bytes.iter().fold(start, |sum, byte| {
        let [top, ..] = sum.to_be_bytes();
        let step = table.get(usize::from(top ^ byte)).copied().unwrap_or_default();
        (sum << 8) ^ step
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CRC-32/BZIP2 is this one, inverted.
    #[test]
    fn the_check_value_of_the_catalogue_is_met() {
        assert_eq!(!crc32_be(!0, b"123456789"), 0xfc89_1918);
    }
}
