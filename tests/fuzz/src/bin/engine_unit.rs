//! A drop-in of docker.service.
#![no_main]

const PATH: &str = "etc/systemd/system/docker.service.d/a.conf";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
