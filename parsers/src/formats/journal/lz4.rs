//! One LZ4 block, without a frame, as the journal stores it.
//!
//! After the LZ4 project's `lz4_Block_format.md`: sequences of literals and of matches in what was
//! decoded before.

/// The first `limit` bytes of what `block` decodes to; `None` when it is no LZ4 block.
pub(super) fn decoded(block: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut output: Vec<u8> = Vec::new();
    let mut input = block;
    while let Some((token, rest)) = input.split_first() {
        input = rest;
        let literals = length(usize::from(token >> 4), &mut input)?;
        let (part, rest) = input.split_at_checked(literals)?;
        output.extend_from_slice(part.get(..literals.min(limit)).unwrap_or_default());
        input = rest;
        if input.is_empty() || output.len() >= limit {
            break;
        }
        let (distance, rest) = input.split_first_chunk()?;
        input = rest;
        let distance = usize::from(u16::from_le_bytes(*distance));
        let count = length(usize::from(token & 0xf), &mut input)?.saturating_add(4);
        let from = output.len().checked_sub(distance).filter(|_| distance > 0)?;
        // A match may reach into what it writes itself.
        for at in from..from.saturating_add(count.min(limit)) {
            let byte = *output.get(at)?;
            output.push(byte);
        }
        if output.len() >= limit {
            break;
        }
    }
    output.truncate(limit);
    Some(output)
}

/// A length of four bits, continued in bytes as long as they are 255.
fn length(nibble: usize, input: &mut &[u8]) -> Option<usize> {
    let mut length = nibble;
    if nibble < 15 {
        return Some(length);
    }
    loop {
        let (byte, rest) = input.split_first()?;
        *input = rest;
        length = length.saturating_add(usize::from(*byte));
        if *byte < 255 {
            return Some(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_matches_are_put_together() {
        // "abc", then 9 bytes from 3 before, then "xyz" as the end.
        let block = [0x35, b'a', b'b', b'c', 3, 0, 0x30, b'x', b'y', b'z'];
        assert_eq!(decoded(&block, 100).unwrap(), b"abcabcabcabcxyz");
        assert_eq!(decoded(&block, 5).unwrap(), b"abcab");
        let long = [&[0xf0, 255, 0][..], &[b'l'; 270]].concat();
        assert_eq!(decoded(&long, 1000).unwrap(), [b'l'; 270]);
    }

    #[test]
    fn what_is_cut_or_points_before_the_beginning_is_refused() {
        for block in [&[0xf0][..], &[0x50, b'a'], &[0x10, b'a', 2, 0, 0], &[0x10, b'a', 0, 0, 0]] {
            assert_eq!(decoded(block, 100), None, "{block:?}");
        }
    }

    #[test]
    fn a_bomb_ends_at_the_limit() {
        let bomb = [&[0x1f, b'a', 1, 0][..], &[255; 60_000], &[0, 0]].concat();
        assert_eq!(decoded(&bomb, 1 << 20).unwrap().len(), 1 << 20);
    }
}
