//! What is opened of disks on which not everything can be read, and of disks in volumes.

#![cfg(test)]

use super::{Opening, Source, open, open_archive, open_bytes, open_nested};
use crate::volume::Volume;
use crate::{EvidenceError, MemoryTree, Spool, TreePath};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

fn stored_file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/evidence");
    let bytes = std::fs::read(folder.join(name)).unwrap();
    if name.ends_with(".zst") { zstd::decode_all(&bytes[..]).unwrap() } else { bytes }
}

fn verifying() -> Opening {
    Opening { verify: true, ..Opening::default() }
}

fn told(source: &Source) -> Vec<String> {
    source.issues.iter().map(ToString::to_string).collect()
}

fn prefixes(source: &Source) -> Vec<&str> {
    source.trees.iter().map(|tree| tree.prefix.as_str()).collect()
}

#[test]
fn an_image_without_a_file_system_keeps_what_it_says_of_itself() {
    let tree = ["web.E01", "web.E02", "web.E03"].iter().fold(MemoryTree::new(), |tree, name| {
        tree.with_file(name, stored_file(&format!("ewf/{name}.zst")), None)
    });
    let first = TreePath::parse(b"web.E01").unwrap();
    let source = open_nested(&(Arc::new(tree) as _), &first, "web.E01", &verifying()).unwrap();
    assert!(source.trees.is_empty());
    assert_eq!(source.parts, [b"web.E02", b"web.E03"]);
    let hashes: Vec<_> =
        source.stored_hashes.iter().map(|hash| (hash.algorithm, hash.is_right)).collect();
    assert_eq!(hashes, [("MD5", Some(true)), ("SHA1", Some(true))]);
    let what = "a file or volume that is neither an archive nor a known disk or file system is not \
                supported (unsupported)";
    assert_eq!(told(&source), [format!("web.E01: {what}")]);
}

#[test]
fn a_hash_that_cannot_be_checked_is_an_issue_and_the_image_is_open() {
    let mut image = stored_file("ewf/tiny.E01");
    let middle = image.len() / 2;
    image[middle] ^= 1;
    let source = open_bytes(Arc::new(image), "tiny.E01", &verifying()).unwrap();
    assert_eq!(source.stored_hashes.len(), 2);
    assert!(source.stored_hashes.iter().all(|hash| hash.is_right.is_none()));
    let said = told(&source);
    assert!(said.iter().any(|issue| issue.contains("cannot be checked: ")), "{said:?}");
}

#[test]
fn a_zip_archive_is_evidence_also_when_it_is_compressed_again() {
    // An empty archive: nothing but its end.
    let mut zip = b"PK\x05\x06".to_vec();
    zip.resize(22, 0);
    let source = open_bytes(Arc::new(zip.clone()), "empty.zip", &verifying()).unwrap();
    assert_eq!((source.kind.as_str(), source.trees.len()), ("zip archive", 1));
    assert_eq!(told(&source), [""; 0]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&zip).unwrap();
    let source = open_bytes(Arc::new(gzip.finish().unwrap()), "zip.gz", &verifying()).unwrap();
    assert_eq!(source.kind, "zip archive, gzip");
}

#[test]
fn an_archive_that_lies_in_other_evidence_is_opened_plain_and_compressed() {
    let opened = |bytes: Vec<u8>| {
        let (tree, issues) = open_archive(Arc::new(bytes), "layer", &Spool::default())?;
        Ok::<_, EvidenceError>((tree.list(&TreePath::root())?.len(), issues.len()))
    };
    let plain = stored_file("gnu-tar/posix.tar.zst");
    let (names, issues) = opened(plain.clone()).unwrap();
    assert!(names > 0);
    let zstd = zstd::encode_all(&plain[..], 1).unwrap();
    assert_eq!(opened(zstd).unwrap(), (names, issues));
    let gzip = stored_file("gnu-tar/gnu.tar.gz");
    assert!(opened(gzip.clone()).unwrap().0 > 0);
    assert!(opened(gzip[..gzip.len() / 2].to_vec()).unwrap().1 > 0, "it was cut");
    assert_eq!(opened(vec![0; 1024]).unwrap(), (0, 0), "an archive without members");
    for other in [&b"no archive"[..], b"", b"\xfd7zXZ\x00 and so on"] {
        let error = opened(other.to_vec()).unwrap_err();
        assert_eq!(error.to_string(), "something else than a tar archive is not supported");
    }
}

