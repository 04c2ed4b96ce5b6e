//! The boot sector (`$Boot`): sizes of the units of a volume, and where its `$MFT` lies.
//!
//! Windows keeps a copy in the last sector of the partition, behind the sectors that the volume
//! counts as its own; it is used where the first sector is damaged. The copy in the middle of the
//! volume that NT 3.51 wrote is not looked for.

use crate::fields::{Fields, read_exact};
use crate::file_system::Flaw;
use crate::{EvidenceError, ReadAt};
use dockline_timeline::IssueKind;
use std::ops::RangeInclusive;

const SIGNATURE: [u8; 8] = *b"NTFS    ";
const LENGTH: usize = 512;
const SECTOR_SIZES: RangeInclusive<u64> = 512..=4096;
/// Windows formats clusters of up to 2 MiB.
const CLUSTER_SIZES: RangeInclusive<u64> = 512..=(2 << 20);
const RECORD_SIZES: RangeInclusive<u64> = 512..=(64 << 10);

/// What the boot sector says of its volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BootSector {
    /// Bytes of a cluster, a power of two.
    pub(super) cluster_size: u64,
    /// Bytes of a file record in the `$MFT`, a power of two.
    pub(super) record_size: usize,
    /// Bytes of the volume.
    pub(super) volume_size: u64,
    /// Offset of the first byte of the `$MFT`.
    pub(super) mft: u64,
    /// Offset of the copy of its first records.
    pub(super) mft_mirror: u64,
    /// Serial number of the volume.
    pub(super) serial: u64,
}

impl BootSector {
    /// The boot sector, or its copy at the end where that is damaged.
    pub(super) fn find(
        device: &dyn ReadAt,
        flaws: &mut Vec<Flaw>,
    ) -> Result<BootSector, EvidenceError> {
        let first = BootSector::read(device, 0);
        let Err(error) = first else { return first };
        let sectors = [512, 1024, 2048, 4096];
        let mut copies = sectors.iter().filter_map(|sector| device.len().checked_sub(*sector));
        let copy = copies.find_map(|at| BootSector::read(device, at).ok());
        let Some(copy) = copy else { return Err(error) };
        let what = format!("{error}; its copy at the end of the volume was used");
        flaws.push(Flaw { kind: IssueKind::Malformed, what });
        Ok(copy)
    }

    fn read(device: &dyn ReadAt, at: u64) -> Result<BootSector, EvidenceError> {
        let what = "NTFS boot sector";
        let bytes = read_exact(device, what, at, LENGTH)?;
        let fields = Fields::new(what, at, &bytes);
        if fields.array(0x03)? != SIGNATURE {
            return Err(fields.malformed(0x03, "\"NTFS    \"", "something else"));
        }
        let sector_size = u64::from(fields.le16(0x0B)?);
        within(&fields, 0x0B, sector_size, SECTOR_SIZES)?;
        let cluster_size = sectors_of_cluster(fields.u8(0x0D)?).saturating_mul(sector_size);
        within(&fields, 0x0D, cluster_size, CLUSTER_SIZES)?;
        let record_size = size_in_clusters(fields.u8(0x40)?, cluster_size);
        within(&fields, 0x40, record_size, RECORD_SIZES)?;
        Ok(BootSector {
            cluster_size,
            record_size: usize::try_from(record_size)
                .map_err(|_| fields.malformed(0x40, "a size of a record", record_size))?,
            volume_size: fields.le64(0x28)?.saturating_mul(sector_size),
            mft: fields.le64(0x30)?.saturating_mul(cluster_size),
            mft_mirror: fields.le64(0x38)?.saturating_mul(cluster_size),
            serial: fields.le64(0x48)?,
        })
    }
}

/// Up to 128 as it is; above, the negative of a power of two.
fn sectors_of_cluster(value: u8) -> u64 {
    match value {
        0..=0x80 => u64::from(value),
        _ => power_of_two(value.wrapping_neg()),
    }
}

