//! Bytes: how any evidence becomes a read-only tree of files.
//!
//! Evidence is recognised by its content, never by its extension, and opened read-only. It was
//! written by an attacker: nothing here follows a symbolic link, leaves the root of a tree, opens a
//! FIFO, socket or device, or writes beside the evidence. This crate knows nothing of containers.

mod decompress;
pub mod directory;
pub mod error;
mod files;
pub mod memory;
pub mod read_at;
mod signature;
pub mod source;
pub mod spool;
pub mod tar;
pub mod tree;
pub mod tree_path;
pub mod walk;

pub use directory::DirectoryTree;
pub use error::EvidenceError;
pub use memory::MemoryTree;
pub use read_at::ReadAt;
pub use source::{Source, SourceTree, open};
pub use spool::{Spool, SpoolWriter};
pub use tree::{DeviceNumber, Entry, ExtendedAttribute, FileKind, Metadata, Tree};
pub use tree_path::TreePath;
pub use walk::{Descend, walk};
