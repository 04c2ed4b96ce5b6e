//! Images made by hand: one mutation, one error.

use super::open;
use crate::EvidenceError;
use crate::disk::Disk;
use crate::disk::samples::{content, open_files, pieces};

/// Bytes of a cluster.
const CLUSTER: usize = 1 << 14;

/// An image of four clusters: the tables are the second and the third cluster of the file, and the
/// data of the first cluster of the disk is the fourth.
fn image(features: u64) -> Vec<u8> {
    let mut image = vec![0; 5 * CLUSTER];
    put(&mut image, 0, b"QFI\xfb");
    put(&mut image, 4, &3_u32.to_be_bytes());
    put(&mut image, 20, &14_u32.to_be_bytes());
    put(&mut image, 24, &(4 * CLUSTER as u64).to_be_bytes());
    put(&mut image, 36, &1_u32.to_be_bytes());
    put(&mut image, 40, &(CLUSTER as u64).to_be_bytes());
    put(&mut image, 72, &features.to_be_bytes());
    put(&mut image, 96, &4_u32.to_be_bytes());
    put(&mut image, 100, &112_u32.to_be_bytes());
    put(&mut image, CLUSTER, &(2 * CLUSTER as u64 | 1 << 63).to_be_bytes());
    put(&mut image, 2 * CLUSTER, &(3 * CLUSTER as u64 | 1 << 63).to_be_bytes());
    image[3 * CLUSTER..].fill(7);
    image
}

fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    image[at..at + bytes.len()].copy_from_slice(bytes);
}

fn entry(image: &mut [u8], index: usize, entry: u64) {
    put(image, 2 * CLUSTER + 8 * index, &entry.to_be_bytes());
}

fn opened(image: Vec<u8>) -> Result<Disk, EvidenceError> {
    open_files(open, &[("image.qcow2", image)])
}

/// The clusters of a disk: of each, its byte, or the error.
fn clusters(image: Vec<u8>) -> Vec<Result<u8, String>> {
    let clusters = pieces(&opened(image).unwrap(), CLUSTER);
    let byte = |cluster: Vec<u8>| {
        assert!(cluster.iter().all(|byte| *byte == cluster[0]));
        cluster[0]
    };
    clusters.into_iter().map(|cluster| cluster.map(byte)).collect()
}

#[test]
fn clusters_are_stored_or_zeros() {
    let mut image = image(0);
    entry(&mut image, 1, 1);
    entry(&mut image, 2, (3 * CLUSTER as u64) | 1);
    entry(&mut image, 3, 4 * CLUSTER as u64);
    assert_eq!(clusters(image), [Ok(7), Ok(0), Ok(0), Ok(7)]);
}

#[test]
fn every_field_of_the_header_that_cannot_be_is_an_error_by_its_name() {
    let be32 = |number: u32| number.to_be_bytes().to_vec();
    let be64 = |number: u64| number.to_be_bytes().to_vec();
    for (at, bytes, expected) in [
        (0, be32(0), "QCOW2 header at byte 0: need the magic number of QCOW2, have another"),
        (4, be32(1), "QCOW version 1 is not supported"),
        (4, be32(4), "QCOW version 4 is not supported"),
        (16, be32(1024), "QCOW2 header at byte 16: need a name of at most 1023 bytes, have 1024"),
        (20, be32(8), "QCOW2 header at byte 20: need clusters of 2^9 to 2^21 bytes, have 8"),
        (20, be32(22), "QCOW2 header at byte 20: need clusters of 2^9 to 2^21 bytes, have 22"),
        (20, be32(u32::MAX), "need clusters of 2^9 to 2^21 bytes, have 4294967295"),
        (32, be32(1), "a QCOW2 image encrypted with AES is not supported"),
        (32, be32(2), "a QCOW2 image encrypted with LUKS is not supported"),
        (32, be32(3), "a QCOW2 image encrypted with method 3 is not supported"),
        (
            40,
            be64(513),
            "QCOW2 header at byte 40: need a table that begins with a cluster, have 513",
        ),
        (72, be64(1 << 5), "QCOW2 incompatible feature 5 is not supported"),
        (72, be64(1 << 63), "QCOW2 incompatible feature 63 is not supported"),
        (72, be64(1 << 2), "a QCOW2 data file without a name is not supported"),
        (100, be32(103), "QCOW2 header at byte 100: need a header of 104 bytes or more, have 103"),
        (
            112,
            [be32(9), be32(70_000)].concat(),
            "QCOW2 header at byte 120: need 70000 bytes, have 16264",
        ),
    ] {
        let mut image = image(0);
        // A backing file is only looked for where its offset is not zero.
        put(&mut image, 8, &be64(if at == 16 { 200 } else { 0 }));
        put(&mut image, at, &bytes);
        let error = opened(image).err().unwrap().to_string();
        assert!(error.ends_with(expected), "{error}");
    }
    let mut image = image(1 << 3);
    image[104] = 2;
    let error = opened(image).err().unwrap().to_string();
    assert_eq!(error, "QCOW2 compression type 2 is not supported");
}

