//! The text of an LVM2 volume group, under checksums that are right.
#![no_main]

use std::sync::{Arc, LazyLock};

/// Where the only metadata area of the stored physical volume begins, and its text.
const AREA: usize = 4096;
const TEXT: usize = AREA + 58_880;
/// What of the text lies before the end of the area.
const LENGTH: usize = 61_440 - 58_880;

static IMAGE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    zstd::decode_all(std::fs::File::open(path()).expect("the image is stored")).expect("it is zstd")
});

fn path() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/evidence/lvm2/pv1.raw.zst").to_owned()
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let shift = |state: u32| (state >> 1) ^ if state & 1 == 1 { 0xedb8_8320 } else { 0 };
    let start = 0xf597_a6cf_u32;
    let sum = bytes
        .iter()
        .fold(start, |state, byte| (0..8).fold(state ^ u32::from(*byte), |state, _| shift(state)));
    sum.to_le_bytes()
}

// Each change is a place in the text and four bytes.
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let mut image = IMAGE.clone();
    let size = usize::from_le_bytes(*image[AREA + 48..].first_chunk().expect("an area"));
    let mut text = image[TEXT..TEXT + LENGTH].to_vec();
    text.extend(&image[AREA + 512..AREA + 512 + size - LENGTH]);
    for change in input.chunks_exact(6) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % (text.len() - 4);
        text[at..at + 4].copy_from_slice(&change[2..]);
    }
    image[AREA + 512..AREA + 512 + text.len()].copy_from_slice(&text);
    image[AREA + 40..AREA + 48].copy_from_slice(&512_u64.to_le_bytes());
    image[AREA + 56..AREA + 60].copy_from_slice(&checksum(&text));
    let sum = checksum(&image[AREA + 4..AREA + 512]);
    image[AREA..AREA + 4].copy_from_slice(&sum);
    image.truncate(1 << 20);
    dockline_fuzz::read(Arc::new(image));
});
