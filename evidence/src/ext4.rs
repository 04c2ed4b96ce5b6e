//! ext2, ext3 and ext4, as Linux 6.18 and e2fsprogs 1.47 write them.
//!
//! A journal with transactions that were committed but not written to their places is replayed in
//! memory ([`journal`]), as the kernel would do on disk at the next mount. Unlike the kernel we
//! leave files alone that were deleted while still open, or that were being cut (the orphan list):
//! they have no names, and of a file that was being cut the size is the one it should get.
//!
//! Checksums are verified; what has a wrong one is told, and read all the same. Not supported:
//! content and names of encrypted files, compressed files (a patch that never was part of Linux), a
//! journal on another device, and fast commits after the last full one. Snapshots, quotas,
//! multiple mount protection, verity and case folding do not change how files are read.

mod access_control_list;
mod attributes;
mod backup;
mod block_map;
mod content;
mod directory;
mod extent_tree;
mod features;
mod groups;
mod inode;
mod journal;
mod runs;
mod superblock;
#[cfg(test)]
mod tests;
mod volume;

use crate::doubts::Doubts;
use crate::file_system::{FileSystem, Flaw};
use crate::inodes::{InodeTree, Inodes, NamedInode};
use crate::{EvidenceError, ExtendedAttribute, FileKind, Metadata, ReadAt};
use dockline_timeline::IssueKind;
use inode::Inode;
use std::sync::Arc;
use volume::Volume;

const ROOT: u64 = 2;

/// Bit of the state: unmounted cleanly.
const CLEAN: u16 = 1;
/// Bit of the state: the kernel found errors.
const ERRORS: u16 = 2;

/// Opens the file system in a volume.
///
/// # Errors
/// When neither the superblock nor a copy of it can be read, or it is a journal on its own.
pub(crate) fn open(device: Arc<dyn ReadAt>) -> Result<FileSystem, EvidenceError> {
    let mut flaws = Vec::new();
    let mut volume = Volume::open(device, &mut flaws)?;
    let replayed = journal::replay(&volume);
    if let Some(device) = replayed.device {
        // The journal also holds newer superblocks and group descriptors.
        flaws.clear();
        volume = Volume::open(device, &mut flaws)?;
    }
    flaws.extend(replayed.flaws);
    flaws.extend(told_by_superblock(&volume));
    let superblock = &volume.superblock;
    let label = String::from_utf8_lossy(&superblock.label).into_owned();
    Ok(FileSystem {
        kind: superblock.features.name(),
        uuid: Some(superblock.uuid_text()),
        label: Some(label).filter(|label| !label.is_empty()),
        flaws,
        tree: Arc::new(InodeTree::new(Ext4 { volume })),
    })
}

fn told_by_superblock(volume: &Volume) -> Vec<Flaw> {
    let superblock = &volume.superblock;
    let unsupported = superblock.features.unsupported().into_iter();
    let mut flaws: Vec<Flaw> = unsupported
        .map(|name| Flaw {
            kind: IssueKind::Unsupported,
            what: EvidenceError::Unsupported(name).to_string(),
        })
        .collect();
    let mut tell = |what: &str| {
        flaws.push(Flaw { kind: IssueKind::Malformed, what: what.to_string() });
    };
    if superblock.state & ERRORS != 0 {
        tell("the kernel that wrote the file system found errors in it");
    }
    // A copy of the superblock does not know.
    let is_dirty = superblock.state & CLEAN == 0 && superblock.group == 0;
    if is_dirty && !superblock.features.has_journal() {
        tell("the file system was not unmounted cleanly, and has no journal");
    }
    flaws
}

struct Ext4 {
    volume: Volume,
}

impl Inodes for Ext4 {
    fn root(&self) -> u64 {
        ROOT
    }

    fn entries(
        &self,
        directory: u64,
        doubts: &mut Doubts,
    ) -> Result<Vec<NamedInode>, EvidenceError> {
        let inode = self.volume.inode(directory)?;
        check_inode(&self.volume, &inode, doubts);
        directory::entries(&self.volume, &inode, doubts)
    }

    fn metadata(&self, inode: u64) -> Result<Metadata, EvidenceError> {
        self.volume.inode(inode)?.metadata()
    }

    fn content(&self, inode: u64) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        let inode = self.volume.inode(inode)?;
        inode.require(FileKind::Regular)?;
        content::content(&self.volume, &inode, &mut Doubts::default())
    }

    fn link_target(&self, inode: u64) -> Result<Vec<u8>, EvidenceError> {
        let inode = self.volume.inode(inode)?;
        inode.require(FileKind::SymbolicLink)?;
        content::link_target(&self.volume, &inode, &mut Doubts::default())
    }

    fn extended_attributes(&self, inode: u64) -> Result<Vec<ExtendedAttribute>, EvidenceError> {
        let inode = self.volume.inode(inode)?;
        attributes::all(&self.volume, &inode, &mut Doubts::default())
    }

    fn damage(&self, inode: u64, doubts: &mut Doubts) {
        // An inode that cannot be read is an error of every other question.
        let Ok(inode) = self.volume.inode(inode) else { return };
        check_inode(&self.volume, &inode, doubts);
        if matches!(inode.kind(), Ok(FileKind::Regular)) {
            // An error that loses all of the content is had by who asks for it.
            let _ = content::content(&self.volume, &inode, doubts);
        }
    }
}

/// Notes what is wrong with an inode and its attributes.
fn check_inode(volume: &Volume, inode: &Inode, doubts: &mut Doubts) {
    if matches!(volume.has_right_checksum(inode.number), Ok(false)) {
        doubts.note(inode.malformed("the right checksum", "another"));
    }
    let _ = attributes::all(volume, inode, doubts);
}
