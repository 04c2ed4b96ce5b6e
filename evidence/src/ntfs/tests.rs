//! A whole volume, as NTFS-3G wrote it and as it reads it. `testdata/evidence/ntfs/make.py` made it.

#![cfg(test)]

mod hostile;

use crate::read_at::read_up_to;
use crate::{Descend, EvidenceError, FileKind, ReadAt, Tree, TreePath, walk};
use dockline_timeline::Instant;
use std::fmt::Write;
use std::sync::Arc;

const VOLUME: &[u8] = include_bytes!("../../../testdata/evidence/ntfs/volume.raw.zst");
const EXPECTED: &str = include_str!("../../../testdata/evidence/ntfs/expected.tsv");
/// Files that NTFS-3G shows otherwise, each with a test of its own.
const OF_WINDOWS: [&str; 5] =
    ["windows link", "junction", "overlay filter", "in the cloud", "with a short name"];

pub(super) fn volume() -> Vec<u8> {
    zstd::decode_all(VOLUME).unwrap()
}

fn tree() -> Arc<dyn Tree> {
    super::open(Arc::new(volume())).unwrap().tree
}

fn path(text: &str) -> TreePath {
    TreePath::parse(text.as_bytes()).unwrap()
}

/// The paths of all nodes; what cannot be listed goes to `issues`.
fn paths(tree: &dyn Tree, issues: &mut Vec<String>) -> Vec<TreePath> {
    let mut found = Vec::new();
    walk(
        tree,
        &mut |path, _| {
            found.push(path.clone());
            Descend::Into
        },
        &mut |path, error| issues.push(format!("{path}: {error}")),
    );
    found
}

fn content(tree: &dyn Tree, of: &str) -> Result<Vec<u8>, EvidenceError> {
    let file = tree.open(&path(of))?;
    Ok(read_up_to(file.as_ref(), u64::MAX)?.0)
}

fn fnv(bytes: &[u8]) -> String {
    let add = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
    format!("{:016x}", bytes.iter().fold(0xCBF2_9CE4_8422_2325, add))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn escaped(bytes: &[u8]) -> String {
    bytes.utf8_chunks().fold(String::new(), |mut text, chunk| {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| write!(text, "\\x{byte:02x}").unwrap());
        text
    })
}

/// Of a large file the ranges that `make.py` looked at.
fn told(file: &dyn ReadAt) -> Vec<u8> {
    if file.len() <= 1 << 20 {
        return read_up_to(file, u64::MAX).unwrap().0;
    }
    let mut found = Vec::new();
    for at in [0, 3_000_000_000 - 3000, file.len() - (1 << 16)] {
        let mut part = vec![0xEE; 1 << 16];
        crate::fields::fill(file, "part", at, &mut part).unwrap();
        found.extend(part);
    }
    found
}

/// One line of `expected.tsv`.
fn line(tree: &dyn Tree, path: &TreePath) -> String {
    let found = tree.metadata(path).unwrap();
    let time = |time: Option<Instant>| {
        time.map_or("-".to_owned(), |time| {
            // As a signed number of nanoseconds would be written in two parts, rounded down.
            format!("{}.{:09}", time.seconds(), time.nanoseconds())
        })
    };
    let kind = match found.kind {
        FileKind::Regular => "file",
        FileKind::SymbolicLink => "link",
        FileKind::Fifo => "fifo",
        FileKind::CharacterDevice => "character",
        FileKind::BlockDevice => "block",
        other => other.name(),
    };
    let content = match found.kind {
        FileKind::Regular => fnv(&told(tree.open(path).unwrap().as_ref())),
        FileKind::SymbolicLink => hex(&tree.link_target(path).unwrap()),
        _ => "-".to_owned(),
    };
    let attributes = tree.extended_attributes(path).unwrap().into_iter();
    let attributes = attributes.filter(|one| one.name.starts_with(b"user."));
    let attribute = |name: &[u8], value: &[u8]| format!("{}={}", escaped(name), fnv(value));
    let attributes = attributes.map(|one| attribute(&one.name, &one.value)).collect::<Vec<_>>();
    let device = found.device.map(|device| format!("{}:{}", device.major, device.minor));
    [
        escaped(path.as_bytes()),
        kind.to_owned(),
        found.size.to_string(),
        found.links.unwrap().to_string(),
        found.inode.unwrap().to_string(),
        time(found.born),
        time(found.modified),
        time(found.accessed),
        time(found.changed),
        device.unwrap_or("-".to_owned()),
        content,
        if attributes.is_empty() { "-".to_owned() } else { attributes.join(",") },
    ]
    .join("\t")
}