/// A number of clusters, or the negative of a power of two in bytes.
fn size_in_clusters(value: u8, cluster_size: u64) -> u64 {
    match value {
        0..=0x7F => u64::from(value).saturating_mul(cluster_size),
        _ => power_of_two(value.wrapping_neg()),
    }
}

/// 0, which is no size, where it is too large.
fn power_of_two(exponent: u8) -> u64 {
    1_u64.checked_shl(u32::from(exponent)).unwrap_or(0)
}

fn within(
    fields: &Fields<'_>,
    at: usize,
    size: u64,
    sizes: RangeInclusive<u64>,
) -> Result<(), EvidenceError> {
    if size.is_power_of_two() && sizes.contains(&size) {
        return Ok(());
    }
    let need = format!("a power of two from {} to {}", sizes.start(), sizes.end());
    Err(fields.malformed(at, need, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boot(change: impl FnOnce(&mut [u8])) -> Vec<u8> {
        let mut bytes = vec![0; 512];
        bytes[3..11].copy_from_slice(b"NTFS    ");
        bytes[0x0B..0x0D].copy_from_slice(&512_u16.to_le_bytes());
        bytes[0x0D] = 8;
        bytes[0x28..0x30].copy_from_slice(&1000_u64.to_le_bytes());
        bytes[0x30] = 4;
        bytes[0x38] = 2;
        bytes[0x40] = 0xF6;
        bytes[0x48] = 7;
        change(&mut bytes);
        bytes
    }

    fn sizes(change: impl FnOnce(&mut [u8])) -> (u64, usize) {
        let found = BootSector::find(&boot(change), &mut Vec::new()).unwrap();
        (found.cluster_size, found.record_size)
    }

    #[test]
    fn sizes_are_numbers_or_negative_powers_of_two() {
        assert_eq!(sizes(|_| ()), (4096, 1024));
        assert_eq!(sizes(|bytes| bytes[0x0D] = 0x80), (65536, 1024));
        assert_eq!(sizes(|bytes| bytes[0x0D] = 0xF4), (2 << 20, 1024));
        assert_eq!(sizes(|bytes| bytes[0x40] = 1), (4096, 4096));
        let sectors_of_4096 = |bytes: &mut [u8]| {
            bytes[0x0B..0x0D].copy_from_slice(&4096_u16.to_le_bytes());
            bytes[0x0D] = 1;
        };
        assert_eq!(sizes(sectors_of_4096), (4096, 1024));
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        let refused = |at: usize, value: u8| {
            let bytes = boot(|bytes| bytes[at] = value);
            BootSector::find(&bytes, &mut Vec::new()).unwrap_err().to_string()
        };
        let sector = "NTFS boot sector at byte 11: need a power of two from 512 to 4096, have 513";
        assert_eq!(refused(0x0B, 1), sector);
        let cluster = "NTFS boot sector at byte 13: need a power of two from 512 to 2097152, have ";
        assert_eq!(refused(0x0D, 0), format!("{cluster}0"));
        assert_eq!(refused(0x0D, 3), format!("{cluster}1536"));
        assert_eq!(refused(0x0D, 0x81), format!("{cluster}0"));
        let record = "NTFS boot sector at byte 64: need a power of two from 512 to 65536, have ";
        assert_eq!(refused(0x40, 0), format!("{record}0"));
        assert_eq!(refused(0x40, 0x80), format!("{record}0"));
        assert_eq!(refused(0x40, 0xFF), format!("{record}2"));
    }

    #[test]
    fn the_copy_at_the_end_stands_in_for_a_damaged_boot_sector() {
        let mut device = vec![0; 8192];
        device.extend(boot(|_| ()));
        let mut flaws = Vec::new();
        assert_eq!(BootSector::find(&device, &mut flaws).unwrap().mft, 4 * 4096);
        let what = "NTFS boot sector at byte 3: need \"NTFS    \", have something else; \
                    its copy at the end of the volume was used";
        assert_eq!(flaws, [Flaw { kind: IssueKind::Malformed, what: what.to_owned() }]);
    }
}
