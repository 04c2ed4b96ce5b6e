//! Which superblock to trust: the primary one, or a copy of it in a later block group.
//!
//! `mke2fs` writes copies into group 1 and those whose numbers are powers of 3, 5 and 7
//! (`sparse_super`), at the first block of the group. Nothing but the primary superblock says how
//! large a block or a group is; so the copies are looked for where each block size has them when a
//! group is as large as its bitmap allows, which is what `mke2fs` makes unless told otherwise.

use super::superblock::{START, Superblock};
use crate::file_system::Flaw;
use crate::{EvidenceError, ReadAt};
use dockline_timeline::IssueKind;

/// Groups in which a copy is looked for.
const GROUPS: [u64; 6] = [1, 3, 5, 7, 9, 25];

/// The primary superblock or, where that is damaged, the first copy that is not.
pub(crate) fn superblock(
    device: &dyn ReadAt,
    flaws: &mut Vec<Flaw>,
) -> Result<Superblock, EvidenceError> {
    let primary = Superblock::read(device, START);
    let what = match &primary {
        Ok(found) if found.has_right_checksum => return primary,
        Ok(_) => "the superblock has a wrong checksum".to_string(),
        Err(error) => error.to_string(),
    };
    let copy = copy(device);
    let same_geometry = |one: &Superblock, other: &Superblock| one.geometry == other.geometry;
    let (chosen, then) = match (primary, copy) {
        // Damage elsewhere in it: the primary is the newer one.
        (Ok(primary), Some(copy)) if same_geometry(&primary, &copy) => {
            (primary, "; its copy has the same geometry".to_string())
        }
        (_, Some(copy)) => {
            let then = format!("; its copy in group {} is used", copy.group);
            (copy, then)
        }
        (Ok(primary), None) => (primary, String::new()),
        (Err(error), None) => return Err(error),
    };
    flaws.push(Flaw { kind: IssueKind::Malformed, what: format!("{what}{then}") });
    Ok(chosen)
}

/// The first copy that is whole and lies where it says.
fn copy(device: &dyn ReadAt) -> Option<Superblock> {
    let sizes = (0..=6).map(|shift| 1024_u64 << shift);
    let places = sizes.flat_map(|size| GROUPS.map(|group| (size, group)));
    places.into_iter().find_map(|(size, group)| {
        let first = u64::from(size == 1024);
        let block = size.saturating_mul(8).saturating_mul(group).saturating_add(first);
        let at = block.saturating_mul(size);
        let found = Superblock::read(device, at).ok()?;
        let geometry = &found.geometry;
        let is_here = found.group == group && geometry.offset(geometry.group_start(group)) == at;
        (is_here && found.has_right_checksum).then_some(found)
    })
}
