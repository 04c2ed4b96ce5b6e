//! The superblock: the geometry of the file system and what it uses.
//!
//! 1,024 bytes at offset 1,024, little-endian; copies of it at the start of some block groups, as
//! they were when the file system was made or last resized. Layout: `struct ext4_super_block` of
//! the kernel (6.18) and e2fsprogs 1.47.

use super::features::Features;
use crate::crc32c;
use crate::fields::{Fields, read_exact};
use crate::{EvidenceError, ReadAt};

/// Offset of the primary superblock in the volume, and the size of every one.
pub(crate) const START: u64 = 1024;
pub(crate) const SIZE: usize = 1024;

const MAGIC: u16 = 0xef53;
const CHECKSUM: usize = 0x3fc;
/// Bytes.
const MIN_BLOCK_SIZE: u32 = 1024;
/// The largest block is 64 KiB.
const MAX_LOG_BLOCK_SIZE: u32 = 6;

/// What reading needs to know of a superblock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Superblock {
    pub(crate) geometry: Geometry,
    pub(crate) features: Features,
    pub(crate) uuid: [u8; 16],
    pub(crate) label: Vec<u8>,
    /// Bit 0: unmounted cleanly; bit 1: errors were found.
    pub(crate) state: u16,
    /// Group that this copy lies in; 0 for the primary.
    pub(crate) group: u64,
    /// What the checksums of all metadata begin with.
    pub(crate) checksum_seed: u32,
    pub(crate) has_right_checksum: bool,
    pub(crate) journal: JournalPlace,
}

/// Sizes and counts. Blocks count from the start of the volume, in units of `block_size`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// Bytes.
    pub(crate) block_size: u32,
    pub(crate) blocks: u64,
    /// 1 where blocks are 1 KiB, so that the superblock has one of its own; else 0.
    pub(crate) first_data_block: u64,
    pub(crate) blocks_per_group: u64,
    pub(crate) inodes: u64,
    pub(crate) inodes_per_group: u64,
    /// Bytes, a power of two.
    pub(crate) inode_size: u32,
    /// Bytes, a power of two.
    pub(crate) descriptor_size: u32,
    pub(crate) first_meta_block_group: u64,
    /// Groups with the two backups of `sparse_super2`.
    pub(crate) two_backups: [u64; 2],
}

/// Where the journal is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JournalPlace {
    /// Inode of it; 0 when it is a device of its own.
    pub(crate) inode: u64,
    /// Copy of the block map of that inode, if there is one: 15 words, then the size, high first.
    pub(crate) backup: Option<[u8; 68]>,
}

impl Superblock {
    /// Reads the superblock at byte `at`.
    pub(crate) fn read(device: &dyn ReadAt, at: u64) -> Result<Superblock, EvidenceError> {
        let bytes = read_exact(device, "ext4 superblock", at, SIZE)?;
        Superblock::parse(&Fields::new("ext4 superblock", at, &bytes))
    }

    fn parse(fields: &Fields<'_>) -> Result<Superblock, EvidenceError> {
        let magic = fields.le16(0x38)?;
        if magic != MAGIC {
            return Err(fields.malformed(0x38, "the magic number ef53", format!("{magic:04x}")));
        }
        let features = Features {
            compatible: fields.le32(0x5c)?,
            incompatible: fields.le32(0x60)?,
            read_only: fields.le32(0x64)?,
        };
        let uuid = fields.array(0x68)?;
        let sum = crc32c::update(!0, fields.bytes(0, CHECKSUM)?);
        let label = fields.bytes(0x78, 16)?.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(Superblock {
            geometry: Geometry::parse(fields, features)?,
            features,
            uuid,
            label: label.to_vec(),
            state: fields.le16(0x3a)?,
            group: u64::from(fields.le16(0x5a)?),
            checksum_seed: match features.has_checksum_seed() {
                true => fields.le32(0x270)?,
                false => crc32c::update(!0, &uuid),
            },
            has_right_checksum: !features.has_metadata_checksums() || fields.le32(CHECKSUM)? == sum,
            journal: JournalPlace {
                inode: u64::from(fields.le32(0xe0)?),
                backup: if fields.u8(0xfd)? == 1 { Some(fields.array(0x10c)?) } else { None },
            },
        })
    }

