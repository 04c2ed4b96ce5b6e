//! Changes of inodes: of the core, and of each fork as a whole. `struct xfs_inode_log_format` and
//! `xfs_log_dinode`, the inode in the byte order of the machine.

use super::super::dinode;
use super::super::superblock::Superblock;
use super::overlay::Overlay;
use super::transaction::Item;
use crate::EvidenceError;
use crate::fields::{Fields, read_exact};

/// What is logged: content, extents or tree root of the data fork, the device, the same of the
/// attribute fork.
const DATA_FORK: u32 = 0x00e;
const DATA_ROOT: u32 = 0x008;
const DEVICE: u32 = 0x010;
const ATTRIBUTE_FORK: u32 = 0x1c0;
const ATTRIBUTE_ROOT: u32 = 0x100;

/// The numbers of a core: offset and bytes. Between them lie single bytes, the UUID, and what is not
/// logged: the checksum, the sequence number and the list of deleted inodes.
const NUMBERS: &[(usize, usize)] = &[
    (0, 2),
    (2, 2),
    (6, 2),
    (8, 4),
    (12, 4),
    (16, 4),
    (20, 2),
    (22, 2),
    (56, 8),
    (64, 8),
    (72, 4),
    (76, 4),
    (80, 2),
    (84, 4),
    (88, 2),
    (90, 2),
    (92, 4),
];
const NUMBERS_3: &[(usize, usize)] = &[(24, 8), (104, 8), (120, 8), (128, 4), (152, 8)];
const BYTES: &[(usize, usize)] = &[(4, 1), (5, 1), (82, 1), (83, 1)];
const TIMES: &[usize] = &[32, 40, 48];
const BIRTH: usize = 144;
const SEQUENCE_NUMBER: usize = 112;
const FLAGS_2: usize = 120;
/// Times have 64 bits, not two halves of 32.
const FLAG_2_BIG_TIME: u64 = 1 << 3;
/// Counts how often an inode of version 2 was written.
const FLUSHES: usize = 30;

/// The description of an inode that was changed.
pub(super) struct InodeItem<'a> {
    description: Fields<'a>,
    regions: &'a [Vec<u8>],
    fields: u32,
    number: u64,
    /// The buffer in which it lies, as cancelled buffers are known.
    pub(super) buffer: (u64, u64),
}

impl<'a> InodeItem<'a> {
    pub(super) fn parse(item: &'a Item) -> Result<InodeItem<'a>, EvidenceError> {
        let description = item.description();
        // Old 32-bit machines leave out the padding before the number.
        let is_old = description.all().len() < 56;
        let (number_at, sector_at, sectors_at) = if is_old { (12, 36, 44) } else { (16, 40, 48) };
        Ok(InodeItem {
            description,
            regions: item.regions.get(1..).unwrap_or_default(),
            fields: description.le32(4)?,
            number: description.le64(number_at)?,
            buffer: (description.le64(sector_at)?, description.le32(sectors_at)?.into()),
        })
    }

    /// Makes the changes, unless the inode on the disk is newer than they are.
    pub(super) fn apply(
        &self,
        superblock: &Superblock,
        lsn: u64,
        overlay: &mut Overlay,
    ) -> Result<(), EvidenceError> {
        let at = superblock
            .inode_offset(self.number)
            .ok_or_else(|| self.description.malformed(16, "the number of an inode", self.number))?;
        let length = usize::try_from(superblock.inode_size).unwrap_or_default();
        let mut inode = read_exact(overlay, "XFS inode", at, length)?;
        let core = self.region(0)?;
        if is_newer(&inode, &core, superblock, lsn)? {
            return Ok(());
        }
        set_core(&mut inode, &core, superblock.is_v5)?;
        if superblock.is_v5 {
            set(&mut inode, SEQUENCE_NUMBER, &lsn.to_be_bytes());
        }
        self.set_forks(&mut inode, superblock)?;
        overlay.write(at, &inode)
    }

    /// A region after the description.
    fn region(&self, index: usize) -> Result<Fields<'a>, EvidenceError> {
        let region = self.regions.get(index);
        let region = region.ok_or_else(|| {
            self.description.malformed(2, format!("region {index}"), self.regions.len())
        })?;
        Ok(Fields::new("XFS log inode", 0, region))
    }

