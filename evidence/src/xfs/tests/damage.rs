//! One thing changed: it is told, and all else is read.

use super::super::bmap_btree::{Mapping, Place, mappings};
use super::super::checksum::is_right;
use super::super::dinode::{Dinode, ForkFormat};
use super::super::volume::Volume;
use super::{image, opened, volume};
use crate::doubts::Doubts;
use crate::fields::read_exact;
use crate::read_at::read_up_to;
use crate::{Descend, Tree, TreePath, walk};
use std::sync::Arc;

/// The image, and where things are in it.
struct Known {
    image: Arc<Vec<u8>>,
    volume: Volume,
    tree: Arc<dyn Tree>,
}

impl Known {
    fn new() -> Known {
        let image = image("v5");
        let tree = super::super::open(image.clone()).unwrap().tree;
        Known { volume: volume(&image, Vec::new()), tree, image }
    }

    /// The number of an inode, and its offset.
    fn inode(&self, path: &TreePath) -> (u64, usize) {
        let number = self.tree.metadata(path).unwrap().inode.unwrap();
        (number, self.volume.superblock.inode_offset(number).unwrap() as usize)
    }

    fn dinode(&self, path: &TreePath) -> Dinode {
        let (number, at) = self.inode(path);
        Dinode::parse(&self.volume.superblock, number, self.image[at..at + 512].to_vec()).unwrap()
    }

    fn mappings(&self, path: &TreePath) -> Vec<Mapping> {
        let dinode = self.dinode(path);
        let mut doubts = Doubts::default();
        let found = mappings(&self.volume, &dinode.data_fork().unwrap(), &mut doubts).unwrap();
        assert_eq!(doubts.into_errors().len(), 0);
        found
    }

    fn offset(&self, mapping: &Mapping) -> usize {
        let Place::Block(block) = mapping.place else { panic!("{mapping:?}") };
        self.volume.superblock.block_offset(block, 1).unwrap() as usize
    }

    /// The first file whose extents are held in that format, at least so many.
    fn file(&self, format: ForkFormat, extents: u64) -> TreePath {
        let is_it = |path: &&TreePath| {
            let dinode = self.dinode(path);
            let fork = dinode.data_fork().unwrap();
            dinode.kind.name() == "regular file" && fork.format == format && fork.extents >= extents
        };
        paths(&*self.tree).0.iter().find(is_it).unwrap().clone()
    }

    fn content(&self, path: &TreePath) -> Vec<u8> {
        read_up_to(&self.tree.open(path).unwrap(), u64::MAX).unwrap().0
    }

    fn with(&self, at: usize, bytes: &[u8]) -> Arc<dyn Tree> {
        opened(&self.image, at, bytes).unwrap().tree
    }
}

fn path(text: &str) -> TreePath {
    TreePath::parse(text.as_bytes()).unwrap()
}

/// All nodes, and what a walk tells.
fn paths(tree: &dyn Tree) -> (Vec<TreePath>, Vec<String>) {
    let (mut found, mut issues) = (Vec::new(), Vec::new());
    let mut visit = |path: &TreePath, _: &crate::Entry| {
        found.push(path.clone());
        Descend::Into
    };
    walk(tree, &mut visit, &mut |path, error| issues.push(format!("{path}: {error}")));
    (found, issues)
}

fn damage(tree: &dyn Tree, path: &TreePath) -> Vec<String> {
    tree.damage(path).iter().map(ToString::to_string).collect()
}

#[test]
fn an_intact_file_system_has_no_damage() {
    for name in ["v5", "v4", "dirty"] {
        let tree = super::super::open(image(name)).unwrap().tree;
        let (found, issues) = paths(&*tree);
        assert_eq!(issues, [""; 0], "{name}");
        for path in found {
            assert_eq!(damage(&*tree, &path), [""; 0], "{name}: {path}");
        }
    }
}

#[test]
fn a_wrong_checksum_of_an_inode_is_told_and_the_inode_read() {
    let known = Known::new();
    for at in ["attributed", "time-0"] {
        let (_, inode) = known.inode(&path(at));
        let tree = known.with(inode + 8, &[0, 0, 0, 77]);
        let place = inode + 100;
        let what = format!("XFS inode at byte {place}: need the right checksum, have another");
        assert_eq!(damage(&*tree, &path(at)), [what]);
        assert_eq!(tree.metadata(&path(at)).unwrap().uid, Some(77));
    }
}