    /// The UUID as `/etc/fstab` writes it.
    pub(crate) fn uuid_text(&self) -> String {
        let mut text = String::new();
        for (at, byte) in self.uuid.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            text.push_str(&format!("{byte:02x}"));
        }
        text
    }
}

impl Geometry {
    fn parse(fields: &Fields<'_>, features: Features) -> Result<Geometry, EvidenceError> {
        let log_block_size = fields.le32(0x18)?;
        if log_block_size > MAX_LOG_BLOCK_SIZE {
            return Err(fields.malformed(0x18, "a block size up to 64 KiB", log_block_size));
        }
        // Revision 0 knew one size of inodes.
        let inode_size = if fields.le32(0x4c)? == 0 { 128 } else { fields.le16(0x58)? };
        let high = |at| match features.is_64bit() {
            true => fields.le32(at).map(|high| u64::from(high) << 32),
            false => Ok(0),
        };
        let geometry = Geometry {
            block_size: MIN_BLOCK_SIZE << log_block_size,
            blocks: u64::from(fields.le32(0x4)?) | high(0x150)?,
            first_data_block: u64::from(fields.le32(0x14)?),
            blocks_per_group: u64::from(fields.le32(0x20)?),
            inodes: u64::from(fields.le32(0)?),
            inodes_per_group: u64::from(fields.le32(0x28)?),
            inode_size: u32::from(inode_size),
            descriptor_size: if features.is_64bit() { u32::from(fields.le16(0xfe)?) } else { 32 },
            first_meta_block_group: u64::from(fields.le32(0x104)?),
            two_backups: [u64::from(fields.le32(0x24c)?), u64::from(fields.le32(0x250)?)],
        };
        geometry.check(fields)?;
        Ok(geometry)
    }

    /// What cannot be, cannot be read.
    fn check(&self, fields: &Fields<'_>) -> Result<(), EvidenceError> {
        let bits = u64::from(self.block_size).saturating_mul(8);
        let is_size = |size: u32, least: u32, most: u32| {
            size.is_power_of_two() && (least..=most).contains(&size)
        };
        if !is_size(self.inode_size, 128, self.block_size) {
            let need = "an inode size from 128 to the block size";
            return Err(fields.malformed(0x58, need, self.inode_size));
        }
        if !is_size(self.descriptor_size, 32, 1024) {
            return Err(fields.malformed(0xfe, "a descriptor size from 32", self.descriptor_size));
        }
        if !(1..=bits).contains(&self.inodes_per_group) {
            let need = format!("1 to {bits} inodes per group");
            return Err(fields.malformed(0x28, need, self.inodes_per_group));
        }
        if self.blocks_per_group == 0 {
            return Err(fields.malformed(0x20, "blocks in a group", 0));
        }
        if self.first_data_block >= self.blocks {
            let need = format!("a first block below {}", self.blocks);
            return Err(fields.malformed(0x14, need, self.first_data_block));
        }
        Ok(())
    }

    /// Offset of a block in the volume, in bytes; past the end of every volume where it is absurd.
    pub(crate) fn offset(&self, block: u64) -> u64 {
        block.saturating_mul(u64::from(self.block_size))
    }

    /// First block of a group.
    pub(crate) fn group_start(&self, group: u64) -> u64 {
        group.saturating_mul(self.blocks_per_group).saturating_add(self.first_data_block)
    }

    /// Number of groups: as many as the blocks and the inodes both fill.
    pub(crate) fn groups(&self) -> u64 {
        let of_blocks = self.blocks.saturating_sub(self.first_data_block);
        let by_blocks = of_blocks.div_ceil(self.blocks_per_group.max(1));
        by_blocks.min(self.inodes.div_ceil(self.inodes_per_group.max(1)))
    }
}
