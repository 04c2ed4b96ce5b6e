//! The footer of a VHD: at the end of the file, and copied to the front of all but fixed disks.

use crate::fields::{Fields, read_exact};
use crate::{EvidenceError, ReadAt};

const LENGTH: usize = 512;
/// Virtual PC before 2004 left out the last byte.
const LENGTHS: [usize; 2] = [LENGTH, 511];

/// What kind of disk it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Fixed,
    Dynamic,
    Differencing,
}

/// A footer.
#[derive(Clone, Debug)]
pub(super) struct Footer {
    pub(super) kind: Kind,
    /// Bytes of the virtual disk.
    pub(super) size: u64,
    /// Where the dynamic disk header lies.
    pub(super) data_offset: u64,
    /// Where the footer lies, if it is the one at the end.
    pub(super) at: Option<u64>,
}

/// Reads the footer, or its copy at the front; the second value says why it is the copy.
pub(super) fn read(bytes: &dyn ReadAt) -> Result<(Footer, Option<EvidenceError>), EvidenceError> {
    let mut damage = None;
    for length in LENGTHS {
        let at = bytes.len().saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
        match read_one(bytes, at, length) {
            Ok(footer) => return Ok((Footer { at: Some(at), ..footer }, None)),
            Err(error) => damage = damage.or(Some(error)),
        }
    }
    // A fixed disk has no copy: what lies at its front is the disk, which may hold anything.
    match read_one(bytes, 0, LENGTH) {
        Ok(footer) if footer.kind != Kind::Fixed => Ok((footer, damage)),
        Ok(_) => Err(damage.unwrap_or(EvidenceError::NotFound)),
        Err(error) => Err(damage.unwrap_or(error)),
    }
}

fn read_one(bytes: &dyn ReadAt, at: u64, length: usize) -> Result<Footer, EvidenceError> {
    let footer = read_exact(bytes, "VHD footer", at, length)?;
    let fields = Fields::new("VHD footer", at, &footer);
    if fields.bytes(0, 8)? != b"conectix" {
        return Err(fields.malformed(0, "conectix", fields.bytes(0, 8)?.escape_ascii()));
    }
    let (stored, computed) = (fields.be32(64)?, checksum(&footer));
    if stored != computed {
        let need = format!("checksum {computed:08x}");
        return Err(fields.malformed(64, need, format!("{stored:08x}")));
    }
    let kind = match fields.be32(60)? {
        2 => Kind::Fixed,
        3 => Kind::Dynamic,
        4 => Kind::Differencing,
        other => return Err(fields.malformed(60, "a disk type from 2 to 4", other)),
    };
    Ok(Footer { kind, size: fields.be64(48)?, data_offset: fields.be64(16)?, at: None })
}

/// The sum of all bytes but its own, inverted.
pub(super) fn checksum(footer: &[u8]) -> u32 {
    let own = footer.get(64..68).unwrap_or_default();
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    !sum(footer).wrapping_sub(sum(own))
}