#[test]
fn a_wrong_checksum_of_a_directory_block_is_told_and_its_names_are_read() {
    let known = Known::new();
    let directory = path("large directory");
    let block = known.offset(&known.mappings(&directory)[0]);
    let name = (block..block + 4096).find(|at| known.image[*at..].starts_with(b"-n")).unwrap();
    let tree = known.with(name, b"+");
    let what = "/large directory: XFS directory block at byte 4: need the right checksum, have \
                another";
    let (found, issues) = paths(&*tree);
    assert_eq!(issues, [what]);
    assert_eq!(found.len(), paths(&*known.tree).0.len());
    assert!(found.iter().any(|path| path.to_string().contains('+')));
}

#[test]
fn a_damaged_directory_block_costs_its_names_alone() {
    let known = Known::new();
    let directory = path("large directory");
    let mappings = known.mappings(&directory);
    let whole = known.tree.list(&directory).unwrap().len();
    let second = mappings.iter().find(|mapping| mapping.start == 4).unwrap();
    let block = known.offset(second);
    for (at, bytes, what) in [
        (block, &b"JUNK"[..], "at byte 4096: need XDD3, XDB3, XD2D or XD2B, have other bytes"),
        (block + 64, &[0xff, 0xff, 0, 3], "at byte 4160: need a length that is a multiple of 8"),
    ] {
        let tree = known.with(at, bytes);
        let listed = tree.list(&directory).unwrap().len();
        assert!(listed < whole && listed > whole / 2, "{listed} of {whole}");
        let (_, issues) = paths(&*tree);
        assert_eq!(issues.len(), 1, "{issues:?}");
        let start = format!("/large directory: XFS directory block {what}");
        assert!(issues[0].starts_with(&start), "{issues:?}");
    }
}

#[test]
fn a_damaged_name_in_an_inode_costs_those_behind_it() {
    let known = Known::new();
    let (_, inode) = known.inode(&path("d0"));
    assert_eq!(known.tree.list(&path("d0")).unwrap().len(), 1);
    let tree = known.with(inode + 176, &[200]);
    assert_eq!(tree.list(&path("d0")).unwrap()[0].name, b"d1");
    let issues = damage(&*tree, &path("d0"));
    assert!(issues[0].contains("the right checksum"), "{issues:?}");
    assert!(issues[1].starts_with("XFS data fork at byte"), "{issues:?}");
    assert_eq!(issues.len(), 2);
}

/// Asserts that a tree reads a file as it was but for the blocks in `lost`, which are errors.
fn assert_lost(known: &Known, tree: &dyn Tree, path: &TreePath, lost: std::ops::Range<u64>) {
    let whole = known.content(path);
    let file = tree.open(path).unwrap();
    for block in 0..(whole.len() as u64).div_ceil(1024) {
        let at = block * 1024;
        let length = (whole.len() - at as usize).min(1024);
        let found = read_exact(&file, "block", at, length);
        match lost.contains(&block) {
            true => {
                let error = found.unwrap_err().to_string();
                assert_eq!(error, "the map of the blocks of this file is damaged here");
            }
            false => assert!(found.unwrap() == whole[at as usize..][..length], "block {block}"),
        }
    }
}

#[test]
fn a_damaged_extent_costs_the_blocks_that_it_maps() {
    let known = Known::new();
    let file = known.file(ForkFormat::Extents, 3);
    let (_, inode) = known.inode(&file);
    let mappings = known.mappings(&file);
    let (first, second) = (mappings[0], mappings[1]);
    let behind = mappings[2].start;
    let record = inode + 176 + 16;
    // No blocks; blocks of no group; blocks that the extent before has already.
    let no_group = (second.start as u128) << 73 | ((1_u128 << 52) - 1) << 21 | second.count as u128;
    let back = (known.image[record..record + 16].to_vec(), no_group.to_be_bytes());
    let mut empty: [u8; 16] = back.0.try_into().unwrap();
    empty[13] &= 0xe0;
    empty[14..].fill(0);
    for (bytes, lost, what) in [
        (empty, first.end()..behind, "need an extent from block"),
        (back.1, second.start..second.end(), "inside a group, from block number 4503599627370495"),
        ([0xff; 16].map(|_| 0), first.end()..behind, "have 0 blocks from block 0"),
    ] {
        let tree = known.with(record, &bytes);
        assert_lost(&known, &*tree, &file, lost);
        let issues = damage(&*tree, &file);
        assert!(issues[0].contains("the right checksum"), "{issues:?}");
        assert!(issues[1].contains(what), "{issues:?}");
        assert_eq!(issues.len(), 2);
        assert_eq!(paths(&*tree).1, [""; 0], "a walk asks no file");
    }
}