#[test]
fn the_marks_of_an_image_in_disorder_are_told() {
    let disk = opened(image(3)).unwrap();
    let flaws: Vec<&str> = disk.flaws.iter().map(|flaw| flaw.what.as_str()).collect();
    assert_eq!(
        flaws,
        [
            "the QCOW2 image image.qcow2 was not closed properly (dirty)",
            "the QCOW2 image image.qcow2 is marked as corrupt"
        ]
    );
    assert_eq!(content(&disk)[..CLUSTER], [7; CLUSTER]);
}

#[test]
fn a_damaged_entry_costs_its_cluster_and_no_other() {
    for damaged in [
        3 * CLUSTER as u64 + 512, // not at a cluster
        1 << 40,                  // past the end
        1 << 62,                  // compressed, and the header is no such data
        1 << 62 | 1 << 50,        // compressed, past the end
        0x7fff_ffff_ffff_ffff,    // everything
    ] {
        let mut image = image(0);
        entry(&mut image, 1, damaged);
        entry(&mut image, 3, 4 * CLUSTER as u64);
        let clusters = clusters(image);
        let is_read: Vec<bool> = clusters.iter().map(Result::is_ok).collect();
        assert_eq!(is_read, [true, false, true, true], "{damaged:x}: {clusters:?}");
    }
}

#[test]
fn tables_past_the_end_cost_what_they_would_map() {
    for damaged in [1_u64 << 40, 512 + 2 * CLUSTER as u64] {
        let mut image = image(0);
        put(&mut image, CLUSTER, &damaged.to_be_bytes());
        assert!(clusters(image).iter().all(Result::is_err));
    }
    let mut image = image(0);
    put(&mut image, 36, &0_u32.to_be_bytes());
    let expected = "QCOW2 table at byte 16384: need an entry 0, have 0".to_string();
    assert_eq!(clusters(image)[0], Err(expected));
}

#[test]
fn an_absurd_size_takes_neither_time_nor_memory() {
    let mut image = image(0);
    put(&mut image, 24, &u64::MAX.to_be_bytes());
    put(&mut image, 36, &u32::MAX.to_be_bytes());
    let disk = opened(image).unwrap();
    let mut buffer = vec![1; 1 << 20];
    // The second table does not exist; the first maps its clusters, the rest is nowhere.
    assert_eq!(disk.bytes.read_at(CLUSTER as u64, &mut buffer).unwrap(), 1 << 20);
    for at in [1 << 50, u64::MAX - 1] {
        assert!(disk.bytes.read_at(at, &mut buffer).is_err());
    }
    assert_eq!(disk.bytes.read_at(u64::MAX, &mut buffer).unwrap(), 0);
}

