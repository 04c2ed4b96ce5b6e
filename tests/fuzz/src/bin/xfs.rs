//! XFS, versions 4 and 5.
#![no_main]

static IMAGES: dockline_fuzz::Images =
    dockline_fuzz::Images::new(&["images/xfs4.zst", "images/xfs5.zst", "xfs/dirty.img.zst"]);

libfuzzer_sys::fuzz_target!(|input: &[u8]| IMAGES.read(input));