#[test]
fn more_extents_than_there_is_room_for_cost_what_lies_behind_the_last() {
    let known = Known::new();
    let file = known.file(ForkFormat::Extents, 3);
    let (_, inode) = known.inode(&file);
    let last = known.mappings(&file).last().unwrap().end();
    let tree = known.with(inode + 176 + 3 * 16, &[0; 16]);
    let issues = damage(&*tree, &file);
    assert!(issues.len() >= 1 && issues[0].contains("the right checksum"), "{issues:?}");
    let large_counts = u64::from_be_bytes(known.image[inode + 120..][..8].try_into().unwrap()) & 16;
    let count_at = if large_counts == 0 { 76 } else { 28 };
    let tree = known.with(inode + count_at, &[0, 0, 1, 0]);
    let issues = damage(&*tree, &file);
    assert!(issues[1].contains("need 256 extents, have room for"), "{issues:?}");
    let buffer = &mut [0; 10];
    let file = tree.open(&file).unwrap();
    assert!(file.len() <= last * 1024 || file.read_at(last * 1024, buffer).is_err());
    assert_eq!(file.read_at(0, buffer).unwrap(), 10);
}

#[test]
fn a_damaged_block_of_an_extent_tree_costs_what_it_maps() {
    let known = Known::new();
    let file = known.file(ForkFormat::Btree, 2);
    let is_leaf = |at: &usize| {
        let number = known.inode(&file).0.to_be_bytes();
        known.image[*at..].starts_with(b"BMA3") && known.image[at + 56..].starts_with(&number)
    };
    let leaf = (0..known.image.len()).step_by(1024).find(is_leaf).unwrap();
    let tree = known.with(leaf, b"JUNK");
    let what = format!("XFS extent tree block at byte {leaf}: need BMA3, have other bytes");
    assert_eq!(damage(&*tree, &file), [what]);
    let blocks = known.content(&file).len() as u64 / 1024 + 1;
    assert_lost(&known, &*tree, &file, 0..blocks);
    // The second of its extents has no blocks any more.
    let tree = known.with(leaf + 72 + 16, &[0; 16]);
    let mappings = known.mappings(&file);
    assert_lost(&known, &*tree, &file, mappings[0].end()..mappings[2].start);
    let issues = damage(&*tree, &file);
    assert!(issues[0].contains("the right checksum"), "{issues:?}");
    assert!(issues[1].contains("need an extent from block"), "{issues:?}");
}

#[test]
fn a_damaged_attribute_costs_itself_alone() {
    let known = Known::new();
    let is_leaf = |at: &usize| known.image[at + 8..].starts_with(&[0x3b, 0xee]);
    let leaf = (0..known.image.len()).step_by(1024).find(is_leaf).unwrap();
    let owner = u64::from_be_bytes(known.image[leaf + 48..][..8].try_into().unwrap());
    let owns = |path: &&TreePath| known.inode(path).0 == owner;
    let file = paths(&*known.tree).0.iter().find(owns).unwrap().clone();
    let whole = known.tree.extended_attributes(&file).unwrap();
    // The place of the first attribute lies behind the end of the block.
    let tree = known.with(leaf + 80 + 4, &[0xff, 0xff]);
    let found = tree.extended_attributes(&file).unwrap();
    assert!(found.len() < whole.len() && found.iter().all(|one| whole.contains(one)));
    let issues = damage(&*tree, &file);
    assert!(issues[0].starts_with("XFS attribute block at byte 65"), "{issues:?}");
    assert!(issues[1].contains("the right checksum"), "{issues:?}");
    assert_eq!(issues.len(), 2);
    let tree = known.with(leaf + 8, &[0, 0]);
    assert!(tree.extended_attributes(&file).unwrap().len() < whole.len());
    let issues = damage(&*tree, &file);
    assert!(issues[0].contains("an attribute leaf or node"), "{issues:?}");
    assert_eq!(issues.len(), 1);
}

#[test]
fn what_the_log_changed_is_not_compared_with_its_checksum() {
    let image = image("dirty");
    let tree = super::super::open(image.clone()).unwrap().tree;
    let mut flaws = Vec::new();
    let superblock = super::superblock_search::find(&image, &mut flaws).unwrap();
    let overlay = super::super::log::replayed(image.clone(), &superblock, &mut flaws).unwrap();
    let offset = |path: &TreePath| {
        superblock.inode_offset(tree.metadata(path).unwrap().inode.unwrap()).unwrap()
    };
    let is_stale = |path: &&TreePath| {
        let inode = read_exact(&*overlay, "inode", offset(path), 512).unwrap();
        overlay.changes(&(offset(path)..offset(path) + 512)) && !is_right(&inode, 100)
    };
    let stale = paths(&*tree).0.iter().filter(is_stale).count();
    assert!(stale > 10, "{stale}");
}
