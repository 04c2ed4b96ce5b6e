//! An inode as it lies on the disk: `struct xfs_dinode` of `xfs_format.h`, versions 1 (IRIX), 2 and
//! 3 (file systems of version 5), followed by its data fork and its attribute fork.

use super::superblock::Superblock;
use super::volume::Volume;
use crate::doubts::Doubts;
use crate::fields::Fields;
use crate::{DeviceNumber, EvidenceError, FileKind, Metadata};
use dockline_timeline::Instant;
use std::slice::from_ref;

/// `IN`.
pub(super) const MAGIC: [u8; 2] = *b"IN";
/// Bytes before the forks in versions 1 and 2.
pub(super) const CORE_2: usize = 100;
/// Bytes before the forks in version 3.
pub(super) const CORE_3: usize = 176;

/// The blocks of the file lie on the realtime device.
const FLAG_REALTIME: u16 = 1;
/// Times are nanoseconds in 64 bits.
const FLAG_2_BIG_TIME: u64 = 1 << 3;
/// The numbers of extents have 48 and 32 bits.
const FLAG_2_LARGE_EXTENT_COUNTS: u64 = 1 << 4;
/// Big times count from here: the earliest of the old 32-bit times.
const BIG_TIME_EPOCH: i64 = -(1 << 31);

const NAME: &str = "XFS inode";
const CHECKSUM_AT: usize = 100;

/// How a fork holds what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ForkFormat {
    /// The number of a device.
    Device,
    /// The content itself.
    Local,
    /// A list of extents.
    Extents,
    /// The root of a B+tree of extents.
    Btree,
}

/// One of the two forks of an inode.
#[derive(Debug)]
pub(super) struct Fork<'a> {
    pub(super) format: ForkFormat,
    /// How many extents it has, in either format.
    pub(super) extents: u64,
    pub(super) fields: Fields<'a>,
}

/// An inode.
pub(super) struct Dinode {
    bytes: Vec<u8>,
    /// Where it lies, for errors.
    at: u64,
    version: u8,
    pub(super) kind: FileKind,
    /// Bytes of content.
    pub(super) size: u64,
    number: u64,
    flags_2: u64,
}

impl Dinode {
    /// The inode `number` in `bytes`, which are as long as inodes are.
    pub(super) fn parse(
        superblock: &Superblock,
        number: u64,
        bytes: Vec<u8>,
    ) -> Result<Dinode, EvidenceError> {
        let at = superblock.inode_offset(number).unwrap_or_default();
        let fields = Fields::new(NAME, at, &bytes);
        if fields.array(0)? != MAGIC {
            return Err(fields.malformed(0, "the letters IN", "other bytes"));
        }
        let version = fields.u8(4)?;
        if !(1..=3).contains(&version) || (version == 3) != superblock.is_v5 {
            return Err(fields.malformed(4, "a version that fits the file system", version));
        }
        if version == 3 && fields.be64(152)? != number {
            return Err(fields.malformed(152, format!("number {number}"), fields.be64(152)?));
        }
        let flags_2 = if version == 3 { fields.be64(120)? } else { 0 };
        let (kind, size) = (kind(&fields)?, fields.be64(56)?);
        Ok(Dinode { at, version, kind, size, number, flags_2, bytes })
    }

