//! A small image, damaged byte by byte: what is read is right, or an error, or the disk says that
//! something is wrong with its image.

use super::{adler32, open};
use crate::disk::samples::{content, open_files, pieces, stored_file, tiny_disk};

/// Bytes of a chunk.
const CHUNK: usize = 8192;
/// Where the sections of the image begin.
const SECTORS: usize = 1838;
const TABLE: usize = 12_417;
const TABLE2: usize = 12_541;

fn tiny() -> Vec<u8> {
    stored_file("ewf/tiny.E01")
}

/// Opens the image after a change, and reads its chunks.
fn chunks(image: Vec<u8>) -> (Vec<Result<Vec<u8>, String>>, Vec<String>) {
    let opened = open_files(open, &[("tiny.E01", image)]).unwrap();
    let flaws = opened.flaws.iter().map(|flaw| flaw.what.clone()).collect();
    (pieces(&opened, CHUNK), flaws)
}

/// Puts a checksum right again.
fn seal(image: &mut [u8], from: usize, length: usize) {
    let sum = adler32(&image[from..from + length]);
    image[from + length..from + length + 4].copy_from_slice(&sum.to_le_bytes());
}

#[test]
fn the_small_image_is_whole() {
    let opened = open_files(open, &[("tiny.E01", tiny())]).unwrap();
    assert_eq!(opened.flaws, []);
    assert!(content(&opened) == tiny_disk());
}

#[test]
fn no_changed_byte_passes_for_the_disk() {
    let (image, disk) = (tiny(), tiny_disk());
    let expected: Vec<_> = disk.chunks(CHUNK).map(|chunk| Ok(chunk.to_vec())).collect();
    let metadata = (0..SECTORS + 80).chain(TABLE..image.len());
    for at in metadata.chain((SECTORS + 80..TABLE).step_by(37)) {
        for change in [0xff, 0x01] {
            let mut image = image.clone();
            image[at] ^= change;
            let Ok(opened) = open_files(open, &[("tiny.E01", image)]) else { continue };
            let found = pieces(&opened, CHUNK);
            let is_same =
                |(one, other): (&Result<Vec<u8>, String>, _)| one.is_err() || one == other;
            let is_right =
                found.len() == expected.len() && found.iter().zip(&expected).all(is_same);
            assert!(is_right || !opened.flaws.is_empty(), "byte {at} ^ {change}");
        }
    }
}

#[test]
fn no_image_that_is_cut_off_passes_for_the_disk() {
    let image = tiny();
    for length in (0..image.len() - 76).step_by(61) {
        let cut = image[..length].to_vec();
        if let Ok(opened) = open_files(open, &[("tiny.E01", cut)]) {
            assert!(!opened.flaws.is_empty(), "{length} bytes");
        }
    }
}

#[test]
fn a_damaged_chunk_costs_no_other() {
    let disk = tiny_disk();
    for (at, damaged) in [(SECTORS + 100, 0), (SECTORS + 76 + CHUNK + 4 + 10, 1)] {
        let mut image = tiny();
        image[at] ^= 0x10;
        let (chunks, flaws) = chunks(image);
        assert_eq!(flaws, Vec::<String>::new());
        for (index, chunk) in chunks.into_iter().enumerate() {
            match chunk {
                Ok(chunk) => assert_eq!(chunk, disk.chunks(CHUNK).nth(index).unwrap()),
                Err(error) => {
                    assert_eq!(index, damaged);
                    let place = if index == 0 { 1914 } else { 10_110 };
                    let expected = format!(
                        "EWF chunk at byte {place}: need chunk {index} of segment 1 with its \
                         checksum, have damaged data"
                    );
                    assert_eq!(error, expected);
                }
            }
        }
    }
}

#[test]
fn the_copy_of_a_damaged_table_is_used() {
    for at in [TABLE + 76, TABLE + 76 + 8, TABLE + 76 + 24, TABLE + 76 + 24 + 20] {
        let mut image = tiny();
        image[at] ^= 0x40;
        let (chunks, flaws) = chunks(image);
        assert_eq!(flaws, ["a table of segment 1 is damaged, its copy is used"]);
        assert_eq!(chunks.into_iter().flatten().flatten().collect::<Vec<u8>>(), tiny_disk());
    }
}

#[test]
fn a_damaged_entry_in_both_tables_costs_its_chunk() {
    let mut image = tiny();
    for table in [TABLE, TABLE2] {
        image[table + 76 + 24 + 4] ^= 0x40;
    }
    let (chunks, flaws) = chunks(image);
    assert_eq!(flaws, ["a table of segment 1 is damaged, and so is its copy"]);
    assert_eq!(
        chunks.iter().map(Result::is_ok).collect::<Vec<_>>(),
        [true, false, true, true, true]
    );
}

#[test]
fn an_entry_past_the_end_costs_its_chunk() {
    for entry in [0x7fff_ffff_u32, 0xffff_ffff, 14_100, 0x8000_3730] {
        let mut image = tiny();
        let at = TABLE + 76 + 24;
        image[at + 8..at + 12].copy_from_slice(&entry.to_le_bytes());
        seal(&mut image, at, 20);
        let (chunks, flaws) = chunks(image);
        assert_eq!(flaws, Vec::<String>::new());
        let is_read = chunks.iter().map(Result::is_ok).collect::<Vec<_>>();
        assert_eq!(is_read, [true, true, false, true, true], "{entry:x}");
    }
}

#[test]
fn offsets_may_descend() {
    // The entries of two chunks change places, and so do the chunks.
    let mut image = tiny();
    let at = TABLE + 76 + 24;
    let (one, two) = (image[at + 4..at + 8].to_vec(), image[at + 8..at + 12].to_vec());
    image[at + 4..at + 8].copy_from_slice(&two);
    image[at + 8..at + 12].copy_from_slice(&one);
    seal(&mut image, at, 20);
    let (chunks, _) = chunks(image);
    let disk = tiny_disk();
    let expected = [0, 2, 1, 3, 4].map(|index| Ok(disk.chunks(CHUNK).nth(index).unwrap().to_vec()));
    assert_eq!(chunks, expected);
}
