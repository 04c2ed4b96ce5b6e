//! One evidence argument, recognised by its content and opened into the trees that it holds.

use crate::decompress::{self, Compression, decompress};
use crate::files::{self, Argument};
use crate::signature::{self, Form, recognise};
use crate::tar::TarTree;
use crate::{DirectoryTree, EvidenceError, ReadAt, Spool, Tree};
use dockline_timeline::{Issue, Place};
use std::path::Path;
use std::sync::Arc;

/// One evidence argument, opened.
pub struct Source {
    /// Its name, as it stands in places.
    pub name: Arc<str>,
    /// The trees that it holds.
    pub trees: Vec<SourceTree>,
    /// What could not be read on the way to the trees.
    pub issues: Vec<Issue>,
}

/// One tree of a source.
pub struct SourceTree {
    /// What stands before the paths of this tree, such as `/p4` for a partition; empty where the
    /// source is one tree.
    pub prefix: String,
    /// The tree.
    pub tree: Arc<dyn Tree>,
}

/// Opens evidence that the user named: a directory, or a tar archive, plain or compressed with gzip
/// or zstd. A link that the user names is followed; a FIFO, socket or device is refused.
///
/// # Errors
/// When there is no such evidence, it cannot be read, or it is of a kind that dockline does not
/// read.
pub fn open(path: &Path, name: &str, spool: &Spool) -> Result<Source, EvidenceError> {
    match files::argument(path)? {
        Argument::Directory => Ok(single(name, Arc::new(DirectoryTree::open(path)?), Vec::new())),
        Argument::File(bytes) => open_content(bytes, name, spool),
    }
}

fn single(name: &str, tree: Arc<dyn Tree>, issues: Vec<Issue>) -> Source {
    let trees = vec![SourceTree { prefix: String::new(), tree }];
    Source { name: Arc::from(name), trees, issues }
}

fn open_content(
    bytes: Arc<dyn ReadAt>,
    name: &str,
    spool: &Spool,
) -> Result<Source, EvidenceError> {
    let compression = match recognise(&bytes)? {
        Form::Tar => return Ok(archive(bytes, name, Vec::new())),
        Form::Gzip => Compression::Gzip,
        Form::Zstd => Compression::Zstd,
        other => return Err(EvidenceError::Unsupported(refusal(other).to_string())),
    };
    // A look at the head saves the decompression of a whole disk that would then be refused.
    let head = decompress::head(&bytes, compression, signature::HEAD)?;
    let form = recognise(&head)?;
    if form != Form::Tar {
        let what = format!("{} in a {} file", refusal(form), compression.name());
        return Err(EvidenceError::Unsupported(what));
    }
    let content = decompress(&bytes, compression, spool)?;
    let cut = content.cut_by.map(|error| cut_issue(&error, content.bytes.len(), name));
    Ok(archive(content.bytes, name, cut.into_iter().collect()))
}

fn archive(bytes: Arc<dyn ReadAt>, name: &str, mut issues: Vec<Issue>) -> Source {
    let (tree, more) = TarTree::open(bytes, name);
    issues.extend(more);
    single(name, Arc::new(tree), issues)
}

/// Compressed content that ends too early, or is damaged.
fn cut_issue(error: &EvidenceError, size: u64, name: &str) -> Issue {
    let what = format!("compressed content cannot be read past {size} bytes: {error}");
    Issue::new(error.issue_kind(), Place::evidence(name), what)
}

fn refusal(form: Form) -> &'static str {
    match form {
        Form::Other(what) => what,
        Form::Gzip | Form::Zstd => "another compressed file",
        Form::Empty => "an empty file",
        Form::Tar | Form::Unknown => "a file that is neither a tar archive nor a known disk image",
    }
}
