//! NTFS.
#![no_main]

static IMAGES: dockline_fuzz::Images = dockline_fuzz::Images::new(&["ntfs/volume.raw.zst"]);

libfuzzer_sys::fuzz_target!(|input: &[u8]| IMAGES.read(input));
