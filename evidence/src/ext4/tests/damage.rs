//! One thing changed: it is named, and all else is read.

use super::{Image, content, flaws, path, survey};
use crate::fields::Fields;

/// Asserts that an image tells exactly these issues, and no fewer nodes than without the change.
fn assert_told(changed: &Image, whole: &Image, issues: &[String]) {
    let (nodes, told) = survey(&*changed.open().tree);
    assert_eq!(told, issues);
    assert_eq!(nodes.len(), survey(&*whole.open().tree).0.len());
}

#[test]
fn a_superblock_that_cannot_be_is_named() {
    let image = Image::new("ext2");
    for (at, bytes, what) in [
        (0x38, &[0, 0][..], "at byte 1080: need the magic number ef53, have 0000"),
        (0x18, &[7], "at byte 1048: need a block size up to 64 KiB, have 7"),
        (0x58, &[100, 0], "at byte 1112: need an inode size from 128 to the block size, have 100"),
        (0x28, &[0; 4], "at byte 1064: need 1 to 8192 inodes per group, have 0"),
        (0x20, &[0; 4], "at byte 1056: need blocks in a group, have 0"),
        (0x14, &[0xff; 4], "at byte 1044: need a first block below 2048, have 4294967295"),
    ] {
        let error = super::open(std::sync::Arc::new(image.with(1024 + at, bytes))).err().unwrap();
        assert_eq!(error.to_string(), format!("ext4 superblock {what}"));
    }
}

#[test]
fn a_damaged_superblock_is_replaced_by_its_copy() {
    let image = Image::new("two-groups");
    let expected = survey(&*image.open().tree);
    let lost = image.with(1024, &[0; 1024]).open();
    let what = "ext4 superblock at byte 1080: need the magic number ef53, have 0000; its copy in \
                group 1 is used";
    assert_eq!(flaws(&lost), [what]);
    assert_eq!(survey(&*lost.tree), expected);
    let absurd = image.with(1024 + 0x28, &[1, 0, 0, 0]).open();
    let what = "the superblock has a wrong checksum; its copy in group 1 is used";
    assert_eq!(flaws(&absurd), [what]);
    assert_eq!(survey(&*absurd.tree), expected);
    let harmless = image.with(1024 + 0x34, &[9]).open();
    let what = "the superblock has a wrong checksum; its copy has the same geometry";
    assert_eq!(flaws(&harmless), [what]);
}

#[test]
fn damaged_group_descriptors_are_replaced_by_their_copies() {
    let image = Image::new("two-groups");
    let found = image.with(2048, &[0; 1024]).open();
    let what = "3 of 3 group descriptors are damaged; copies of 3 are used";
    assert_eq!(flaws(&found), [what]);
    assert_eq!(survey(&*found.tree), survey(&*image.open().tree));
    let one = image.with(2048 + 8, &[0xff]).open();
    assert_eq!(flaws(&one), ["1 of 3 group descriptors are damaged; copies of 1 are used"]);
}

#[test]
fn an_unknown_feature_is_named() {
    let image = Image::new("ext2");
    let found = image.with(1024 + 0x60, &[0x03, 0, 0, 0x80]).open();
    assert_eq!(
        flaws(&found),
        [
            "ext4 feature compression is not supported",
            "ext4 incompatible feature 0x80000000 is not supported"
        ]
    );
    assert_eq!(content(&*found.tree, "etc/hostname").unwrap(), b"web1\n");
}

#[test]
fn an_inode_with_a_wrong_checksum_is_told_and_read() {
    let image = Image::new("ext4");
    let at = image.inode("etc/hostname");
    let changed = image.with(at + 2, &[77]);
    let number = image.open().tree.metadata(&path("etc/hostname")).unwrap().inode.unwrap();
    let what = format!(
        "/etc/hostname: ext4 inode at byte 0: need the right checksum in inode {number}, have another"
    );
    assert_told(&changed, &image, &[what]);
    assert_eq!(changed.open().tree.metadata(&path("etc/hostname")).unwrap().uid, Some(77));
}

