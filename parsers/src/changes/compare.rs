//! Whether a file of the writable layer is still the one below.

use super::Class;
use dockline_evidence::read_at::Stream;
use dockline_evidence::{FileKind, Metadata, ReadAt, Tree, TreePath};
use std::io::{self, BufRead, BufReader};
use std::sync::Arc;

/// Files of one size are compared byte by byte up to this size; larger ones by their times.
const COMPARED: u64 = 64 * 1024 * 1024;
/// Bytes that are read in one go.
const STRETCH: usize = 64 * 1024;

/// What became of a node that is still there.
pub(super) fn class(same_content: bool, own: &Metadata, below: &Metadata) -> Class {
    let same_metadata = (own.mode, own.uid, own.gid, own.modified)
        == (below.mode, below.uid, below.gid, below.modified);
    match (same_content, same_metadata) {
        (false, _) => Class::Modified,
        (true, false) => Class::Metadata,
        (true, true) => Class::CopiedUp,
    }
}

/// Whether two nodes of one kind hold the same.
pub(super) fn is_same_content(
    tree: &dyn Tree,
    (own, metadata): (&TreePath, &Metadata),
    (below, metadata_below): (&TreePath, &Metadata),
) -> bool {
    if metadata.size != metadata_below.size || metadata.device != metadata_below.device {
        return false;
    }
    match metadata.kind {
        FileKind::Regular if metadata.size > COMPARED => {
            metadata.modified == metadata_below.modified
        }
        FileKind::Regular => {
            let (Ok(own), Ok(below)) = (tree.open(own), tree.open(below)) else { return false };
            is_same(own, below).unwrap_or(false)
        }
        FileKind::SymbolicLink => {
            let targets = (tree.link_target(own), tree.link_target(below));
            matches!(targets, (Ok(own), Ok(below)) if own == below)
        }
        _ => true,
    }
}

/// What cannot be read is not the same.
fn is_same(own: Arc<dyn ReadAt>, below: Arc<dyn ReadAt>) -> io::Result<bool> {
    let mut own = BufReader::with_capacity(STRETCH, Stream::new(own));
    let mut below = BufReader::with_capacity(STRETCH, Stream::new(below));
    loop {
        let (left, right) = (own.fill_buf()?, below.fill_buf()?);
        let length = left.len().min(right.len());
        if length == 0 {
            return Ok(left.is_empty() && right.is_empty());
        }
        if left.get(..length) != right.get(..length) {
            return Ok(false);
        }
        own.consume(length);
        below.consume(length);
    }
}
