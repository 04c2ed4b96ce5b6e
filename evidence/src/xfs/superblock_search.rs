//! Finds the superblock: the primary one, or when that is damaged a copy at the start of a later
//! allocation group.

use super::superblock::{self, MAGIC, SIZE, Superblock};
use crate::fields::{fill, read_exact};
use crate::file_system::Flaw;
use crate::{EvidenceError, ReadAt};
use dockline_timeline::IssueKind;

/// Bytes from the start in which copies are looked for, where the primary one was there; the first
/// groups of a file system up to 64 GiB begin in them.
const SEARCHED: u64 = 16 << 30;
/// Numbers of groups that `mkfs.xfs` makes by itself: four of most disks, more of arrays.
const USUAL_GROUPS: std::ops::RangeInclusive<u64> = 2..=32;
/// Sectors that look like a copy and are read whole.
const TRIED: u32 = 4096;
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
    let had_magic = read_exact(device, "XFS superblock", 0, MAGIC.len())? == MAGIC;
    let copy = match find_usual_copy(device) {
        None if had_magic => find_copy(device)?,
        usual => usual,
    };
    let Some((superblock, at)) = copy else { return Err(damage) };
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

/// A copy where `mkfs.xfs` puts it when it is not told how large groups are.
fn find_usual_copy(device: &dyn ReadAt) -> Option<(Superblock, u64)> {
    let mut places = (9..=16).flat_map(|bits| {
        let blocks = device.len() >> bits;
        USUAL_GROUPS.map(move |groups| blocks.div_ceil(groups).saturating_mul(1 << bits))
    });
    places.find_map(|at| copy_at(device, at))
}

/// The first copy whose checksum is right and that lies where a copy must, and its place.
fn find_copy(device: &dyn ReadAt) -> Result<Option<(Superblock, u64)>, EvidenceError> {
    let end = device.len().min(SEARCHED);
    let mut buffer = vec![0; STEP];
    let mut start = 0_u64;
    let mut tried = 0_u32;
    while start < end && tried < TRIED {
        let length = usize::try_from(end.saturating_sub(start)).unwrap_or(STEP).min(STEP);
        let bytes = buffer.get_mut(..length).unwrap_or_default();
        fill(device, "XFS superblock", start, bytes)?;
        let mut at = start;
        for sector in bytes.chunks(ALIGNMENT) {
            if sector.starts_with(&MAGIC) {
                tried = tried.saturating_add(1);
                let copy = copy_at(device, at);
                if copy.is_some() {
                    return Ok(copy);
                }
            }
            at = at.saturating_add(u64::try_from(ALIGNMENT).unwrap_or_default());
        }
        start = start.saturating_add(u64::try_from(STEP).unwrap_or(u64::MAX));
    }
    Ok(None)
}

/// The copy at `at`, if it is one of the group that begins there.
fn copy_at(device: &dyn ReadAt, at: u64) -> Option<(Superblock, u64)> {
    let (superblock, checksum_is_right) = read(device, at).ok()?;
    let group_size = superblock.group_blocks.saturating_mul(superblock.block_size);
    let is_copy = checksum_is_right && at > 0 && at.is_multiple_of(group_size);
    is_copy.then_some((superblock, at))
}
