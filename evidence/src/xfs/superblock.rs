//! The superblock: the first sector of every allocation group, of which only that of group 0 is kept
//! up to date. `struct xfs_dsb` of `xfs_format.h`.

use super::checksum;
use crate::EvidenceError;
use crate::fields::Fields;
use crate::file_system::Flaw;
use dockline_timeline::IssueKind;

/// `XFSB`.
pub(super) const MAGIC: [u8; 4] = *b"XFSB";
/// Bytes that hold all fields that are read; the checksum covers a whole sector.
pub(super) const SIZE: usize = 264;

const NAME: &str = "XFS superblock";
const CHECKSUM_AT: usize = 224;

/// Version 4: directories of version 2, the only ones that Linux still reads.
const DIRECTORY_2: u16 = 0x2000;
/// Version 4, second word of features: directory entries tell the kind of file.
const FEATURES_2_FILE_TYPE: u32 = 0x200;
/// Version 5: directory entries tell the kind of file.
const INCOMPAT_FILE_TYPE: u32 = 1;
/// Version 5: the UUID of metadata is not the one that the user sees.
const INCOMPAT_META_UUID: u32 = 1 << 2;
const INCOMPAT_NEEDS_REPAIR: u32 = 1 << 4;
/// File types, sparse inode chunks, metadata UUID, big times, needs repair, large extent counts,
/// exchange of ranges, parent pointers, metadata directory, zoned realtime device and its gaps.
const INCOMPAT_KNOWN: u32 = 0x7ff;

/// What the superblock says of the layout.
#[derive(Clone, Debug)]
pub(super) struct Superblock {
    /// Bytes of a block: a power of two from 512 to 65,536.
    pub(super) block_size: u64,
    /// Blocks of the data device.
    pub(super) blocks: u64,
    /// Blocks of an allocation group but the last.
    pub(super) group_blocks: u64,
    /// Allocation groups.
    pub(super) groups: u64,
    /// Bits of a block number that tell the block inside its group.
    pub(super) group_bits: u32,
    /// Bytes of a sector.
    pub(super) sector_size: usize,
    /// Bytes of an inode: a power of two from 256 to 2,048.
    pub(super) inode_size: u64,
    /// Bits of an inode number that tell the inode inside its block.
    inode_bits: u32,
    pub(super) root_inode: u64,
    /// Bytes of a directory block: one block or more, 65,536 at most.
    pub(super) directory_block_size: u64,
    /// Whether it is version 5: structures have checksums, owners and longer headers.
    pub(super) is_v5: bool,
    /// Whether directory entries tell the kind of file.
    pub(super) has_file_types: bool,
    /// First block of the log, 0 when it lies on another device.
    pub(super) log_start: u64,
    /// Blocks of the log.
    pub(super) log_blocks: u64,
    /// Features of the log that a reader must know.
    pub(super) log_features: u32,
    /// UUID that the user sees, and that the log carries.
    pub(super) user_uuid: [u8; 16],
    /// UUID that metadata carries.
    pub(super) metadata_uuid: [u8; 16],
    pub(super) label: Option<String>,
    realtime_blocks: u64,
    features: u32,
}

impl Superblock {
    /// Reads the superblock in `fields` and checks that its numbers fit together.
    pub(super) fn parse(fields: &Fields<'_>) -> Result<Superblock, EvidenceError> {
        if fields.array(0)? != MAGIC {
            return Err(fields.malformed(0, "the letters XFSB", "other bytes"));
        }
        let version = fields.be16(100)?;
        let is_v5 = match version & 0xf {
            4 if version & DIRECTORY_2 != 0 => false,
            5 => true,
            4 => return Err(EvidenceError::Unsupported("XFS with directories version 1".into())),
            other => return Err(EvidenceError::Unsupported(format!("XFS version {other}"))),
        };
        let features = if is_v5 { fields.be32(216)? } else { 0 };
        let file_types_4 = fields.be32(200)? & FEATURES_2_FILE_TYPE != 0;
        let block_size = power_of_two(fields, 4, fields.be32(4)?, 512..=65_536)?;
        let inode_size = power_of_two(fields, 104, fields.be16(104)?.into(), 256..=2048)?;
        let sector_size = power_of_two(fields, 102, fields.be16(102)?.into(), 512..=32_768)?;
        let directory_log = u32::from(fields.u8(192)?);
        let directory_block_size = block_size.checked_shl(directory_log).unwrap_or(u32::MAX);
        let directory_block_size = power_of_two(fields, 192, directory_block_size, 512..=65_536)?;
        let user_uuid = fields.array(32)?;
        let has_metadata_uuid = features & INCOMPAT_META_UUID != 0;
        let superblock = Superblock {
            block_size: block_size.into(),
            blocks: fields.be64(8)?,
            group_blocks: fields.be32(84)?.into(),
            groups: fields.be32(88)?.into(),
            group_bits: fields.u8(124)?.into(),
            sector_size: usize::try_from(sector_size).unwrap_or_default(),
            inode_size: inode_size.into(),
            inode_bits: block_size.ilog2().saturating_sub(inode_size.ilog2()),
            root_inode: fields.be64(56)?,
            directory_block_size: directory_block_size.into(),
            is_v5,
            has_file_types: if is_v5 { features & INCOMPAT_FILE_TYPE != 0 } else { file_types_4 },
            log_start: fields.be64(48)?,
            log_blocks: fields.be32(96)?.into(),
            log_features: if is_v5 { fields.be32(220)? } else { 0 },
            user_uuid,
            metadata_uuid: if has_metadata_uuid { fields.array(248)? } else { user_uuid },
            label: label(fields.bytes(108, 12)?),
            realtime_blocks: fields.be64(16)?,
            features,
        };
        superblock.check_groups(fields)?;
        Ok(superblock)
    }

