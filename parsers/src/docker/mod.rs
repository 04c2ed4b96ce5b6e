//! What the Docker engine leaves under its data root.

use crate::Parser;

/// The parsers of this family, by name.
pub static PARSERS: &[&Parser] = &[];
