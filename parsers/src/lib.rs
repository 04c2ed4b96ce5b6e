//! Meaning: one module per artifact, grouped by who writes it, and the formats they share.
//!
//! A parser is a struct of data and a function ([`Parser`]). It is given one [`Artifact`] that its
//! patterns claimed and the [`Inventory`] of the host, and writes what it finds to
//! [`Findings`](dockline_timeline::Findings), nothing else: it cannot fail, it cannot print, and it
//! cannot see another parser. [`ALL`] is the list of parsers: the single source for the help, the
//! README's table and the tests that hold for every parser.

pub mod archive;
pub mod artifact;
pub mod asked;
#[cfg(test)]
mod case;
pub mod changes;
pub mod container_id;
pub mod containerd;
pub mod desktop;
pub mod digest;
pub mod docker;
pub mod files;
pub mod formats;
pub mod host;
pub mod image_reference;
pub mod image_store;
pub mod inventory;
pub mod kubernetes;
pub mod parser;
pub mod pattern;
mod pattern_set;
pub mod plan;
pub mod podman;
pub mod registry;
mod written_file;

pub use artifact::{Artifact, ArtifactFile};
pub use asked::Asked;
pub use container_id::ContainerId;
pub use digest::{ChainId, DiffId, Digest};
pub use image_reference::ImageReference;
pub use image_store::ImageStore;
pub use inventory::Inventory;
pub use parser::{Gather, Parser};
pub use plan::{Plan, plan};

/// Every parser, by family and name.
pub static ALL: &[&[&Parser]] = &[
    docker::PARSERS,
    containerd::PARSERS,
    podman::PARSERS,
    kubernetes::PARSERS,
    host::PARSERS,
    desktop::PARSERS,
    registry::PARSERS,
    archive::PARSERS,
    files::PARSERS,
];

/// Every parser, in order.
pub fn all() -> impl Iterator<Item = &'static Parser> {
    ALL.iter().flat_map(|family| family.iter().copied())
}
