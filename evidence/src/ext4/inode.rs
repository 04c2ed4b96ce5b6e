//! An inode: all that the file system knows of a file but its names.
//!
//! 128 bytes of ext2, then, where inodes are larger, the fields of ext4 as far as `i_extra_isize`
//! reaches, then extended attributes. Layout: `struct ext4_inode` of the kernel (6.18).

use super::extent_tree;
use super::superblock::Superblock;
use crate::crc32c;
use crate::fields::Fields;
use crate::{DeviceNumber, EvidenceError, FileKind, Metadata};
use dockline_timeline::Instant;

/// Bytes of an inode of ext2.
const OLD_SIZE: usize = 128;
const CHECKSUM_LOW: usize = 0x7c;
const CHECKSUM_HIGH: usize = 0x82;

const COMPRESSED: u32 = 0x4;
const ENCRYPTED: u32 = 0x800;
const EXTENTS: u32 = 0x8_0000;
const EA_INODE: u32 = 0x20_0000;
const INLINE_DATA: u32 = 0x1000_0000;

/// An inode as it stands in its table.
#[derive(Clone, Debug)]
pub(crate) struct Inode {
    pub(crate) number: u64,
    mode: u16,
    uid: u32,
    gid: u32,
    /// Bytes of content.
    pub(crate) size: u64,
    links: u16,
    flags: u32,
    /// Block map, extent tree, link target, device number or content, as the flags and the kind
    /// say.
    pub(crate) block: [u8; 60],
    /// Block with extended attributes; 0 when there is none.
    pub(crate) attribute_block: u64,
    times: Times,
    /// What lies after the fields: extended attributes.
    pub(crate) rest: Vec<u8>,
    /// What the checksums of the blocks of this file begin with.
    pub(crate) checksum_seed: u32,
}

#[derive(Clone, Debug, Default)]
struct Times {
    accessed: Option<Instant>,
    changed: Option<Instant>,
    modified: Option<Instant>,
    born: Option<Instant>,
}

impl Inode {
    pub(crate) fn parse(
        fields: &Fields<'_>,
        number: u64,
        superblock: &Superblock,
    ) -> Result<Inode, EvidenceError> {
        let used = used(fields)?;
        let own = fields.part("ext4 inode", 0, used)?;
        let join = |low, high| -> Result<u32, EvidenceError> {
            Ok(u32::from(fields.le16(low)?) | u32::from(fields.le16(high)?) << 16)
        };
        let mode = fields.le16(0)?;
        let has_long_size = mode & 0xf000 == 0x8000 || superblock.features.has_large_directories();
        let size_high = if has_long_size { u64::from(fields.le32(0x6c)?) } else { 0 };
        let checksum_seed = checksum_seed(fields, number, superblock.checksum_seed)?;
        Ok(Inode {
            number,
            mode,
            uid: join(0x2, 0x78)?,
            gid: join(0x18, 0x7a)?,
            size: u64::from(fields.le32(0x4)?) | size_high << 32,
            links: fields.le16(0x1a)?,
            flags: fields.le32(0x20)?,
            block: fields.array(0x28)?,
            attribute_block: u64::from(fields.le32(0x68)?) | u64::from(fields.le16(0x76)?) << 32,
            times: Times {
                accessed: time(&own, 0x8, 0x8c)?,
                changed: time(&own, 0xc, 0x84)?,
                modified: time(&own, 0x10, 0x88)?,
                born: born(&own)?,
            },
            rest: fields.all().get(used..).unwrap_or_default().to_vec(),
            checksum_seed,
        })
    }

    /// The inode of the journal as far as its copy in the superblock tells: the block map, then the
    /// size, high word first.
    pub(crate) fn of_journal(number: u64, copy: &[u8; 68]) -> Result<Inode, EvidenceError> {
        let fields = Fields::new("ext4 journal inode in the superblock", 0, copy);
        let (high, low) = (u64::from(fields.le32(60)?), u64::from(fields.le32(64)?));
        let has_extents = fields.le16(0)? == extent_tree::MAGIC;
        Ok(Inode {
            number,
            mode: 0x8180,
            uid: 0,
            gid: 0,
            size: low | high << 32,
            links: 1,
            flags: if has_extents { EXTENTS } else { 0 },
            block: fields.array(0)?,
            attribute_block: 0,
            times: Times::default(),
            rest: Vec::new(),
            checksum_seed: 0,
        })
    }

    /// An error when the mode says no kind of file, as that of a free inode.
    pub(crate) fn kind(&self) -> Result<FileKind, EvidenceError> {
        match self.mode >> 12 {
            0x1 => Ok(FileKind::Fifo),
            0x2 => Ok(FileKind::CharacterDevice),
            0x4 => Ok(FileKind::Directory),
            0x6 => Ok(FileKind::BlockDevice),
            0x8 => Ok(FileKind::Regular),
            0xa => Ok(FileKind::SymbolicLink),
            0xc => Ok(FileKind::Socket),
            _ => Err(self.malformed("a mode of a file", format!("{:o}", self.mode))),
        }
    }

    pub(crate) fn require(&self, wanted: FileKind) -> Result<(), EvidenceError> {
        match self.kind()? {
            found if found == wanted => Ok(()),
            found => Err(EvidenceError::WrongKind { wanted: wanted.name(), found: found.name() }),
        }
    }

    pub(crate) fn has_extents(&self) -> bool {
        self.flags & EXTENTS != 0
    }

    pub(crate) fn has_inline_data(&self) -> bool {
        self.flags & INLINE_DATA != 0
    }

