//! Checked reads of the numbers of a binary structure: what was read, where, how much was needed
//! and how much there was.

use crate::{EvidenceError, ReadAt, read_at};

/// The bytes of one structure, and where it lies in the evidence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    /// What it is, for errors: `ext4 superblock`.
    what: &'static str,
    /// Offset of the first byte in whatever it was read from.
    start: u64,
    bytes: &'a [u8],
}

/// Makes a reader of one kind of number.
macro_rules! number {
    ($name:ident, $type:ty, $from:ident, $words:literal) => {
        #[doc = concat!("The ", $words, " at offset `at` of the structure.")]
        pub(crate) fn $name(&self, at: usize) -> Result<$type, EvidenceError> {
            Ok(<$type>::$from(self.array(at)?))
        }
    };
}

#[allow(dead_code, reason = "every byte order is offered, whichever formats need it")]
impl<'a> Fields<'a> {
    /// The structure `what` that lies at `start`.
    pub(crate) fn new(what: &'static str, start: u64, bytes: &'a [u8]) -> Fields<'a> {
        Fields { what, start, bytes }
    }

    number!(u8, u8, from_le_bytes, "byte");
    number!(le16, u16, from_le_bytes, "little-endian 16-bit number");
    number!(le32, u32, from_le_bytes, "little-endian 32-bit number");
    number!(le64, u64, from_le_bytes, "little-endian 64-bit number");
    number!(be16, u16, from_be_bytes, "big-endian 16-bit number");
    number!(be32, u32, from_be_bytes, "big-endian 32-bit number");
    number!(be64, u64, from_be_bytes, "big-endian 64-bit number");

    /// All its bytes.
    pub(crate) fn all(&self) -> &'a [u8] {
        self.bytes
    }

    /// `length` bytes from offset `at`.
    pub(crate) fn bytes(&self, at: usize, length: usize) -> Result<&'a [u8], EvidenceError> {
        let found = at.checked_add(length).and_then(|end| self.bytes.get(at..end));
        found.ok_or_else(|| self.short(at, length))
    }

    /// A fixed number of bytes from offset `at`.
    pub(crate) fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], EvidenceError> {
        let found = self.bytes.get(at..).and_then(|rest| rest.first_chunk());
        found.copied().ok_or_else(|| self.short(at, N))
    }

    /// The structure `what` that lies in this one, `length` bytes from offset `at`.
    pub(crate) fn part(
        &self,
        what: &'static str,
        at: usize,
        length: usize,
    ) -> Result<Fields<'a>, EvidenceError> {
        Ok(Fields { what, start: self.place(at), bytes: self.bytes(at, length)? })
    }

    /// An error about what stands at offset `at`.
    pub(crate) fn malformed(
        &self,
        at: usize,
        need: impl Into<String>,
        have: impl ToString,
    ) -> EvidenceError {
        EvidenceError::Malformed {
            what: self.what,
            at: self.place(at),
            need: need.into(),
            have: have.to_string(),
        }
    }

    fn place(&self, at: usize) -> u64 {
        self.start.saturating_add(u64::try_from(at).unwrap_or(u64::MAX))
    }

    fn short(&self, at: usize, length: usize) -> EvidenceError {
        let have = self.bytes.len().saturating_sub(at);
        self.malformed(at, format!("{length} bytes"), have)
    }
}

/// Reads exactly `length` bytes from `at`; a caller has checked `length` against a limit.
pub(crate) fn read_exact(
    bytes: &dyn ReadAt,
    what: &'static str,
    at: u64,
    length: usize,
) -> Result<Vec<u8>, EvidenceError> {
    let mut buffer = vec![0; length];
    fill(bytes, what, at, &mut buffer)?;
    Ok(buffer)
}

/// Fills the whole buffer from `at`.
pub(crate) fn fill(
    bytes: &dyn ReadAt,
    what: &'static str,
    at: u64,
    buffer: &mut [u8],
) -> Result<(), EvidenceError> {
    let filled = read_at::fill(bytes, at, buffer)?;
    if filled < buffer.len() {
        let (need, have) = (format!("{} bytes", buffer.len()), filled.to_string());
        return Err(EvidenceError::Malformed { what, at, need, have });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_both_byte_orders() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        let fields = Fields::new("test", 100, &bytes);
        assert_eq!(fields.le16(0).unwrap(), 0x0201);
        assert_eq!(fields.be32(1).unwrap(), 0x0203_0405);
        assert_eq!(fields.le64(1).unwrap(), 0x0908_0706_0504_0302);
        let part = fields.part("part", 4, 3).unwrap();
        assert_eq!(part.be16(1).unwrap(), 0x0607);
        assert_eq!(part.le16(2).unwrap_err().to_string(), "part at byte 106: need 2 bytes, have 1");
    }

    #[test]
    fn what_ends_too_early_says_so() {
        let error = read_exact(&vec![0; 10], "header", 4, 8).unwrap_err();
        assert_eq!(error.to_string(), "header at byte 4: need 8 bytes, have 6");
    }
}
