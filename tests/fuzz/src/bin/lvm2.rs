//! LVM2 volume groups.
#![no_main]

static IMAGES: dockline_fuzz::Images =
    dockline_fuzz::Images::new(&["lvm2/pv1.raw.zst", "lvm2/pv3.raw.zst"]);

libfuzzer_sys::fuzz_target!(|input: &[u8]| IMAGES.read(input));
