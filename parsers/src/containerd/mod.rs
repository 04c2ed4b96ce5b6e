//! What containerd leaves under its root: `/var/lib/containerd`, or `containerd/daemon` below the
//! data root of an engine that runs its own.

mod content;
mod cri;
mod metadata;
mod snapshots;
mod task;

use crate::Parser;

/// The parsers of this family, by name.
pub static PARSERS: &[&Parser] =
    &[&content::PARSER, &cri::PARSER, &metadata::PARSER, &snapshots::PARSER, &task::PARSER];
