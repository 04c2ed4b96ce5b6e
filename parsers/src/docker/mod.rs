//! What the Docker engine leaves under its data root.

mod buildkit;
mod checkpoint;
mod container_config;
mod engine;
mod graph;
mod hostconfig;
mod image_config;
mod image_identity;
mod image_repositories;
mod json_file_log;
mod layer;
mod leftovers;
mod local_log;
mod network_db;
mod network_files;
mod plugin;
mod swarm;
mod volumes;

use crate::Parser;

/// The parsers of this family, by name.
pub static PARSERS: &[&Parser] = &[
    &buildkit::PARSER,
    &checkpoint::PARSER,
    &container_config::PARSER,
    &engine::PARSER,
    &graph::PARSER,
    &hostconfig::PARSER,
    &image_config::PARSER,
    &image_identity::PARSER,
    &image_repositories::PARSER,
    &json_file_log::PARSER,
    &layer::PARSER,
    &leftovers::PARSER,
    &local_log::PARSER,
    &network_db::PARSER,
    &network_files::PARSER,
    &plugin::PARSER,
    &swarm::PARSER,
    &volumes::PARSER,
];
