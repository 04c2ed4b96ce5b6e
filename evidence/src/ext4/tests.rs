//! Small images of `testdata/evidence/ext4`, whole, with one thing changed, and with anything
//! changed.

#![cfg(test)]

mod damage;
mod journal;
mod sweep;

use super::open;
use crate::crc32c::crc32c;
use crate::read_at::read_up_to;
use crate::{Descend, file_system::FileSystem};
use crate::{DeviceNumber, FileKind, ReadAt, Tree, TreePath, walk};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// More than any file of these images has.
const MAX_CONTENT: u64 = 1 << 20;

/// An image with some bytes changed.
#[derive(Clone)]
struct Image {
    bytes: Arc<Vec<u8>>,
    changes: Vec<(u64, Vec<u8>)>,
}

impl Image {
    fn new(name: &str) -> Image {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/evidence/ext4");
        let compressed = std::fs::read(place.join(format!("{name}.img.zst"))).unwrap();
        let bytes = Arc::new(zstd::decode_all(&compressed[..]).unwrap());
        Image { bytes, changes: Vec::new() }
    }

    fn with(&self, at: u64, bytes: &[u8]) -> Image {
        let mut changed = self.clone();
        changed.changes.push((at, bytes.to_vec()));
        changed
    }

    fn open(&self) -> FileSystem {
        open(Arc::new(self.clone())).unwrap()
    }

    fn le32(&self, at: u64) -> u32 {
        u32::from_le_bytes(self.bytes_at(at))
    }

    fn bytes_at<const N: usize>(&self, at: u64) -> [u8; N] {
        self.bytes[at as usize..][..N].try_into().unwrap()
    }

    /// Offset of the inode of a file.
    fn inode(&self, at: &str) -> u64 {
        let number = self.open().tree.metadata(&path(at)).unwrap().inode.unwrap();
        let volume = super::Volume::open(Arc::new(self.clone()), &mut Vec::new()).unwrap();
        volume.inode_offset(number).unwrap()
    }
}

impl ReadAt for Image {
    fn len(&self) -> u64 {
        ReadAt::len(&*self.bytes)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read_at(offset, buffer)?;
        for (at, bytes) in &self.changes {
            for (at, byte) in (*at..).zip(bytes) {
                let inside = at.checked_sub(offset).map(|inside| inside as usize);
                if let Some(inside) = inside.filter(|inside| *inside < count) {
                    buffer[inside] = *byte;
                }
            }
        }
        Ok(count)
    }
}

fn path(text: &str) -> TreePath {
    TreePath::parse(text.as_bytes()).unwrap()
}

fn flaws(found: &FileSystem) -> Vec<String> {
    found.flaws.iter().map(|flaw| flaw.what.clone()).collect()
}

fn content(tree: &dyn Tree, at: &str) -> Result<Vec<u8>, String> {
    let file = tree.open(&path(at)).map_err(|error| error.to_string())?;
    Ok(read_up_to(&file, MAX_CONTENT).map_err(|error| error.to_string())?.0)
}

/// All that a tree tells, by path, and what is wrong with it.
fn survey(tree: &dyn Tree) -> (BTreeMap<String, String>, Vec<String>) {
    let mut paths = vec![TreePath::root()];
    let mut issues = Vec::new();
    walk(
        tree,
        &mut |path, _| {
            paths.push(path.clone());
            Descend::Into
        },
        &mut |path, error| issues.push(format!("{path}: {error}")),
    );
    // Of files, those who read them ask.
    for path in &paths {
        let is_directory = tree.list(path).is_ok();
        let damage = if is_directory { Vec::new() } else { tree.damage(path) };
        issues.extend(damage.iter().map(|error| format!("{path}: {error}")));
    }
    (paths.iter().map(|path| (path.to_string(), node(tree, path))).collect(), issues)
}

