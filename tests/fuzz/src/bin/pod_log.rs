//! Logs of pods, in the form of the CRI.
#![no_main]

const PATH: &str = "var/log/pods/shop_api_2f0e2b5a-7c1d-4c6e-9a55-0c9f1f6f2a11/api/0.log";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
