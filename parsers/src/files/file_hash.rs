//! The SHA-256 of a file's content, where it was asked for (`--hash`).
//!
//! Only regular files are read. A hole is read as the zeros that a process sees there. What is larger
//! than the limit is counted, and told once for each directory that is read as a whole.

use crate::{Artifact, ArtifactFile, Digest};
use dockline_evidence::{EvidenceError, FileKind, Metadata, TreePath};
use dockline_timeline::{Findings, Issue, IssueKind, Position};

/// Hashes files of one artifact.
pub struct FileHashes<'a> {
    artifact: &'a Artifact,
    file: &'a ArtifactFile,
    /// How many files were too large.
    larger: u64,
}

impl<'a> FileHashes<'a> {
    /// Of the files in a directory that is an artifact.
    #[must_use]
    pub fn new(artifact: &'a Artifact, file: &'a ArtifactFile) -> FileHashes<'a> {
        FileHashes { artifact, file, larger: 0 }
    }

    /// The hash of a file, in 64 digits; `None` when it was not asked for, the node is no regular
    /// file, or it is too large. An issue when it cannot be read.
    pub fn of(
        &mut self,
        place: &TreePath,
        metadata: &Metadata,
        findings: &mut dyn Findings,
    ) -> Option<String> {
        let limit = self.artifact.asked.hash?;
        if metadata.kind != FileKind::Regular {
            return None;
        }
        if metadata.size > limit {
            self.larger = self.larger.saturating_add(1);
            return None;
        }
        match self.read(place, limit) {
            Ok(digest) => {
                let damage = self.artifact.tree.damage(place);
                damage.iter().for_each(|error| self.tell(place, error, findings));
                Some(digest.hex().to_owned())
            }
            Err(error) => {
                self.tell(place, &error, findings);
                None
            }
        }
    }

    fn read(&self, place: &TreePath, limit: u64) -> Result<Digest, EvidenceError> {
        let content = self.artifact.tree.open(place)?;
        if content.len() > limit {
            return Err(EvidenceError::LimitReached { what: "bytes of a file to hash", limit });
        }
        Ok(Digest::of_file(&*content)?)
    }

    fn tell(&self, place: &TreePath, error: &EvidenceError, findings: &mut dyn Findings) {
        let place = self.file.origin_of(place).at(Position::File);
        findings.issue(Issue::new(error.issue_kind(), place, format!("not hashed: {error}")));
    }

    /// Tells how many files were too large.
    pub fn tell_larger(&self, findings: &mut dyn Findings) {
        let (count, limit) = (self.larger, self.artifact.asked.hash.unwrap_or_default());
        if count > 0 {
            let what = format!("{count} files of more than {limit} bytes were not hashed");
            findings.issue(self.file.issue(IssueKind::LimitReached, Position::File, what));
        }
    }
}
