//! What Podman, Buildah and CRI-O leave: containers/storage, libpod's databases, logs.

mod storage;

use crate::Parser;

/// The parsers of this family, by name.
pub static PARSERS: &[&Parser] = &[&storage::PARSER];
