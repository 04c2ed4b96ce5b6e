//! The grains of a sparse extent, found through a directory of tables. Both have a redundant copy in
//! most disks, which is asked where the first knows nothing of a grain, or cannot be right.

use super::sparse_header::SparseHeader;
use crate::disk::blocks::{Blocks, Place};
use crate::disk::inflate::{Wrapping, inflate};
use crate::disk::pages::Pages;
use crate::disk::recent::RecentBlocks;
use crate::fields::{Fields, read_exact};
use crate::{EvidenceError, ReadAt};
use std::sync::Arc;

const SECTOR: u64 = 512;
const ENTRY: u64 = 4;
/// The entry of a grain that is all zeros, whatever the parent has.
const ZEROED: u32 = 1;
/// Bytes in front of a compressed grain: its sector in the extent, and its compressed size.
const MARKER: usize = 12;
/// Bytes of unpacked grains that are kept.
const KEPT: usize = 4 << 20;
/// Grains that are looked at when a disk is opened: 16 GiB in grains of 64 KiB, as all are.
const CHECKED_GRAINS: u64 = 1 << 18;

/// The grains of a sparse extent.
pub(super) struct Grains {
    file: Arc<dyn ReadAt>,
    pages: Pages,
    header: SparseHeader,
    unpacked: RecentBlocks,
}

/// Where a grain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grain {
    /// The parent has it.
    Absent,
    Zeroed,
    /// At this offset of the file.
    At(u64),
}

impl Grain {
    /// Whether `next`, which lies `distance` bytes further in the disk, is more of the same.
    fn goes_on(self, next: Grain, distance: u64) -> bool {
        match (self, next) {
            (Grain::At(first), Grain::At(next)) => first.saturating_add(distance) == next,
            _ => self == next,
        }
    }
}

impl Grains {
    /// The grains of the extent in that file.
    pub(super) fn new(file: Arc<dyn ReadAt>, header: SparseHeader) -> Grains {
        let grain = usize::try_from(header.grain.saturating_mul(SECTOR)).unwrap_or(usize::MAX);
        let unpacked = RecentBlocks::new(grain, KEPT);
        Grains { pages: Pages::new(file.clone()), file, header, unpacked }
    }

    /// How many grains, looking at some first ones, do not lie in the file.
    pub(super) fn lost(&self) -> usize {
        let grains = self.header.capacity.div_ceil(self.header.grain.max(1)).min(CHECKED_GRAINS);
        (0..grains).filter(|number| self.grain(*number).is_err()).count()
    }

    fn grain(&self, number: u64) -> Result<Grain, EvidenceError> {
        let (mut absent, mut damaged) = (None, None);
        for directory in &self.header.directories {
            match self.grain_by(*directory, number) {
                Ok(Grain::Absent) => absent = Some(Grain::Absent),
                Ok(grain) => return Ok(grain),
                Err(error) => damaged = damaged.or(Some(error)),
            }
        }
        absent.map_or_else(|| Err(damaged.unwrap_or(EvidenceError::NotFound)), Ok)
    }

    fn grain_by(&self, directory: u64, number: u64) -> Result<Grain, EvidenceError> {
        let table = number.checked_div(self.header.table_entries).unwrap_or_default();
        let index = number.checked_rem(self.header.table_entries).unwrap_or_default();
        let at = directory.saturating_add(table.saturating_mul(ENTRY));
        let table = u32::from_le_bytes(self.pages.array("VMDK grain directory", at)?);
        if table == 0 {
            return Ok(Grain::Absent);
        }
        let table = u64::from(table).saturating_mul(SECTOR);
        let at = table.saturating_add(index.saturating_mul(ENTRY));
        let sector = match u32::from_le_bytes(self.pages.array("VMDK grain table", at)?) {
            0 => return Ok(Grain::Absent),
            ZEROED => return Ok(Grain::Zeroed),
            sector => u64::from(sector).saturating_mul(SECTOR),
        };
        if sector < self.file.len() {
            return Ok(Grain::At(sector));
        }
        let (need, have) = (String::from("a grain that lies in the file"), sector.to_string());
        Err(EvidenceError::Malformed { what: "VMDK grain table", at, need, have })
    }

    /// The content of the compressed grain at `start`.
    fn unpack(&self, number: u64, start: u64) -> Result<Vec<u8>, EvidenceError> {
        let marker = read_exact(&self.file, "VMDK grain marker", start, MARKER)?;
        let marker = Fields::new("VMDK grain marker", start, &marker);
        let (sector, size) = (marker.le64(0)?, marker.le32(8)?);
        let first = number.saturating_mul(self.header.grain);
        if sector != first {
            return Err(marker.malformed(0, format!("sector {first}"), sector));
        }
        let grain = self.header.grain.saturating_mul(SECTOR);
        // Deflate makes nothing much larger than it was.
        let most = grain.saturating_mul(2);
        if u64::from(size) > most {
            return Err(marker.malformed(8, format!("at most {most} bytes"), size));
        }
        let at = start.saturating_add(12);
        let size = usize::try_from(size).unwrap_or_default();
        let packed = read_exact(&self.file, "VMDK compressed grain", at, size)?;
        let unpacked =
            inflate(&packed, Wrapping::Zlib, usize::try_from(grain).unwrap_or_default())?;
        // The last grain can be cut off where the extent ends.
        let needed = self.size().saturating_sub(first.saturating_mul(SECTOR)).min(grain);
        if ReadAt::len(&unpacked.bytes) < needed || !unpacked.is_whole {
            let packed = Fields::new("VMDK compressed grain", at, &packed);
            let need = format!("{needed} bytes with a right checksum");
            return Err(packed.malformed(0, need, unpacked.bytes.len()));
        }
        Ok(unpacked.bytes)
    }
}

impl Blocks for Grains {
    fn size(&self) -> u64 {
        self.header.capacity.saturating_mul(SECTOR)
    }

    fn locate(&self, at: u64, wanted: u64) -> Result<(Place, u64), EvidenceError> {
        let size = self.header.grain.saturating_mul(SECTOR);
        let number = at.checked_div(size).unwrap_or_default();
        let inside = at.checked_rem(size).unwrap_or_default();
        let grain = self.grain(number)?;
        if let (Grain::At(start), true) = (grain, self.header.is_compressed) {
            let unpacked = self.unpacked.block(start, || self.unpack(number, start))?;
            return Ok((Place::Unpacked(unpacked, inside), size.saturating_sub(inside)));
        }
        // Grains that lie in a row are read at once.
        let (mut end, mut next) = (size, number.saturating_add(1));
        while end < inside.saturating_add(wanted)
            && self.grain(next).is_ok_and(|next| grain.goes_on(next, end))
        {
            end = end.saturating_add(size);
            next = next.saturating_add(1);
        }
        let place = match grain {
            Grain::Absent => Place::Parent,
            Grain::Zeroed => Place::Zeros,
            Grain::At(start) => Place::Image(start.saturating_add(inside)),
        };
        Ok((place, end.saturating_sub(inside)))
    }
}
