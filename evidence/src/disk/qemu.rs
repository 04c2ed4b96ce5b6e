//! What qemu-img makes of a disk is that disk again, for each format and each of its kinds.

#![cfg(test)]

use super::{Disk, Neighbours, TreeNeighbours, vhd, vhdx, vmdk};
use crate::read_at::read_up_to;
use crate::{EvidenceError, ReadAt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

pub(super) type Open = fn(Arc<dyn ReadAt>, &dyn Neighbours) -> Result<Disk, EvidenceError>;

const SIZE: usize = 40 << 20;

/// A folder with `raw`, a disk with data at odd places; `None` where there is no qemu-img.
pub(super) fn folder() -> Option<(tempfile::TempDir, Vec<u8>)> {
    let found = Command::new("qemu-img").arg("--version").stdout(Stdio::null()).status();
    if found.is_err() {
        eprintln!("SKIPPED: no qemu-img");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let raw = raw();
    std::fs::write(folder.path().join("raw"), &raw).unwrap();
    Some((folder, raw))
}

/// Noise that does not compress, text that does, and holes, none of them on a boundary.
fn raw() -> Vec<u8> {
    let mut disk = vec![0; SIZE];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for (start, length) in [(0, 513), (70_000, 300_001), (8 << 20, 3 << 20), (SIZE - 777, 777)] {
        for byte in &mut disk[start..start + length] {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = state.to_le_bytes()[0];
        }
    }
    for (start, length) in [(2_000_000, 123_457), (20 << 20, 1), ((30 << 20) + 5, 2 << 20)] {
        let text = b"the quick brown fox jumps over the lazy dog\n".iter().cycle();
        for (byte, letter) in disk[start..start + length].iter_mut().zip(text) {
            *byte = *letter;
        }
    }
    disk
}

pub(super) fn run(folder: &Path, command: &str) {
    let mut words = command.split_whitespace();
    let mut run = Command::new(words.next().unwrap());
    let output = run.args(words).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
}

pub(super) fn open(path: PathBuf, open: Open) -> Result<Disk, EvidenceError> {
    let neighbours = TreeNeighbours::of_file(&path).unwrap();
    let bytes = neighbours.open(path.file_name().unwrap().as_encoded_bytes()).unwrap();
    open(bytes, &neighbours)
}

/// That the image holds these bytes and no flaw, read whole and in odd pieces.
pub(super) fn assert_holds(disk: &Disk, raw: &[u8]) {
    assert_eq!(disk.flaws, []);
    let (content, _) = read_up_to(&disk.bytes, u64::MAX).unwrap();
    assert_eq!(content.len(), raw.len());
    assert!(content == raw);
    for (at, length) in [(1, 511), (69_999, 65_537), ((10 << 20) - 1, (1 << 20) + 2)] {
        let mut buffer = vec![0xee; length];
        let mut filled = 0;
        while filled < length {
            let from = u64::try_from(at + filled).unwrap();
            let count = disk.bytes.read_at(from, &mut buffer[filled..]).unwrap();
            assert!(count > 0);
            filled += count;
        }
        assert!(buffer == raw[at..at + length], "{at}");
    }
    let end = disk.bytes.len();
    let mut buffer = [0xee; 10];
    assert_eq!(disk.bytes.read_at(end - 3, &mut buffer).unwrap(), 3);
    assert_eq!(disk.bytes.read_at(end, &mut buffer).unwrap(), 0);
}

#[test]
fn every_kind_of_vhdx_reads_as_the_disk_it_was_made_of() {
    let Some((folder, raw)) = folder() else { return };
    for options in ["dynamic", "fixed", "dynamic,block_size=1048576", "dynamic,log_size=2097152"] {
        let convert = format!("qemu-img convert -O vhdx -o subformat={options} raw a.vhdx");
        run(folder.path(), &convert);
        assert_holds(&open(folder.path().join("a.vhdx"), vhdx::open).unwrap(), &raw);
    }
}

/// Among the entries of the blocks stand those of the bitmaps: one for each 4 GiB.
#[test]
fn a_large_vhdx_is_read_past_its_first_chunks() {
    let Some((folder, _)) = folder() else { return };
    for block_size in ["1M", "32M", "256M"] {
        let options = format!("subformat=dynamic,block_size={block_size}");
        let create = format!("qemu-img create -q -f vhdx -o {options} a.vhdx 9G");
        run(folder.path(), &create);
        let writes = ["write -q -P 1 4095M 2M", "write -q -P 2 8191M 2M", "write -q -P 3 9215M 1M"];
        let mut run = Command::new("qemu-io");
        run.args(writes.iter().flat_map(|write| ["-c", write])).arg("a.vhdx");
        assert!(run.current_dir(folder.path()).status().unwrap().success());
        let disk = open(folder.path().join("a.vhdx"), vhdx::open).unwrap();
        let at = |mebibyte: u64| {
            let mut byte = [9];
            assert_eq!(disk.bytes.read_at(mebibyte << 20, &mut byte).unwrap(), 1);
            byte[0]
        };
        let found = [4094, 4095, 4096, 4097, 8190, 8191, 8192, 8193, 9214, 9215].map(at);
        assert_eq!(found, [0, 1, 1, 0, 0, 2, 2, 0, 0, 3]);
    }
}

#[test]
fn every_kind_of_vhd_reads_as_the_disk_it_was_made_of() {
    let Some((folder, raw)) = folder() else { return };
    for options in ["dynamic,force_size=on", "fixed,force_size=on", "dynamic", "fixed"] {
        run(folder.path(), &format!("qemu-img convert -O vpc -o subformat={options} raw a.vhd"));
        let disk = open(folder.path().join("a.vhd"), vhd::open).unwrap();
        let mut whole = raw.clone();
        // Without force_size, the disk is rounded up to whole cylinders.
        whole.resize(usize::try_from(disk.bytes.len()).unwrap(), 0);
        assert_holds(&disk, &whole);
        let bytes = std::fs::read(folder.path().join("a.vhd")).unwrap();
        assert!(vhd::is_vhd(&bytes));
        assert!(!vhd::is_vhd(&raw));
    }
}

#[test]
fn every_kind_of_vmdk_reads_as_the_disk_it_was_made_of() {
    let Some((folder, raw)) = folder() else { return };
    for kind in [
        "monolithicSparse",
        "streamOptimized",
        "monolithicFlat",
        "twoGbMaxExtentSparse",
        "twoGbMaxExtentFlat",
    ] {
        let convert = format!("qemu-img convert -O vmdk -o subformat={kind} raw {kind}.vmdk");
        run(folder.path(), &convert);
        let image = folder.path().join(format!("{kind}.vmdk"));
        assert_holds(&open(image, vmdk::open).unwrap(), &raw);
    }
}

#[test]
fn a_snapshot_of_a_vmdk_reads_over_its_parent() {
    let Some((folder, mut raw)) = folder() else { return };
    let path = folder.path();
    for kind in ["monolithicSparse", "twoGbMaxExtentSparse"] {
        run(path, &format!("qemu-img convert -O vmdk -o subformat={kind} raw base.vmdk"));
        run(path, "qemu-img create -q -f vmdk -b base.vmdk -F vmdk snapshot.vmdk");
        let write = |from: &str, pattern: &str| {
            let write = format!("write -q -P {pattern} {from} 100k");
            let mut run = Command::new("qemu-io");
            let status = run.args(["-c", &write, "snapshot.vmdk"]).current_dir(path).status();
            assert!(status.unwrap().success());
        };
        write("130k", "7");
        write("20m", "8");
        raw[130 << 10..230 << 10].fill(7);
        raw[20 << 20..(20 << 20) + (100 << 10)].fill(8);
        let disk = open(path.join("snapshot.vmdk"), vmdk::open).unwrap();
        assert_holds(&disk, &raw);
        assert!(disk.parts.contains(&b"base.vmdk".to_vec()));
        raw = self::raw();
    }
    std::fs::remove_file(path.join("base.vmdk")).unwrap();
    let error = open(path.join("snapshot.vmdk"), vmdk::open).err().unwrap();
    assert_eq!(error.to_string(), "a VMDK without its parent base.vmdk is not supported");
}
