//! XFS: images that are stored with what the kernel said of them, and new ones against the kernel.

use crate::against_mount::{Mount, can_run, run};
use crate::answers::answers;
use crate::every_kind_of_node::{Amount, make_every_kind_of_node};
use dockline_evidence::{FileKind, Opening, Source, TreePath, open};
use std::fs::File;
use std::path::{Path, PathBuf};

/// A stored file, decompressed.
fn stored(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/evidence/xfs");
    zstd::decode_all(File::open(folder.join(name)).unwrap()).unwrap()
}

/// A stored image as evidence.
fn opened_stored(name: &str) -> Source {
    let place = tempfile::tempdir().unwrap();
    let image = place.path().join("image");
    std::fs::write(&image, stored(name)).unwrap();
    opened(&image)
}

#[test]
fn stored_images_tell_what_the_kernel_told() {
    for name in ["v5", "dirty"] {
        let source = opened_stored(&format!("{name}.img.zst"));
        assert_eq!(source.issues, vec![], "{name}");
        let found = answers(source.trees[0].tree.as_ref());
        let expected = String::from_utf8(stored(&format!("{name}.tsv.zst"))).unwrap();
        for line in expected.lines() {
            let (path, answer) = line.split_once('\t').unwrap();
            let path = path.replace("\\x20", " ");
            assert_eq!(found.get(&path).map(String::as_str), Some(answer), "{name}: {path}");
        }
        assert_eq!(found.len(), expected.lines().count(), "{name}");
    }
}

/// No kernel of today mounts version 4, hence the truth is what the image was made of.
#[test]
fn version_4_is_read_with_directories_that_do_not_tell_kinds() {
    let source = opened_stored("v4.img.zst");
    assert_eq!(source.issues, vec![]);
    let tree = source.trees[0].tree.as_ref();
    let path = |text: &str| TreePath::parse(text.as_bytes()).unwrap();
    for (directory, count) in [("block", 20), ("leaf", 60), ("node", 400)] {
        let entries = tree.list(&path(directory)).unwrap();
        let names: Vec<String> = (0..count).map(|at| format!("file-{at:04}-{:n<20}", "")).collect();
        let found: Vec<_> = entries.iter().map(|entry| entry.name.as_slice()).collect();
        assert_eq!(found, names.iter().map(String::as_bytes).collect::<Vec<_>>(), "{directory}");
        assert!(entries.iter().all(|entry| entry.kind == FileKind::Regular), "{directory}");
    }
    let large: Vec<u8> = (0..300_000_u32).map(|at| (at % 251) as u8).collect();
    let content = tree.open(&path("large")).unwrap();
    assert_eq!(dockline_evidence::read_at::read_up_to(&content, u64::MAX).unwrap().0, large);
    assert_eq!(tree.link_target(&path("link")).unwrap(), b"target");
    assert_eq!(tree.link_target(&path("long")).unwrap(), "t".repeat(1000).as_bytes());
    for (name, kind, device) in [
        ("null", FileKind::CharacterDevice, (1, 3)),
        ("sda1", FileKind::BlockDevice, (8, 1)),
        ("whiteout", FileKind::CharacterDevice, (0, 0)),
    ] {
        let found = tree.metadata(&path(name)).unwrap();
        let number = found.device.map(|device| (device.major, device.minor));
        assert_eq!((found.kind, number), (kind, Some(device)), "{name}");
    }
    let small = tree.metadata(&path("small")).unwrap();
    assert_eq!((small.mode, small.uid, small.gid), (Some(0o644), Some(1000), Some(1001)));
    assert_eq!((small.size, small.links, small.born), (11, Some(1), None));
}

const TOOLS: &[&str] = &["mkfs.xfs", "mount", "umount"];
const AMOUNT: Amount = Amount { names: 2000, sparse: 1 << 30, fragments: 500, attribute: 65_536 };

/// A file system made with `options` and filled; `None` where the kernel does not mount it.
fn filled(place: &Path, options: &str, amount: &Amount) -> Option<PathBuf> {
    let image = place.join("image");
    File::create(&image).unwrap().set_len(512 << 20).unwrap();
    let mut arguments: Vec<&str> = vec!["-q", "-f"];
    arguments.extend(options.split_whitespace());
    arguments.push(image.to_str().unwrap());
    run("mkfs.xfs", &arguments);
    let mount = Mount::new(&image, "rw")?;
    make_every_kind_of_node(mount.path(), amount);
    Some(image)
}

fn opened(image: &Path) -> Source {
    open(image, "image", &Opening::default()).unwrap()
}

#[test]
fn every_kind_of_node_is_read_as_the_kernel_reads_it() {
    if !can_run(TOOLS) {
        return;
    }
    for options in [
        "",
        "-m bigtime=0,inobtcount=0 -i nrext64=0",
        "-b size=1k",
        "-n size=64k",
        "-b size=2k -n size=16k -i size=1024 -d agcount=7",
        "-b size=64k -i size=2048 -m rmapbt=1",
        "-s size=4k -i nrext64=1",
    ] {
        let place = tempfile::tempdir().unwrap();
        let Some(image) = filled(place.path(), options, &AMOUNT) else { continue };
        let Some(mount) = Mount::new(&image, "ro") else { continue };
        let source = opened(&image);
        assert_eq!(source.issues, vec![], "{options}");
        let count = mount.assert_same(source.trees[0].tree.as_ref(), options);
        assert!(count > 1800, "{options}: {count} nodes");
    }
}

/// Makes the disk look as if power failed now: what is in the log has not reached its place.
fn cut_power(mount: &Mount) {
    run("xfs_io", &["-x", "-c", "shutdown -f", mount.path().to_str().unwrap()]);
}

#[test]
fn a_log_is_replayed_as_the_kernel_replays_it() {
    if !can_run(&["mkfs.xfs", "mount", "umount", "xfs_io"]) {
        return;
    }
    for options in ["", "-m bigtime=0,reflink=0 -i nrext64=0 -n size=16k", "-b size=1k -m rmapbt=1"]
    {
        let place = tempfile::tempdir().unwrap();
        let Some(image) = filled(place.path(), options, &AMOUNT) else { continue };
        let Some(mount) = Mount::new(&image, "rw") else { continue };
        let root = mount.path();
        std::fs::create_dir(root.join("second")).unwrap();
        make_every_kind_of_node(&root.join("second"), &AMOUNT);
        std::fs::remove_dir_all(root.join("attributed")).unwrap();
        for number in 0..500 {
            let name = format!("large directory/{number:05}-{}", "n".repeat(number % 40));
            let _ = std::fs::remove_file(root.join(name));
        }
        std::fs::rename(root.join("size-4097"), root.join("second/size-4097")).unwrap();
        cut_power(&mount);
        drop(mount);
        let dirty = place.path().join("dirty");
        std::fs::copy(&image, &dirty).unwrap();
        let Some(mount) = Mount::new(&image, "rw,noatime") else { continue };
        let source = opened(&dirty);
        assert_eq!(source.issues, vec![], "{options}");
        let count = mount.assert_same(source.trees[0].tree.as_ref(), options);
        assert!(count > 3000, "{options}: {count} nodes");
    }
}
