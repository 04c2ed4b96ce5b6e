//! What Podman, Buildah and CRI-O leave: containers/storage, libpod's databases, logs.

mod blob_cache;
mod checkpoint;
mod container_log;
mod containers_conf;
mod database;
mod events_log;
mod image_data;
mod network;
mod quadlet;
mod secrets;
mod storage;
mod userdata;

use crate::Parser;

/// The parsers of this family, by name.
pub static PARSERS: &[&Parser] = &[
    &blob_cache::PARSER,
    &checkpoint::PARSER,
    &container_log::PARSER,
    &containers_conf::PARSER,
    &database::PARSER,
    &events_log::PARSER,
    &image_data::PARSER,
    &network::PARSER,
    &quadlet::PARSER,
    &secrets::PARSER,
    &storage::PARSER,
    &userdata::PARSER,
];
