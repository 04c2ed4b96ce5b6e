//! The version that a Windows program says it has: the fixed part of its version resource.
//!
//! `VS_FIXEDFILEINFO` (Microsoft, "Version Information") begins with the signature FEEF04BD and
//! stands in the section `.rsrc`, where it is looked for: the tree of resources around it says
//! nothing more that is needed here. Sections and their table: Microsoft PE Format, revision 2024.

use dockline_evidence::ReadAt;

/// Sections that are looked at; programs have about ten.
const SECTIONS: usize = 96;
/// Bytes of resources in which the version is looked for; icons come before it.
const RESOURCES: u64 = 8 << 20;
/// The signature and the version of the structure.
const SIGNATURE: &[u8] = b"\xbd\x04\xef\xfe\x00\x00\x01\x00";

/// `4.34.0.0`; `None` when the program does not say.
pub(super) fn of_program(bytes: &dyn ReadAt) -> Option<String> {
    let (start, length) = resources(bytes)?;
    let there = bytes.len().saturating_sub(start);
    let mut content = vec![0; usize::try_from(length.min(RESOURCES).min(there)).ok()?];
    let read = fill(bytes, start, &mut content)?;
    let content = content.get(..read)?;
    let at = content.windows(SIGNATURE.len()).position(|window| window == SIGNATURE)?;
    let words = content.get(at.checked_add(SIGNATURE.len())?..)?;
    // The more significant half of each pair comes first, each half in little endian.
    let (high, low) = (number(words, 0)?, number(words, 4)?);
    Some(format!("{}.{}.{}.{}", high >> 16, high & 0xffff, low >> 16, low & 0xffff))
}

/// Where the section of resources lies in the file.
fn resources(bytes: &dyn ReadAt) -> Option<(u64, u64)> {
    let mut head = [0; 64];
    fill(bytes, 0, &mut head).filter(|read| *read == head.len())?;
    if !head.starts_with(b"MZ") {
        return None;
    }
    let signature = u64::from(number(&head, 60)?);
    let mut header = [0; 24];
    fill(bytes, signature, &mut header).filter(|read| *read == header.len())?;
    if !header.starts_with(b"PE\0\0") {
        return None;
    }
    let count = usize::from(half(&header, 6)?).min(SECTIONS);
    let table = signature.checked_add(24)?.checked_add(u64::from(half(&header, 20)?))?;
    (0..count).find_map(|index| {
        let at = table.checked_add(u64::try_from(index).ok()?.checked_mul(40)?)?;
        let mut section = [0; 40];
        fill(bytes, at, &mut section).filter(|read| *read == section.len())?;
        let is_resources = section.starts_with(b".rsrc\0");
        let range = (u64::from(number(&section, 20)?), u64::from(number(&section, 16)?));
        is_resources.then_some(range)
    })
}

fn fill(bytes: &dyn ReadAt, at: u64, buffer: &mut [u8]) -> Option<usize> {
    let mut filled = 0_usize;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match bytes.read_at(at.checked_add(u64::try_from(filled).ok()?)?, rest).ok()? {
            0 => break,
            count => filled = filled.checked_add(count)?,
        }
    }
    Some(filled)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(two.try_into().ok()?))
}

#[cfg(test)]
pub(super) fn program(version: [u16; 4]) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[60] = 64;
    bytes.extend_from_slice(b"PE\0\0\x64\x86\x01\x00");
    bytes.extend_from_slice(&[0; 16]);
    let mut section = [0_u8; 40];
    section[..6].copy_from_slice(b".rsrc\0");
    section[16..20].copy_from_slice(&100_u32.to_le_bytes());
    section[20..24].copy_from_slice(&200_u32.to_le_bytes());
    bytes.extend_from_slice(&section);
    bytes.resize(210, 0xee);
    bytes.extend_from_slice(SIGNATURE);
    for pair in [[version[1], version[0]], [version[3], version[2]]] {
        pair.iter().for_each(|half| bytes.extend_from_slice(&half.to_le_bytes()));
    }
    bytes.resize(300, 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_says_its_version() {
        assert_eq!(of_program(&program([4, 34, 0, 65535])).as_deref(), Some("4.34.0.65535"));
    }

    #[test]
    fn a_program_that_is_cut_or_changed_anywhere_says_none_or_another() {
        let whole = program([4, 34, 0, 1]);
        for at in 0..whole.len() {
            drop(of_program(&whole[..at].to_vec()));
            let mut changed = whole.clone();
            changed[at] ^= 0xff;
            drop(of_program(&changed));
        }
        assert_eq!(of_program(&b"MZ".to_vec()), None);
        assert_eq!(of_program(&Vec::new()), None);
    }
}