#[test]
fn a_compressed_cluster_yields_no_more_than_a_cluster() {
    // Sixteen megabytes of zeros, deflated; the cluster gets its share.
    let mut state = flate2::Compress::new(flate2::Compression::best(), false);
    let mut bomb = Vec::with_capacity(1 << 16);
    state.compress_vec(&vec![9; 1 << 24], &mut bomb, flate2::FlushCompress::Finish).unwrap();
    let bomb_frame = zstd::bulk::compress(&vec![9; 1 << 24], 3).unwrap();
    for (features, bytes) in [(0, bomb), (1 << 3, bomb_frame)] {
        let mut image = image(features);
        image[104] = u8::from(features != 0);
        // So many further sectors of 512 bytes: as many as there are bits for.
        let sectors = 63_u64;
        put(&mut image, 3 * CLUSTER, &bytes[..bytes.len().min(2 * CLUSTER)]);
        entry(&mut image, 1, 1 << 62 | sectors << 56 | 3 * CLUSTER as u64);
        let clusters = clusters_but_first(image);
        assert_eq!(clusters, Ok(9));
    }
}

fn clusters_but_first(image: Vec<u8>) -> Result<u8, String> {
    let disk = opened(image).unwrap();
    let mut buffer = vec![0; CLUSTER];
    let read =
        disk.bytes.read_at(CLUSTER as u64, &mut buffer).map_err(|error| error.to_string())?;
    assert_eq!(read, CLUSTER);
    assert!(buffer.iter().all(|byte| *byte == buffer[0]));
    Ok(buffer[0])
}

#[test]
fn a_subcluster_that_is_both_stored_and_zeros_is_an_error() {
    let both = |bitmap: u64| {
        let mut image = image(1 << 4);
        put(&mut image, 2 * CLUSTER + 8, &bitmap.to_be_bytes());
        pieces(&opened(image).unwrap(), 512)
    };
    let pieces = both(0b11 << 32 | 0b110);
    assert_eq!(pieces[0], Ok(vec![0; 512]));
    assert!(pieces[1].as_ref().unwrap_err().contains("either stored or zeros"));
    assert_eq!(pieces[2], Ok(vec![7; 512]));
    assert_eq!(pieces[3], Ok(vec![0; 512]));
}

#[test]
fn version_2_has_no_zero_clusters() {
    let mut image = image(0);
    put(&mut image, 4, &2_u32.to_be_bytes());
    put(&mut image, 72, &[0; 40]);
    entry(&mut image, 1, 1);
    let clusters = clusters(image);
    assert_eq!(clusters[0], Ok(7));
    assert!(clusters[1].as_ref().unwrap_err().contains("no zero clusters in version 2"));
}

#[test]
fn the_name_of_the_image_below_may_stand_where_extensions_would() {
    // So qemu-img wrote it before there were extensions.
    let mut image = image(0);
    put(&mut image, 4, &2_u32.to_be_bytes());
    put(&mut image, 8, &72_u64.to_be_bytes());
    put(&mut image, 16, &8_u32.to_be_bytes());
    put(&mut image, 72, &[0; 40]);
    put(&mut image, 72, b"base.raw");
    let files = [("image.qcow2", image), ("base.raw", vec![5; 3 * CLUSTER])];
    let disk = open_files(open, &files).unwrap();
    assert_eq!(content(&disk), [[7; CLUSTER], [5; CLUSTER], [5; CLUSTER], [0; CLUSTER]].concat());
}

#[test]
fn an_image_below_that_is_longer_is_cut_and_one_that_is_shorter_is_followed_by_zeros() {
    // The middle image has one cluster fewer than the top, and the base one more.
    let named = |name: &[u8], clusters: usize| {
        let mut image = image(0);
        put(&mut image, 8, &200_u64.to_be_bytes());
        put(&mut image, 16, &u32::try_from(name.len()).unwrap().to_be_bytes());
        put(&mut image, 200, name);
        put(&mut image, 24, &((clusters * CLUSTER) as u64).to_be_bytes());
        image
    };
    let files = [
        ("top", named(b"middle", 4)),
        ("middle", named(b"base", 3)),
        ("base", vec![3; 5 * CLUSTER]),
    ];
    let disk = open_files(open, &files).unwrap();
    assert_eq!(content(&disk), [[7; CLUSTER], [3; CLUSTER], [3; CLUSTER], [0; CLUSTER]].concat());
}
