//! CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of the metadata of ext4, XFS and
//! VHDX, and of LevelDB.

use std::sync::LazyLock;

/// The polynomial 0x1EDC6F41 with its bits reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// What each value of a byte does to the state when `n` more bytes follow it.
static TABLES: LazyLock<[[u32; 256]; 8]> = LazyLock::new(tables);

/// The checksum of `bytes` as it is published: the state starts with all bits set and is inverted
/// in the end.
#[must_use]
pub fn crc32c(bytes: &[u8]) -> u32 {
    !update(u32::MAX, bytes)
}

/// The state after `bytes`, not inverted: for checksums that start with another seed, or cover
/// several stretches.
pub(crate) fn update(state: u32, bytes: &[u8]) -> u32 {
    let tables = &*TABLES;
    let (words, rest) = bytes.as_chunks::<8>();
    let state = words.iter().fold(state, |state, word| {
        let [a, b, c, d, e, f, g, h] = *word;
        let [a, b, c, d] = (state ^ u32::from_le_bytes([a, b, c, d])).to_le_bytes();
        let folded = tables.iter().rev().zip([a, b, c, d, e, f, g, h]);
        folded.fold(0, |sum, (table, byte)| sum ^ entry(table, byte))
    });
    rest.iter().fold(state, |state, byte| {
        let [low, ..] = state.to_le_bytes();
        tables.first().map_or(0, |table| entry(table, low ^ byte)) ^ (state >> 8)
    })
}

fn entry(table: &[u32; 256], byte: u8) -> u32 {
    table.get(usize::from(byte)).copied().unwrap_or_default()
}

fn tables() -> [[u32; 256]; 8] {
    let mut index = 0_u32;
    let first = [(); 256].map(|()| {
        let value = (0..8).fold(index, |value: u32, _| {
            (value >> 1) ^ if value & 1 == 1 { POLYNOMIAL } else { 0 }
        });
        index = index.wrapping_add(1);
        value
    });
    let mut tables = [first; 8];
    let mut before = first;
    for table in tables.iter_mut().skip(1) {
        *table = before.map(|value| {
            let [low, ..] = value.to_le_bytes();
            (value >> 8) ^ entry(&first, low)
        });
        before = *table;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_examples_come_out() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(&(0..32).collect::<Vec<u8>>()), 0x46dd_794e);
        assert_eq!(crc32c(b""), 0);
    }

    #[test]
    fn a_checksum_goes_on_over_stretches_of_any_length() {
        let bytes: Vec<u8> = (0..100).collect();
        for cut in 0..bytes.len() {
            let state = update(u32::MAX, &bytes[..cut]);
            assert_eq!(!update(state, &bytes[cut..]), crc32c(&bytes), "{cut}");
        }
    }
}
