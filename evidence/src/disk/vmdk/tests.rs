//! Sparse extents made here field by field.

#![cfg(test)]

use super::*;
use crate::disk::NoNeighbours;
use crate::read_at::read_up_to;
use std::collections::BTreeMap;
use std::io::Write;

const GRAIN: usize = 8 * 512;
const DIRECTORY: usize = 2 * 512;
const REDUNDANT: usize = 3 * 512;
const TABLE: usize = 4 * 512;
const REDUNDANT_TABLE: usize = 5 * 512;
const GRAINS: usize = 16 * 512;
/// In the first table: one grain of the disk after the other.
const ENTRIES: [u32; 5] = [16, 0, 24, 1, 32];

fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    image[at..at + bytes.len()].copy_from_slice(bytes);
}

fn put32(image: &mut [u8], at: usize, value: u32) {
    put(image, at, &value.to_le_bytes());
}

/// An extent of five grains of 4 KiB, without a descriptor: content, hole, content, zeros, and half
/// a grain of content.
fn extent() -> Vec<u8> {
    let mut image = vec![0; GRAINS + 3 * GRAIN];
    put(&mut image, 0, b"KDMV");
    for (at, value) in [(4, 1), (8, 3), (12, 36), (20, 8), (44, 512), (48, 3), (56, 2)] {
        put32(&mut image, at, value);
    }
    put32(&mut image, DIRECTORY, u32::try_from(TABLE / 512).unwrap());
    put32(&mut image, REDUNDANT, u32::try_from(REDUNDANT_TABLE / 512).unwrap());
    for (index, entry) in ENTRIES.into_iter().enumerate() {
        put32(&mut image, TABLE + 4 * index, entry);
        put32(&mut image, REDUNDANT_TABLE + 4 * index, entry);
    }
    for (index, grain) in image[GRAINS..].chunks_mut(GRAIN).enumerate() {
        grain.fill(u8::try_from(index + 1).unwrap());
    }
    image
}

fn expected() -> Vec<u8> {
    [vec![1; GRAIN], vec![0; GRAIN], vec![2; GRAIN], vec![0; GRAIN], vec![3; GRAIN / 2]].concat()
}

/// The same, with compressed grains and its directory named in a footer.
fn stream_optimized() -> Vec<u8> {
    let mut image = extent();
    put32(&mut image, 8, 3 << 16);
    put(&mut image, 77, &[1, 0]);
    let mut footer = image[..512].to_vec();
    put(&mut image, 56, &[0xff; 8]);
    put32(&mut footer, 56, 2);
    for (number, start) in [(0_u8, 16_usize), (2, 24), (4, 32)] {
        let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&[number / 2 + 1; GRAIN]).unwrap();
        let packed = packed.finish().unwrap();
        put(&mut image, start * 512, &(u64::from(number) * 8).to_le_bytes());
        put32(&mut image, start * 512 + 8, u32::try_from(packed.len()).unwrap());
        put(&mut image, start * 512 + 12, &packed);
    }
    [image, footer, vec![0; 512]].concat()
}

fn open_bytes(image: Vec<u8>) -> Result<Disk, EvidenceError> {
    open(Arc::new(image), &NoNeighbours)
}

fn content(disk: &Disk) -> Vec<u8> {
    read_up_to(&disk.bytes, u64::MAX).unwrap().0
}

struct Files(BTreeMap<&'static str, Vec<u8>>);

impl Neighbours for Files {
    fn own_name(&self) -> &[u8] {
        b"disk.vmdk"
    }

    fn open(&self, name: &[u8]) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        let content = self.0.get(std::str::from_utf8(name).unwrap());
        Ok(Arc::new(content.ok_or(EvidenceError::NotFound)?.clone()))
    }
}

const ALONE: &str = "one extent of a VMDK, without the descriptor of the disk";