#[test]
fn a_virtual_disk_that_is_compressed_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/evidence/images");
    let zstd = std::fs::read(images.join("vhdx.zst")).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&zstd::decode_all(&zstd[..]).unwrap()).unwrap();
    for (name, kind, bytes) in [
        ("docker_data.vhdx.zst", "VHDX image, zstd", zstd),
        ("docker_data.vhdx.gz", "VHDX image, gzip", gzip.finish().unwrap()),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let source = open(&path, name, &Opening::default()).unwrap();
        assert_eq!((source.kind.as_str(), source.file_systems.len()), (kind, 1));
        assert_eq!((source.file_systems[0].kind, told(&source)), ("ext2", vec![]));
        let entries = source.trees[0].tree.list(&TreePath::root()).unwrap();
        assert!(entries.iter().any(|entry| entry.name == b"big.txt"), "{entries:?}");
    }
}

/// A disk of which the partitions begin at these sectors and go on for so many.
fn partitioned(partitions: &[(usize, &[u8])]) -> Vec<u8> {
    let mut disk = vec![0; 512];
    for (number, (start, content)) in partitions.iter().enumerate() {
        let (at, begin) = (446 + 16 * number, start * 512);
        disk[at + 4] = 0x83;
        disk[at + 8..at + 12].copy_from_slice(&u32::try_from(*start).unwrap().to_le_bytes());
        let sectors = u32::try_from(content.len() / 512).unwrap();
        disk[at + 12..at + 16].copy_from_slice(&sectors.to_le_bytes());
        disk.resize(disk.len().max(begin + content.len()), 0);
        disk[begin..begin + content.len()].copy_from_slice(content);
    }
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    disk
}

/// What is found in a logical volume.
fn in_volume(bytes: Vec<u8>) -> Source {
    let mut source = Source::empty("host");
    source.add_volumes(vec![Volume {
        name: "vg-vm".to_owned(),
        bytes: Arc::new(bytes),
        part_uuid: None,
        device_names: Vec::new(),
        label: None,
    }]);
    source
}

#[test]
fn the_partitions_of_a_disk_in_a_volume_are_opened() {
    let file_system = stored_file("images/ext2.zst");
    let disk = partitioned(&[(8, &[0; 512]), (64, &file_system)]);
    let source = in_volume(disk.clone());
    assert_eq!((prefixes(&source), told(&source)), (vec!["/vg-vm/p2"], vec![]));
    assert_eq!(source.trees[0].identity.device_names, ["2"]);
    assert_eq!(source.skipped[0].prefix, "/vg-vm/p1");
    let source = in_volume(partitioned(&[(1, &disk)]));
    assert_eq!(prefixes(&source), ["/vg-vm/p1/p2"]);
}

#[test]
fn a_volume_group_on_a_disk_in_a_volume_is_that_of_another_host() {
    let physical = [1, 2, 3].map(|number| stored_file(&format!("lvm2/pv{number}.raw.zst")));
    let [one, two, three] = physical.each_ref().map(Vec::as_slice);
    let source = in_volume(partitioned(&[(64, one), (10_000, two), (20_000, three)]));
    assert!(source.physical_volumes.is_empty());
    let found: Vec<&str> = source.issues.iter().map(|issue| &*issue.place.path).collect();
    for name in ["one", "two", "striped", "my--data"] {
        let place = format!("/vg-vm/vg--a-{name}");
        assert!(found.contains(&place.as_str()), "{found:?}");
    }
    let source = in_volume(one.to_vec());
    assert!(told(&source).iter().any(|issue| issue.contains("/vg-vm/vg--a-my--data")));
}

#[test]
fn disks_in_volumes_without_end_are_told() {
    let inmost = partitioned(&[(1, &[7; 512])]);
    let disk = (0..3).fold(inmost, |inner, _| partitioned(&[(1, &inner)]));
    let what = "volumes inside one another: limit of 3 reached (limit reached)";
    assert_eq!(told(&in_volume(disk)), [format!("host:/vg-vm/p1/p1/p1: {what}")]);
    // 32 partitions that all begin with their own table.
    let mut disk = vec![0; 64 * 512];
    disk[512..520].copy_from_slice(b"EFI PART");
    for (at, number) in [(72, 2_u32), (80, 32), (84, 128)] {
        disk[512 + at..516 + at].copy_from_slice(&number.to_le_bytes());
    }
    for entry in disk[1024..].chunks_exact_mut(128).take(32) {
        (entry[0], entry[40]) = (1, 63);
    }
    let said = told(&in_volume(disk));
    let limit = "volumes inside others: limit of 512 reached";
    assert!(said.iter().any(|issue| issue.contains(limit)), "{said:?}");
    assert!(said.len() < 2_000);
}