    fn fields(&self) -> Fields<'_> {
        Fields::new(NAME, self.at, &self.bytes)
    }

    /// Notes a wrong checksum.
    pub(super) fn check(&self, volume: &Volume, doubts: &mut Doubts) {
        let end = self.at.saturating_add(volume.superblock.inode_size);
        volume.check((&self.fields(), CHECKSUM_AT), from_ref(&(self.at..end)), doubts);
    }

    /// Whether the content lies on the realtime device.
    pub(super) fn is_realtime(&self) -> bool {
        self.fields().be16(90).is_ok_and(|flags| flags & FLAG_REALTIME != 0)
    }

    /// All that it says of the file but its content.
    pub(super) fn metadata(&self) -> Result<Metadata, EvidenceError> {
        let fields = self.fields();
        let links =
            if self.version == 1 { fields.be16(6)?.into() } else { fields.be32(16)?.into() };
        let is_device = matches!(self.kind, FileKind::CharacterDevice | FileKind::BlockDevice);
        let has_content = matches!(self.kind, FileKind::Regular | FileKind::SymbolicLink);
        Ok(Metadata {
            kind: self.kind,
            mode: Some(u32::from(fields.be16(2)? & 0o7777)),
            uid: Some(fields.be32(8)?.into()),
            gid: Some(fields.be32(12)?.into()),
            size: if has_content { self.size } else { 0 },
            inode: Some(self.number),
            links: Some(links),
            device: if is_device { Some(self.device()?) } else { None },
            modified: self.time(40)?,
            accessed: self.time(32)?,
            changed: self.time(48)?,
            born: if self.version == 3 { self.time(144)? } else { None },
        })
    }

    /// A device number is written as System V did: 14 bits of driver, 18 bits of device.
    fn device(&self) -> Result<DeviceNumber, EvidenceError> {
        let number = self.data_fork()?.fields.be32(0)?;
        Ok(DeviceNumber { major: number >> 18, minor: number & 0x3_ffff })
    }

    /// A time of more than 999,999,999 nanoseconds is none.
    fn time(&self, at: usize) -> Result<Option<Instant>, EvidenceError> {
        let fields = self.fields();
        if self.flags_2 & FLAG_2_BIG_TIME == 0 {
            let seconds = i32::from_be_bytes(fields.array(at)?);
            return Ok(Instant::new(seconds.into(), fields.be32(at.saturating_add(4))?));
        }
        let time = fields.be64(at)?;
        let seconds = i64::try_from(time / 1_000_000_000).unwrap_or(i64::MAX);
        let nanoseconds = u32::try_from(time % 1_000_000_000).unwrap_or(u32::MAX);
        Ok(Instant::new(seconds.saturating_add(BIG_TIME_EPOCH), nanoseconds))
    }

    /// The fork that holds the content.
    pub(super) fn data_fork(&self) -> Result<Fork<'_>, EvidenceError> {
        let fields = self.fields();
        let extents = if self.flags_2 & FLAG_2_LARGE_EXTENT_COUNTS == 0 {
            fields.be32(76)?.into()
        } else {
            fields.be64(24)?
        };
        let start = self.core();
        let end = self.attribute_fork_start()?.unwrap_or(self.bytes.len());
        let fields = fields.part("XFS data fork", start, end.saturating_sub(start))?;
        Ok(Fork { format: self.format(5)?, extents, fields })
    }

    /// The fork that holds the extended attributes, if there are any.
    pub(super) fn attribute_fork(&self) -> Result<Option<Fork<'_>>, EvidenceError> {
        let Some(start) = self.attribute_fork_start()? else { return Ok(None) };
        let fields = self.fields();
        let extents = if self.flags_2 & FLAG_2_LARGE_EXTENT_COUNTS == 0 {
            fields.be16(80)?.into()
        } else {
            fields.be32(76)?.into()
        };
        let length = self.bytes.len().saturating_sub(start);
        let fields = fields.part("XFS attribute fork", start, length)?;
        Ok(Some(Fork { format: self.format(83)?, extents, fields }))
    }

    fn core(&self) -> usize {
        if self.version == 3 { CORE_3 } else { CORE_2 }
    }

    /// The attribute fork begins at a multiple of eight bytes after the core; 0 means that there is
    /// none.
    fn attribute_fork_start(&self) -> Result<Option<usize>, EvidenceError> {
        let eights = usize::from(self.fields().u8(82)?);
        Ok((eights > 0).then(|| self.core().saturating_add(eights.saturating_mul(8))))
    }

    fn format(&self, at: usize) -> Result<ForkFormat, EvidenceError> {
        let fields = self.fields();
        match fields.u8(at)? {
            0 => Ok(ForkFormat::Device),
            1 => Ok(ForkFormat::Local),
            2 => Ok(ForkFormat::Extents),
            3 => Ok(ForkFormat::Btree),
            other => Err(fields.malformed(at, "a fork format from 0 to 3", other)),
        }
    }
}

fn kind(fields: &Fields<'_>) -> Result<FileKind, EvidenceError> {
    match fields.be16(2)? >> 12 {
        0o10 => Ok(FileKind::Regular),
        0o04 => Ok(FileKind::Directory),
        0o12 => Ok(FileKind::SymbolicLink),
        0o02 => Ok(FileKind::CharacterDevice),
        0o06 => Ok(FileKind::BlockDevice),
        0o01 => Ok(FileKind::Fifo),
        0o14 => Ok(FileKind::Socket),
        0 => Err(fields.malformed(2, "an inode in use", "a free one")),
        other => Err(fields.malformed(2, "a kind of file", format!("{other:#o}"))),
    }
}
