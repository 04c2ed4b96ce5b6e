//! What the distribution project's registry leaves in its storage.

mod storage;

use crate::Parser;

/// The parsers of this family, by name.
pub static PARSERS: &[&Parser] = &[&storage::PARSER];
