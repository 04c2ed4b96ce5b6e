//! ext2, ext3 and ext4 against the kernel: every node of file systems that are made with different
//! options, and of copies of them that were taken while they were mounted.

use crate::against_mount::{Mount, can_run, run};
use crate::every_kind_of_node::{Amount, make_every_kind_of_node};
use dockline_evidence::{Opening, Tree, open};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// As small as a test of every option can be.
const LITTLE: Amount = Amount { names: 700, sparse: 8 << 20, fragments: 400, attribute: 60_000 };
/// As much as a test of one file system can be.
const MUCH: Amount = Amount { names: 20_000, sparse: 1 << 30, fragments: 3000, attribute: 60_000 };

fn tree(image: &Path) -> Arc<dyn Tree> {
    let mut source = open(image, "image", &Opening::default()).unwrap();
    assert_eq!(source.issues, vec![], "{}", image.display());
    assert_eq!(source.trees.len(), 1);
    source.trees.remove(0).tree
}

/// Makes a file system with these options of `mke2fs`, fills it, and compares it, and a copy of it
/// that was taken while it was mounted. Returns how many nodes there are.
fn compare(options: &str, amount: &Amount) -> usize {
    let place = tempfile::tempdir().unwrap();
    let [image, dirty, recovered] =
        ["image", "dirty", "recovered"].map(|name| place.path().join(name));
    File::create(&image).unwrap().set_len(256 << 20).unwrap();
    let mut arguments: Vec<&str> = options.split(' ').collect();
    arguments.extend(["-q", "-F", image.to_str().unwrap()]);
    run("mke2fs", &arguments);
    let Some(mount) = Mount::new(&image, "rw") else { return 0 };
    make_every_kind_of_node(mount.path(), amount);
    run("sync", &["-f", mount.path().to_str().unwrap()]);
    change(mount.path());
    copy(&image, &dirty);
    drop(mount);
    let Some(mount) = Mount::new(&image, "ro") else { return 0 };
    let count = mount.assert_same(&*tree(&image), options);
    // Without a journal there is nothing that anybody could recover.
    if !options.contains("ext2") {
        copy(&dirty, &recovered);
        // Only a mount that may write recovers.
        drop(Mount::new(&recovered, "rw"));
        let Some(mount) = Mount::new(&recovered, "ro") else { return count };
        mount.assert_same(&*tree(&dirty), &format!("{options}, dirty"));
    }
    count
}

/// Changes that are committed to the journal and not yet written to their places.
fn change(root: &Path) {
    let large = root.join("large directory");
    for entry in std::fs::read_dir(&large).unwrap().take(300) {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    File::open(&large).unwrap().sync_all().unwrap();
    for number in 0..50 {
        std::fs::write(root.join(format!("late-{number}")), vec![number; 10_000]).unwrap();
    }
    std::fs::rename(root.join("hard"), root.join("renamed")).unwrap();
    std::fs::remove_dir_all(root.join("d0")).unwrap();
    File::open(root.join("late-49")).unwrap().sync_all().unwrap();
}

fn copy(from: &Path, to: &Path) {
    run("cp", &["--sparse=always", from.to_str().unwrap(), to.to_str().unwrap()]);
}

#[test]
fn every_node_is_what_the_kernel_says_whatever_the_options() {
    if !can_run(&["mke2fs", "mount", "umount", "sync", "cp"]) {
        return;
    }
    for options in [
        "-t ext2 -b 1024",
        "-t ext2 -b 4096 -I 128 -O ^sparse_super,^resize_inode",
        "-t ext3 -b 1024",
        "-t ext3 -b 2048 -I 512",
        "-t ext4 -b 1024 -O inline_data,64bit,metadata_csum",
        "-t ext4 -b 4096 -O inline_data,ea_inode,large_dir,metadata_csum_seed",
        "-t ext4 -b 4096 -I 128 -O ^metadata_csum",
        "-t ext4 -b 1024 -O meta_bg,^resize_inode",
        "-t ext4 -b 4096 -O bigalloc -C 65536",
        "-t ext4 -b 2048 -I 512 -O ^metadata_csum,uninit_bg",
        "-t ext4 -b 4096 -O ^extents,^64bit,^metadata_csum",
        "-t ext4 -b 4096 -I 4096 -N 8192 -O inline_data,orphan_file,project",
    ] {
        compare(options, &LITTLE);
    }
}

#[test]
fn twenty_thousand_files_and_a_sparse_gigabyte_are_what_the_kernel_says() {
    if can_run(&["mke2fs", "mount", "umount", "sync", "cp"]) {
        let count = compare("-t ext4", &MUCH);
        assert!(count == 0 || count > 17_000, "{count} nodes");
    }
}