    /// The groups must hold all blocks, the last of them at least one.
    fn check_groups(&self, fields: &Fields<'_>) -> Result<(), EvidenceError> {
        let bits = self.group_blocks.next_power_of_two().ilog2();
        if self.group_blocks == 0 || self.group_bits != bits {
            let need = format!("{bits} bits for groups of {} blocks", self.group_blocks);
            return Err(fields.malformed(124, need, self.group_bits));
        }
        // Both are 32-bit numbers: this cannot saturate.
        let most = self.groups.saturating_mul(self.group_blocks);
        let fewest = self.groups.saturating_sub(1).saturating_mul(self.group_blocks);
        if self.groups == 0 || self.blocks > most || self.blocks <= fewest {
            let groups = format!("{} groups of {}", self.groups, self.group_blocks);
            return Err(fields.malformed(8, format!("blocks that fit {groups}"), self.blocks));
        }
        Ok(())
    }

    /// Whether the checksum over the whole `sector` is right; version 4 has none.
    pub(super) fn checksum_is_right(&self, sector: &[u8]) -> bool {
        !self.is_v5 || checksum::is_right(sector, CHECKSUM_AT)
    }

    /// Refuses features that change the layout in unknown ways, and names others.
    pub(super) fn check_features(&self, flaws: &mut Vec<Flaw>) -> Result<(), EvidenceError> {
        let unknown = self.features & !INCOMPAT_KNOWN;
        if unknown != 0 {
            let what = format!("XFS with the incompatible features {unknown:#x}");
            return Err(EvidenceError::Unsupported(what));
        }
        if self.features & INCOMPAT_NEEDS_REPAIR != 0 {
            let what = "the XFS file system is marked as one that needs repair".to_string();
            flaws.push(Flaw { kind: IssueKind::Malformed, what });
        }
        if self.realtime_blocks > 0 {
            let what = "the content of files on the XFS realtime device is not read".to_string();
            flaws.push(Flaw { kind: IssueKind::Unsupported, what });
        }
        Ok(())
    }

    /// The UUID as text.
    pub(super) fn uuid(&self) -> String {
        let number = u128::from_be_bytes(self.user_uuid);
        let (a, b, c) = (number >> 96, (number >> 80) & 0xffff, (number >> 64) & 0xffff);
        let (d, e) = ((number >> 48) & 0xffff, number & 0xffff_ffff_ffff);
        format!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
    }

    /// Offset in bytes of `count` blocks from block `number`; `None` when they are not all in one
    /// group of the device.
    pub(super) fn block_offset(&self, number: u64, count: u64) -> Option<u64> {
        let group = number.checked_shr(self.group_bits)?;
        let in_group = number & low_bits(self.group_bits);
        let first = group.checked_mul(self.group_blocks)?.checked_add(in_group)?;
        let fits = group < self.groups
            && in_group.checked_add(count)? <= self.group_blocks
            && first.checked_add(count)? <= self.blocks;
        fits.then_some(first)?.checked_mul(self.block_size)
    }

    /// The error of `count` blocks from block `number` that are not all in one group.
    pub(super) fn no_such_blocks(
        &self,
        what: &'static str,
        number: u64,
        count: u64,
    ) -> EvidenceError {
        EvidenceError::Malformed {
            what,
            at: number.saturating_mul(self.block_size),
            need: format!("{count} blocks inside a group, from block number {number}"),
            have: format!("{} groups of {}", self.groups, self.group_blocks),
        }
    }

    /// Offset in bytes of an inode; `None` when there can be none of that number.
    pub(super) fn inode_offset(&self, number: u64) -> Option<u64> {
        let block = self.block_offset(number.checked_shr(self.inode_bits)?, 1)?;
        let in_block = number & low_bits(self.inode_bits);
        block.checked_add(in_block.checked_mul(self.inode_size)?)
    }

    /// Number of an inode from its group and the block and place in it.
    pub(super) fn inode_number(&self, group: u64, block: u64, place: u64) -> Option<u64> {
        let blocks = group.checked_shl(self.group_bits)?.checked_add(block)?;
        blocks.checked_shl(self.inode_bits)?.checked_add(place)
    }

    /// Bytes of a block, for a buffer.
    pub(super) fn block_length(&self) -> usize {
        usize::try_from(self.block_size).unwrap_or_default()
    }
}

fn low_bits(bits: u32) -> u64 {
    1_u64.checked_shl(bits).map_or(u64::MAX, |bit| bit.saturating_sub(1))
}

fn power_of_two(
    fields: &Fields<'_>,
    at: usize,
    value: u32,
    range: std::ops::RangeInclusive<u32>,
) -> Result<u32, EvidenceError> {
    if value.is_power_of_two() && range.contains(&value) {
        return Ok(value);
    }
    let need = format!("a power of two from {} to {}", range.start(), range.end());
    Err(fields.malformed(at, need, value))
}

fn label(bytes: &[u8]) -> Option<String> {
    let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
}

/// The fields of a superblock in `sector`, which lies at `start`.
pub(super) fn fields(sector: &[u8], start: u64) -> Fields<'_> {
    Fields::new(NAME, start, sector)
}
