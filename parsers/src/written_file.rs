//! A small file of which the time of its last write is an event: settings, keys, certificates, state.

use crate::{Artifact, ArtifactFile};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Kind, Meaning, Position, Subject,
};

/// One file, and when it was last written.
pub(crate) struct WrittenFile<'a> {
    pub(crate) artifact: &'a Artifact,
    pub(crate) file: &'a ArtifactFile,
    pub(crate) modified: Option<Instant>,
}

impl<'a> WrittenFile<'a> {
    /// One of the files of an artifact; an issue when nothing is known of it.
    pub(crate) fn of(
        artifact: &'a Artifact,
        file: &'a ArtifactFile,
        findings: &mut dyn Findings,
    ) -> WrittenFile<'a> {
        let modified = artifact.metadata(file, findings).and_then(|metadata| metadata.modified);
        WrittenFile { artifact, file, modified }
    }

    /// The content; an issue when there is none.
    pub(crate) fn read(&self, findings: &mut dyn Findings) -> Option<Vec<u8>> {
        self.artifact.read(self.file, findings)
    }

    /// The content as one record of text; bytes that are no UTF-8 are an issue and read as
    /// replacement characters.
    pub(crate) fn text(&self, findings: &mut dyn Findings) -> Option<String> {
        let bytes = self.read(findings)?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        findings.records(&self.file.origin, 1, length);
        if let Err(error) = std::str::from_utf8(&bytes) {
            let at = Position::Offset(u64::try_from(error.valid_up_to()).unwrap_or(u64::MAX));
            let what = "bytes that are not UTF-8, read as replacement characters";
            findings.issue(self.file.issue(IssueKind::Malformed, at, what));
        }
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The event of the file's own time, if it has one.
    pub(crate) fn event<'e>(&'e self, kind: &'e Kind, text: &'e str) -> Option<Event<'e>> {
        let when = (self.modified?, Meaning::ContentModification);
        let mut event = Event::new(&self.file.origin, kind, &Subject::UNKNOWN, when);
        event.confidence = Confidence::Filesystem;
        event.action = "write";
        event.text = text.into();
        Some(event)
    }
}
