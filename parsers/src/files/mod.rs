//! The files of containers and images: what was added, changed and deleted, with all their times.

pub mod file_event;
pub mod file_hash;
pub(crate) mod layer;
pub mod suspicious;
pub(crate) mod upper;
pub(crate) mod volume;

use crate::Parser;

/// The parsers of this family, by name.
pub static PARSERS: &[&Parser] = &[&layer::PARSER, &upper::PARSER, &volume::PARSER];
