//! Images that were copied while they were mounted: their journals are dirty.

use super::{Image, flaws, survey};
use crate::EvidenceError;

/// Version 3 of checksums, with revocations; escaped blocks; no checksums at all, on ext3; version 1.
const DIRTY: [&str; 4] = ["csum-v3", "escaped", "plain", "csum-v1"];

/// Offset of a block of the journal, by its number there.
fn block(image: &Image, number: u64) -> u64 {
    let volume = crate::ext4::Volume::open(std::sync::Arc::new(image.clone()), &mut Vec::new());
    let volume = volume.unwrap();
    let inode = volume.inode(8).unwrap();
    let runs = crate::ext4::content::runs(&volume, &inode, &mut Default::default()).unwrap();
    let runs = runs.sorted();
    let run = runs.iter().find(|run| number - run.logical < run.count).unwrap();
    volume.offset(run.physical.unwrap() + number - run.logical)
}

#[test]
fn a_dirty_journal_yields_what_the_kernel_recovers() {
    for name in DIRTY {
        let dirty = Image::new(name).open();
        let recovered = Image::new(&format!("{name}-recovered")).open();
        assert_eq!(flaws(&dirty), [""; 0], "{name}");
        let (mut found, mut expected) = (survey(&*dirty.tree), survey(&*recovered.tree));
        // The kernel that recovered it wrote the next checksum of this.
        for survey in [&mut found, &mut expected] {
            survey.0.remove("/lost+found");
        }
        assert_eq!(found, expected, "{name}");
        assert_eq!(expected.1, [""; 0]);
    }
}

#[test]
fn a_journal_that_needs_no_recovery_is_told_and_left() {
    let image = Image::new("plain");
    let features = image.le32(1024 + 0x60) & !0x4;
    let found = image.with(1024 + 0x60, &features.to_le_bytes()).open();
    let what = "the journal holds transactions, but the superblock says that it needs no recovery; \
                they are not replayed";
    assert_eq!(flaws(&found), [what]);
    assert!(survey(&*found.tree).0.contains_key("/gone/old-name-0007"));
}

#[test]
fn a_damaged_transaction_ends_the_replay() {
    let image = Image::new("csum-v3");
    // A descriptor block, the first block that it describes, a block of revocations.
    let damaged = image.with(block(&image, 33) + 20, b"\xff").open();
    let what = flaws(&damaged).concat();
    assert!(what.starts_with("the journal is replayed up to 5: ext4 journal block at"), "{what}");
    assert!(what.contains("need the checksum"), "{what}");
    assert!(survey(&*damaged.tree).0.contains_key("/gone/old-name-0007"));
    let damaged = image.with(block(&image, 34) + 100, b"damage").open();
    assert_eq!(flaws(&damaged)[0], "1 blocks of the journal are damaged and not replayed");
    let damaged = image.with(block(&image, 120) + 20, b"\xff").open();
    assert!(flaws(&damaged)[0].starts_with("the journal is replayed up to 7: "));
}

#[test]
fn a_journal_superblock_that_cannot_be_is_told() {
    let image = Image::new("plain");
    let journal = block(&image, 0);
    for (at, bytes, what) in [
        (0, &b"junk"[..], "need the magic number c03b3998, type 3 or 4, have 6a756e6b, type 4"),
        (0xc, b"\0\0\x08\0", "need blocks of 1024 bytes, and a start in the journal"),
        (0x1c, b"\x7f\0\0\0", "need blocks of 1024 bytes, and a start in the journal"),
        (0x28, b"\x80\0\0\0", "ext4 journal feature 0x80000000 is not supported"),
    ] {
        let found = flaws(&image.with(journal + at, bytes).open()).concat();
        assert!(
            found.starts_with("the journal cannot be replayed: ") && found.contains(what),
            "{found}"
        );
        assert!(found.ends_with("; files may be older"), "{found}");
    }
}

#[test]
fn a_journal_elsewhere_is_not_supported() {
    let found = Image::new("plain").with(1024 + 0xe0, &[0; 4]).open();
    let what = "the journal cannot be replayed: a journal on another device is not supported; \
                files may be older";
    assert_eq!(flaws(&found), [what]);
}

#[test]
fn a_damaged_journal_inode_is_read_from_its_copy() {
    let image = Image::new("csum-v3");
    let volume = crate::ext4::Volume::open(std::sync::Arc::new(image.clone()), &mut Vec::new());
    let inode = volume.unwrap().inode_offset(8).unwrap();
    let found = image.with(inode, &[0; 128]).open();
    assert_eq!(flaws(&found), [""; 0]);
    assert!(!survey(&*found.tree).0.contains_key("/gone/old-name-0007"));
}

#[test]
fn a_journal_on_its_own_is_refused() {
    let image = Image::new("plain");
    let error = crate::ext4::open(std::sync::Arc::new(image.with(1024 + 0x60, &[8, 0, 0, 0])));
    let error = error.err().unwrap();
    assert!(matches!(error, EvidenceError::Unsupported(_)), "{error}");
}
