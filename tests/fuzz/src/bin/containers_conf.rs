//! Settings of Podman and CRI-O.
#![no_main]

const PATH: &str = "etc/containers/containers.conf";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
