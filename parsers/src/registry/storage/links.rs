//! Links: files named `link` that hold nothing but a digest, and give a content of the registry to
//! a repository or a tag.
//!
//! A link is written anew by each push that needs it, so the time of the file is that of the last
//! such push. A deletion by the registry's interface takes the file and leaves its directory, whose
//! time is then that of the deletion; a garbage collection takes the directory too.

use super::{Registry, lossy};
use crate::{ArtifactFile, Digest};
use dockline_evidence::read_at::read_up_to;
use dockline_evidence::{EvidenceError, FileKind, TreePath};
use dockline_timeline::{Findings, Instant, IssueKind, Position};

/// A digest of any algorithm is shorter.
const LENGTH_LIMIT: u64 = 256;

/// What a directory of a digest says.
pub(super) enum Link {
    /// A link is there.
    There(LinkFile),
    /// The directory is there, and its link is not.
    Deleted,
    /// What is there cannot be read; an issue says why.
    Unreadable,
}

/// A link.
pub(super) struct LinkFile {
    pub(super) file: ArtifactFile,
    /// The digest that it holds.
    pub(super) digest: Digest,
    /// When it was last written.
    pub(super) written: Option<Instant>,
}

/// What directories of digests say together.
#[derive(Default)]
pub(super) struct Changes {
    /// When the directory that holds them last got or lost one.
    directory: Option<Instant>,
    /// When the last of them was made, or changed later.
    entries: Option<Instant>,
}

impl Changes {
    pub(super) fn of(directory: Option<Instant>) -> Changes {
        Changes { directory, entries: None }
    }

    pub(super) fn entry(&mut self, changed: Option<Instant>) {
        self.entries = self.entries.into_iter().chain(changed).max();
    }

    /// When something was removed from the directory: a directory that got its last entry is not
    /// younger than this, which got its own content later.
    pub(super) fn removal(&self) -> Option<Instant> {
        self.directory.filter(|directory| self.entries.is_none_or(|last| *directory > last))
    }
}

impl Registry<'_> {
    /// Visits the directories below `directory` that are named by SHA-256 digests; tells of others.
    pub(super) fn digests(
        &self,
        directory: &TreePath,
        findings: &mut dyn Findings,
        visit: &mut dyn FnMut(Digest, TreePath, &mut dyn Findings),
    ) -> Changes {
        let mut changes = Changes::default();
        for algorithm in self.entries(directory, findings) {
            let Some(path) = directory.join(&algorithm.name) else { continue };
            if algorithm.kind != FileKind::Directory {
                continue;
            }
            if algorithm.name != b"sha256" {
                let name = lossy(&algorithm.name);
                let what = format!("digests of the algorithm {name} are not supported");
                let file = self.file(path);
                findings.issue(file.issue(IssueKind::Unsupported, Position::File, what));
                continue;
            }
            changes = self.digests_of(&path, findings, visit);
        }
        changes
    }

    /// The same of one directory of an algorithm.
    pub(super) fn digests_of(
        &self,
        directory: &TreePath,
        findings: &mut dyn Findings,
        visit: &mut dyn FnMut(Digest, TreePath, &mut dyn Findings),
    ) -> Changes {
        let mut changes = Changes::of(self.modified(directory));
        for entry in self.entries(directory, findings) {
            let Some(path) = directory.join(&entry.name) else { continue };
            let named = std::str::from_utf8(&entry.name).ok().and_then(Digest::from_hex);
            match named.filter(|_| entry.kind == FileKind::Directory) {
                Some(digest) => {
                    changes.entry(self.modified(&path));
                    visit(digest, path, findings);
                }
                None => {
                    let what = "not a directory that is named by a digest";
                    let file = self.file(path);
                    findings.issue(file.issue(IssueKind::Malformed, Position::File, what));
                }
            }
        }
        changes
    }

    /// The link in a directory.
    pub(super) fn link(&self, directory: &TreePath, findings: &mut dyn Findings) -> Link {
        let Some(path) = directory.join(b"link") else { return Link::Unreadable };
        let file = self.file(path);
        let metadata = match self.artifact.tree.metadata(&file.path) {
            Ok(metadata) => metadata,
            Err(EvidenceError::NotFound) => return Link::Deleted,
            Err(error) => {
                findings.issue(crate::artifact::unreadable(&file, &error));
                return Link::Unreadable;
            }
        };
        let Some(bytes) = self.artifact.open(&file, findings) else { return Link::Unreadable };
        let text = match read_up_to(&*bytes, LENGTH_LIMIT) {
            Ok((bytes, _)) => lossy(&bytes),
            Err(error) => {
                findings.issue(crate::artifact::unreadable(&file, &error.into()));
                return Link::Unreadable;
            }
        };
        let Some(digest) = Digest::parse(text.trim_end()) else {
            let shown: String = text.chars().take(80).collect();
            let what = format!("a link that holds {shown:?}, which is no digest");
            let issue = file.issue(IssueKind::Malformed, Position::File, what);
            findings.issue(issue.losing(1, metadata.size));
            return Link::Unreadable;
        };
        findings.records(&file.origin, 1, metadata.size);
        Link::There(LinkFile { file, digest, written: metadata.modified })
    }

    /// The link in the directory of a digest, which must hold the same one.
    pub(super) fn link_of(
        &self,
        digest: &Digest,
        directory: &TreePath,
        findings: &mut dyn Findings,
    ) -> Link {
        let mut link = self.link(directory, findings);
        if let Link::There(link) = &mut link
            && link.digest != *digest
        {
            let what = format!("links to {}, not to the digest of its directory", link.digest);
            findings.issue(link.file.issue(IssueKind::Malformed, Position::File, what));
            link.digest = digest.clone();
        }
        link
    }
}
