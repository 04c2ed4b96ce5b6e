//! One evidence argument, recognised by its content and opened into the trees that it holds.

use crate::decompress::{Compression, decompress};
use crate::files::{self, Argument};
use crate::signature::{Form, recognise};
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
    let (bytes, cut) = match recognise(&bytes)? {
        Form::Gzip => decompressed(&bytes, Compression::Gzip, name, spool)?,
        Form::Zstd => decompressed(&bytes, Compression::Zstd, name, spool)?,
        _ => (bytes, None),
    };
    match recognise(&bytes)? {
        Form::Tar => {
            let (tree, issues) = TarTree::open(bytes, name);
            Ok(single(name, Arc::new(tree), cut.into_iter().chain(issues).collect()))
        }
        other => Err(EvidenceError::Unsupported(match cut {
            Some(cut) => format!("{}, whose {},", refusal(other), cut.what),
            None => refusal(other),
        })),
    }
}

fn refusal(form: Form) -> String {
    match form {
        Form::Other(what) => what.to_string(),
        Form::Gzip | Form::Zstd => "a file that is compressed twice".to_string(),
        Form::Empty => "an empty file".to_string(),
        Form::Tar | Form::Unknown => {
            "a file that is neither a tar archive nor a known disk image".to_string()
        }
    }
}

/// The content, and the issue of its missing end.
fn decompressed(
    bytes: &Arc<dyn ReadAt>,
    compression: Compression,
    name: &str,
    spool: &Spool,
) -> Result<(Arc<dyn ReadAt>, Option<Issue>), EvidenceError> {
    let content = decompress(bytes, compression, spool)?;
    let format = match compression {
        Compression::Gzip => "gzip",
        Compression::Zstd => "zstd",
    };
    let issue = content.cut_by.map(|error| {
        let kind = error.issue_kind();
        let size = content.bytes.len();
        let what = format!("{format} content ends after {size} bytes: {error}");
        Issue::new(kind, Place::evidence(name), what)
    });
    Ok((content.bytes, issue))
}
