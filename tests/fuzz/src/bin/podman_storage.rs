//! images.json of containers/storage.
#![no_main]

const PATH: &str = "var/lib/containers/storage/overlay-images/images.json";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