#[test]
fn a_free_inode_that_has_a_name_is_an_error() {
    let image = Image::new("ext2");
    let changed = image.with(image.inode("etc/hostname"), &[0, 0]).open();
    let error = changed.tree.metadata(&path("etc/hostname")).unwrap_err().to_string();
    assert!(
        error.contains("need a mode of a file in inode") && error.ends_with("have 0"),
        "{error}"
    );
}

#[test]
fn encrypted_files_are_named_and_their_metadata_read() {
    let image = Image::new("ext2");
    for at in ["etc", "etc/hostname", "etc/long"] {
        let inode = image.inode(at);
        let changed = image.with(inode + 0x20, &[0, 8, 0, 0]).open();
        let error = match at {
            "etc" => changed.tree.list(&path(at)).unwrap_err().to_string(),
            "etc/long" => changed.tree.link_target(&path(at)).unwrap_err().to_string(),
            at => content(&*changed.tree, at).unwrap_err(),
        };
        assert!(error.starts_with("the encryption of ext4 inode "), "{error}");
        assert!(changed.tree.metadata(&path(at)).is_ok());
    }
}

/// Offset of the first block of a file of "ext2".
fn first_block(image: &Image, at: &str) -> u64 {
    u64::from(image.le32(image.inode(at) + 0x28)) * 1024
}

#[test]
fn entries_of_a_directory_after_a_damaged_one_are_told_to_be_lost() {
    let image = Image::new("ext2");
    let etc = first_block(&image, "etc");
    // Of the entry after `.` and `..`.
    for (at, bytes, what) in [
        (28, &[3, 0][..], "need the length of an entry up to 1000, have 3"),
        (28, &[0, 8], "need the length of an entry up to 1000, have 2048"),
        (30, &[200], "need a name in an entry of 16 bytes, have 200"),
    ] {
        let (nodes, issues) = survey(&*image.with(etc + at, bytes).open().tree);
        assert!(issues[0].contains(what), "{issues:?}");
        assert_eq!(issues.len(), 1);
        assert!(nodes.contains_key("/var/log/fragmented") && !nodes.contains_key("/etc/mtab"));
    }
}

#[test]
fn a_directory_in_itself_is_told() {
    let image = Image::new("ext2");
    let root = first_block(&image, "");
    // `lost+found` becomes the root.
    let (_, issues) = survey(&*image.with(root + 24, &[2, 0, 0, 0]).open().tree);
    let what = "/lost+found: not a directory of its own, but a directory that stands elsewhere in \
                the tree too";
    assert_eq!(issues, [what]);
}

#[test]
fn an_entry_that_names_no_inode_is_told_when_it_is_asked_for() {
    let image = Image::new("ext2");
    let etc = first_block(&image, "etc");
    let changed = image.with(etc + 24, &[0xff; 4]).open();
    let error = changed.tree.metadata(&path("etc/hostname")).unwrap_err().to_string();
    assert_eq!(error, "ext4 inode number at byte 0: need 1 to 256, have 4294967295");
}

#[test]
fn the_kind_that_counts_is_that_of_the_inode() {
    let image = Image::new("ext2");
    let root = first_block(&image, "");
    let entries = Fields::new("", 0, &image.bytes[root as usize..][..1024]);
    // A directory that says to be a file would hide all that it holds.
    let etc = (0..1000).find(|at| entries.bytes(*at, 3).unwrap() == b"etc").unwrap() as u64;
    let (nodes, _) = survey(&*image.with(root + etc - 1, &[1]).open().tree);
    assert!(nodes.contains_key("/etc/hostname"));
}

#[test]
fn a_damaged_extent_tree_makes_unreadable_what_it_maps() {
    let image = Image::new("ext4");
    let inode = image.inode("var/log/other");
    for (at, bytes, what) in [
        (0x28, &[0, 0][..], "need the magic number f30a, have 0000"),
        (0x2e, &[9, 0], "need a depth up to 5, have 9"),
        (0x2a, &[200, 0], "need 2400 bytes, have 48"),
    ] {
        let error = content(&*image.with(inode + at, bytes).open().tree, "var/log/other");
        let error = error.unwrap_err();
        assert!(error.contains(what), "{error}");
    }
    let node = u64::from(image.le32(inode + 0x28 + 12 + 4)) * 1024;
    let damaged = image.with(node, &[0, 0]);
    let error = content(&*damaged.open().tree, "var/log/other").unwrap_err();
    assert_eq!(error, "the map of the blocks of this file is damaged here");
    let (_, issues) = survey(&*damaged.open().tree);
    assert!(issues.iter().any(|issue| issue.contains("the magic number f30a")), "{issues:?}");
}

