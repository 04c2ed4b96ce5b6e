//! The volume of a file system: its blocks, and its inodes by their numbers.

use super::inode::{Inode, has_right_checksum};
use super::superblock::Superblock;
use super::{backup, groups};
use crate::fields::{Fields, read_exact};
use crate::file_system::Flaw;
use crate::{EvidenceError, ReadAt};
use dockline_timeline::IssueKind;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Parts of inode tables that are kept: those of the directories that a walk is in.
const KEPT_PARTS: usize = 64;
/// Bytes of a part; a block where that is larger.
const MIN_PART: u32 = 16 << 10;

/// A volume, and what must be known to find an inode in it.
pub(crate) struct Volume {
    pub(crate) device: Arc<dyn ReadAt>,
    pub(crate) superblock: Superblock,
    /// First block of the inode table of each group.
    inode_tables: Vec<u64>,
    recent: Mutex<VecDeque<Part>>,
}

/// Part of an inode table.
#[derive(Clone)]
struct Part {
    offset: u64,
    bytes: Arc<Vec<u8>>,
}

impl Volume {
    pub(crate) fn open(
        device: Arc<dyn ReadAt>,
        flaws: &mut Vec<Flaw>,
    ) -> Result<Volume, EvidenceError> {
        let superblock = backup::superblock(&device, flaws)?;
        if superblock.features.is_journal() {
            return Err(EvidenceError::Unsupported("a journal of ext4 on its own".to_string()));
        }
        let inode_tables = groups::inode_tables(&device, &superblock, flaws);
        let geometry = &superblock.geometry;
        if geometry.offset(geometry.blocks) > device.len() {
            let need = geometry.offset(geometry.blocks);
            let what = format!("the file system has {need} bytes, the volume {}", device.len());
            flaws.push(Flaw { kind: IssueKind::Malformed, what });
        }
        Ok(Volume { device, superblock, inode_tables, recent: Mutex::default() })
    }

    /// Bytes of a block.
    pub(crate) fn block_size(&self) -> u64 {
        u64::from(self.superblock.geometry.block_size)
    }

    /// Number of whole blocks that the volume really has.
    pub(crate) fn blocks(&self) -> u64 {
        self.device.len().checked_div(self.block_size()).unwrap_or_default()
    }

    /// Offset of a block in bytes.
    pub(crate) fn offset(&self, block: u64) -> u64 {
        self.superblock.geometry.offset(block)
    }

    pub(crate) fn read_block(
        &self,
        what: &'static str,
        block: u64,
    ) -> Result<Vec<u8>, EvidenceError> {
        let size = usize::try_from(self.block_size()).unwrap_or_default();
        read_exact(&self.device, what, self.offset(block), size)
    }

    pub(crate) fn inode(&self, number: u64) -> Result<Inode, EvidenceError> {
        self.with_fields(number, |fields| Inode::parse(fields, number, &self.superblock))
    }

    /// Whether the checksum of an inode is right, or there is none.
    pub(crate) fn has_right_checksum(&self, number: u64) -> Result<bool, EvidenceError> {
        self.with_fields(number, |fields| has_right_checksum(fields, number, &self.superblock))
    }

    fn with_fields<T>(
        &self,
        number: u64,
        read: impl FnOnce(&Fields<'_>) -> Result<T, EvidenceError>,
    ) -> Result<T, EvidenceError> {
        let offset = self.inode_offset(number)?;
        let size = u64::from(self.superblock.geometry.inode_size);
        let part = self.part(offset)?;
        let whole = Fields::new("ext4 inode table", part.offset, &part.bytes);
        let at = usize::try_from(offset.saturating_sub(part.offset)).unwrap_or(usize::MAX);
        let fields = whole.part("ext4 inode", at, usize::try_from(size).unwrap_or_default())?;
        read(&fields)
    }

    pub(super) fn inode_offset(&self, number: u64) -> Result<u64, EvidenceError> {
        let geometry = &self.superblock.geometry;
        let malformed = |need: String| {
            let have = number.to_string();
            EvidenceError::Malformed { what: "ext4 inode number", at: 0, need, have }
        };
        let index = number.checked_sub(1).filter(|_| number <= geometry.inodes);
        let index = index.ok_or_else(|| malformed(format!("1 to {}", geometry.inodes)))?;
        let group = index.checked_div(geometry.inodes_per_group).unwrap_or_default();
        let inside = index.checked_rem(geometry.inodes_per_group).unwrap_or_default();
        let table = usize::try_from(group).ok().and_then(|group| self.inode_tables.get(group));
        let table = table.copied().filter(|table| *table != 0);
        let table = table.ok_or_else(|| malformed(format!("a descriptor of group {group}")))?;
        let inside = inside.saturating_mul(u64::from(geometry.inode_size));
        Ok(self.offset(table).saturating_add(inside))
    }

    /// The part of an inode table in which `offset` lies; inodes never lie across two.
    fn part(&self, offset: u64) -> Result<Part, EvidenceError> {
        let size = u64::from(self.superblock.geometry.block_size.max(MIN_PART));
        let start = offset.saturating_sub(offset.checked_rem(size).unwrap_or_default());
        let find =
            |recent: &VecDeque<Part>| recent.iter().find(|part| part.offset == start).cloned();
        if let Some(known) = find(&self.recent.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(known);
        }
        let length = size.min(self.device.len().saturating_sub(start));
        let length = usize::try_from(length).unwrap_or_default();
        let bytes = read_exact(&self.device, "ext4 inode table", start, length)?;
        let part = Part { offset: start, bytes: Arc::new(bytes) };
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.push_front(part.clone());
        recent.truncate(KEPT_PARTS);
        Ok(part)
    }
}
