//! A content of containerd's store.
#![no_main]

const PATH: &str = "var/lib/containerd/io.containerd.content.v1.content/blobs/sha256/899b0d7c7dda9f6b5652679246a485bdaa0f887c300b7d2f26c2f09888c3aa5e";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
