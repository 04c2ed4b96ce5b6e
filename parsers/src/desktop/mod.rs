//! What Docker Desktop and its relatives leave on Windows, macOS and Linux beside the engine's own
//! stores, which lie in the disk of a virtual machine.

mod electron;
mod registry;

use crate::Parser;

/// The parsers of this family, by name.
pub static PARSERS: &[&Parser] = &[&electron::PARSER, &registry::PARSER];
