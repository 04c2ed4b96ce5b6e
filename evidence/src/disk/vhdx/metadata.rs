//! The metadata region ([MS-VHDX] 2.6): a table of items, which say how large the virtual disk, its
//! sectors and its blocks are, and whose child it is.

use super::guid::Guid;
use super::parent_locator::{self, ParentLocator};
use super::region_table::Region;
use crate::fields::{Fields, read_exact};
use crate::{EvidenceError, ReadAt};

const TABLE: usize = 1 << 16;
const ENTRY: usize = 32;
const MAX_ENTRIES: u16 = 2047;
const MIN_BLOCK: u32 = 1 << 20;
const MAX_BLOCK: u32 = 1 << 28;
const MAX_DISK: u64 = 64 << 40;
const MAX_PARENT_LOCATOR: u32 = 1 << 20;

const FILE_PARAMETERS: Guid = Guid::from_digits(0xcaa1_6737_fa36_4d43_b3b6_33f0_aa44_e76b);
const VIRTUAL_DISK_SIZE: Guid = Guid::from_digits(0x2fa5_4224_cd1b_4876_b211_5dbe_d83b_f4b8);
const PAGE_83_DATA: Guid = Guid::from_digits(0xbeca_12ab_b2e6_4523_93ef_c309_e000_c746);
const LOGICAL_SECTOR_SIZE: Guid = Guid::from_digits(0x8141_bf1d_a96f_4709_ba47_f233_a8fa_ab5f);
const PHYSICAL_SECTOR_SIZE: Guid = Guid::from_digits(0xcda3_48c7_445d_4471_9cc9_e988_5251_c556);
const PARENT_LOCATOR: Guid = Guid::from_digits(0xa8d3_5f2d_b30b_454d_abf7_d3d8_4834_ab0c);

/// What the metadata say of the virtual disk.
#[derive(Clone, Debug)]
pub(super) struct Metadata {
    /// In bytes.
    pub(super) disk_size: u64,
    /// In bytes: a power of two from 1 MiB to 256 MiB.
    pub(super) block_size: u32,
    /// In bytes: 512 or 4096.
    pub(super) logical_sector_size: u32,
    /// Of a differencing disk.
    pub(super) parent: Option<ParentLocator>,
}

/// Where the known items lie, in the file.
#[derive(Default)]
struct Items {
    file_parameters: Option<Item>,
    disk_size: Option<Item>,
    logical_sector_size: Option<Item>,
    parent_locator: Option<Item>,
}

#[derive(Clone, Copy)]
struct Item {
    offset: u64,
    length: u32,
}

/// Reads the metadata.
pub(super) fn read(file: &dyn ReadAt, region: Region) -> Result<Metadata, EvidenceError> {
    let items = items(file, region)?;
    let missing = |what: &str| EvidenceError::Malformed {
        what: "VHDX metadata table",
        at: region.offset,
        need: format!("an entry of the {what}"),
        have: String::from("none"),
    };
    let parameters = items.file_parameters.ok_or_else(|| missing("file parameters"))?;
    let disk_size = items.disk_size.ok_or_else(|| missing("virtual disk size"))?;
    let sector_size = items.logical_sector_size.ok_or_else(|| missing("logical sector size"))?;
    let (block_size, has_parent) = file_parameters(file, parameters.offset)?;
    let logical_sector_size = logical_sector_size(file, sector_size.offset)?;
    let parent = match items.parent_locator {
        Some(locator) if has_parent => Some(parent_locator(file, locator)?),
        None if has_parent => return Err(missing("parent locator")),
        _ => None,
    };
    let disk_size = virtual_disk_size(file, disk_size.offset)?;
    Ok(Metadata { disk_size, block_size, logical_sector_size, parent })
}

fn items(file: &dyn ReadAt, region: Region) -> Result<Items, EvidenceError> {
    let bytes = read_exact(file, "VHDX metadata table", region.offset, TABLE)?;
    let table = Fields::new("VHDX metadata table", region.offset, &bytes);
    if table.bytes(0, 8)? != b"metadata" {
        return Err(table.malformed(0, "metadata", table.bytes(0, 8)?.escape_ascii()));
    }
    let count = table.le16(10)?;
    if count > MAX_ENTRIES {
        return Err(table.malformed(10, format!("at most {MAX_ENTRIES} items"), count));
    }
    let mut items = Items::default();
    for index in 1..=usize::from(count) {
        let entry = table.part("VHDX metadata item", index.saturating_mul(ENTRY), ENTRY)?;
        let offset = region.offset.saturating_add(u64::from(entry.le32(16)?));
        let item = Some(Item { offset, length: entry.le32(20)? });
        let is_required = entry.le32(24)? & 4 != 0;
        match Guid::from_bytes(entry.array(0)?) {
            FILE_PARAMETERS => items.file_parameters = item,
            VIRTUAL_DISK_SIZE => items.disk_size = item,
            LOGICAL_SECTOR_SIZE => items.logical_sector_size = item,
            PARENT_LOCATOR => items.parent_locator = item,
            // They say how the disk is shown to a guest, which changes none of its bytes.
            PAGE_83_DATA | PHYSICAL_SECTOR_SIZE => {}
            other if is_required => {
                let what = format!("required VHDX metadata item {other}");
                return Err(EvidenceError::Unsupported(what));
            }
            _ => {}
        }
    }
    Ok(items)
}

/// The block size, and whether the disk has a parent.
fn file_parameters(file: &dyn ReadAt, at: u64) -> Result<(u32, bool), EvidenceError> {
    let bytes = read_exact(file, "VHDX file parameters", at, 8)?;
    let fields = Fields::new("VHDX file parameters", at, &bytes);
    let block_size = fields.le32(0)?;
    if !block_size.is_power_of_two() || !(MIN_BLOCK..=MAX_BLOCK).contains(&block_size) {
        let need = "a block size that is a power of two from 1 MiB to 256 MiB";
        return Err(fields.malformed(0, need, block_size));
    }
    Ok((block_size, fields.le32(4)? & 2 != 0))
}

fn virtual_disk_size(file: &dyn ReadAt, at: u64) -> Result<u64, EvidenceError> {
    let bytes = read_exact(file, "VHDX virtual disk size", at, 8)?;
    let fields = Fields::new("VHDX virtual disk size", at, &bytes);
    let size = fields.le64(0)?;
    if size > MAX_DISK {
        return Err(fields.malformed(0, "at most 64 TiB", size));
    }
    Ok(size)
}

fn logical_sector_size(file: &dyn ReadAt, at: u64) -> Result<u32, EvidenceError> {
    let bytes = read_exact(file, "VHDX logical sector size", at, 4)?;
    let fields = Fields::new("VHDX logical sector size", at, &bytes);
    match fields.le32(0)? {
        size @ (512 | 4096) => Ok(size),
        other => Err(fields.malformed(0, "512 or 4096", other)),
    }
}

fn parent_locator(file: &dyn ReadAt, item: Item) -> Result<ParentLocator, EvidenceError> {
    if item.length > MAX_PARENT_LOCATOR {
        let limit = u64::from(MAX_PARENT_LOCATOR);
        return Err(EvidenceError::LimitReached { what: "bytes of a VHDX parent locator", limit });
    }
    let length = usize::try_from(item.length).unwrap_or_default();
    let bytes = read_exact(file, "VHDX parent locator", item.offset, length)?;
    parent_locator::parse(&Fields::new("VHDX parent locator", item.offset, &bytes))
}
