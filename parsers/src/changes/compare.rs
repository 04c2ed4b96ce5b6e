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

/// The attribute that gives a program privileges.
const CAPABILITY: &[u8] = b"security.capability";

/// A node of the evidence.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) tree: &'a dyn Tree,
    pub(super) place: &'a TreePath,
    pub(super) metadata: &'a Metadata,
}

/// What became of a node that is still there.
pub(super) fn class(same_content: bool, own: Node<'_>, below: Node<'_>) -> Class {
    match same_content {
        false => Class::Modified,
        true if is_same_metadata(own, below) => Class::CopiedUp,
        true => Class::Metadata,
    }
}

fn is_same_metadata(own: Node<'_>, below: Node<'_>) -> bool {
    let of = |node: Node<'_>| {
        let Metadata { mode, uid, gid, modified, .. } = *node.metadata;
        (mode, uid, gid, modified)
    };
    of(own) == of(below) && is_same_capability(own, below)
}

/// Whether two nodes have the same privileges.
pub(super) fn is_same_capability(own: Node<'_>, below: Node<'_>) -> bool {
    own.metadata.kind != FileKind::Regular || capability(own) == capability(below)
}

fn capability(node: Node<'_>) -> Option<Vec<u8>> {
    let attributes = node.tree.extended_attributes(node.place).unwrap_or_default();
    let found = attributes.into_iter().find(|attribute| attribute.name == CAPABILITY);
    found.map(|attribute| attribute.value)
}

/// Whether two nodes of one kind hold the same.
pub(super) fn is_same_content(own: Node<'_>, below: Node<'_>) -> bool {
    let (metadata, metadata_below) = (own.metadata, below.metadata);
    if metadata.size != metadata_below.size || metadata.device != metadata_below.device {
        return false;
    }
    match metadata.kind {
        FileKind::Regular if metadata.size > COMPARED => {
            metadata.modified == metadata_below.modified
        }
        FileKind::Regular => {
            let opened = (own.tree.open(own.place), below.tree.open(below.place));
            let (Ok(own), Ok(below)) = opened else { return false };
            is_same(own, below).unwrap_or(false)
        }
        FileKind::SymbolicLink => {
            let targets = (own.tree.link_target(own.place), below.tree.link_target(below.place));
            matches!(targets, (Ok(own), Ok(below)) if own == below)
        }
        _ => true,
    }
}

/// Whether two files hold the same bytes.
///
/// # Errors
/// When one of them cannot be read.
pub(crate) fn is_same(own: Arc<dyn ReadAt>, below: Arc<dyn ReadAt>) -> io::Result<bool> {
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
