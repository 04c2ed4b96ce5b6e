//! VHD virtual disks, as Virtual PC, older Hyper-V and older Docker Desktop write them: "Virtual Hard
//! Disk Image Format Specification" 1.0 (Microsoft, 2006); qemu (`block/vpc.c`) writes them, too.
//!
//! Fixed and dynamic disks are read. The footer is at the end of the file; a fixed disk has no
//! signature at the front. The bitmaps in front of the blocks of a dynamic disk are not looked at:
//! sectors that were never written are zeros in the block itself. Not supported: differencing disks.

mod footer;

use super::blocks::{BlockDisk, Blocks, Place};
use super::pages::Pages;
use super::{Disk, Neighbours};
use crate::extents::{Extent, Pieces};
use crate::fields::{Fields, read_exact};
use crate::file_system::Flaw;
use crate::read_at::Range;
use crate::{EvidenceError, ReadAt};
use dockline_timeline::IssueKind;
use footer::{Footer, Kind};
use std::sync::Arc;

const SECTOR: u64 = 512;
const DYNAMIC_HEADER: usize = 1024;
/// What the table has for a block that is all zeros.
const UNUSED: u32 = u32::MAX;
const MIN_BLOCK: u32 = 4096;
const MAX_BLOCK: u32 = 256 << 20;
/// Sectors of 32-bit numbers go no further.
const MAX_DISK: u64 = 2 << 40;
/// Entries that are looked at when a disk is opened: all, for blocks of 2 MiB, as all are.
const CHECKED_BLOCKS: u32 = 1 << 20;

/// Whether a file ends with the footer of a VHD.
pub(crate) fn is_vhd(bytes: &dyn ReadAt) -> bool {
    footer::read(bytes).is_ok_and(|(_, damage)| damage.is_none())
}

/// Opens a virtual disk.
///
/// # Errors
/// When it is none, is damaged where it matters, or is a differencing disk.
pub(crate) fn open(bytes: Arc<dyn ReadAt>, _: &dyn Neighbours) -> Result<Disk, EvidenceError> {
    let (footer, damage) = footer::read(&bytes)?;
    let damage = damage.map(|error| Flaw {
        kind: error.issue_kind(),
        what: format!("{error}: the copy at the front is used"),
    });
    if footer.size > MAX_DISK {
        return Err(EvidenceError::LimitReached { what: "bytes of a VHD", limit: MAX_DISK });
    }
    let mut disk = match footer.kind {
        Kind::Fixed => fixed(bytes, &footer),
        Kind::Dynamic => dynamic(bytes, &footer)?,
        Kind::Differencing => return Err(differencing(&bytes, &footer)),
    };
    disk.flaws.splice(0..0, damage);
    Ok(disk)
}

fn fixed(bytes: Arc<dyn ReadAt>, footer: &Footer) -> Disk {
    let there = footer.at.unwrap_or_default();
    let content = Arc::new(Range::new(bytes, 0, there));
    let extent = Extent { start: 0, length: footer.size, source: 0, offset: 0 };
    let mut disk = Disk::of(Arc::new(Pieces::of(content, vec![extent], footer.size)));
    if there < footer.size {
        let what = format!("VHD: of its {} bytes only {there} are in the file", footer.size);
        disk.flaws.push(Flaw { kind: IssueKind::Malformed, what });
    }
    disk
}

