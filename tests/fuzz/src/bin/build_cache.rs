//! Records of BuildKit's cache.
#![no_main]

const PATH: &str = "var/lib/docker/buildkit/metadata_v2.db";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
