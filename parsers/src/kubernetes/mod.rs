//! What Kubernetes leaves on a node.

mod kubelet;
mod pod_log;
mod pod_manifest;

use crate::Parser;

/// The parsers of this family, by name.
pub static PARSERS: &[&Parser] = &[
    &kubelet::PARSER,
    &pod_log::PARSER,
    &pod_manifest::PARSER,
];
