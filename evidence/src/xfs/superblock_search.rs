//! Finds the superblock: the primary one, or when that is damaged a copy at the start of a later
//! allocation group.

use super::superblock::{self, MAGIC, SIZE, Superblock};
use crate::fields::{fill, read_exact};
use crate::file_system::Flaw;
use crate::{EvidenceError, ReadAt};
use dockline_timeline::IssueKind;

/// Bytes from the start in which copies are looked for; the first groups of a file system up to
/// 64 GiB begin in them, as `mkfs.xfs` makes four.
const SEARCHED: u64 = 16 << 30;
/// Bytes read at once while looking.
const STEP: usize = 1 << 20;
/// Copies lie at multiples of the smallest block.
const ALIGNMENT: usize = 512;

/// The superblock of `device`; a damaged primary one is named among the flaws.
pub(super) fn find(
    device: &dyn ReadAt,
    flaws: &mut Vec<Flaw>,
) -> Result<Superblock, EvidenceError> {
    let damage = match read(device, 0) {
        Ok((superblock, true)) => return Ok(superblock),
        Ok((superblock, false)) => {
            // The copies are older: what fits together in the primary is the better guess.
            let what = "the checksum of the XFS superblock is wrong".to_string();
            flaws.push(Flaw { kind: IssueKind::Malformed, what });
            return Ok(superblock);
        }
        Err(error @ EvidenceError::Unsupported(_)) => return Err(error),
        Err(damage) => damage,
    };
    let Some((superblock, at)) = find_copy(device)? else { return Err(damage) };
    let what = format!("{damage}; its copy at byte {at} is used");
    flaws.push(Flaw { kind: damage.issue_kind(), what });
    Ok(superblock)
}

/// The superblock at `at`, and whether its checksum is right.
fn read(device: &dyn ReadAt, at: u64) -> Result<(Superblock, bool), EvidenceError> {
    let head = read_exact(device, "XFS superblock", at, SIZE)?;
    let superblock = Superblock::parse(&superblock::fields(&head, at))?;
    let sector = read_exact(device, "XFS superblock", at, superblock.sector_size)?;
    let is_right = superblock.checksum_is_right(&sector);
    Ok((superblock, is_right))
}

/// The first copy whose checksum is right and that lies where a copy must, and its place.
fn find_copy(device: &dyn ReadAt) -> Result<Option<(Superblock, u64)>, EvidenceError> {
    let end = device.len().min(SEARCHED);
    let mut buffer = vec![0; STEP];
    let mut start = 0_u64;
    while start < end {
        let length = usize::try_from(end.saturating_sub(start)).unwrap_or(STEP).min(STEP);
        let bytes = buffer.get_mut(..length).unwrap_or_default();
        fill(device, "XFS superblock", start, bytes)?;
        let mut at = start;
        for sector in bytes.chunks(ALIGNMENT) {
            if sector.starts_with(&MAGIC) {
                let copy = read(device, at).ok().filter(|found| is_copy(found, at));
                if let Some((superblock, _)) = copy {
                    return Ok(Some((superblock, at)));
                }
            }
            at = at.saturating_add(u64::try_from(ALIGNMENT).unwrap_or_default());
        }
        start = start.saturating_add(u64::try_from(STEP).unwrap_or(u64::MAX));
    }
    Ok(None)
}

fn is_copy((superblock, checksum_is_right): &(Superblock, bool), at: u64) -> bool {
    let group_size = superblock.group_blocks.saturating_mul(superblock.block_size);
    *checksum_is_right && at > 0 && at.is_multiple_of(group_size)
}