#[test]
fn every_node_is_as_ntfs_3g_reads_it() {
    let tree = tree();
    let mut issues = Vec::new();
    let mut found = paths(tree.as_ref(), &mut issues);
    assert_eq!(issues, [""; 0]);
    for path in &found {
        assert!(tree.damage(path).is_empty(), "{path}");
    }
    found.retain(|path| !path.as_bytes().starts_with(b"$"));
    found.retain(|path| !OF_WINDOWS.iter().any(|name| path.as_bytes() == name.as_bytes()));
    let mut lines = found.iter().map(|path| line(tree.as_ref(), path)).collect::<Vec<_>>();
    let mut expected = EXPECTED.lines().collect::<Vec<_>>();
    (lines.sort(), expected.sort());
    for (found, expected) in lines.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(lines.len(), expected.len());
}

#[test]
fn the_volume_tells_its_label_and_serial_number() {
    let found = super::open(Arc::new(volume())).unwrap();
    assert_eq!(found.label.as_deref(), Some("Label €"));
    assert_eq!(found.uuid.unwrap(), "246E70786C27CB34");
    assert_eq!((found.kind, found.flaws.len()), ("NTFS", 0));
}

#[test]
fn links_of_windows_have_the_target_that_windows_follows() {
    let tree = tree();
    let target = |of: &str| String::from_utf8(tree.link_target(&path(of)).unwrap()).unwrap();
    assert_eq!(target("windows link"), r"\??\C:\real");
    assert_eq!(target("junction"), r"\??\C:\place");
    let entries = tree.list(&TreePath::root()).unwrap();
    let kind = |name: &[u8]| entries.iter().find(|entry| entry.name == name).unwrap().kind;
    assert_eq!(kind(b"junction"), FileKind::SymbolicLink);
    assert_eq!(tree.metadata(&path("windows link")).unwrap().size, 11);
}

#[test]
fn a_short_name_is_neither_listed_nor_a_link() {
    let tree = tree();
    assert_eq!(tree.metadata(&path("with a short name")).unwrap().links, Some(1));
    assert!(tree.metadata(&path("WITHAS~1")).is_err());
}

#[test]
fn content_that_a_driver_keeps_elsewhere_is_refused_by_name() {
    let tree = tree();
    let refused = |of: &str| tree.open(&path(of)).err().unwrap().to_string();
    assert_eq!(
        refused("overlay filter"),
        "NTFS file compressed by the Windows overlay filter (WOF) (tag 0x80000017) is not supported"
    );
    assert_eq!(
        refused("in the cloud"),
        "NTFS file of a cloud provider such as OneDrive (tag 0x9000601a) is not supported"
    );
    assert_eq!(tree.metadata(&path("in the cloud")).unwrap().size, 4);
}

#[test]
fn linux_under_windows_leaves_modes_and_device_numbers() {
    let tree = tree();
    let mode = |of: &str| tree.metadata(&path(of)).unwrap().mode;
    assert_eq!(mode("linux/disk"), Some(0o644));
    assert_eq!(mode("empty"), None);
    let attributes = tree.extended_attributes(&path("linux/disk")).unwrap();
    let names = attributes.iter().map(|one| escaped(&one.name)).collect::<Vec<_>>();
    assert_eq!(names, ["$LXDEV", "$LXMOD"]);
}

#[test]
fn the_files_of_ntfs_are_listed_and_the_root_is_not() {
    let tree = tree();
    let names = tree.list(&TreePath::root()).unwrap().into_iter().map(|entry| entry.name);
    let own = names.filter(|name| name.starts_with(b"$") || name.starts_with(b"."));
    let own = own.map(|name| escaped(&name)).collect::<Vec<_>>().join(" ");
    let expected =
        "$AttrDef $BadClus $Bitmap $Boot $Extend $LogFile $MFT $MFTMirr $Secure $UpCase $Volume";
    assert_eq!(own, expected);
    let mft = tree.open(&path("$MFT")).unwrap();
    let mut start = [0; 4];
    assert_eq!((mft.read_at(0, &mut start).unwrap(), &start), (4, b"FILE"));
    let bad = tree.extended_attributes(&path("$BadClus")).unwrap_err().to_string();
    assert_eq!(bad, "bytes of an NTFS attribute: limit of 65536 reached");
}

#[test]
fn compressed_content_is_the_same_wherever_reading_begins() {
    let tree = tree();
    for of in ["packed/mixed", "packed/sparse", "packed/numbers", "fragmented"] {
        let whole = content(tree.as_ref(), of).unwrap();
        let file = tree.open(&path(of)).unwrap();
        for (at, length) in (0..whole.len()).step_by(4999).zip([1, 7, 5000, 17_000].iter().cycle())
        {
            let mut part = vec![0xEE; (*length).min(whole.len() - at)];
            let at_byte = u64::try_from(at).unwrap();
            crate::fields::fill(file.as_ref(), "part", at_byte, &mut part).unwrap();
            assert!(part == whole[at..at + part.len()], "{of} at {at}");
        }
        assert_eq!(file.read_at(file.len(), &mut [0; 9]).unwrap(), 0);
    }
}
