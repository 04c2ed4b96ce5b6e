//! The state of a container of Kubernetes in containerd.
#![no_main]

const PATH: &str = "c/io.containerd.grpc.v1.cri/containers/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/status";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
