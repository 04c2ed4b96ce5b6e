//! The database of containerd.
#![no_main]

const PATH: &str = "var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
