//! QCOW2 virtual disks.
#![no_main]

static IMAGES: dockline_fuzz::Images =
    dockline_fuzz::Images::new(&["images/qcow2-zlib.zst", "images/qcow2-zstd.zst"]);

libfuzzer_sys::fuzz_target!(|input: &[u8]| IMAGES.read(input));