#[test]
fn a_sparse_extent_alone_is_read_and_says_that_it_is_one() {
    for image in [extent(), stream_optimized()] {
        let disk = open_bytes(image).unwrap();
        assert_eq!(disk.flaws.len(), 1);
        assert_eq!(disk.flaws[0].what, ALONE);
        assert!(content(&disk) == expected());
    }
}

#[test]
fn a_redo_log_of_esx_is_read() {
    let mut image = extent();
    image[..512].fill(0);
    put(&mut image, 0, b"COWD");
    for (at, value) in [(4, 1), (8, 3), (12, 36), (16, 8), (20, 2), (24, 1)] {
        put32(&mut image, at, value);
    }
    assert!(content(&open_bytes(image).unwrap()) == expected());
}

#[test]
fn the_redundant_table_knows_what_the_first_has_lost() {
    for (at, value) in
        [(DIRECTORY, 0), (DIRECTORY, u32::MAX), (TABLE + 8, 0), (TABLE + 8, u32::MAX)]
    {
        let mut image = extent();
        put32(&mut image, at, value);
        let disk = open_bytes(image).unwrap();
        assert!(content(&disk) == expected(), "{at} {value}");
        assert_eq!(disk.flaws.len(), 1);
    }
}

#[test]
fn a_grain_that_lies_nowhere_costs_only_itself() {
    let mut image = extent();
    put32(&mut image, TABLE + 8, 9999);
    put32(&mut image, REDUNDANT_TABLE + 8, 9999);
    let disk = open_bytes(image).unwrap();
    let what = "VMDK: 1 of its grains do not lie in the file, and cannot be read";
    assert_eq!(disk.flaws[1].what, what);
    let mut buffer = vec![9; GRAIN];
    assert_eq!(disk.bytes.read_at(0, &mut buffer).unwrap(), GRAIN);
    let start = u64::try_from(2 * GRAIN).unwrap();
    let error = disk.bytes.read_at(start, &mut buffer).unwrap_err().to_string();
    assert!(error.contains("need a grain that lies in the file, have 5119488"), "{error}");
    assert_eq!(disk.bytes.read_at(4 * start / 2, &mut buffer).unwrap(), GRAIN / 2);
}

#[test]
fn a_damaged_compressed_grain_is_an_error_and_never_more_than_a_grain() {
    let sizes = [(0_u64, "need sector 0, have 1"), (8, "at most 8192 bytes, have")];
    for (at, what) in sizes {
        let mut image = stream_optimized();
        image[GRAINS + usize::try_from(at).unwrap()] ^= 1;
        image[GRAINS + 11] ^= u8::from(at == 8);
        let disk = open_bytes(image).unwrap();
        let error = disk.bytes.read_at(0, &mut [0; 10]).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
    let mut image = stream_optimized();
    let mut bomb = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![0; 1 << 20]).unwrap();
    let bomb = bomb.finish().unwrap();
    put32(&mut image, GRAINS + 8, u32::try_from(bomb.len()).unwrap());
    put(&mut image, GRAINS + 12, &bomb);
    let disk = open_bytes(image).unwrap();
    let error = disk.bytes.read_at(0, &mut [0; 10]).unwrap_err().to_string();
    assert!(error.contains("need 4096 bytes with a right checksum, have 4096"), "{error}");
}