fn dynamic(bytes: Arc<dyn ReadAt>, footer: &Footer) -> Result<Disk, EvidenceError> {
    let header = read_exact(&bytes, "VHD dynamic disk header", footer.data_offset, DYNAMIC_HEADER)?;
    let header = Fields::new("VHD dynamic disk header", footer.data_offset, &header);
    if header.bytes(0, 8)? != b"cxsparse" {
        return Err(header.malformed(0, "cxsparse", header.bytes(0, 8)?.escape_ascii()));
    }
    let block_size = header.be32(32)?;
    if !block_size.is_power_of_two() || !(MIN_BLOCK..=MAX_BLOCK).contains(&block_size) {
        let need = "a block size that is a power of two from 4 KiB to 256 MiB";
        return Err(header.malformed(32, need, block_size));
    }
    let block_size = u64::from(block_size);
    let bitmap = block_size.div_ceil(SECTOR * 8).next_multiple_of(SECTOR);
    let blocks = DynamicBlocks {
        pages: Pages::new(bytes.clone()),
        table: header.be64(16)?,
        entries: header.be32(28)?,
        size: footer.size,
        block_size,
        bitmap,
    };
    let lost = blocks.lost(bytes.len());
    let mut disk = Disk::of(Arc::new(BlockDisk { blocks, image: bytes, parent: None }));
    if lost > 0 {
        let what = format!("VHD: {lost} of its blocks do not lie in the file and cannot be read");
        disk.flaws.push(Flaw { kind: IssueKind::Malformed, what });
    }
    Ok(disk)
}

/// The refusal of a differencing disk, with the name of its parent where there is one.
fn differencing(bytes: &dyn ReadAt, footer: &Footer) -> EvidenceError {
    let name = read_exact(bytes, "VHD dynamic disk header", footer.data_offset, DYNAMIC_HEADER);
    let units = name.ok().and_then(|header| Some(header.get(64..576)?.as_chunks::<2>().0.to_vec()));
    let units = units.unwrap_or_default().into_iter().map(u16::from_be_bytes);
    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    let name = String::from_utf16_lossy(&units);
    EvidenceError::Unsupported(format!("a differencing VHD (its parent is {name})"))
}

/// The block allocation table of a dynamic disk: for each block the sector at which its bitmap
/// begins, which its content follows.
struct DynamicBlocks {
    pages: Pages,
    /// Where the table lies.
    table: u64,
    entries: u32,
    size: u64,
    block_size: u64,
    /// Bytes of the bitmap in front of each block.
    bitmap: u64,
}

impl DynamicBlocks {
    /// Where the content of a block lies, unless it is all zeros.
    fn block(&self, number: u64) -> Result<Option<u64>, EvidenceError> {
        let at = self.table.saturating_add(number.saturating_mul(4));
        if number >= u64::from(self.entries) {
            let (need, have) = (String::from("an entry"), String::from("the end of the table"));
            let what = "VHD block allocation table";
            return Err(EvidenceError::Malformed { what, at, need, have });
        }
        let sector = u32::from_be_bytes(self.pages.array("VHD block allocation table", at)?);
        let start = u64::from(sector).saturating_mul(SECTOR).saturating_add(self.bitmap);
        Ok((sector != UNUSED).then_some(start))
    }

    /// How many of the blocks, looking at some first ones, are not whole in the file or have no
    /// entry.
    fn lost(&self, file_size: u64) -> usize {
        let blocks = self.size.div_ceil(self.block_size.max(1)).min(u64::from(CHECKED_BLOCKS));
        let is_lost = |number: &u64| match self.block(*number) {
            Ok(None) => false,
            Ok(Some(start)) => {
                let rest = self.size.saturating_sub(number.saturating_mul(self.block_size));
                start.saturating_add(rest.min(self.block_size)) > file_size
            }
            Err(_) => true,
        };
        (0..blocks).filter(is_lost).count()
    }
}

impl Blocks for DynamicBlocks {
    fn size(&self) -> u64 {
        self.size
    }

    fn locate(&self, at: u64, _: u64) -> Result<(Place, u64), EvidenceError> {
        let number = at.checked_div(self.block_size).unwrap_or_default();
        let inside = at.checked_rem(self.block_size).unwrap_or_default();
        let place = match self.block(number)? {
            Some(start) => Place::Image(start.saturating_add(inside)),
            None => Place::Zeros,
        };
        Ok((place, self.block_size.saturating_sub(inside)))
    }
}

#[cfg(test)]
mod tests;
