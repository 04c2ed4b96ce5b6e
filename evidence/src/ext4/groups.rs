//! Block group descriptors: where the inodes of each group lie.
//!
//! All of them lie after the superblock, and once more after each copy of it; with `meta_bg`, those
//! of as many groups as one block describes (a meta block group) lie in the first of these groups,
//! and once more in the second and in the last. Layout: `struct ext4_group_desc` of the kernel
//! (6.18).

use super::superblock::{START, Superblock};
use crate::crc32c;
use crate::fields::{Fields, read_exact};
use crate::file_system::Flaw;
use crate::{EvidenceError, ReadAt};
use dockline_timeline::IssueKind;

/// More than the largest file systems in use have: 256 TiB in groups of 128 MiB.
const MAX_GROUPS: u64 = 1 << 21;
const WHAT: &str = "ext4 group descriptors";
const CHECKSUM: usize = 0x1e;

/// First block of the inode table of each group; 0 where it is not known.
pub(crate) fn inode_tables(
    device: &dyn ReadAt,
    superblock: &Superblock,
    flaws: &mut Vec<Flaw>,
) -> Vec<u64> {
    let groups = superblock.geometry.groups();
    if groups > MAX_GROUPS {
        let error = EvidenceError::LimitReached { what: "block groups", limit: MAX_GROUPS };
        flaws.push(Flaw { kind: IssueKind::LimitReached, what: error.to_string() });
    }
    let groups = groups.min(MAX_GROUPS);
    let (mut tables, mut damaged, mut replaced) = (Vec::new(), 0_u64, 0_u64);
    let reader = Reader { device, superblock };
    let mut first = 0;
    while first < groups {
        let count = reader.per_block().min(groups.saturating_sub(first));
        let Some(block) = reader.block(first, count) else { break };
        damaged = damaged.saturating_add(block.damaged);
        replaced = replaced.saturating_add(block.replaced);
        tables.extend(block.tables);
        first = first.saturating_add(count);
    }
    // The volume has ended before what follows.
    damaged = damaged.saturating_add(groups.saturating_sub(first));
    if damaged > 0 {
        let what = format!(
            "{damaged} of {groups} group descriptors are damaged; copies of {replaced} are used"
        );
        flaws.push(Flaw { kind: IssueKind::Malformed, what });
    }
    tables
}

struct Reader<'a> {
    device: &'a dyn ReadAt,
    superblock: &'a Superblock,
}

/// What one block of descriptors tells.
struct Described {
    tables: Vec<u64>,
    damaged: u64,
    replaced: u64,
}

