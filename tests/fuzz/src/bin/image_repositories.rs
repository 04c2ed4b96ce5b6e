//! repositories.json.
#![no_main]

const PATH: &str = "var/lib/docker/image/overlay2/repositories.json";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
