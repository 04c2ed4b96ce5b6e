//! The specification in the bundle of a task.
#![no_main]

const PATH: &str = "run/containerd/io.containerd.runtime.v2.task/moby/web/config.json";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
