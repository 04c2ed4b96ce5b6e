//! VHDX virtual disks.
#![no_main]

static IMAGES: dockline_fuzz::Images =
    dockline_fuzz::Images::new(&["images/vhdx.zst", "vhdx/dirty.vhdx.zst"]);

libfuzzer_sys::fuzz_target!(|input: &[u8]| IMAGES.read(input));
