//! Podman's database, SQLite.
#![no_main]

const PATH: &str = "var/lib/containers/storage/db.sql";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
