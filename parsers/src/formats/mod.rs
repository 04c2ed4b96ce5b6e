//! The formats that parsers share, each once.
