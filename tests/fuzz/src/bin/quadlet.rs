//! A container that systemd runs.
#![no_main]

const PATH: &str = "etc/containers/systemd/web.container";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
