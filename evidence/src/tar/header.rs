//! The 512-byte header block of a tar member: v7, ustar (POSIX.1-1988) and old GNU.
//!
//! Offsets are those of `<tar.h>` and of the GNU tar manual, "Basic Tar Format".

/// Size of a block; headers and contents begin at multiples of it.
pub(crate) const BLOCK: usize = 512;

/// Which dialect the header is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    V7,
    Ustar,
    Gnu,
}

/// A header block whose checksum is right. A number that is none is named in `bad_fields`.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) name: Vec<u8>,
    pub(super) mode: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    /// `None` when it is not a number that a size can be: then nobody knows where the next header is.
    pub(super) size: Option<u64>,
    pub(super) modified: Option<i64>,
    pub(super) type_flag: u8,
    pub(super) link: Vec<u8>,
    pub(super) device_major: Option<u64>,
    pub(super) device_minor: Option<u64>,
    /// Old GNU headers of incremental archives only.
    pub(super) accessed: Option<i64>,
    /// Old GNU headers of incremental archives only.
    pub(super) changed: Option<i64>,
    pub(super) bad_fields: Vec<&'static str>,
}

/// Reads fields and remembers which of them were not numbers.
struct Fields<'a> {
    block: &'a [u8; BLOCK],
    bad: Vec<&'static str>,
}

impl Fields<'_> {
    fn bytes(&self, at: usize, length: usize) -> &[u8] {
        self.block.get(at..).and_then(|rest| rest.get(..length)).unwrap_or_default()
    }

    fn text(&self, at: usize, length: usize) -> Vec<u8> {
        until_nul(self.bytes(at, length)).to_vec()
    }

    fn signed(&mut self, name: &'static str, at: usize, length: usize) -> Option<i64> {
        match number(self.bytes(at, length)) {
            Ok(number) => number,
            Err(NotANumber) => {
                self.bad.push(name);
                None
            }
        }
    }

    fn unsigned(&mut self, name: &'static str, at: usize, length: usize) -> Option<u64> {
        let number = self.signed(name, at, length)?;
        let unsigned = u64::try_from(number).ok();
        if unsigned.is_none() {
            self.bad.push(name);
        }
        unsigned
    }
}

impl Header {
    /// `None` when the checksum is wrong, hence the block is no header.
    pub(super) fn parse(block: &[u8; BLOCK]) -> Option<Header> {
        if !is_header(block) {
            return None;
        }
        let mut fields = Fields { block, bad: Vec::new() };
        let dialect = match fields.bytes(257, 8) {
            b"ustar  \0" => Dialect::Gnu,
            magic if magic.starts_with(b"ustar") => Dialect::Ustar,
            _ => Dialect::V7,
        };
        let is_device = matches!(fields.bytes(156, 1), b"3" | b"4") && dialect != Dialect::V7;
        let is_gnu = dialect == Dialect::Gnu;
        let size_is_empty = fields.bytes(124, 12).iter().all(|byte| matches!(byte, 0 | b' '));
        let header = Header {
            name: name(&fields, dialect),
            mode: fields.unsigned("mode", 100, 8),
            uid: fields.unsigned("uid", 108, 8),
            gid: fields.unsigned("gid", 116, 8),
            size: if size_is_empty { Some(0) } else { fields.unsigned("size", 124, 12) },
            modified: fields.signed("mtime", 136, 12),
            type_flag: fields.bytes(156, 1).first().copied().unwrap_or(0),
            link: fields.text(157, 100),
            device_major: fields.unsigned("devmajor", 329, 8).filter(|_| is_device),
            device_minor: fields.unsigned("devminor", 337, 8).filter(|_| is_device),
            accessed: if is_gnu { fields.signed("atime", 345, 12) } else { None },
            changed: if is_gnu { fields.signed("ctime", 357, 12) } else { None },
            bad_fields: Vec::new(),
        };
        Some(Header { bad_fields: fields.bad, ..header })
    }
}

