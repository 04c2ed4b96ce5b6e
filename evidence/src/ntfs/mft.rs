//! The `$MFT`: the file of all file records, which describes itself in its first record.

use super::attribute::AttributeType;
use super::boot_sector::BootSector;
use super::file::File;
use super::file_record::{FileRecord, FileReference, WHAT};
use super::names::Name;
use super::stream;
use crate::extents::{Extent, Pieces};
use crate::fields::read_exact;
use crate::file_system::Flaw;
use crate::{EvidenceError, ReadAt};
use dockline_timeline::IssueKind;
use std::sync::Arc;

/// Where records of the `$MFT` that place the rest of it are placed by such records themselves, it
/// is read anew this often. Once is usual.
const MAX_ROUNDS: usize = 16;

/// All file records of a volume.
pub(super) struct Mft {
    /// The volume.
    pub(super) device: Arc<dyn ReadAt>,
    /// Bytes of a cluster.
    pub(super) cluster_size: u64,
    record_size: usize,
    content: Arc<dyn ReadAt>,
}

impl Mft {
    /// Finds all of the `$MFT`, from its first record or that record's copy in `$MFTMirr`.
    pub(super) fn open(
        device: Arc<dyn ReadAt>,
        boot: &BootSector,
        flaws: &mut Vec<Flaw>,
    ) -> Result<Mft, EvidenceError> {
        let mut mft = Mft::of_one_record(device, boot, boot.mft);
        let file = mft.file(FileReference::any(0)).or_else(|error| {
            mft = Mft::of_one_record(mft.device.clone(), boot, boot.mft_mirror);
            let file = mft.file(FileReference::any(0)).map_err(|_| error.clone())?;
            let what = format!("{error}; the copy in $MFTMirr was used");
            flaws.push(Flaw { kind: IssueKind::Malformed, what });
            Ok::<File, EvidenceError>(file)
        })?;
        let mut known = 0;
        for _ in 0..MAX_ROUNDS {
            let parts = mft.parts(&file, AttributeType::DATA, &Name::none());
            let (runs, size) = stream::runs(&parts, mft.cluster_size)?;
            let (now_known, lost) = (runs.known(), runs.lost.clone());
            mft.content = Arc::new(stream::plain(&mft, runs, size));
            let Some(error) = lost else { return Ok(mft) };
            if now_known <= known {
                let what = format!("part of the $MFT is lost: {error}");
                flaws.push(Flaw { kind: error.issue_kind(), what });
                return Ok(mft);
            }
            known = now_known;
        }
        let limit = u64::try_from(MAX_ROUNDS).unwrap_or(u64::MAX);
        Err(EvidenceError::LimitReached { what: "records of $MFT behind one another", limit })
    }

    /// As much of it as the boot sector tells.
    fn of_one_record(device: Arc<dyn ReadAt>, boot: &BootSector, at: u64) -> Mft {
        let size = u64::try_from(boot.record_size).unwrap_or(u64::MAX);
        let first = Extent { start: 0, length: size, source: 0, offset: at };
        let content = Arc::new(Pieces::of(device.clone(), vec![first], size));
        let (cluster_size, record_size) = (boot.cluster_size, boot.record_size);
        Mft { device, cluster_size, record_size, content }
    }

    /// The file of that reference: its base record, and where its other attributes are.
    pub(super) fn file(&self, reference: FileReference) -> Result<File, EvidenceError> {
        let record = self.record(reference)?;
        if record.base.record != 0 {
            let have = format!("an extension of record {}", record.base.record);
            return Err(record.malformed("a base record", have));
        }
        File::new(self, record)
    }

    /// The record of that reference.
    pub(super) fn record(&self, reference: FileReference) -> Result<FileRecord, EvidenceError> {
        let size = u64::try_from(self.record_size).unwrap_or(u64::MAX);
        let at = reference.record.saturating_mul(size);
        let bytes = read_exact(self.content.as_ref(), WHAT, at, self.record_size)?;
        let record = FileRecord::parse(reference.record, at, bytes)?;
        if !record.reference.agrees(reference) {
            let need = format!("sequence number {}", reference.sequence);
            return Err(record.malformed(need, record.reference.sequence));
        }
        Ok(record)
    }
}
