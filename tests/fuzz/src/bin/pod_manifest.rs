//! Manifests of static pods.
#![no_main]

const PATH: &str = "etc/kubernetes/manifests/etcd.yaml";

libfuzzer_sys::fuzz_target!(|input: &[u8]| dockline_fuzz::read_as_file(PATH, input));
