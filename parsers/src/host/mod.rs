//! What lies on the host beside the engines' own stores.

mod client;
mod container_line;
mod daemon_log;
mod journal;

use crate::Parser;

/// The parsers of this family, by name.
pub static PARSERS: &[&Parser] = &[&client::PARSER, &daemon_log::PARSER, &journal::PARSER];
