//! daemon.json.
#![no_main]

const PATH: &str = "etc/docker/daemon.json";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
