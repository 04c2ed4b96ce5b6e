//! MBR and GPT.
#![no_main]

static IMAGES: dockline_fuzz::Images = dockline_fuzz::Images::new(&[
    "partitions/gpt.raw.zst",
    "partitions/gpt4k.raw.zst",
    "partitions/hybrid.raw.zst",
    "partitions/mbr.raw.zst",
]);

libfuzzer_sys::fuzz_target!(|input: &[u8]| IMAGES.read(input));
