//! The log: changes of metadata that may not have reached their place when the disk was taken. What
//! it holds is replayed over the device, in memory, as the kernel would on the next mount.
//!
//! Written in a circle of 512-byte blocks by `fs/xfs/xfs_log.c` of Linux; read as
//! `xfs_log_recover.c`, `xfs_buf_item_recover.c`, `xfs_inode_item_recover.c` and
//! `xfs_icreate_item.c` of Linux 6.18 do, `libxfs/xfs_log_format.h` has the structures. Log records
//! are big-endian, what they carry is in the order of the machine that wrote it. Replayed are
//! buffers, inodes and new inodes of committed transactions. Quotas and free space are not: no file
//! depends on them. Not supported: logs on another device, of big-endian machines, and finishing
//! operations that the log only announces (which is said).

mod blocks;
mod buffer_item;
mod head;
mod inode_creation;
mod inode_item;
mod overlay;
mod record;
mod replay;
mod transaction;

use super::superblock::Superblock;
use crate::file_system::Flaw;
use crate::{EvidenceError, ReadAt};
use blocks::LogBlocks;
use dockline_timeline::IssueKind;
pub(super) use overlay::Overlay;
use std::sync::Arc;

/// Log features that are understood: attributes that are announced before they are set.
const KNOWN_FEATURES: u32 = 1;

/// The device as the log leaves it; `None` where that is as it is. Where it cannot be had, a flaw
/// says so.
pub(super) fn replayed(
    device: Arc<dyn ReadAt>,
    superblock: &Superblock,
    flaws: &mut Vec<Flaw>,
) -> Option<Arc<Overlay>> {
    let mut overlay = Overlay::over(device);
    let result = replay_into(&mut overlay, superblock, flaws);
    if let Err(error) = result {
        let what = format!("the view of the XFS file system is older than its log: {error}");
        flaws.push(Flaw { kind: error.issue_kind(), what });
    }
    (!overlay.is_empty()).then(|| Arc::new(overlay))
}

fn replay_into(
    overlay: &mut Overlay,
    superblock: &Superblock,
    flaws: &mut Vec<Flaw>,
) -> Result<(), EvidenceError> {
    let log = LogBlocks::open(overlay.device(), superblock)?;
    let head = head::find(&log)?;
    if head.is_clean {
        return Ok(());
    }
    let unknown = superblock.log_features & !KNOWN_FEATURES;
    if unknown != 0 {
        let what = format!("an XFS log with the features {unknown:#x}");
        return Err(EvidenceError::Unsupported(what));
    }
    let unfinished = replay::replay(&log, &head, superblock, overlay)?;
    if unfinished > 0 {
        let what = format!(
            "{unfinished} changes of files that the XFS log announces and that were not finished \
             when the disk was taken are not in the view"
        );
        flaws.push(Flaw { kind: IssueKind::Unsupported, what });
    }
    Ok(())
}