    /// Whether this holds the value of an extended attribute.
    pub(crate) fn is_attribute_value(&self) -> bool {
        self.flags & EA_INODE != 0
    }

    /// An error when the content cannot be read by anybody without a key, or by us.
    pub(crate) fn require_readable(&self) -> Result<(), EvidenceError> {
        if self.flags & ENCRYPTED != 0 {
            let what = format!("the encryption of ext4 inode {}", self.number);
            return Err(EvidenceError::Unsupported(what));
        }
        if self.flags & COMPRESSED != 0 && self.flags & EXTENTS == 0 {
            let what = format!("the compression of ext4 inode {}", self.number);
            return Err(EvidenceError::Unsupported(what));
        }
        Ok(())
    }

    pub(crate) fn metadata(&self) -> Result<Metadata, EvidenceError> {
        let kind = self.kind()?;
        let has_content = matches!(kind, FileKind::Regular | FileKind::SymbolicLink);
        let is_device = matches!(kind, FileKind::CharacterDevice | FileKind::BlockDevice);
        Ok(Metadata {
            kind,
            mode: Some(u32::from(self.mode & 0o7777)),
            uid: Some(u64::from(self.uid)),
            gid: Some(u64::from(self.gid)),
            size: if has_content { self.size } else { 0 },
            inode: Some(self.number),
            links: Some(u64::from(self.links)),
            device: if is_device { Some(self.device()?) } else { None },
            modified: self.times.modified,
            accessed: self.times.accessed,
            changed: self.times.changed,
            born: self.times.born,
        })
    }

    /// 16 bits in the first word, or 32 bits in the second where those do not suffice.
    fn device(&self) -> Result<DeviceNumber, EvidenceError> {
        let fields = Fields::new("ext4 device number", 0, &self.block);
        let (old, new) = (fields.le32(0)?, fields.le32(4)?);
        if old != 0 {
            return Ok(DeviceNumber { major: (old >> 8) & 0xff, minor: old & 0xff });
        }
        Ok(DeviceNumber {
            major: (new >> 8) & 0xfff,
            minor: (new & 0xff) | ((new >> 12) & 0xf_ff00),
        })
    }

    pub(crate) fn malformed(&self, need: &str, have: impl ToString) -> EvidenceError {
        let need = format!("{need} in inode {}", self.number);
        EvidenceError::Malformed { what: "ext4 inode", at: 0, need, have: have.to_string() }
    }
}

/// Bytes of the fields of an inode.
fn used(fields: &Fields<'_>) -> Result<usize, EvidenceError> {
    let size = fields.all().len();
    if size <= OLD_SIZE {
        return Ok(size);
    }
    let used = OLD_SIZE.saturating_add(usize::from(fields.le16(OLD_SIZE)?));
    // An absurd length hides the attributes of this inode, not the inode.
    Ok(if used <= size { used } else { OLD_SIZE })
}

/// Seconds since 1970, signed; and where there is room for it, 30 bits of nanoseconds above 2 bits
/// that add multiples of 2^32 seconds.
fn time(fields: &Fields<'_>, at: usize, extra_at: usize) -> Result<Option<Instant>, EvidenceError> {
    let seconds = i64::from(i32::from_le_bytes(fields.array(at)?));
    let extra = fields.le32(extra_at).unwrap_or(0);
    let seconds = seconds.saturating_add(i64::from(extra & 3) << 32);
    // More nanoseconds than a second has are none.
    Ok(Instant::new(seconds, extra >> 2).or_else(|| Instant::new(seconds, 0)))
}

/// Inodes of ext2 and ext3 tell no birth; one that was made by those and grew later says zero.
fn born(fields: &Fields<'_>) -> Result<Option<Instant>, EvidenceError> {
    let (at, extra_at) = (0x90, 0x94);
    let is_told = fields.le32(at).is_ok_and(|seconds| seconds != 0)
        || fields.le32(extra_at).is_ok_and(|extra| extra != 0);
    if is_told { time(fields, at, extra_at) } else { Ok(None) }
}

fn checksum_seed(fields: &Fields<'_>, number: u64, seed: u32) -> Result<u32, EvidenceError> {
    let [a, b, c, d, ..] = number.to_le_bytes();
    Ok(crc32c::update(crc32c::update(seed, &[a, b, c, d]), fields.bytes(0x64, 4)?))
}

/// Whether the checksum of an inode is right, or there is none: 16 bits of the sum, and the other 16
/// where there is room for them. It is asked for apart: it costs more than all else of an inode.
pub(super) fn has_right_checksum(
    whole: &Fields<'_>,
    number: u64,
    superblock: &Superblock,
) -> Result<bool, EvidenceError> {
    if !superblock.features.has_metadata_checksums() {
        return Ok(true);
    }
    let own = whole.part("ext4 inode", 0, used(whole)?)?;
    let seed = checksum_seed(whole, number, superblock.checksum_seed)?;
    let mut bytes = whole.all().to_vec();
    let has_high = own.all().len() >= CHECKSUM_HIGH.saturating_add(2);
    let fields: &[usize] = if has_high { &[CHECKSUM_LOW, CHECKSUM_HIGH] } else { &[CHECKSUM_LOW] };
    for at in fields {
        bytes.get_mut(*at..at.saturating_add(2)).unwrap_or_default().fill(0);
    }
    let sum = crc32c::update(seed, &bytes);
    let low = u32::from(own.le16(CHECKSUM_LOW)?);
    if !has_high {
        return Ok(sum & 0xffff == low);
    }
    Ok(sum == low | u32::from(own.le16(CHECKSUM_HIGH)?) << 16)
}
