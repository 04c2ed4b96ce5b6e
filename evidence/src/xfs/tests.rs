//! What damage and malice cost: each mutation its one named error, and never more than that.

#![cfg(test)]

mod damage;

use super::bmap_btree::{Mapping, Place, mappings};
use super::dinode::{Fork, ForkFormat};
use super::superblock_search;
use super::volume::Volume;
use crate::doubts::Doubts;
use crate::fields::Fields;
use crate::file_system::FileSystem;
use crate::{Descend, EvidenceError, FileKind, ReadAt, TreePath, walk};
use dockline_timeline::IssueKind;
use std::sync::Arc;

/// The image of that name, in whole.
fn image(name: &str) -> Arc<Vec<u8>> {
    let path = format!("{}/../testdata/evidence/xfs/{name}.img.zst", env!("CARGO_MANIFEST_DIR"));
    Arc::new(zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap())
}

/// An image in which some bytes are others.
struct Changed {
    image: Arc<Vec<u8>>,
    changes: Vec<(usize, Vec<u8>)>,
}

impl ReadAt for Changed {
    fn len(&self) -> u64 {
        ReadAt::len(self.image.as_ref())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.image.read_at(offset, buffer)?;
        for (at, bytes) in &self.changes {
            for (index, byte) in bytes.iter().enumerate() {
                let place = (at + index).checked_sub(offset as usize);
                if let Some(place) = place.and_then(|place| buffer[..count].get_mut(place)) {
                    *place = *byte;
                }
            }
        }
        Ok(count)
    }
}

fn changed(image: &Arc<Vec<u8>>, at: usize, bytes: &[u8]) -> Arc<Changed> {
    Arc::new(Changed { image: image.clone(), changes: vec![(at, bytes.to_vec())] })
}

fn opened(image: &Arc<Vec<u8>>, at: usize, bytes: &[u8]) -> Result<FileSystem, EvidenceError> {
    super::open(changed(image, at, bytes))
}

/// The flaws in words, with their kinds.
fn flaws(file_system: &FileSystem) -> Vec<(IssueKind, &str)> {
    file_system.flaws.iter().map(|flaw| (flaw.kind, flaw.what.as_str())).collect()
}

/// Visits every node and reads all that can be read; returns the number of nodes and of errors.
fn read_everything(file_system: &FileSystem) -> (usize, usize) {
    let tree = file_system.tree.as_ref();
    let mut paths = vec![(TreePath::root(), FileKind::Directory)];
    let mut errors = 0;
    walk(
        tree,
        &mut |path, entry| {
            paths.push((path.clone(), entry.kind));
            Descend::Into
        },
        &mut |_, _| errors += 1,
    );
    for (path, kind) in &paths {
        errors += usize::from(tree.metadata(path).is_err());
        errors += usize::from(tree.extended_attributes(path).is_err());
        if *kind == FileKind::SymbolicLink {
            errors += usize::from(tree.link_target(path).is_err());
        }
        if *kind == FileKind::Regular {
            let mut buffer = vec![0; 8192];
            let read = tree.open(path).map(|content| content.read_at(0, &mut buffer).is_err());
            errors += usize::from(read.unwrap_or(true));
        }
    }
    (paths.len(), errors)
}

#[test]
fn an_intact_image_has_its_name_and_no_flaws() {
    let file_system = super::open(image("v5")).unwrap();
    assert_eq!(flaws(&file_system), []);
    assert_eq!(file_system.uuid.as_deref(), Some("00112233-4455-6677-8899-aabbccddeeff"));
    assert_eq!(file_system.label.as_deref(), Some("evidence"));
    assert_eq!(read_everything(&file_system), (761, 0));
}

#[test]
fn a_copy_stands_in_for_a_damaged_superblock() {
    let image = image("v5");
    for (at, bytes, damage) in [
        (0, &[0; 512][..], "XFS superblock at byte 0: need the letters XFSB, have other bytes"),
        (4, &[0xff; 4], "XFS superblock at byte 4: need a power of two from 512 to 65536"),
        (84, &[0; 4], "XFS superblock at byte 124: need 0 bits for groups of 0 blocks, have 15"),
        (88, &[0xff; 4], "XFS superblock at byte 8: need blocks that fit 4294967295 groups"),
        (192, &[9], "XFS superblock at byte 192: need a power of two from 512 to 65536"),
    ] {
        let file_system = opened(&image, at, bytes).unwrap();
        let [(IssueKind::Malformed, what)] = flaws(&file_system)[..] else { panic!("{at}") };
        assert!(what.starts_with(damage), "{what}");
        assert!(what.ends_with("; its copy at byte 20971520 is used"), "{what}");
        assert_eq!(read_everything(&file_system), (761, 0));
    }
}

