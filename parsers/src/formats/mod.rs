//! The formats that parsers share, each once.

pub mod image_config;
pub mod json;
pub mod layer_store;
pub mod repositories;
pub mod secrets;
