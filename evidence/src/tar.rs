//! A tar archive as evidence: v7, ustar, PAX and GNU, with holes, hard links, devices, extended
//! attributes and times to the nanosecond, read in place and never unpacked.
//!
//! Formats: POSIX.1-2001 `pax`, "ustar Interchange Format" and "pax Extended Header"; the GNU tar
//! 1.35 manual, "Tar Internals"; star's `SCHILY.*` keys. Written by `tar`, `docker export`,
//! collectors such as UAC and Velociraptor.
//!
//! What an archive does not carry is `None`: inode, birth time, and without PAX also times of
//! access and change. A hard link is one more name of the node of its target. Of several members
//! with one name the last wins, as when the archive is unpacked. Not read: the parts of an archive
//! in several volumes, and ACLs as text.

mod blocks;
mod header;
mod index;
mod member;
mod pax;
mod scan;
mod sparse;

pub(crate) use header::{BLOCK, is_header};
pub use index::{MAX_NAME_BYTES, MAX_NAMES};
pub use scan::{MAX_GLOBAL_RECORDS, MAX_ISSUES, MAX_PASSED_OVER, MAX_PATH, MAX_READS, SPARE_READS};

use crate::{Entry, EvidenceError, ExtendedAttribute, FileKind, Metadata, ReadAt, Tree, TreePath};
use blocks::Blocks;
use dockline_timeline::Issue;
use index::{Index, Node, NodeId};
use member::{Found, Member, Role};
use std::sync::Arc;

/// Bytes read at once for one member: its extended header, its header, and a bit more.
const WINDOW: usize = 2048;

/// The tree that a tar archive holds.
pub struct TarTree {
    bytes: Arc<dyn ReadAt>,
    index: Index,
}

impl TarTree {
    /// Reads the headers of the archive once; `evidence` is its name in the places of issues.
    /// Whatever is wrong with the archive is an issue, and the tree holds the rest.
    #[must_use]
    pub fn open(bytes: Arc<dyn ReadAt>, evidence: &str) -> (TarTree, Vec<Issue>) {
        let (index, issues) = scan::scan(&bytes, evidence);
        (TarTree { bytes, index }, issues)
    }

    /// Offset in the archive at which the stored content of a regular file begins.
    ///
    /// # Errors
    /// As [`Tree::open`].
    pub fn content_at(&self, path: &TreePath) -> Result<u64, EvidenceError> {
        Ok(self.regular(path)?.0.content_at())
    }

    /// The member that holds the content of a regular file.
    fn regular(&self, path: &TreePath) -> Result<(Member, Blocks), EvidenceError> {
        let node = self.find_kind(path, FileKind::Regular)?;
        let (member, blocks) = self.member(node)?.ok_or(EvidenceError::NotFound)?;
        if member.role == Role::HardLink {
            return Err(EvidenceError::Malformed {
                what: "hard link",
                at: node.member.unwrap_or_default(),
                need: "a target in the archive".to_string(),
                have: member.link.escape_ascii().to_string(),
            });
        }
        Ok((member, blocks))
    }

    fn find(&self, path: &TreePath) -> Result<(NodeId, &Node), EvidenceError> {
        let id = self.index.find(path).ok_or(EvidenceError::NotFound)?;
        let node = self.index.node(id).ok_or(EvidenceError::NotFound)?;
        Ok((id, node))
    }

    fn find_kind(&self, path: &TreePath, kind: FileKind) -> Result<&Node, EvidenceError> {
        let (_, node) = self.find(path)?;
        if node.kind == kind {
            return Ok(node);
        }
        Err(EvidenceError::WrongKind { wanted: kind.name(), found: node.kind.name() })
    }

    /// The member of a node, read again, and the blocks to read on; `None` for a directory that has
    /// no member.
    fn member(&self, node: &Node) -> Result<Option<(Member, Blocks)>, EvidenceError> {
        let Some(at) = node.member else { return Ok(None) };
        let globals = usize::try_from(node.globals).ok().and_then(|at| self.index.globals.get(at));
        let mut blocks = Blocks::new(self.bytes.clone(), WINDOW);
        match member::read(&mut blocks, at, globals.ok_or(EvidenceError::NotFound)?)? {
            Found::Member(member) => Ok(Some((*member, blocks))),
            _ => Err(EvidenceError::NotFound),
        }
    }
}

impl Tree for TarTree {
    fn list(&self, directory: &TreePath) -> Result<Vec<Entry>, EvidenceError> {
        self.find_kind(directory, FileKind::Directory)?;
        let (id, _) = self.find(directory)?;
        self.index.list(id).ok_or(EvidenceError::NotFound)
    }

    fn metadata(&self, path: &TreePath) -> Result<Metadata, EvidenceError> {
        let (_, node) = self.find(path)?;
        let Some((member, _)) = self.member(node)? else {
            // A directory of which the archive knows only that it must have been there.
            return Ok(Metadata::unknown(FileKind::Directory));
        };
        let mut metadata = member.metadata;
        if node.names > 1 && metadata.links.is_none() {
            metadata.links = Some(u64::from(node.names));
        }
        Ok(metadata)
    }

    fn open(&self, path: &TreePath) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        let (member, mut blocks) = self.regular(path)?;
        member.open(&mut blocks)
    }

    fn link_target(&self, path: &TreePath) -> Result<Vec<u8>, EvidenceError> {
        let node = self.find_kind(path, FileKind::SymbolicLink)?;
        let (member, _) = self.member(node)?.ok_or(EvidenceError::NotFound)?;
        Ok(member.link)
    }

    fn extended_attributes(
        &self,
        path: &TreePath,
    ) -> Result<Vec<ExtendedAttribute>, EvidenceError> {
        let (_, node) = self.find(path)?;
        Ok(self.member(node)?.map(|(member, _)| member.attributes).unwrap_or_default())
    }
}