impl Reader<'_> {
    /// Descriptors in a block; one at least.
    fn per_block(&self) -> u64 {
        let geometry = &self.superblock.geometry;
        let count = geometry.block_size.checked_div(geometry.descriptor_size);
        u64::from(count.unwrap_or_default().max(1))
    }

    /// The tables of `count` groups from `first`, which one block describes; `None` when neither
    /// that block nor a copy of it is in the volume.
    fn block(&self, first: u64, count: u64) -> Option<Described> {
        let [primary, copies @ ..] = self.places(first);
        let primary = self.read(primary);
        let mut described = Described { tables: Vec::new(), damaged: 0, replaced: 0 };
        let mut others: Option<Vec<Vec<u8>>> = None;
        for at in 0..count {
            let group = first.saturating_add(at);
            let own = primary.as_ref().and_then(|block| self.table(block, at, group));
            let table = own.or_else(|| {
                let read = || copies.iter().filter_map(|place| self.read(*place)).collect();
                let others = others.get_or_insert_with(read);
                others.iter().find_map(|block| self.table(block, at, group))
            });
            if primary.is_none() && others.as_ref().is_some_and(Vec::is_empty) {
                return None;
            }
            let (is_damaged, is_replaced) = (own.is_none(), own.is_none() && table.is_some());
            described.damaged = described.damaged.saturating_add(u64::from(is_damaged));
            described.replaced = described.replaced.saturating_add(u64::from(is_replaced));
            described.tables.push(table.unwrap_or(0));
        }
        Some(described)
    }

    fn read(&self, block: u64) -> Option<Vec<u8>> {
        let geometry = &self.superblock.geometry;
        let size = usize::try_from(geometry.block_size).ok()?;
        read_exact(self.device, WHAT, geometry.offset(block), size).ok()
    }

    /// The block with the descriptor of group `first`, and the copies of that block.
    fn places(&self, first: u64) -> [u64; 3] {
        let geometry = &self.superblock.geometry;
        let per_block = self.per_block();
        let number = first.checked_div(per_block).unwrap_or_default();
        let is_meta = self.superblock.features.has_meta_block_groups()
            && number >= geometry.first_meta_block_group;
        if is_meta {
            let last = first.saturating_add(per_block).min(geometry.groups()).saturating_sub(1);
            let second = first.saturating_add(1);
            return [first, second, last].map(|group| self.after_superblock(group));
        }
        let copies = match self.superblock.features.has_two_backups() {
            true => geometry.two_backups,
            false => [1, 3],
        };
        let [one, other] = copies
            .map(|group| geometry.group_start(group).saturating_add(number).saturating_add(1));
        [self.primary().saturating_add(number).saturating_add(1), one, other]
    }

    /// The block that holds the primary superblock.
    fn primary(&self) -> u64 {
        START.checked_div(u64::from(self.superblock.geometry.block_size)).unwrap_or_default()
    }

    /// The first block of a group that is not its copy of the superblock.
    fn after_superblock(&self, group: u64) -> u64 {
        if group == 0 {
            return self.primary().saturating_add(1);
        }
        let start = self.superblock.geometry.group_start(group);
        start.saturating_add(u64::from(self.has_superblock(group)))
    }

    fn has_superblock(&self, group: u64) -> bool {
        let features = self.superblock.features;
        if features.has_two_backups() {
            return self.superblock.geometry.two_backups.contains(&group);
        }
        let is_power = |base: u64| (1..41).any(|power| base.checked_pow(power) == Some(group));
        !features.has_sparse_backups() || group == 1 || [3, 5, 7].into_iter().any(is_power)
    }

    /// What the descriptor at place `at` of a block says of a group; `None` when it is damaged.
    fn table(&self, block: &[u8], at: u64, group: u64) -> Option<u64> {
        let size = usize::try_from(self.superblock.geometry.descriptor_size).ok()?;
        let start = usize::try_from(at).ok()?.checked_mul(size)?;
        let fields = Fields::new(WHAT, 0, block).part(WHAT, start, size).ok()?;
        if !self.has_right_checksum(&fields, group)? {
            return None;
        }
        let high = if size >= 64 { fields.le32(0x28).ok()? } else { 0 };
        let table = u64::from(fields.le32(0x8).ok()?) | u64::from(high) << 32;
        (1..self.superblock.geometry.blocks).contains(&table).then_some(table)
    }

    fn has_right_checksum(&self, fields: &Fields<'_>, group: u64) -> Option<bool> {
        let features = self.superblock.features;
        let number = u32::try_from(group).ok()?.to_le_bytes();
        let (before, after) = fields.all().split_at_checked(CHECKSUM)?;
        let after = after.get(2..)?;
        let found = fields.le16(CHECKSUM).ok()?;
        if features.has_metadata_checksums() {
            let seed = self.superblock.checksum_seed;
            let parts = [&number, before, &[0, 0], after];
            let sum = parts.into_iter().fold(seed, crc32c::update);
            return Some(sum & 0xffff == u32::from(found));
        }
        if features.has_group_checksums() {
            let parts = [&self.superblock.uuid, &number[..], before, after];
            return Some(parts.into_iter().fold(!0, crc16) == found);
        }
        Some(true)
    }
}

/// CRC-16 with the polynomial 0x8005, reflected, as the kernel's `crc16`.
fn crc16(start: u16, bytes: &[u8]) -> u16 {
    bytes.iter().fold(start, |sum, byte| {
        let shift = |sum: u16, _| (sum >> 1) ^ if sum & 1 == 1 { 0xa001 } else { 0 };
        (0..8).fold(sum ^ u16::from(*byte), shift)
    })
}
