//! Fixed and dynamic disks made here field by field.

#![cfg(test)]

use super::*;
use crate::disk::NoNeighbours;
use crate::read_at::read_up_to;

const BLOCK: usize = 4096;
const HEADER: usize = 512;
const TABLE: usize = 1536;
const BLOCKS: usize = 2048;

fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    image[at..at + bytes.len()].copy_from_slice(bytes);
}

fn footer(kind: u32, size: usize) -> Vec<u8> {
    let mut footer = vec![0; 512];
    put(&mut footer, 0, b"conectix");
    put(&mut footer, 16, &u64::try_from(HEADER).unwrap().to_be_bytes());
    put(&mut footer, 48, &u64::try_from(size).unwrap().to_be_bytes());
    put(&mut footer, 60, &kind.to_be_bytes());
    let checksum = footer::checksum(&footer);
    put(&mut footer, 64, &checksum.to_be_bytes());
    footer
}

/// Three blocks: content, zeros, content of half a block.
fn dynamic_disk() -> Vec<u8> {
    let mut image = vec![0; BLOCKS + 2 * (512 + BLOCK)];
    put(&mut image, 0, &footer(3, 2 * BLOCK + BLOCK / 2));
    put(&mut image, HEADER, b"cxsparse");
    put(&mut image, HEADER + 16, &u64::try_from(TABLE).unwrap().to_be_bytes());
    put(&mut image, HEADER + 28, &3_u32.to_be_bytes());
    put(&mut image, HEADER + 32, &u32::try_from(BLOCK).unwrap().to_be_bytes());
    for (index, sector) in [4, u32::MAX, 13].into_iter().enumerate() {
        put(&mut image, TABLE + 4 * index, &sector.to_be_bytes());
    }
    image[BLOCKS + 512..][..BLOCK].fill(1);
    image[BLOCKS + 512 + BLOCK + 512..].fill(3);
    [image, footer(3, 2 * BLOCK + BLOCK / 2)].concat()
}

fn expected() -> Vec<u8> {
    [vec![1; BLOCK], vec![0; BLOCK], vec![3; BLOCK / 2]].concat()
}

fn open_bytes(image: Vec<u8>) -> Result<Disk, EvidenceError> {
    open(Arc::new(image), &NoNeighbours)
}

fn content(disk: &Disk) -> Vec<u8> {
    read_up_to(&disk.bytes, u64::MAX).unwrap().0
}

#[test]
fn a_fixed_disk_ends_with_its_footer_even_if_that_lacks_its_last_byte() {
    let image = [vec![7; 10_240], footer(2, 10_240)].concat();
    for image in [image.clone(), image[..image.len() - 1].to_vec()] {
        assert!(is_vhd(&image));
        let disk = open_bytes(image).unwrap();
        assert_eq!(disk.flaws, []);
        assert!(content(&disk) == vec![7; 10_240]);
    }
}

#[test]
fn a_fixed_disk_that_is_shorter_than_it_says_is_a_flaw() {
    let disk = open_bytes([vec![7; 1024], footer(2, 4096)].concat()).unwrap();
    assert_eq!(disk.flaws[0].what, "VHD: of its 4096 bytes only 1024 are in the file");
    assert_eq!(disk.bytes.read_at(0, &mut [0; 4096]).unwrap(), 1024);
    assert!(disk.bytes.read_at(1024, &mut [0; 1]).is_err());
}

#[test]
fn a_dynamic_disk_is_read_and_survives_the_loss_of_one_footer() {
    let image = dynamic_disk();
    let disk = open_bytes(image.clone()).unwrap();
    assert_eq!(disk.flaws, []);
    assert!(content(&disk) == expected());
    let cut = image[..image.len() - 512].to_vec();
    assert!(!is_vhd(&cut));
    let disk = open_bytes(cut).unwrap();
    assert!(disk.flaws[0].what.ends_with("the copy at the front is used"));
    assert!(content(&disk) == expected());
}

#[test]
fn a_block_outside_of_the_file_costs_only_itself() {
    let mut image = dynamic_disk();
    put(&mut image, TABLE, &1000_u32.to_be_bytes());
    let disk = open_bytes(image).unwrap();
    let what = "VHD: 1 of its blocks do not lie in the file and cannot be read";
    assert_eq!(disk.flaws[0].what, what);
    assert!(disk.bytes.read_at(0, &mut [0; 1]).is_err());
    assert_eq!(disk.bytes.read_at(8192, &mut [0; 4096]).unwrap(), 2048);
}

#[test]
fn each_wrong_field_has_its_own_error() {
    let cases: [(usize, &[u8], &str); 3] = [
        (HEADER, b"C", "VHD dynamic disk header at byte 512: need cxsparse"),
        (HEADER + 32, &[9], "need a block size that is a power of two from 4 KiB to 256 MiB"),
        (HEADER + 28, &[0, 0, 0, 2], "VHD: 1 of its blocks do not lie in the file"),
    ];
    for (at, bytes, what) in cases {
        let mut image = dynamic_disk();
        put(&mut image, at, bytes);
        let found = match open_bytes(image) {
            Ok(disk) => disk.flaws[0].what.clone(),
            Err(error) => error.to_string(),
        };
        assert!(found.contains(what), "{found}");
    }
    let mut image = dynamic_disk();
    let parent: Vec<u8> = "base.vhd".encode_utf16().flat_map(u16::to_be_bytes).collect();
    put(&mut image, HEADER + 64, &parent);
    let image = [image, footer(4, 4096)].concat();
    let error = open_bytes(image).err().unwrap().to_string();
    assert_eq!(error, "a differencing VHD (its parent is base.vhd) is not supported");
    let error = open_bytes(footer(5, 0)).err().unwrap().to_string();
    assert_eq!(error, "VHD footer at byte 60: need a disk type from 2 to 4, have 5");
    let error = open_bytes(footer(2, 1 << 50)).err().unwrap().to_string();
    assert_eq!(error, "bytes of a VHD: limit of 2199023255552 reached");
}

#[test]
fn no_mutation_of_any_structure_stops_the_reader() {
    let original = dynamic_disk();
    for at in (0..90).chain(HEADER..HEADER + 40).chain(TABLE..TABLE + 12) {
        for value in [0, 0xff, original[at] ^ 1] {
            let mut image = original[..original.len() - 512].to_vec();
            image[at] = value;
            let checksum = footer::checksum(&image[..512]);
            put(&mut image, 64, &checksum.to_be_bytes());
            let Ok(disk) = open_bytes(image) else { continue };
            for from in [0, 8192, disk.bytes.len().saturating_sub(5)] {
                let _ = disk.bytes.read_at(from, &mut [0; 5000]);
            }
        }
    }
}
