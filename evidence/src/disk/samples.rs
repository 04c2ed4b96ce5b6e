//! Disks and tools for the tests of image formats.

#![cfg(test)]

use super::{Disk, TreeNeighbours};
use crate::read_at::read_up_to;
use crate::{EvidenceError, MemoryTree, ReadAt, TreePath};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Opens an image of some format.
pub(super) type Open = fn(Arc<dyn ReadAt>, &dyn super::Neighbours) -> Result<Disk, EvidenceError>;

/// A small generator of numbers that are always the same (SplitMix64).
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// A disk of text, noise and holes, whose borders are at odd places. The noise repeats after 48 KiB:
/// farther than zlib looks back.
pub(super) fn disk(sectors: u64) -> Vec<u8> {
    let mut numbers = Numbers(7);
    let noise: Vec<u8> = (0..49_152).map(|_| numbers.next() as u8).collect();
    let size = usize::try_from(sectors * 512).unwrap();
    let mut disk = Vec::with_capacity(size);
    let mut line = 0;
    while disk.len() < size {
        let end = disk.len() + 5000 + usize::try_from(numbers.below(200_000)).unwrap();
        match numbers.below(3) {
            0 => disk.resize(end, 0),
            1 => disk.extend(noise.iter().cycle().take(end - disk.len())),
            _ => {
                while disk.len() < end {
                    line += 1;
                    disk.extend(format!("line {line} of a log that goes on\n").bytes());
                }
            }
        }
    }
    disk.truncate(size);
    disk
}

/// All bytes of a disk.
pub(super) fn content(disk: &Disk) -> Vec<u8> {
    let (content, _) = read_up_to(&*disk.bytes, u64::MAX).unwrap();
    assert_eq!(content.len() as u64, disk.bytes.len());
    content
}

/// Opens a file, with those beside it.
pub(super) fn open_file(open: Open, path: &Path) -> Result<Disk, EvidenceError> {
    let bytes: Arc<dyn ReadAt> = Arc::new(std::fs::read(path).unwrap());
    open(bytes, &TreeNeighbours::of_file(path).unwrap())
}

/// Opens the first of some files that lie in one directory.
pub(super) fn open_files(open: Open, files: &[(&str, Vec<u8>)]) -> Result<Disk, EvidenceError> {
    let tree = files.iter().fold(MemoryTree::new(), |tree, (name, content)| {
        tree.with_file(&format!("/{name}"), content.clone(), None)
    });
    let (name, content) = &files[0];
    let path = TreePath::parse(format!("/{name}").as_bytes()).unwrap();
    open(Arc::new(content.clone()), &TreeNeighbours::new(Arc::new(tree), &path))
}

/// What a disk says at random places is what its content says there.
pub(super) fn assert_reads_agree(disk: &Disk, content: &[u8]) {
    let mut numbers = Numbers(99);
    for _ in 0..200 {
        let at = usize::try_from(numbers.below(content.len() as u64)).unwrap();
        let length = usize::try_from(1 + numbers.below(150_000)).unwrap();
        let mut buffer = vec![0xaa; length];
        let read = disk.bytes.read_at(at as u64, &mut buffer).unwrap();
        let expected = &content[at..content.len().min(at + length)];
        assert!(read > 0 && buffer[..read] == expected[..read], "at {at}");
    }
}

/// Runs a tool in a directory; `false`, said aloud, where it is not installed.
pub(super) fn run(directory: &Path, tool: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(tool);
    command.current_dir(directory).args(arguments).stdin(Stdio::null());
    match command.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("SKIPPED: no {tool}");
            false
        }
        output => {
            let output = output.unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{tool} {arguments:?}: {said}");
            true
        }
    }
}

/// A file of `testdata/evidence`, decompressed where its name ends in `.zst`.
pub(super) fn stored_file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/evidence");
    let bytes = std::fs::read(folder.join(name)).unwrap();
    if name.ends_with(".zst") { zstd::decode_all(&bytes[..]).unwrap() } else { bytes }
}

/// The small disk of the images `tiny`: a chunk of noise, then text.
pub(super) fn tiny_disk() -> Vec<u8> {
    let disk = disk(601);
    [&disk[76_288..84_480], &disk[278_528..]].concat()
}

/// Reads a small disk piece by piece: what could be read of each.
pub(super) fn pieces(disk: &Disk, size: usize) -> Vec<Result<Vec<u8>, String>> {
    let length = disk.bytes.len().min(1 << 17);
    let starts = (0..length).step_by(size);
    let piece = |at| {
        let mut buffer = vec![0; size];
        let read = disk.bytes.read_at(at, &mut buffer).map_err(|error| error.to_string())?;
        buffer.truncate(read);
        Ok(buffer)
    };
    starts.map(piece).collect()
}
