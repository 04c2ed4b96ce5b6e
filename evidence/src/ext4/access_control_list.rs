//! POSIX access control lists: ext4 stores version 1, in which most entries have no id; the kernel
//! shows version 2, in which all have one.

use crate::EvidenceError;
use crate::fields::Fields;

const STORED_VERSION: u32 = 1;
const SHOWN_VERSION: u32 = 2;
/// Tags of the entries that name a user or a group.
const NAMED: [u16; 2] = [0x2, 0x8];
const NO_ID: u32 = u32::MAX;

/// A stored list as the kernel shows it.
pub(crate) fn as_shown(stored: &[u8]) -> Result<Vec<u8>, EvidenceError> {
    let fields = Fields::new("ext4 access control list", 0, stored);
    let version = fields.le32(0)?;
    if version != STORED_VERSION {
        return Err(fields.malformed(0, format!("version {STORED_VERSION}"), version));
    }
    let mut shown = SHOWN_VERSION.to_le_bytes().to_vec();
    let mut at = 4_usize;
    while at < stored.len() {
        let tag = fields.le16(at)?;
        shown.extend_from_slice(fields.bytes(at, 4)?);
        at = at.saturating_add(4);
        let id = match NAMED.contains(&tag) {
            true => fields.array(at)?,
            false => NO_ID.to_le_bytes(),
        };
        shown.extend_from_slice(&id);
        at = at.saturating_add(if NAMED.contains(&tag) { 4 } else { 0 });
    }
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_shown_with_an_id_in_every_entry() {
        let stored = b"\x01\0\0\0\x01\0\x06\0\x02\0\x07\0\xe8\x03\0\0\x20\0\x04\0";
        let shown = b"\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff\x02\0\x07\0\xe8\x03\0\0\
            \x20\0\x04\0\xff\xff\xff\xff";
        assert_eq!(as_shown(stored).unwrap(), shown);
        assert!(as_shown(&stored[..14]).is_err());
        assert!(as_shown(b"\x03\0\0\0").is_err());
    }
}
