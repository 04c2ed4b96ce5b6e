//! A file of the systemd journal.
#![no_main]

const PATH: &str = "var/log/journal/0f1e2d3c4b5a69788796a5b4c3d2e1f0/system.journal";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
