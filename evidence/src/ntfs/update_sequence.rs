//! The update sequence: how NTFS notices that a structure of several sectors was written in part.
//!
//! The last two bytes of each 512 bytes of a file record or an index block are replaced by a number
//! that changes with every write; what stood there is kept in an array behind the header. The
//! stride is 512 bytes on disks with larger sectors, too.

use crate::EvidenceError;
use crate::fields::Fields;

const STRIDE: usize = 512;
const MARK: usize = STRIDE - 2;

/// Puts back what the update sequence replaced in the structure `what` that lies at `start`.
pub(super) fn undo(what: &'static str, start: u64, bytes: &mut [u8]) -> Result<(), EvidenceError> {
    let fields = Fields::new(what, start, bytes);
    let at = usize::from(fields.le16(4)?);
    let count = usize::from(fields.le16(6)?);
    let array = fields.part(what, at, count.saturating_mul(2))?;
    let number: [u8; 2] = array.array(0)?;
    let replaced = array.all().chunks_exact(2).skip(1).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let sectors = bytes.len().checked_div(STRIDE).unwrap_or(0);
    if replaced.len() != sectors {
        let fields = Fields::new(what, start, bytes);
        return Err(fields.malformed(6, format!("{sectors} replaced ends"), replaced.len()));
    }
    for (index, (sector, original)) in bytes.chunks_exact_mut(STRIDE).zip(replaced).enumerate() {
        let Some(end) = sector.get_mut(MARK..) else { continue };
        if *end != number {
            let place = index.saturating_mul(STRIDE).saturating_add(MARK);
            let found = format!("{end:02x?}");
            let fields = Fields::new(what, start, bytes);
            return Err(fields.malformed(place, format!("the mark {number:02x?}"), found));
        }
        end.copy_from_slice(&original);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn structure() -> Vec<u8> {
        let mut bytes = vec![1; 1024];
        bytes[4..8].copy_from_slice(&[48, 0, 3, 0]);
        bytes[48..54].copy_from_slice(&[9, 8, 5, 6, 7, 8]);
        bytes[510..512].copy_from_slice(&[9, 8]);
        bytes[1022..].copy_from_slice(&[9, 8]);
        bytes
    }

    fn error(change: impl FnOnce(&mut [u8])) -> String {
        let mut bytes = structure();
        change(&mut bytes);
        undo("test", 100, &mut bytes).unwrap_err().to_string()
    }

    #[test]
    fn what_was_replaced_is_put_back() {
        let mut bytes = structure();
        undo("test", 0, &mut bytes).unwrap();
        assert_eq!((&bytes[510..512], &bytes[1022..]), (&[5, 6][..], &[7, 8][..]));
    }

    #[test]
    fn a_torn_write_is_named() {
        let torn = "test at byte 1122: need the mark [09, 08], have [09, 07]";
        assert_eq!(error(|bytes| bytes[1023] = 7), torn);
        let outside = "test at byte 1122: need 6 bytes, have 2";
        assert_eq!(error(|bytes| bytes[4..6].copy_from_slice(&[0xFE, 3])), outside);
        assert_eq!(error(|bytes| bytes[6] = 2), "test at byte 106: need 2 replaced ends, have 1");
        assert_eq!(error(|bytes| bytes[6] = 0), "test at byte 148: need 2 bytes, have 0");
    }
}
