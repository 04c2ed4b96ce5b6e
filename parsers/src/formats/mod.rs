//! The formats that parsers share, each once.

pub mod json;
