//! The content of a file: in extents, in mapped blocks, or in the inode itself.

use super::inode::Inode;
use super::runs::Runs;
use super::volume::Volume;
use super::{attributes, block_map, extent_tree};
use crate::doubts::Doubts;
use crate::extents::{Extent, Pieces};
use crate::read_at::read_up_to;
use crate::{EvidenceError, ReadAt};
use std::sync::Arc;

/// Longer targets cannot be made: no block is larger.
const MAX_TARGET: u64 = 65_536;

/// Opens the content of a file.
pub(crate) fn content(
    volume: &Volume,
    inode: &Inode,
    doubts: &mut Doubts,
) -> Result<Arc<dyn ReadAt>, EvidenceError> {
    inode.require_readable()?;
    if inode.has_inline_data() {
        let bytes = inline(inode, doubts).concat();
        let length = ReadAt::len(&bytes);
        let extent = Extent { start: 0, length, source: 0, offset: 0 };
        return Ok(Arc::new(Pieces::of(Arc::new(bytes), vec![extent], inode.size)));
    }
    Ok(Arc::new(runs(volume, inode, doubts)?.content(volume, inode.size)))
}

/// Where the blocks of a file lie.
pub(crate) fn runs(
    volume: &Volume,
    inode: &Inode,
    doubts: &mut Doubts,
) -> Result<Runs, EvidenceError> {
    match inode.has_extents() {
        true => extent_tree::runs(volume, inode, doubts),
        false => block_map::runs(volume, inode, doubts),
    }
}

/// The two parts of content that lies in the inode: instead of the block map, and as the value of
/// an extended attribute.
pub(crate) fn inline(inode: &Inode, doubts: &mut Doubts) -> [Vec<u8>; 2] {
    [inode.block.to_vec(), attributes::inline_data(inode, doubts)]
}

/// The target of a symbolic link.
pub(crate) fn link_target(
    volume: &Volume,
    inode: &Inode,
    doubts: &mut Doubts,
) -> Result<Vec<u8>, EvidenceError> {
    inode.require_readable()?;
    let in_inode = usize::try_from(inode.size).ok().and_then(|size| inode.block.get(..size));
    // A target that fills the block map has no room for the NUL that follows it.
    match in_inode.filter(|target| target.len() < inode.block.len() && !inode.has_inline_data()) {
        Some(target) => Ok(target.to_vec()),
        None => {
            if inode.size > MAX_TARGET {
                let what = "bytes of the target of a symbolic link";
                return Err(EvidenceError::LimitReached { what, limit: MAX_TARGET });
            }
            Ok(read_up_to(&content(volume, inode, doubts)?, MAX_TARGET)?.0)
        }
    }
}
