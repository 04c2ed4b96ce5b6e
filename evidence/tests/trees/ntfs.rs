//! NTFS against NTFS-3G.

use crate::against_mount::{Mount, can_run, compare, run};
use dockline_evidence::{
    DirectoryTree, Entry, EvidenceError, ExtendedAttribute, FileKind, Metadata, Opening, ReadAt,
    Tree, TreePath, open,
};
use rustix::fs::{XattrFlags, lsetxattr};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;
use std::sync::Arc;

/// A tree as far as both sides can tell: NTFS-3G makes up modes and owners, sees no birth times
/// through FUSE, gives directories a size, and hides the files of NTFS itself.
struct Told<'a>(&'a dyn Tree);

impl Tree for Told<'_> {
    fn list(&self, directory: &TreePath) -> Result<Vec<Entry>, EvidenceError> {
        let mut entries = self.0.list(directory)?;
        entries.retain(|entry| !directory.is_root() || !entry.name.starts_with(b"$"));
        Ok(entries)
    }

    fn metadata(&self, path: &TreePath) -> Result<Metadata, EvidenceError> {
        let found = self.0.metadata(path)?;
        let size = if found.kind == FileKind::Directory { 0 } else { found.size };
        let links = found.links.filter(|_| found.kind != FileKind::Directory);
        Ok(Metadata { mode: None, uid: None, gid: None, born: None, size, links, ..found })
    }

    fn open(&self, path: &TreePath) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        self.0.open(path)
    }

    fn link_target(&self, path: &TreePath) -> Result<Vec<u8>, EvidenceError> {
        self.0.link_target(path)
    }

    fn extended_attributes(
        &self,
        path: &TreePath,
    ) -> Result<Vec<ExtendedAttribute>, EvidenceError> {
        self.0.extended_attributes(path)
    }
}

fn numbers(count: u32) -> Vec<u8> {
    (0..count).flat_map(|number| format!("{number} ").into_bytes()).collect()
}

/// Bytes that no compression makes fewer.
fn noise(count: u32) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..count).map(|_| next()).collect()
}

fn populate(root: &Path) {
    let write = |name: &str, content: &[u8]| std::fs::write(root.join(name), content).unwrap();
    for directory in ["large", "packed", "names/below"] {
        std::fs::create_dir_all(root.join(directory)).unwrap();
    }
    for number in 0..2000 {
        write(&format!("large/file number {number}"), &numbers(number % 500));
    }
    for number in (0..2000).step_by(7) {
        std::fs::remove_file(root.join(format!("large/file number {number}"))).unwrap();
    }
    for name in ["ä", "🐳 whale", " ", &"x".repeat(255)] {
        write(&format!("names/below/{name}"), name.as_bytes());
    }
    std::fs::hard_link(root.join("names/below/ä"), root.join("names/hard")).unwrap();
    symlink("../large", root.join("names/link")).unwrap();
    // From here on, what is written below is compressed.
    let compressed = 0x810_u32.to_be_bytes();
    lsetxattr(root.join("packed"), "system.ntfs_attrib_be", &compressed, XattrFlags::empty())
        .unwrap();
    write("packed/numbers", &numbers(300_000));
    write("packed/noise", &noise(500_000));
    write("packed/mixed", &[numbers(9999), noise(99_999), vec![0; 300_000], numbers(9)].concat());
    for (name, size) in [("sparse", 100 << 20), ("packed/sparse", 3_000_000)] {
        let file = File::create(root.join(name)).unwrap();
        file.write_all_at(&numbers(3000), size / 2 + 1).unwrap();
        file.set_len(size).unwrap();
    }
    let mut files = ["one", "other"].map(|name| File::create(root.join(name)).unwrap());
    for turn in 0..200 {
        files[turn % 2].write_all(&numbers(1000)).unwrap();
        files[turn % 2].sync_all().unwrap();
    }
    let stream = "user.Zone.Identifier";
    lsetxattr(root.join("one"), stream, b"[ZoneTransfer]", XattrFlags::empty()).unwrap();
}

#[test]
fn every_node_is_as_ntfs_3g_shows_it() {
    if !can_run(&["mkntfs", "ntfs-3g", "mount", "umount"]) {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    for (cluster, sector) in [("512", "512"), ("4096", "4096")] {
        let image = place.path().join(format!("image-{cluster}"));
        File::create(&image).unwrap().set_len(256 << 20).unwrap();
        let name = image.to_str().unwrap();
        run("mkntfs", &["-F", "-Q", "-c", cluster, "-s", sector, name]);
        let Some(mount) = Mount::new(&image, "rw,compression,streams_interface=xattr") else {
            return;
        };
        populate(mount.path());
        drop(mount);
        let Some(mount) = Mount::new(&image, "ro,streams_interface=xattr") else { return };
        let source = open(&image, "image", &Opening::default()).unwrap();
        let truth = DirectoryTree::open(mount.path()).unwrap();
        let tree = source.trees[0].tree.clone();
        let (count, differences) = compare(&Told(tree.as_ref()), &Told(&truth));
        assert!(differences.is_empty(), "{cluster}: {count} nodes: {differences:#?}");
        assert!(count > 1700, "{count} nodes");
    }
}