#[test]
fn an_extent_tree_that_holds_itself_ends() {
    let image = Image::new("ext4");
    let inode = image.inode("var/log/other");
    let node = image.le32(inode + 0x28 + 12 + 4);
    // The root says depth 2, and its child, which says depth 1, names itself.
    let child = [&[0x0a, 0xf3, 1, 0, 84, 0, 1, 0, 0, 0, 0, 0][..], &[0; 4], &node.to_le_bytes()];
    let changed = image
        .with(inode + 0x28 + 6, &[2, 0])
        .with(u64::from(node) * 1024, &[&child.concat()[..], &[0; 4]].concat());
    let (_, issues) = survey(&*changed.open().tree);
    let what = format!("need a tree, have block {node} twice");
    assert!(issues.iter().any(|issue| issue.contains(&what)), "{issues:?}");
}

#[test]
fn an_extent_past_the_end_of_the_volume_is_an_error_where_it_lies() {
    let image = Image::new("ext2");
    let inode = image.inode("var/log/fragmented");
    let changed = image.with(inode + 0x28 + 4, &[0xff, 0xff, 0xff, 0x7f]).open();
    let file = changed.tree.open(&path("var/log/fragmented")).unwrap();
    let mut buffer = [9; 4096];
    assert_eq!(file.read_at(0, &mut buffer).unwrap(), 1024);
    assert!(file.read_at(1024, &mut buffer).is_err());
    assert!(file.read_at(2048, &mut buffer).unwrap() > 0);
}

#[test]
fn a_block_map_that_holds_itself_ends() {
    let image = Image::new("ext2");
    let inode = image.inode("var/log/other");
    let block = image.le32(inode + 0x28 + 13 * 4);
    let itself = block.to_le_bytes().repeat(256);
    let changed = image
        .with(u64::from(block) * 1024, &itself)
        .with(inode + 4, &[0xff; 4])
        .with(inode + 0x28 + 14 * 4, &block.to_le_bytes());
    let (_, issues) = survey(&*changed.open().tree);
    let what = format!("have block {block} twice");
    assert!(issues.iter().any(|issue| issue.contains(&what)), "{issues:?}");
}

#[test]
fn a_damaged_attribute_is_told_and_the_others_read() {
    let image = Image::new("ext4");
    let inode = image.inode("etc/hostname");
    let raw: [u8; 256] = image.bytes_at(inode);
    let entry = inode + raw.windows(5).position(|name| name == b"small").unwrap() as u64 - 16;
    let names = |changed: &Image| -> Vec<String> {
        let found = changed.open().tree.extended_attributes(&path("etc/hostname")).unwrap();
        found.into_iter().map(|it| String::from_utf8(it.name).unwrap()).collect()
    };
    assert_eq!(names(&image), ["user.huge", "user.small"]);
    let changed = image.with(entry + 2, &[0xff, 0xff]);
    assert_eq!(names(&changed), ["user.huge"]);
    let (_, issues) = survey(&*changed.open().tree);
    let what = "/etc/hostname: ext4 attributes in an inode at byte 65535: need 1 bytes, have 0";
    assert_eq!(issues[1..], [what]);
}

#[test]
fn a_damaged_attribute_block_is_told() {
    let image = Image::new("ext4");
    let block = u64::from(image.le32(image.inode("overlay/f3") + 0x68)) * 1024;
    let (_, issues) = survey(&*image.with(block + 100, b"?").open().tree);
    assert!(
        issues.iter().all(|issue| issue.contains("ext4 attribute block at byte")),
        "{issues:?}"
    );
    let tree = image.with(block, b"junk").open().tree;
    let found = tree.extended_attributes(&path("overlay/f3")).unwrap();
    assert!(found.is_empty());
    assert!(tree.damage(&path("overlay/f3"))[0].to_string().contains("the magic number ea020000"));
}
