//! The CRC-32 of ISO 3309 (reflected polynomial EDB88320h), with the start and without the final
//! inversion left to the caller: GPT inverts both, LVM2 starts with a number of its own.

use std::sync::LazyLock;

/// The polynomial with its bits reversed.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// What each value of a byte does to the state.
static TABLE: LazyLock<[u32; 256]> = LazyLock::new(|| {
    let mut index = 0_u32;
    [(); 256].map(|()| {
        let shift = |state: u32, _| (state >> 1) ^ if state & 1 == 1 { POLYNOMIAL } else { 0 };
        let entry = (0..8).fold(index, shift);
        index = index.wrapping_add(1);
        entry
    })
});

/// The state after `bytes`, begun with `start`.
pub(super) fn crc32(start: u32, bytes: &[u8]) -> u32 {
    let table = &*TABLE;
    bytes.iter().fold(start, |state, byte| {
        let [low, ..] = state.to_le_bytes();
        let entry = table.get(usize::from(low ^ byte)).copied().unwrap_or_default();
        entry ^ (state >> 8)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogue_comes_out() {
        assert_eq!(!crc32(u32::MAX, b"123456789"), 0xcbf4_3926);
    }
}
