//! What a parser is given: one file of a tree that its pattern claimed, or several that belong
//! together.

use dockline_evidence::read_at::read_up_to;
use dockline_evidence::{EvidenceError, Metadata, ReadAt, Spool, Tree, TreePath};
use dockline_timeline::{Findings, Issue, IssueKind, Origin, Position};
use std::sync::Arc;

/// Small artifacts are read whole up to this many bytes; engines write a few kilobytes.
pub const SMALL_FILE_LIMIT: u64 = 16 * 1024 * 1024;

/// One file of an artifact.
#[derive(Clone, Debug)]
pub struct ArtifactFile {
    /// Where it lies in its tree.
    pub path: TreePath,
    /// What events that were read from it say of it.
    pub origin: Arc<Origin>,
    /// What the parser's pattern captured from its path.
    pub captures: Vec<(&'static str, String)>,
}

impl ArtifactFile {
    /// The text that the pattern captured under `name`.
    #[must_use]
    pub fn capture(&self, name: &str) -> Option<&str> {
        self.captures.iter().find(|(key, _)| *key == name).map(|(_, text)| text.as_str())
    }

    /// An issue with this file.
    #[must_use]
    pub fn issue(&self, kind: IssueKind, at: Position<'_>, what: impl Into<String>) -> Issue {
        Issue::new(kind, self.origin.at(at), what)
    }
}

/// The files that one job of a parser reads.
pub struct Artifact {
    /// The tree that the files lie in.
    pub tree: Arc<dyn Tree>,
    /// The directory that the parser's pattern is relative to: an engine's data root.
    pub root: TreePath,
    /// The files, ordered by path; never empty.
    pub files: Vec<ArtifactFile>,
    /// Where to put what must be decompressed to be read at offsets.
    pub spool: Spool,
}

impl Artifact {
    /// The text that the pattern captured under `name` in the first file.
    #[must_use]
    pub fn capture(&self, name: &str) -> Option<&str> {
        self.files.first()?.capture(name)
    }

    /// Opens one of the files.
    ///
    /// # Errors
    /// When it cannot be opened, or is not a regular file.
    pub fn open(&self, file: &ArtifactFile) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        self.tree.open(&file.path)
    }

    /// The metadata of one of the files; an issue when there are none.
    pub fn metadata(&self, file: &ArtifactFile, findings: &mut dyn Findings) -> Option<Metadata> {
        match self.tree.metadata(&file.path) {
            Ok(metadata) => Some(metadata),
            Err(error) => {
                findings.issue(unreadable(file, &error));
                None
            }
        }
    }

    /// Reads one of the files whole, up to [`SMALL_FILE_LIMIT`]; an issue when it cannot be read
    /// or is larger.
    pub fn read(&self, file: &ArtifactFile, findings: &mut dyn Findings) -> Option<Vec<u8>> {
        match self.read_limited(&file.path) {
            Ok((_, true)) => {
                let what = format!("larger than the {SMALL_FILE_LIMIT} bytes that are read of it");
                findings.issue(file.issue(IssueKind::LimitReached, Position::File, what));
                None
            }
            Ok((bytes, false)) => Some(bytes),
            Err(error) => {
                findings.issue(unreadable(file, &error));
                None
            }
        }
    }

    /// Reads a file that no pattern of this parser claims but that explains one that it does, such
    /// as the `parent` of a layer; `None` when it is absent, unreadable or large: whoever claims
    /// that file says why.
    #[must_use]
    pub fn read_beside(&self, path: &TreePath) -> Option<Vec<u8>> {
        match self.read_limited(path) {
            Ok((bytes, false)) => Some(bytes),
            _ => None,
        }
    }

    fn read_limited(&self, path: &TreePath) -> Result<(Vec<u8>, bool), EvidenceError> {
        let bytes = self.tree.open(path)?;
        Ok(read_up_to(&*bytes, SMALL_FILE_LIMIT)?)
    }
}

/// The issue of a file that cannot be read.
#[must_use]
pub fn unreadable(file: &ArtifactFile, error: &EvidenceError) -> Issue {
    let kind = match error {
        EvidenceError::Malformed { .. } => IssueKind::Malformed,
        EvidenceError::Unsupported(_) => IssueKind::Unsupported,
        EvidenceError::LimitReached { .. } => IssueKind::LimitReached,
        _ => IssueKind::Unreadable,
    };
    file.issue(kind, Position::File, error.to_string())
}
