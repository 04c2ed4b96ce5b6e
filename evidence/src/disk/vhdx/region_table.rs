//! The region table ([MS-VHDX] 2.2.3), which says where the block allocation table and the metadata
//! lie, and its copy.

use super::guid::Guid;
use super::header::check_signature;
use crate::fields::{Fields, read_exact};
use crate::{EvidenceError, ReadAt};

const PLACES: [u64; 2] = [3 << 16, 4 << 16];
const LENGTH: usize = 1 << 16;
const TABLE_HEADER: usize = 16;
const ENTRY: usize = 32;
const MAX_ENTRIES: u32 = 2047;

const BLOCK_ALLOCATION_TABLE: Guid = Guid::from_digits(0x2dc2_7766_f623_4200_9d64_115e_9bfd_4a08);
const METADATA: Guid = Guid::from_digits(0x8b7c_a206_4790_4b9a_b8fe_575f_050f_886e);

/// A stretch of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) offset: u64,
    /// In bytes.
    pub(super) length: u32,
}

/// Where the two regions lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Regions {
    pub(super) block_allocation_table: Region,
    pub(super) metadata: Region,
}

/// Reads the region table, or its copy where the first is damaged; the second value says why it is
/// the copy.
pub(super) fn read(file: &dyn ReadAt) -> Result<(Regions, Option<EvidenceError>), EvidenceError> {
    let [first, copy] = PLACES.map(|at| read_one(file, at));
    match (first, copy) {
        (Ok(regions), _) => Ok((regions, None)),
        (Err(error @ EvidenceError::Unsupported(_)), _) => Err(error),
        (Err(error), Ok(regions)) => Ok((regions, Some(error))),
        (Err(error), Err(_)) => Err(error),
    }
}

fn read_one(file: &dyn ReadAt, at: u64) -> Result<Regions, EvidenceError> {
    let bytes = read_exact(file, "VHDX region table", at, LENGTH)?;
    let fields = Fields::new("VHDX region table", at, &bytes);
    check_signature(&fields, b"regi")?;
    let count = fields.le32(8)?;
    if count > MAX_ENTRIES {
        return Err(fields.malformed(8, format!("at most {MAX_ENTRIES} regions"), count));
    }
    let (mut table, mut metadata) = (None, None);
    for index in 0..usize::try_from(count).unwrap_or_default() {
        let at = index.saturating_mul(ENTRY).saturating_add(TABLE_HEADER);
        let entry = fields.part("VHDX region", at, ENTRY)?;
        let region = Region { offset: entry.le64(16)?, length: entry.le32(24)? };
        let is_required = entry.le32(28)? & 1 != 0;
        match Guid::from_bytes(entry.array(0)?) {
            BLOCK_ALLOCATION_TABLE => table = Some(region),
            METADATA => metadata = Some(region),
            other if is_required => {
                return Err(EvidenceError::Unsupported(format!("required VHDX region {other}")));
            }
            _ => {}
        }
    }
    let missing = |what: &str| fields.malformed(16, format!("an entry of the {what}"), "none");
    Ok(Regions {
        block_allocation_table: table.ok_or_else(|| missing("block allocation table"))?,
        metadata: metadata.ok_or_else(|| missing("metadata region"))?,
    })
}