#[test]
fn a_wrong_checksum_of_the_superblock_is_named() {
    let file_system = opened(&image("v5"), 108, b"E").unwrap();
    let expected = [(IssueKind::Malformed, "the checksum of the XFS superblock is wrong")];
    assert_eq!(flaws(&file_system), expected);
    assert_eq!(file_system.label.as_deref(), Some("Evidence"));
}

#[test]
fn unknown_features_are_refused_by_name() {
    let image = image("v5");
    let error = opened(&image, 216, &[0x80]).err().unwrap();
    let expected = "XFS with the incompatible features 0x80000000 is not supported";
    assert_eq!(error.to_string(), expected);
    let error = opened(&image, 101, &[0xb6]).err().unwrap();
    assert_eq!(error.to_string(), "XFS version 6 is not supported");
}

#[test]
fn a_file_system_that_ends_early_keeps_what_is_there() {
    let whole = image("v5");
    let cut = Arc::new(whole[..12 << 20].to_vec());
    let (nodes, errors) = read_everything(&super::open(cut).unwrap());
    assert!(nodes > 10 && errors > 0, "{nodes} nodes, {errors} errors");
    assert!(super::open(Arc::new(whole[..100].to_vec())).is_err());
}

#[test]
fn a_log_that_cannot_be_replayed_is_named() {
    let image = image("dirty");
    assert_eq!(flaws(&super::open(image.clone()).unwrap()), []);
    let superblock = superblock_search::find(&image, &mut Vec::new()).unwrap();
    let (start, count) = (superblock.log_start, superblock.log_blocks);
    let log = superblock.block_offset(start, count).unwrap() as usize;
    let blocks = (count * superblock.block_size) as usize;
    let is_header = |at: &usize| image[*at..*at + 4] == [0xfe, 0xed, 0xba, 0xbe];
    let headers: Vec<usize> = (log..log + blocks).step_by(512).filter(is_header).collect();
    let second = headers[1];
    for (at, bytes, kind, words) in [
        (second + 600, &b"?"[..], IssueKind::Malformed, "the checksum of the content"),
        (second + 310, b"?", IssueKind::Malformed, "need the UUID of the file system"),
        (second + 303, &[2], IssueKind::Unsupported, "an XFS log of a big-endian machine"),
        (223, &[2], IssueKind::Unsupported, "an XFS log with the features 0x2"),
    ] {
        let file_system = opened(&image, at, bytes).unwrap();
        let found = flaws(&file_system);
        let (found_kind, what) = *found.last().unwrap();
        assert_eq!(found_kind, kind, "{what}");
        assert!(what.starts_with("the view of the XFS file system is older than its log: "));
        assert!(what.contains(words), "{what}");
    }
    let file_system = opened(&image, 48, &[0; 8]).unwrap();
    let (kind, what) = *flaws(&file_system).last().unwrap();
    assert_eq!(kind, IssueKind::Unsupported);
    assert!(what.ends_with("an XFS log on another device is not supported"), "{what}");
}

/// The volume of the image, and a fork whose root points to `blocks`.
fn volume(image: &Arc<Vec<u8>>, changes: Vec<(usize, Vec<u8>)>) -> Volume {
    let superblock = superblock_search::find(image, &mut Vec::new()).unwrap();
    let device = Arc::new(Changed { image: image.clone(), changes });
    Volume { device, superblock, replayed: None }
}

fn tree_root(level: u16, blocks: &[u64]) -> Vec<u8> {
    let most = 10;
    let mut root = [level.to_be_bytes(), (blocks.len() as u16).to_be_bytes()].concat();
    root.resize(4 + most * 8, 0);
    blocks.iter().for_each(|block| root.extend(block.to_be_bytes()));
    root.resize(4 + most * 16, 0);
    root
}