fn node(tree: &dyn Tree, path: &TreePath) -> String {
    let metadata = match tree.metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return error.to_string(),
    };
    let inside = match metadata.kind {
        FileKind::Regular => {
            format!("{:?}", content(tree, &path.to_string()).map(|bytes| crc32c(&bytes)))
        }
        FileKind::SymbolicLink => format!("{:?}", tree.link_target(path)),
        _ => String::new(),
    };
    format!("{metadata:?} {:?} {inside}", tree.extended_attributes(path))
}

#[test]
fn ext4_is_read_with_all_that_it_knows() {
    let found = Image::new("ext4").open();
    assert_eq!((found.kind, found.label.as_deref()), ("ext4", Some("test")));
    assert_eq!(found.uuid.as_deref(), Some("11111111-2222-3333-4444-555555555555"));
    assert_eq!(flaws(&found), [""; 0]);
    let tree = &found.tree;
    assert_eq!(survey(&**tree).1, [""; 0]);
    assert_eq!(content(&**tree, "etc/hostname").unwrap(), b"web1\n");
    assert_eq!(content(&**tree, "etc/inline").unwrap().len(), 140);
    assert_eq!(tree.link_target(&path("etc/mtab")).unwrap(), b"/proc/mounts");
    assert_eq!(tree.link_target(&path("etc/long")).unwrap(), [b'x'; 100]);
    let device = |at| tree.metadata(&path(at)).unwrap().device;
    assert_eq!(device("overlay/whiteout"), Some(DeviceNumber { major: 0, minor: 0 }));
    assert_eq!(device("overlay/disk"), Some(DeviceNumber { major: 259, minor: 70_000 }));
    let short = tree.metadata(&path("etc/short")).unwrap();
    let time =
        |it: Option<dockline_timeline::Instant>| it.map(|it| (it.seconds(), it.nanoseconds()));
    assert_eq!(time(short.accessed), Some((-2, 999_999_999)));
    assert_eq!(time(short.modified), Some((4_000_000_000, 999_999_999)));
    assert!(short.born.is_some());
    assert_eq!(tree.list(&path("large")).unwrap().len(), 120);
}

#[test]
fn attributes_are_read_wherever_they_lie() {
    let tree = Image::new("ext4").open().tree;
    let attributes = |at| -> Vec<(String, usize)> {
        let found = tree.extended_attributes(&path(at)).unwrap();
        let told = |it: &crate::ExtendedAttribute| {
            (String::from_utf8(it.name.clone()).unwrap(), it.value.len())
        };
        found.iter().map(told).collect()
    };
    let one = |name: &str, size| (name.to_string(), size);
    assert_eq!(attributes("overlay/opaque"), [one("trusted.overlay.opaque", 1)]);
    assert_eq!(attributes("overlay/f3"), [one("user.long", 300)]);
    assert_eq!(attributes("etc/hostname"), [one("user.huge", 6000), one("user.small", 1)]);
}

#[test]
fn ext2_is_read_with_its_block_maps() {
    let found = Image::new("ext2").open();
    assert_eq!((found.kind, flaws(&found)), ("ext2", vec![]));
    assert_eq!(survey(&*found.tree).1, [""; 0]);
    assert_eq!(found.tree.metadata(&path("etc")).unwrap().born, None);
}

#[test]
fn scattered_files_are_read_in_the_order_of_their_content() {
    for name in ["ext4", "ext2"] {
        let tree = Image::new(name).open().tree;
        let expected: Vec<u8> = (0..40).flat_map(|piece| [piece; 1024]).collect();
        assert_eq!(content(&*tree, "var/log/fragmented").unwrap(), expected, "{name}");
        let other = content(&*tree, "var/log/other").unwrap();
        assert_eq!(other.len(), (39 * 9 + 1) * 1024, "{name}");
        for (number, piece) in other.chunks(1024).enumerate() {
            let value = if number % 9 == 0 { number / 9 } else { 0 };
            assert!(piece.iter().all(|byte| usize::from(*byte) == value), "{name}: {number}");
        }
    }
}
