//! What Docker Desktop and its relatives leave on Windows, macOS and Linux beside the engine's own
//! stores, which lie in the disk of a virtual machine.

mod diagnostics;
mod electron;
mod install;
mod log;
mod registry;
mod settings;

use crate::Parser;

/// The parsers of this family, by name.
pub static PARSERS: &[&Parser] = &[
    &diagnostics::PARSER,
    &electron::PARSER,
    &install::PARSER,
    &log::PARSER,
    &registry::PARSER,
    &settings::PARSER,
];
