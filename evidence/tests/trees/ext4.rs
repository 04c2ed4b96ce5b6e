//! ext2, ext3 and ext4 against the kernel.

use crate::against_mount::{Mount, can_run, run};
use crate::every_kind_of_node::{Amount, make_every_kind_of_node};
use dockline_evidence::DirectoryTree;
use std::fs::File;

#[test]
fn a_mount_is_compared_with_itself() {
    if !can_run(&["mke2fs", "mount", "umount"]) {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let image = place.path().join("image");
    File::create(&image).unwrap().set_len(256 << 20).unwrap();
    run("mke2fs", &["-q", "-t", "ext4", image.to_str().unwrap()]);
    let Some(mount) = Mount::new(&image, "rw") else { return };
    let amount = Amount { names: 3000, sparse: 1 << 30, fragments: 2000, attribute: 60_000 };
    make_every_kind_of_node(mount.path(), &amount);
    drop(mount);
    let Some(mount) = Mount::new(&image, "ro") else { return };
    let count = mount.assert_same(&DirectoryTree::open(mount.path()).unwrap(), "itself");
    assert!(count > 2700, "{count} nodes");
}
