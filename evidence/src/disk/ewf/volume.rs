//! The section `volume` (`disk` in some images): how large the disk is, and how it is cut into
//! chunks. Later segments repeat it as `data`.

use super::adler32::adler32;
use super::section::Section;
use crate::fields::{Fields, read_exact};
use crate::{EvidenceError, ReadAt};

/// Size of the section's data as EnCase and its kin write it.
const ENCASE: u64 = 1052;
/// Size as SMART writes it; the beginning is the same.
const SMART: u64 = 94;
/// Largest chunk in bytes that is read: twice what `ewfacquire -b 32768` makes, which is the most.
const MAX_CHUNK: u64 = 1 << 25;
const WHAT: &str = "EWF volume section";

/// The size of a disk, and of its chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Volume {
    /// Bytes of a chunk before compression, at most 32 MiB.
    pub(super) chunk_size: usize,
    /// Bytes of the disk.
    pub(super) size: u64,
    /// Tells the segments of one image from those of another; zeros where not given.
    pub(super) set: [u8; 16],
    /// Whether the checksum is right.
    pub(super) is_intact: bool,
}

impl Volume {
    /// Out of a `volume`, `disk` or `data` section.
    pub(super) fn read(segment: &dyn ReadAt, section: &Section) -> Result<Volume, EvidenceError> {
        let is_smart = section.data_length() < ENCASE;
        let (length, checksum_at) = if is_smart { (94, 90) } else { (1052, 1048) };
        if section.data_length() < SMART {
            let (need, have) = (format!("{SMART} bytes"), section.data_length().to_string());
            return Err(EvidenceError::Malformed { what: WHAT, at: section.data_at(), need, have });
        }
        let bytes = read_exact(segment, WHAT, section.data_at(), length)?;
        let fields = Fields::new(WHAT, section.data_at(), &bytes);
        let sector = u64::from(fields.le32(12)?);
        let chunk = u64::from(fields.le32(8)?).saturating_mul(sector);
        let chunk_size = usize::try_from(chunk).ok().filter(|_| chunk > 0 && chunk <= MAX_CHUNK);
        let sectors = if is_smart { u64::from(fields.le32(16)?) } else { fields.le64(16)? };
        Ok(Volume {
            chunk_size: chunk_size.ok_or_else(|| {
                fields.malformed(8, format!("a chunk of 1 to {MAX_CHUNK} bytes"), chunk)
            })?,
            size: sectors
                .checked_mul(sector)
                .ok_or_else(|| fields.malformed(16, "a size below 2^64 bytes", sectors))?,
            set: if is_smart { [0; 16] } else { fields.array(64)? },
            is_intact: adler32(fields.bytes(0, checksum_at)?) == fields.le32(checksum_at)?,
        })
    }

    /// Whether both can be of one image; not every program marks its images.
    pub(super) fn is_of_same_image(&self, other: &Volume) -> bool {
        self.set == other.set || self.set == [0; 16] || other.set == [0; 16]
    }
}
