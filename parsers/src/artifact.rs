//! What a parser is given: one file of a tree that its pattern claimed, or several that belong
//! together.

use crate::Asked;
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

    /// What stands before the paths of its tree where they are shown, such as `/p4`.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.origin.path.strip_suffix(self.path.to_string().as_str()).unwrap_or_default()
    }

    /// An origin for another path of its tree that belongs to the same artifact and is no file of
    /// it, such as a directory.
    #[must_use]
    pub fn origin_of(&self, path: &TreePath) -> Origin {
        let shown = format!("{}{path}", self.prefix());
        self.origin.below(&shown)
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
    /// What is asked for beyond what is read of all evidence.
    pub asked: Asked,
}

impl Artifact {
    /// The text that the pattern captured under `name` in the first file.
    #[must_use]
    pub fn capture(&self, name: &str) -> Option<&str> {
        self.files.first()?.capture(name)
    }

    /// Opens one of the files; an issue when it cannot be opened, and one for each damage that
    /// makes only part of it, or what it says, uncertain.
    pub fn open(
        &self,
        file: &ArtifactFile,
        findings: &mut dyn Findings,
    ) -> Option<Arc<dyn ReadAt>> {
        match self.tree.open(&file.path) {
            Ok(bytes) => {
                self.tell_damage(file, findings);
                Some(bytes)
            }
            Err(error) => {
                findings.issue(unreadable(file, &error));
                None
            }
        }
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
    /// or is larger, and one for each damage, as [`Artifact::open`].
    pub fn read(&self, file: &ArtifactFile, findings: &mut dyn Findings) -> Option<Vec<u8>> {
        self.read_up_to(file, SMALL_FILE_LIMIT, findings)
    }

    /// [`Artifact::read`] with another limit, of bytes that will be held in memory.
    pub fn read_up_to(
        &self,
        file: &ArtifactFile,
        limit: u64,
        findings: &mut dyn Findings,
    ) -> Option<Vec<u8>> {
        let bytes = self.open(file, findings)?;
        match read_up_to(&*bytes, limit) {
            Ok((_, true)) => {
                let what = format!("larger than the {limit} bytes that are read of it");
                findings.issue(file.issue(IssueKind::LimitReached, Position::File, what));
                None
            }
            Ok((bytes, false)) => Some(bytes),
            Err(error) => {
                findings.issue(unreadable(file, &error.into()));
                None
            }
        }
    }

    fn tell_damage(&self, file: &ArtifactFile, findings: &mut dyn Findings) {
        for error in self.tree.damage(&file.path) {
            findings.issue(unreadable(file, &error));
        }
    }

    /// Reads a file that no pattern of this parser claims but that explains one that it does, such
    /// as the `parent` of a layer; `None` when it is absent, unreadable or large: whoever claims
    /// that file says why.
    #[must_use]
    pub fn read_beside(&self, path: &TreePath) -> Option<Vec<u8>> {
        let bytes = self.tree.open(path).ok()?;
        match read_up_to(&*bytes, SMALL_FILE_LIMIT) {
            Ok((bytes, false)) => Some(bytes),
            _ => None,
        }
    }
}

/// The issue of a file that cannot be read, or only in part.
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

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_evidence::MemoryTree;
    use dockline_timeline::{Collected, Rank};

    #[test]
    fn a_file_that_is_read_tells_its_damage_once_and_is_read_all_the_same() {
        let tree = MemoryTree::new().with_file("log", "text", None).with_file("other", "", None);
        let (tree, spool) = (Arc::new(tree.with_damage("log")), Spool::default());
        let artifact = Artifact {
            tree,
            root: TreePath::root(),
            files: Vec::new(),
            spool,
            asked: Asked::default(),
        };
        let told = |name: &str| {
            let place = (Arc::from("host"), Arc::from("disk"), Arc::from(format!("/{name}")));
            let origin = Arc::new(Origin::new(place, "parser", Rank(0)));
            let path = TreePath::parse(name.as_bytes()).unwrap();
            let file = ArtifactFile { path, origin, captures: Vec::new() };
            let (mut read, mut opened) = (Collected::new(), Collected::new());
            let bytes = artifact.read(&file, &mut read).unwrap();
            assert_eq!(artifact.open(&file, &mut opened).unwrap().len(), ReadAt::len(&bytes));
            assert_eq!(read.issues.len(), opened.issues.len());
            let words = |issue: &Issue| format!("{:?} {}", issue.kind, issue.what);
            read.issues.iter().map(words).collect::<Vec<_>>()
        };
        let what = "Malformed inode at byte 0: need the right checksum, have another";
        assert_eq!(told("log"), [what]);
        assert_eq!(told("other"), [""; 0]);
    }
}
