//! GUIDs, as [MS-DTYP] 2.3.4 lays them out: three little-endian numbers, then eight bytes.

use std::fmt;

/// A GUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Guid([u8; 16]);

impl Guid {
    /// What stands where there is none.
    pub(crate) const NONE: Guid = Guid([0; 16]);

    /// From the bytes in a file.
    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Guid {
        Guid(bytes)
    }

    /// From the number that its digits make, read from left to right.
    pub(crate) const fn from_digits(digits: u128) -> Guid {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = digits.to_be_bytes();
        Guid([d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p])
    }

    /// From text such as `{2FA54224-CD1B-4876-B211-5DBED83BF4B8}`; braces can be left out.
    pub(crate) fn parse(text: &str) -> Option<Guid> {
        let text = text.trim();
        let text = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
        let groups: Vec<&str> = text.split('-').collect();
        let is_guid = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]);
        let is_hex = groups.concat().bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_guid || !is_hex {
            return None;
        }
        u128::from_str_radix(&groups.concat(), 16).ok().map(Guid::from_digits)
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [d, c, b, a, f, e, h, g, rest @ ..] = self.0;
        let (first, second, third) = (
            u32::from_be_bytes([a, b, c, d]),
            u16::from_be_bytes([e, f]),
            u16::from_be_bytes([g, h]),
        );
        let rest = u64::from_be_bytes(rest);
        write!(to, "{first:08x}-{second:04x}-{third:04x}-{:04x}-", rest >> 48)?;
        write!(to, "{:012x}", rest & 0xffff_ffff_ffff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_reads_and_prints_the_same() {
        let guid = Guid::from_digits(0x2fa5_4224_cd1b_4876_b211_5dbe_d83b_f4b8);
        let bytes = b"\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8";
        assert_eq!(guid, Guid::from_bytes(*bytes));
        assert_eq!(guid.to_string(), "2fa54224-cd1b-4876-b211-5dbed83bf4b8");
        assert_eq!(Guid::parse("{2FA54224-CD1B-4876-B211-5DBED83BF4B8}"), Some(guid));
        assert_eq!(Guid::parse("2fa54224-cd1b-4876-b211-5dbed83bf4b8"), Some(guid));
        for wrong in ["", "{}", "{2FA54224}", "2fa54224-cd1b-4876-b211-5dbed83bf4bx"] {
            assert_eq!(Guid::parse(wrong), None, "{wrong}");
        }
    }
}
