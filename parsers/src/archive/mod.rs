//! Archives that tools write for somebody to take along: images, and the file systems of containers.

mod export;
mod image;

use crate::Parser;

/// The parsers of this family, by name.
pub static PARSERS: &[&Parser] = &[&export::PARSER, &image::PARSER];
