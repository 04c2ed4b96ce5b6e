//! The files of an image, called segments: `web1.E01` to `web1.E99`, then `web1.EAA` to `web1.EZZ`,
//! `web1.FAA` and so on to `web1.ZZZ`. Each says in its first bytes which segment it is.

use crate::disk::Neighbours;
use crate::fields::{Fields, read_exact};
use crate::{EvidenceError, ReadAt};
use std::sync::Arc;

/// Bytes before the first section.
pub(super) const HEADER: u64 = 13;
const WHAT: &str = "EWF segment header";
const SIGNATURE: &[u8] = b"EVF\x09\x0d\x0a\xff\x00";
/// What is akin, and not read.
const REFUSED: &[(&[u8], &str)] = &[
    (b"EVF2\x0d\x0a\x81\x00", "an Ex01 disk image (EWF2)"),
    (b"LVF\x09\x0d\x0a\xff\x00", "an L01 logical image (EWF)"),
    (b"LEF2\x0d\x0a\x81\x00", "an Lx01 logical image (EWF2)"),
];
/// Segments whose number has two digits.
const WITH_DIGITS: u32 = 99;
/// Names that begin with the same letter after those.
const PER_LETTER: u32 = 26 * 26;

/// Which segment these bytes say they are, counted from 1.
pub(super) fn number(bytes: &dyn ReadAt) -> Result<u32, EvidenceError> {
    let header = read_exact(bytes, WHAT, 0, 13)?;
    let header = Fields::new(WHAT, 0, &header);
    let signature = header.bytes(0, SIGNATURE.len())?;
    if let Some((_, name)) = REFUSED.iter().find(|(refused, _)| *refused == signature) {
        return Err(EvidenceError::Unsupported((*name).to_string()));
    }
    if signature != SIGNATURE {
        return Err(header.malformed(0, "the signature of an E01 image", "another"));
    }
    Ok(u32::from(header.le16(9)?))
}

/// The names of the segments of one image.
pub(super) struct Names<'a> {
    /// Up to the dot, and with it.
    stem: &'a [u8],
    /// The first letter of the extension of the first segment, which tells the case, too.
    letter: u8,
}

impl<'a> Names<'a> {
    /// From the name of any segment; `None` where it is not such a name.
    pub(super) fn of(name: &'a [u8]) -> Option<Names<'a>> {
        let (stem, extension) = name.split_at_checked(name.len().checked_sub(3)?)?;
        let letter = *extension.first().filter(|letter| letter.is_ascii_alphabetic())?;
        let letter = match letter {
            b'S' | b's' => letter,
            _ if letter.is_ascii_uppercase() => b'E',
            _ => b'e',
        };
        stem.ends_with(b".").then_some(Names { stem, letter })
    }

    /// The name of a segment; `None` past the last that has one.
    pub(super) fn name(&self, number: u32) -> Option<Vec<u8>> {
        let extension = self.extension(number)?;
        Some([self.stem, &extension].concat())
    }

    fn extension(&self, number: u32) -> Option<[u8; 3]> {
        if number <= WITH_DIGITS {
            let tens = b'0'.checked_add(u8::try_from(number.checked_div(10)?).ok()?)?;
            let ones = b'0'.checked_add(u8::try_from(number.checked_rem(10)?).ok()?)?;
            return Some([self.letter, tens, ones]);
        }
        let (first, last) =
            if self.letter.is_ascii_uppercase() { (b'A', b'Z') } else { (b'a', b'z') };
        let index = number.checked_sub(WITH_DIGITS)?.checked_sub(1)?;
        let letter = |from: u8, count: u32| from.checked_add(u8::try_from(count).ok()?);
        let one = letter(self.letter, index.checked_div(PER_LETTER)?)?;
        let two = letter(first, index.checked_rem(PER_LETTER)?.checked_div(26)?)?;
        let three = letter(first, index.checked_rem(26)?)?;
        (one <= last).then_some([one, two, three])
    }
}

/// A segment found beside the first.
pub(super) struct Found {
    pub(super) name: Vec<u8>,
    pub(super) bytes: Arc<dyn ReadAt>,
}

/// Finds a segment by its name, in the case of the first segment's extension or in the other.
pub(super) fn find(neighbours: &dyn Neighbours, wanted: u32) -> Result<Found, EvidenceError> {
    let names = Names::of(neighbours.own_name()).ok_or(EvidenceError::NotFound)?;
    let other_case = Names { letter: names.letter ^ 0x20, ..names };
    let mut found = Err(EvidenceError::NotFound);
    for names in [names, other_case] {
        let name = names.name(wanted).ok_or(EvidenceError::NotFound)?;
        found = neighbours.open(&name).map(|bytes| Found { name, bytes });
        if !matches!(found, Err(EvidenceError::NotFound)) {
            break;
        }
    }
    let found = found?;
    match number(&found.bytes)? {
        number if number == wanted => Ok(found),
        number => {
            let (need, have) = (format!("segment {wanted}"), format!("segment {number}"));
            Err(EvidenceError::Malformed { what: WHAT, at: 9, need, have })
        }
    }
}

/// Why an image cannot be opened at this segment.
pub(super) fn not_the_first(own_name: &[u8], number: u32) -> EvidenceError {
    let first = Names::of(own_name).and_then(|names| names.name(1));
    let first =
        first.map_or_else(String::new, |name| format!(" ({})", String::from_utf8_lossy(&name)));
    let need = format!("the first segment{first}, which is the one to name");
    EvidenceError::Malformed { what: WHAT, at: 9, need, have: format!("segment {number}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_named_as_encase_names_them() {
        let name = |own: &str, number: u32| {
            let name = Names::of(own.as_bytes())?.name(number)?;
            Some(String::from_utf8(name).unwrap())
        };
        for (number, expected) in [
            (1, "w.E01"),
            (99, "w.E99"),
            (100, "w.EAA"),
            (125, "w.EAZ"),
            (126, "w.EBA"),
            (775, "w.EZZ"),
            (776, "w.FAA"),
            (14_971, "w.ZZZ"),
        ] {
            assert_eq!(name("w.E01", number).as_deref(), Some(expected));
        }
        assert_eq!(name("w.E01", 14_972), None);
        assert_eq!(name("w.e01", 100).as_deref(), Some("w.eaa"));
        assert_eq!(name("w.s01", 102).as_deref(), Some("w.sac"));
        assert_eq!(name("w.FAB", 1).as_deref(), Some("w.E01"));
        for none in ["", "E01", "image", "image.bin.x", "a.0x1"] {
            assert_eq!(name(none, 1), None, "{none}");
        }
    }
}
