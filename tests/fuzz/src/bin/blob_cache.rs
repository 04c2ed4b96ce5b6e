//! The cache of blobs, as a BoltDB.
#![no_main]

const PATH: &str = "var/lib/containers/cache/blob-info-cache-v1.boltdb";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
