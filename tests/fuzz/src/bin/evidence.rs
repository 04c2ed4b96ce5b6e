//! Any bytes as evidence: tar archives, compressed files, and whatever else they seem to be.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_evidence(input));
