//! Names: 16-bit units that Windows calls UTF-16 and never checks.
//!
//! They become UTF-8. A surrogate without its other half becomes the three bytes that UTF-8 would
//! give it if it allowed that (WTF-8), so that different names stay different.

/// The name of a file, a stream or an index, as it is written on the volume.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Name(Vec<u16>);

impl Name {
    /// The name of the index of a directory.
    pub(super) fn of_directory_index() -> Name {
        Name("$I30".encode_utf16().collect())
    }

    /// The little-endian units in `bytes`; an odd last byte is no unit.
    pub(super) fn from_bytes(bytes: &[u8]) -> Name {
        let units = bytes.chunks_exact(2).filter_map(|unit| unit.first_chunk());
        Name(units.map(|unit| u16::from_le_bytes(*unit)).collect())
    }

    /// No name: that of the content of a file.
    pub(super) fn none() -> Name {
        Name::default()
    }

    pub(super) fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// In UTF-8, or WTF-8 where it has a surrogate without its other half.
    pub(super) fn to_utf8(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len());
        for unit in char::decode_utf16(self.0.iter().copied()) {
            match unit {
                Ok(character) => {
                    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Err(half) => bytes.extend_from_slice(&three_bytes(half.unpaired_surrogate())),
            }
        }
        bytes
    }
}

fn three_bytes(unit: u16) -> [u8; 3] {
    let six_bits = |from: u16| u8::try_from(from & 0x3F).unwrap_or(0);
    [0xE0 | six_bits(unit >> 12), 0x80 | six_bits(unit >> 6), 0x80 | six_bits(unit)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf8(units: &[u16]) -> Vec<u8> {
        let bytes = units.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<_>>();
        Name::from_bytes(&bytes).to_utf8()
    }

    #[test]
    fn names_are_utf_8_and_halves_of_surrogates_stay_different() {
        assert_eq!(utf8(&[0x61, 0xE4, 0x20AC, 0xD83D, 0xDC33]), "aä€🐳".as_bytes());
        assert_eq!(utf8(&[0xD83D, 0x61]), b"\xED\xA0\xBDa");
        assert_eq!(utf8(&[0xDC33, 0xD83D]), b"\xED\xB0\xB3\xED\xA0\xBD");
        assert_eq!(Name::from_bytes(b"a\0b").to_utf8(), b"a");
    }
}