#[test]
fn extents_of_every_kind_make_one_disk_and_a_missing_one_costs_only_itself() {
    let descriptor = b"# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\n\
        RW 36 SPARSE \"a.vmdk\"\nRW 2 FLAT \"C:\\vm\\b.vmdk\" 1\nRW 3 ZERO\nRW 4 FLAT \"c.vmdk\" 0\n";
    let flat = [vec![8; 512], vec![9; 1024]].concat();
    let mut files = Files(BTreeMap::from([("a.vmdk", extent()), ("b.vmdk", flat)]));
    let disk = open(Arc::new(descriptor.to_vec()), &files).unwrap();
    let what = "extent c.vmdk: a VMDK without its extent c.vmdk is not supported: 2048 bytes cannot be read";
    assert_eq!(disk.flaws.iter().map(|flaw| flaw.what.as_str()).collect::<Vec<_>>(), [what]);
    assert_eq!(disk.parts, [b"a.vmdk", b"b.vmdk"]);
    let mut buffer = vec![7; 41 * 512];
    let mut filled = 0;
    while let Ok(count @ 1..) =
        disk.bytes.read_at(u64::try_from(filled).unwrap(), &mut buffer[filled..])
    {
        filled += count;
    }
    assert!(buffer == [expected(), vec![9; 1024], vec![0; 1536]].concat());
    assert_eq!(disk.bytes.len(), 45 * 512);
    assert!(disk.bytes.read_at(41 * 512, &mut buffer).is_err());

    files.0.clear();
    let error = open(Arc::new(descriptor.to_vec()), &files).err().unwrap().to_string();
    assert_eq!(error, "a VMDK without its extent a.vmdk is not supported");
}

#[test]
fn a_snapshot_of_a_parent_that_changed_and_a_chain_without_end_are_errors() {
    let child = b"CID=2\nparentCID=1\nparentFileNameHint=\"base.vmdk\"\nRW 1 ZERO\n".to_vec();
    let base = b"CID=00000003\nparentCID=ffffffff\nRW 1 ZERO\n".to_vec();
    let files = Files(BTreeMap::from([("base.vmdk", base)]));
    let error = open(Arc::new(child.clone()), &files).err().unwrap().to_string();
    assert!(error.ends_with("need 00000001, have 00000003"), "{error}");
    let endless = b"CID=1\nparentCID=1\nparentFileNameHint=\"base.vmdk\"\nRW 1 ZERO\n".to_vec();
    let files = Files(BTreeMap::from([("base.vmdk", endless)]));
    let error = open(Arc::new(child), &files).err().unwrap().to_string();
    assert_eq!(error, "parents of a VMDK: limit of 64 reached");
}

#[test]
fn what_is_not_supported_is_named() {
    let error = |image| open_bytes(image).err().unwrap().to_string();
    let descriptor = |line: &str| error(format!("CID=1\n{line}\n").into_bytes());
    let device = descriptor("RW 100 VMFSRDM \"disk-rdm.vmdk\"");
    assert_eq!(device, "a VMDK extent of type VMFSRDM is not supported");
    let files =
        Files(BTreeMap::from([("a.vmdk", [b"\xbe\xba\xfe\xca".to_vec(), vec![0; 508]].concat())]));
    let sparse = open(Arc::new(b"CID=1\nRW 1 SESPARSE \"a.vmdk\"\n".to_vec()), &files);
    let sparse = sparse.err().unwrap().to_string();
    assert_eq!(sparse, "a VMDK extent of type seSparse is not supported");
    let mut image = stream_optimized();
    image[77] = 2;
    assert_eq!(error(image), "VMDK compression algorithm 2 is not supported");
    let mut image = stream_optimized();
    image.truncate(GRAINS);
    assert!(error(image).starts_with("VMDK footer at byte 7168: need KDMV"));
}

#[test]
fn no_mutation_of_any_structure_stops_the_reader() {
    for original in [extent(), stream_optimized()] {
        let structures =
            [(4, 75), (DIRECTORY, 8), (TABLE, 24), (GRAINS, 40), (original.len() - 1024, 80)];
        for at in structures.into_iter().flat_map(|(start, length)| start..start + length) {
            for value in [0, 0xff, original[at] ^ 1] {
                let mut image = original.clone();
                image[at] = value;
                let Ok(disk) = open_bytes(image) else { continue };
                let mut buffer = vec![0; 5 * GRAIN];
                for from in [0, 2 * 4096, disk.bytes.len().saturating_sub(5)] {
                    let _ = disk.bytes.read_at(from, &mut buffer);
                }
            }
        }
    }
}
