//! New inodes, made many at once and without content: `struct xfs_icreate_log`, big-endian.

use super::super::dinode;
use super::super::superblock::Superblock;
use super::overlay::Overlay;
use super::replay::Cancelled;
use super::transaction::Item;
use crate::EvidenceError;

/// Inodes made at once: 64, or as many as the largest block holds.
const MAX_COUNT: u32 = 256;

/// Makes the inodes free ones, unless their blocks were given up later.
pub(super) fn apply(
    item: &Item,
    superblock: &Superblock,
    cancelled: &Cancelled,
    overlay: &mut Overlay,
) -> Result<(), EvidenceError> {
    let fields = item.description();
    let (group, block, count) = (fields.be32(4)?, fields.be32(8)?, fields.be32(12)?);
    let (size, blocks) = (u64::from(fields.be32(16)?), fields.be32(20)?);
    if count > MAX_COUNT || size != superblock.inode_size {
        let need = format!("at most {MAX_COUNT} inodes of {} bytes", superblock.inode_size);
        return Err(fields.malformed(12, need, format!("{count} of {size}")));
    }
    let first = superblock.inode_number(group.into(), block.into(), 0);
    let start = first.and_then(|number| superblock.inode_offset(number));
    let (Some(first), Some(start)) = (first, start) else {
        return Err(fields.malformed(8, "a block of a group", format!("{block} of {group}")));
    };
    let end = start.saturating_add(u64::from(blocks).saturating_mul(superblock.block_size));
    if cancelled.range((start >> 9, 0)..(end >> 9, 0)).next().is_some() {
        return Ok(());
    }
    let length = usize::try_from(size).unwrap_or_default();
    for index in 0..u64::from(count) {
        let mut inode = vec![0; length];
        let number = first.saturating_add(index).to_be_bytes();
        for (at, bytes) in [(0, &dinode::MAGIC[..]), (4, &[3, 2]), (152, &number)] {
            let place = inode.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len()));
            place.unwrap_or_default().copy_from_slice(bytes);
        }
        overlay.write(start.saturating_add(index.saturating_mul(size)), &inode)?;
    }
    Ok(())
}
