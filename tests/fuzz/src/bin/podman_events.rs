//! Events of Podman in a file.
#![no_main]

const PATH: &str = "run/libpod/events/events.log";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
