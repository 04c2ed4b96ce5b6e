//! What lies on the host beside the engines' own stores.

mod client;

use crate::Parser;

/// The parsers of this family, by name.
pub static PARSERS: &[&Parser] = &[&client::PARSER];
