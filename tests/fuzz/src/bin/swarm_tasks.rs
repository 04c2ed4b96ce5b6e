//! Tasks of a Swarm node.
#![no_main]

const PATH: &str = "var/lib/docker/swarm/worker/tasks.db";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
