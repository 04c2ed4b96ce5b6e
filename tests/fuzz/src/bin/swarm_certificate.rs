//! Certificates of Swarm.
#![no_main]

const PATH: &str = "var/lib/docker/swarm/certificates/swarm-node.crt";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
