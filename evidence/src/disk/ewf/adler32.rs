//! Adler-32 (RFC 1950), which guards every structure of the format.

/// The largest prime below 65,536.
const MODULUS: u32 = 65_521;
/// Bytes after which the sums, unreduced, could leave 32 bits.
const BLOCK: usize = 5552;

/// The sums so far.
#[derive(Clone, Copy)]
pub(super) struct Adler32 {
    low: u32,
    high: u32,
}

impl Adler32 {
    pub(super) fn new() -> Adler32 {
        Adler32 { low: 1, high: 0 }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        for block in bytes.chunks(BLOCK) {
            for byte in block {
                self.low = self.low.wrapping_add(u32::from(*byte));
                self.high = self.high.wrapping_add(self.low);
            }
            self.low = self.low.wrapping_rem(MODULUS);
            self.high = self.high.wrapping_rem(MODULUS);
        }
    }

    pub(super) fn value(self) -> u32 {
        self.high.wrapping_shl(16) | self.low
    }
}

/// The checksum of bytes that are there as a whole.
pub(super) fn adler32(bytes: &[u8]) -> u32 {
    let mut sums = Adler32::new();
    sums.update(bytes);
    sums.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_standard() {
        assert_eq!(adler32(b""), 1);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        // As Python's zlib says.
        assert_eq!(adler32(&[0xff; 100_000]), 0x149a_302c);
    }
}
