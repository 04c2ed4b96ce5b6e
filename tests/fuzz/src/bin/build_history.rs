//! Builds of BuildKit.
#![no_main]

const PATH: &str = "var/lib/docker/buildkit/history_c8d.db";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
