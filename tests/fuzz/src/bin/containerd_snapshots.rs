//! The database of a snapshotter.
#![no_main]

const PATH: &str = "var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/metadata.db";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
