//! The formats that parsers share, each once.

pub mod attributes;
pub mod base64;
pub mod bolt;
pub mod config_v2;
pub mod container_directory;
pub mod containers_storage;
pub mod content_store;
pub mod cri_log;
pub mod go_time;
pub mod gzip;
pub mod host_config;
pub mod image_config;
pub mod journal;
pub mod json;
pub mod layer_source;
pub mod layer_store;
pub mod lines;
pub mod log_text;
pub mod logrus;
pub mod oci;
pub mod protobuf;
pub mod repositories;
pub mod rotated_log;
pub mod secrets;
pub mod yaml;
