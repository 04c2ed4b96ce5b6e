//! Bytes: how any evidence becomes a read-only tree of files.
//!
//! Evidence is recognised by its content, never by its extension, and opened read-only. It was
//! written by an attacker: nothing here follows a symbolic link, leaves the root of a tree, opens a
//! FIFO, socket or device, or writes beside the evidence. This crate knows nothing of containers.
//!
//! - [`open`] turns what the user named into a [`Source`] with its [`Tree`]s and its issues.
//! - A tree is a [`DirectoryTree`], a [`TarTree`](tar::TarTree), a [`ZipTree`](zip::ZipTree), or in tests a [`MemoryTree`]. All
//!   give the same answers for the same host; what one cannot tell is `None`.
//! - [`walk()`] visits the nodes of a tree in order, within limits.
//! - A [`Spool`] makes content that comes from front to back, as from a decompressor, readable at
//!   offsets: in memory while it is small, else in a temporary file without a name.
//! - Only the module `files` names `std::fs`.
//!
//! ```no_run
//! use dockline_evidence::{Descend, Opening, open, walk};
//!
//! let source = open("web1.tar.zst".as_ref(), "web1.tar.zst", &Opening::default())?;
//! for tree in &source.trees {
//!     let mut files = Vec::new();
//!     let mut issues = Vec::new();
//!     walk(
//!         tree.tree.as_ref(),
//!         &mut |path, _entry| {
//!             files.push(path.clone());
//!             Descend::Into
//!         },
//!         &mut |path, error| issues.push((path, error)),
//!     );
//! }
//! # Ok::<(), dockline_evidence::EvidenceError>(())
//! ```

pub mod crc32c;
mod decompress;
pub mod directory;
mod disk;
mod doubts;
pub mod error;
mod ext4;
mod extents;
mod fields;
mod file_system;
mod files;
mod inodes;
pub mod memory;
mod mounted;
mod ntfs;
pub mod read_at;
mod signature;
pub mod source;
pub mod spool;
pub mod tar;
pub mod tree;
pub mod tree_path;
mod volume;
pub mod walk;
mod xfs;
pub mod zip;

pub use directory::DirectoryTree;
pub use error::EvidenceError;
pub use memory::MemoryTree;
pub use read_at::ReadAt;
pub use source::{Opening, Source, SourceTree, assemble, open, open_archive};
pub use spool::{Spool, SpoolWriter};
pub use tree::{DeviceNumber, Entry, ExtendedAttribute, FileKind, Metadata, Tree};
pub use tree_path::{TreePath, Visible};
pub use walk::{Descend, walk};
