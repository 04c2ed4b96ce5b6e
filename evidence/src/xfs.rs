//! XFS, versions 4 and 5, read-only: the file system that RHEL and its relatives install by default.
//!
//! Written by the Linux kernel since 2001 (before it by IRIX); version 5, with checksums and birth
//! times, is what `mkfs.xfs` makes since xfsprogs 3.2.3 (2015). All numbers are big-endian.
//! Upstream: `fs/xfs/libxfs/xfs_format.h` and `xfs_da_format.h` of Linux 6.18, and "XFS Algorithms
//! & Data Structures", 3rd edition.
//!
//! A log that was not unmounted is replayed in memory, see [`log`]. What has a wrong checksum is
//! told, and read all the same; what is damaged costs the names, extents or attributes in it. Not
//! supported: files on a realtime device, logs on another device, version 1 directories (IRIX).

mod acl;
mod attribute_leaf;
mod attributes;
mod bmap_btree;
mod checksum;
mod dinode;
mod directory;
mod inode_chunks;
mod log;
mod superblock;
mod superblock_search;
mod symbolic_link;
mod tests;
mod volume;

use crate::doubts::Doubts;
use crate::extents::Pieces;
use crate::file_system::FileSystem;
use crate::inodes::{InodeTree, Inodes, NamedInode};
use crate::{EvidenceError, ExtendedAttribute, FileKind, Metadata, ReadAt};
use dinode::Dinode;
use inode_chunks::InodeChunks;
use std::sync::Arc;
use volume::Volume;

/// Opens the file system that fills `device`.
///
/// # Errors
/// When there is none, its superblock and all copies are damaged, or it has a feature that changes
/// its layout and is not supported.
pub(crate) fn open(device: Arc<dyn ReadAt>) -> Result<FileSystem, EvidenceError> {
    let mut flaws = Vec::new();
    let superblock = superblock_search::find(device.as_ref(), &mut flaws)?;
    superblock.check_features(&mut flaws)?;
    let replayed = log::replayed(device.clone(), &superblock, &mut flaws);
    let device: Arc<dyn ReadAt> = match &replayed {
        Some(overlay) => overlay.clone(),
        None => device,
    };
    let (uuid, label) = (superblock.uuid(), superblock.label.clone());
    let volume = Volume { device, superblock, replayed };
    let chunks = InodeChunks::default();
    let tree = InodeTree::new(Xfs { volume, chunks });
    Ok(FileSystem { tree: Arc::new(tree), kind: "XFS", uuid: Some(uuid), label, flaws })
}

/// A file system, opened.
struct Xfs {
    volume: Volume,
    chunks: InodeChunks,
}

impl Xfs {
    fn dinode(&self, number: u64) -> Result<Dinode, EvidenceError> {
        let bytes = self.chunks.inode(&self.volume, number)?;
        Dinode::parse(&self.volume.superblock, number, bytes)
    }

    fn dinode_of_kind(&self, number: u64, wanted: FileKind) -> Result<Dinode, EvidenceError> {
        let dinode = self.dinode(number)?;
        if dinode.kind != wanted {
            let (wanted, found) = (wanted.name(), dinode.kind.name());
            return Err(EvidenceError::WrongKind { wanted, found });
        }
        Ok(dinode)
    }

    /// Notes what is wrong with an inode and its attributes.
    fn check(&self, dinode: &Dinode, doubts: &mut Doubts) {
        dinode.check(&self.volume, doubts);
        let _ = attributes::attributes(&self.volume, dinode, doubts);
    }

    /// What an entry names, where the directory does not say so. An inode that cannot be read
    /// passes for a regular file: whoever asks for its metadata is told what is wrong.
    fn kind_of(&self, number: u64) -> FileKind {
        self.dinode(number).map_or(FileKind::Regular, |dinode| dinode.kind)
    }
}

impl Inodes for Xfs {
    fn root(&self) -> u64 {
        self.volume.superblock.root_inode
    }

    fn entries(
        &self,
        directory: u64,
        doubts: &mut Doubts,
    ) -> Result<Vec<NamedInode>, EvidenceError> {
        let dinode = self.dinode_of_kind(directory, FileKind::Directory)?;
        self.check(&dinode, doubts);
        let entries = directory::entries(&self.volume, &dinode, doubts)?;
        let named = |entry: directory::DirectoryEntry| NamedInode {
            kind: entry.kind.unwrap_or_else(|| self.kind_of(entry.inode)),
            inode: entry.inode,
            name: entry.name,
        };
        Ok(entries.into_iter().map(named).collect())
    }

    fn metadata(&self, inode: u64) -> Result<Metadata, EvidenceError> {
        self.dinode(inode)?.metadata()
    }

    fn content(&self, inode: u64) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        let dinode = self.dinode_of_kind(inode, FileKind::Regular)?;
        if dinode.is_realtime() {
            let what = "content on an XFS realtime device".to_string();
            return Err(EvidenceError::Unsupported(what));
        }
        let fork = dinode.data_fork()?;
        let mappings = bmap_btree::mappings(&self.volume, &fork, &mut Doubts::default())?;
        let extents = self.volume.extents(&mappings);
        Ok(Arc::new(Pieces::partly_lost(self.volume.device.clone(), extents, dinode.size)))
    }

    fn link_target(&self, inode: u64) -> Result<Vec<u8>, EvidenceError> {
        let dinode = self.dinode_of_kind(inode, FileKind::SymbolicLink)?;
        symbolic_link::target(&self.volume, &dinode)
    }

    fn extended_attributes(&self, inode: u64) -> Result<Vec<ExtendedAttribute>, EvidenceError> {
        attributes::attributes(&self.volume, &self.dinode(inode)?, &mut Doubts::default())
    }

    fn damage(&self, inode: u64, doubts: &mut Doubts) {
        // An inode or a fork that cannot be read is an error of every other question.
        let Ok(dinode) = self.dinode(inode) else { return };
        self.check(&dinode, doubts);
        if dinode.kind == FileKind::Regular
            && let Ok(fork) = dinode.data_fork()
        {
            let _ = bmap_btree::mappings(&self.volume, &fork, doubts);
        }
    }
}