/// The name, with the prefix that ustar keeps apart.
fn name(fields: &Fields<'_>, dialect: Dialect) -> Vec<u8> {
    let name = fields.text(0, 100);
    if dialect != Dialect::Ustar {
        return name;
    }
    let prefix = fields.text(345, 155);
    if prefix.is_empty() { name } else { [prefix.as_slice(), b"/", &name].concat() }
}

/// Whether the checksum of the block is right; a block of zeros is no header.
///
/// It is the sum of all bytes, with spaces for the checksum itself. Some old tars took the bytes as
/// signed ones.
pub(crate) fn is_header(block: &[u8; BLOCK]) -> bool {
    let mut summed = *block;
    let Some(field) = summed.get_mut(148..156) else { return false };
    let Ok(Some(stated)) = number(field) else { return false };
    field.fill(b' ');
    let unsigned: u32 = summed.iter().map(|byte| u32::from(*byte)).sum();
    let signed = || summed.iter().map(|byte| i32::from(byte.cast_signed())).sum::<i32>();
    stated == i64::from(unsigned) || stated == i64::from(signed())
}

/// What stands before the first NUL.
pub(super) fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// A field for a number holds something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotANumber;

/// A number: octal digits between spaces and NULs, or base 256 when the first bit is set; `None`
/// when the field is blank.
pub(super) fn number(field: &[u8]) -> Result<Option<i64>, NotANumber> {
    if field.first().is_some_and(|first| first & 0x80 != 0) {
        return base_256(field).map(Some);
    }
    let is_blank = |byte: &u8| matches!(byte, 0 | b' ');
    let start = field.iter().position(|byte| !is_blank(byte)).unwrap_or(field.len());
    let digits = field.get(start..).unwrap_or_default();
    let end = digits.iter().position(is_blank).unwrap_or(digits.len());
    let digits = digits.get(..end).unwrap_or_default();
    let mut value: i64 = 0;
    for digit in digits {
        if !(b'0'..=b'7').contains(digit) {
            return Err(NotANumber);
        }
        let digit = i64::from(digit.saturating_sub(b'0'));
        value =
            value.checked_mul(8).and_then(|value| value.checked_add(digit)).ok_or(NotANumber)?;
    }
    Ok((!digits.is_empty()).then_some(value))
}

/// Two's complement, most significant byte first, without the first bit, which marks it.
fn base_256(field: &[u8]) -> Result<i64, NotANumber> {
    let is_negative = field.first().is_some_and(|first| first & 0x40 != 0);
    let mut value: i64 = if is_negative { -1 } else { 0 };
    for (at, byte) in field.iter().enumerate() {
        let byte = match (at, is_negative) {
            (0, true) => byte | 0x80,
            (0, false) => byte & 0x7f,
            _ => *byte,
        };
        let shifted = value.checked_mul(256).ok_or(NotANumber)?;
        value = shifted | i64::from(byte);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_form_are_read() {
        for (field, expected) in [
            (&b"0000644\0"[..], Ok(Some(0o644))),
            (b"   644 \0", Ok(Some(0o644))),
            (b"00000000012", Ok(Some(10))),
            (b"\0\0\0\0\0\0\0\0", Ok(None)),
            (b"        ", Ok(None)),
            (b"0000648\0", Err(NotANumber)),
            (b"-000001\0", Err(NotANumber)),
            (b"7777777777777777777777777", Err(NotANumber)),
            (b"\x80\0\0\0\0\0\0\x01", Ok(Some(1))),
            (b"\x80\0\0\0\0\x98\x96\x80", Ok(Some(10_000_000))),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff", Ok(Some(-1))),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\x80\0\0\0", Ok(Some(-2_147_483_648))),
            (b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", Ok(Some(i64::MAX))),
            (b"\x80\0\0\0\x80\0\0\0\0\0\0\0", Err(NotANumber)),
            (b"\x81\0\0\0\0\0\0\0\0\0\0\0", Err(NotANumber)),
        ] {
            assert_eq!(number(field), expected, "{field:02x?}");
        }
    }

    #[test]
    fn a_block_of_zeros_is_no_header() {
        assert!(!is_header(&[0; BLOCK]));
    }
}
