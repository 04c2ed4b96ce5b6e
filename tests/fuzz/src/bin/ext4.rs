//! ext2, ext3 and ext4.
#![no_main]

static IMAGES: dockline_fuzz::Images = dockline_fuzz::Images::new(&[
    "images/ext4.zst",
    "images/ext4-no-checksums.zst",
    "images/ext2.zst",
]);

libfuzzer_sys::fuzz_target!(|input: &[u8]| IMAGES.read(input));
