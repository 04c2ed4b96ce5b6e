//! LZNT1: how NTFS compresses. Chunks of up to 4 KiB, each after a header of two bytes, each
//! compressed for itself: bytes as they are, and pairs of a distance and a length, whose sixteen
//! bits are shared out according to how far back there is anything to refer to.

use crate::EvidenceError;
use crate::fields::Fields;

const CHUNK: usize = 4096;
const COMPRESSED: u16 = 0x8000;

/// Decompresses `bytes` into the front of `unit`; what they do not fill is zeros. `start` is for
/// errors.
pub(super) fn decompress(bytes: &[u8], start: u64, unit: &mut [u8]) -> Result<(), EvidenceError> {
    let fields = Fields::new("NTFS compressed data", start, bytes);
    let mut at = 0_usize;
    for chunk in unit.chunks_mut(CHUNK) {
        // Data that fills its clusters to the end has no room for the mark of the end.
        let header = if bytes.len().saturating_sub(at) < 2 { 0 } else { fields.le16(at)? };
        if header == 0 {
            chunk.fill(0);
            at = bytes.len();
            continue;
        }
        let length = usize::from(header & 0x0FFF).saturating_add(1);
        let data = fields.part("NTFS compressed chunk", at.saturating_add(2), length)?;
        let filled = match header & COMPRESSED {
            0 => copy(data.all(), chunk),
            _ => expand(&data, chunk)?,
        };
        chunk.get_mut(filled..).unwrap_or_default().fill(0);
        at = at.saturating_add(2).saturating_add(length);
    }
    Ok(())
}

fn copy(data: &[u8], chunk: &mut [u8]) -> usize {
    let count = data.len().min(chunk.len());
    if let (Some(to), Some(from)) = (chunk.get_mut(..count), data.get(..count)) {
        to.copy_from_slice(from);
    }
    count
}

/// Returns how many bytes of the chunk were filled.
fn expand(data: &Fields<'_>, chunk: &mut [u8]) -> Result<usize, EvidenceError> {
    let (mut at, mut filled) = (0_usize, 0_usize);
    while at < data.all().len() {
        let tags = data.u8(at)?;
        at = at.saturating_add(1);
        for bit in 0..8_u32 {
            if at >= data.all().len() || filled >= chunk.len() {
                break;
            }
            if tags.checked_shr(bit).unwrap_or(0) & 1 == 0 {
                if let Some(byte) = chunk.get_mut(filled) {
                    *byte = data.u8(at)?;
                }
                (at, filled) = (at.saturating_add(1), filled.saturating_add(1));
                continue;
            }
            let (distance, length) = pair(data.le16(at)?, filled);
            if distance > filled {
                return Err(data.malformed(at, format!("a distance up to {filled}"), distance));
            }
            filled = repeat(chunk, filled, (distance, length));
            at = at.saturating_add(2);
        }
        if filled >= chunk.len() {
            break;
        }
    }
    Ok(filled)
}

/// Distance and length of a pair that stands where `filled` bytes are known.
fn pair(pair: u16, filled: usize) -> (usize, usize) {
    let last = u32::try_from(filled.saturating_sub(1)).unwrap_or(u32::MAX);
    // Four bits of distance while they reach back to the start, then as many as are needed.
    let distance_bits = u32::BITS.saturating_sub(last.leading_zeros()).clamp(4, 12);
    let length_bits = 16_u32.saturating_sub(distance_bits);
    let distance = pair.checked_shr(length_bits).unwrap_or(0);
    let mask = 0xFFFF_u16.checked_shr(distance_bits).unwrap_or(0);
    (usize::from(distance).saturating_add(1), usize::from(pair & mask).saturating_add(3))
}

/// Repeats bytes that may include those that it makes; returns how many are filled then.
fn repeat(chunk: &mut [u8], filled: usize, (distance, length): (usize, usize)) -> usize {
    let end = filled.saturating_add(length).min(chunk.len());
    let from = filled.saturating_sub(distance);
    if distance >= length {
        chunk.copy_within(from..from.saturating_add(end.saturating_sub(filled)), filled);
        return end;
    }
    for at in filled..end {
        let byte = chunk.get(at.saturating_sub(distance)).copied().unwrap_or(0);
        if let Some(place) = chunk.get_mut(at) {
            *place = byte;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(bytes: &[u8]) -> Vec<u8> {
        let mut unit = vec![0xEE; 8192];
        decompress(bytes, 0, &mut unit).unwrap();
        unit
    }

    fn error(bytes: &[u8]) -> String {
        decompress(bytes, 0, &mut [0; 4096]).unwrap_err().to_string()
    }

    #[test]
    fn bytes_and_pairs_are_expanded() {
        // "abc", then 9 bytes from 3 back, then a chunk as it is, then the end.
        let bytes = [0x05, 0xB0, 0x08, b'a', b'b', b'c', 0x06, 0x20, 0x01, 0x30, b'x', b'y', 0, 0];
        let found = unit(&bytes);
        assert_eq!(&found[..13], b"abcabcabcabc\0");
        assert_eq!(&found[4096..4099], b"xy\0");
        assert!(found[4099..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn distances_take_more_bits_the_more_is_known() {
        assert_eq!(pair(0xF000, 1), (16, 3));
        assert_eq!(pair(0xF000, 16), (16, 3));
        assert_eq!(pair(0xF800, 17), (32, 3));
        assert_eq!(pair(0xFFFF, 4096), (4096, 18));
        assert_eq!(pair(0x0FFF, 0), (1, 4098));
    }

    #[test]
    fn damage_is_named() {
        let far = "NTFS compressed chunk at byte 4: need a distance up to 1, have 2";
        assert_eq!(error(&[0x03, 0xB0, 0x02, b'a', 0x00, 0x10]), far);
        let short = "NTFS compressed data at byte 2: need 3 bytes, have 1";
        assert_eq!(error(&[0x02, 0x30, b'a']), short);
        let cut = "NTFS compressed chunk at byte 4: need 2 bytes, have 1";
        assert_eq!(error(&[0x02, 0xB0, 0x02, b'a', 0x00]), cut);
    }

    #[test]
    fn whatever_the_bytes_it_ends() {
        let mut state = 0x2545_F491_u32;
        for length in 0..2000 {
            let mut bytes = Vec::new();
            for _ in 0..length % 97 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                bytes.push(state.to_be_bytes()[0]);
            }
            let _ = decompress(&bytes, 0, &mut [0; 8192]);
        }
    }
}