/// The first of what is wrong with a fork of which nothing is known.
fn mappings_of(volume: &Volume, format: ForkFormat, extents: u64, bytes: &[u8]) -> String {
    let fork = Fork { format, extents, fields: Fields::new("XFS data fork", 0, bytes) };
    let mut doubts = Doubts::default();
    let lost = Mapping { start: 0, count: 1 << 54, place: Place::Lost };
    assert_eq!(mappings(volume, &fork, &mut doubts).unwrap(), [lost]);
    // The blocks have no checksums.
    let told = doubts.into_errors().into_iter().map(|error| error.to_string());
    told.filter(|what| !what.contains("checksum")).next().unwrap()
}

/// A node of an extent tree of blocks of 1 KiB.
fn tree_node(level: u16, blocks: &[u64]) -> Vec<u8> {
    let mut node = b"BMA3".to_vec();
    node.extend(level.to_be_bytes());
    node.extend((blocks.len() as u16).to_be_bytes());
    node.resize(72 + (1024 - 72) / 16 * 8, 0);
    blocks.iter().for_each(|block| node.extend(block.to_be_bytes()));
    node.resize(1024, 0);
    node
}

#[test]
fn extent_trees_that_go_in_circles_come_to_an_end() {
    let image = image("v5");
    let at = |block: usize| block * 1024;
    let changes = vec![
        (at(5000), tree_node(1, &[5000])),
        (at(5001), tree_node(1, &[5002, 5002])),
        (at(5002), tree_node(0, &[])),
    ];
    let volume = volume(&image, changes);
    for (root, error) in [
        (tree_root(2, &[5000]), "at byte 5120000: need a tree, have a block that is used twice"),
        (tree_root(2, &[5001]), "at byte 5122048: need a tree, have a block that is used twice"),
        (tree_root(1, &[5000]), "at byte 5120004: need the level below 1, have 1"),
        (tree_root(0, &[5002]), "at byte 5122052: need the level below 0, have 0"),
        (tree_root(1, &[5003]), "at byte 5123072: need BMA3, have other bytes"),
    ] {
        let found = mappings_of(&volume, ForkFormat::Btree, 0, &root);
        assert_eq!(found, format!("XFS extent tree block {error}"));
    }
    let found = mappings_of(&volume, ForkFormat::Btree, 0, &tree_root(1, &[u64::MAX]));
    assert!(found.contains("1 blocks inside a group, from block number 18446744073709551615"));
}

#[test]
fn absurd_counts_are_refused() {
    let volume = volume(&image("v5"), Vec::new());
    let found = mappings_of(&volume, ForkFormat::Extents, u64::MAX, &[0; 64]);
    let what = "XFS data fork at byte 0: need 18446744073709551615 extents, have room for 4";
    assert_eq!(found, what);
    let mut root = tree_root(1, &[]);
    root[2..4].fill(0xff);
    let found = mappings_of(&volume, ForkFormat::Btree, 0, &root);
    assert_eq!(found, "XFS data fork at byte 0: need at most 10 pointers, have 65535");
}

/// Numbers that look random and are the same in every run.
fn random(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

/// Where structures begin.
fn structures(image: &[u8]) -> Vec<usize> {
    const SIGNATURES: [&[u8]; 11] = [
        b"IN",
        b"XFSB",
        b"XDB3",
        b"XDD3",
        b"XD2B",
        b"XD2D",
        b"BMA3",
        b"BMAP",
        b"XSLM",
        b"XARM",
        b"\xfe\xed\xba\xbe",
    ];
    let is_structure = |at: &usize| {
        let bytes = &image[*at..];
        let attributes = matches!(bytes[8..10], [0x3b | 0xfb, 0xee] | [0x3e | 0xfe, 0xbe]);
        attributes || SIGNATURES.iter().any(|signature| bytes.starts_with(signature))
    };
    (0..image.len()).step_by(256).filter(is_structure).collect()
}

#[test]
fn damage_anywhere_costs_an_error_and_no_more() {
    for name in ["v5", "dirty", "v4"] {
        let image = image(name);
        let structures = structures(&image);
        let mut state = 20_26;
        for _ in 0..25 {
            let changes = (0..6).map(|_| {
                let start = structures[random(&mut state) % structures.len()];
                let at = start + random(&mut state) % 200;
                let value = [0, 1, 0x7f, 0x80, 0xff, random(&mut state) as u8];
                let value = value[random(&mut state) % value.len()];
                (at, vec![value; 1 + random(&mut state) % 4])
            });
            let changed = Changed { image: image.clone(), changes: changes.collect() };
            if let Ok(file_system) = super::open(Arc::new(changed)) {
                read_everything(&file_system);
            }
        }
    }
}
