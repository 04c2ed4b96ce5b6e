//! Deletions: what the times of directories tell of what is gone from them.

use super::Registry;
use super::links::Changes;
use super::repositories::Repository;
use crate::Digest;
use dockline_evidence::TreePath;
use dockline_timeline::{Confidence, Event, Findings, Instant, Kind, Meaning, Subject, Value};
use std::borrow::Cow;

static REPOSITORY: Kind = Kind {
    data_type: "registry:repository",
    source_short: "REGISTRY",
    source_long: "Registry repository",
};

/// A deletion from a repository.
pub(super) struct Deletion<'a> {
    pub(super) repository: &'a Repository,
    /// The directory whose time tells it.
    pub(super) directory: &'a TreePath,
    pub(super) at: Option<Instant>,
    /// What was deleted, and from what this is known.
    pub(super) text: String,
    pub(super) digest: Option<&'a Digest>,
}

impl<'a> Deletion<'a> {
    /// The deletion of a link, which left its directory.
    pub(super) fn of_link(
        registry: &Registry<'_>,
        repository: &'a Repository,
        (what, digest, directory): (&str, &'a Digest, &'a TreePath),
    ) -> Deletion<'a> {
        let text = format!(
            "{what} {} deleted from the repository: its directory is left, and last changed now",
            digest.short()
        );
        let at = registry.modified(directory);
        Deletion { repository, directory, at, text, digest: Some(digest) }
    }

    /// The removal of something from a directory, if its time tells one.
    pub(super) fn from_directory(
        repository: &'a Repository,
        directory: &'a TreePath,
        (what, changes): (&str, &Changes),
    ) -> Deletion<'a> {
        let text = format!("{what}: the directory of them changed after all that is left in it");
        Deletion { repository, directory, at: changes.removal(), text, digest: None }
    }
}

impl Registry<'_> {
    pub(super) fn tell_deletion(&self, deletion: &Deletion<'_>, findings: &mut dyn Findings) {
        let Some(at) = deletion.at else { return };
        let file = self.file(deletion.directory.clone());
        let name = &deletion.repository.name;
        let subject = Subject { image_name: Some(name.clone()), ..Subject::UNKNOWN };
        let at = (at, Meaning::Deletion);
        let mut event = Event::new(&file.origin, &REPOSITORY, &subject, at);
        event.confidence = Confidence::Inferred;
        event.action = "delete";
        event.text = (&deletion.text).into();
        event.tags.push(Cow::from("orphan"));
        event.attribute("repository", Some(Value::Text(name.as_str().into())));
        let digest = deletion.digest.map(|digest| Value::Text(digest.as_str().into()));
        event.attribute("blob_digest", digest);
        findings.event(&event);
    }
}
