//! What Kubernetes leaves on a node.

mod cri_o;
mod kubelet;
mod node_settings;
mod pod_log;
mod pod_manifest;

use crate::Parser;

/// The parsers of this family, by name.
pub static PARSERS: &[&Parser] = &[
    &cri_o::PARSER,
    &kubelet::PARSER,
    &node_settings::PARSER,
    &pod_log::PARSER,
    &pod_manifest::PARSER,
];