    fn set_forks(&self, inode: &mut [u8], superblock: &Superblock) -> Result<(), EvidenceError> {
        let start = if superblock.is_v5 { dinode::CORE_3 } else { dinode::CORE_2 };
        let eights = inode.get(82).copied().map_or(0, usize::from);
        let attributes = start.saturating_add(eights.saturating_mul(8));
        let has_attributes = eights > 0 && attributes <= inode.len();
        let end = if has_attributes { attributes } else { inode.len() };
        let mut next = 1;
        if self.fields & DEVICE != 0 {
            let at = if self.description.all().len() < 56 { 20 } else { 24 };
            set(inode, start, &self.description.le32(at)?.to_be_bytes());
        }
        if self.fields & DATA_FORK != 0 {
            let fork = inode.get_mut(start..end).unwrap_or_default();
            set_fork(fork, &self.region(next)?, self.fields & DATA_ROOT != 0, superblock)?;
            next = 2;
        }
        if self.fields & ATTRIBUTE_FORK != 0 && has_attributes {
            let fork = inode.get_mut(attributes..).unwrap_or_default();
            set_fork(fork, &self.region(next)?, self.fields & ATTRIBUTE_ROOT != 0, superblock)?;
        }
        Ok(())
    }
}

/// Whether the inode on the disk was written after the change.
fn is_newer(
    inode: &[u8],
    core: &Fields<'_>,
    superblock: &Superblock,
    lsn: u64,
) -> Result<bool, EvidenceError> {
    let inode = Fields::new("XFS inode", 0, inode);
    if inode.array(0)? != dinode::MAGIC {
        return Ok(false);
    }
    if superblock.is_v5 {
        let number = inode.be64(SEQUENCE_NUMBER)?;
        return Ok(number != u64::MAX && number > lsn);
    }
    // The count starts again after the largest one.
    let (disk, log) = (inode.be16(FLUSHES)?, core.le16(FLUSHES)?);
    Ok(log < disk && !(disk == u16::MAX && log < u16::MAX >> 1))
}

fn set(inode: &mut [u8], at: usize, bytes: &[u8]) {
    let place = inode.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len()));
    if let Some(place) = place {
        place.copy_from_slice(bytes);
    }
}

/// Writes the core in the byte order of the disk.
fn set_core(inode: &mut [u8], core: &Fields<'_>, is_v5: bool) -> Result<(), EvidenceError> {
    if core.le16(0)?.to_be_bytes() != dinode::MAGIC {
        return Err(core.malformed(0, "the letters IN", core.le16(0)?));
    }
    let has_big_times = is_v5 && core.le64(FLAGS_2)? & FLAG_2_BIG_TIME != 0;
    let mut turned: Vec<(usize, usize)> = [NUMBERS, BYTES].concat();
    let mut times = TIMES.to_vec();
    if is_v5 {
        turned.extend(NUMBERS_3);
        times.push(BIRTH);
        set(inode, 160, core.bytes(160, 16)?);
    }
    for at in times {
        if has_big_times {
            turned.push((at, 8));
        } else {
            turned.extend([(at, 4), (at.saturating_add(4), 4)]);
        }
    }
    for (at, length) in turned {
        let mut number = core.bytes(at, length)?.to_vec();
        number.reverse();
        set(inode, at, &number);
    }
    Ok(())
}

/// Writes a fork; the root of a tree is logged as it is in memory, with the header of a block.
fn set_fork(
    fork: &mut [u8],
    region: &Fields<'_>,
    is_root: bool,
    superblock: &Superblock,
) -> Result<(), EvidenceError> {
    if !is_root {
        if region.all().len() > fork.len() {
            return Err(region.malformed(0, format!("{} bytes", fork.len()), region.all().len()));
        }
        set(fork, 0, region.all());
        return Ok(());
    }
    let header: usize = if superblock.is_v5 { 72 } else { 24 };
    let count = usize::from(region.be16(6)?);
    let most_logged = region.all().len().saturating_sub(header) / 16;
    let most = fork.len().saturating_sub(4) / 16;
    if count > most || count > most_logged {
        return Err(region.malformed(6, format!("at most {most} pointers"), count));
    }
    let length = count.saturating_mul(8);
    let pointers_at = |header: usize, most: usize| header.saturating_add(most.saturating_mul(8));
    set(fork, 0, region.bytes(4, 4)?);
    set(fork, 4, region.bytes(header, length)?);
    let pointers = region.bytes(pointers_at(header, most_logged), length)?;
    set(fork, pointers_at(4, most), pointers);
    Ok(())
}
