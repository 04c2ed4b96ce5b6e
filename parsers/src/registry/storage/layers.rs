//! Layers of a repository: `_layers/<algorithm>/<digest>/link`, for each content that is no manifest:
//! layers, and configurations of images.
//!
//! The link is written when an upload of the content to this repository ends, or when the content
//! is mounted from another repository, which sends no data.

use super::Registry;
use super::deletions::Deletion;
use super::known_contents::Contents;
use super::links::{Link, LinkFile};
use super::repositories::Repository;
use dockline_timeline::{Confidence, Event, Findings, Instant, Kind, Meaning, Subject, Value};
use std::borrow::Cow;

static LAYER: Kind =
    Kind { data_type: "registry:layer", source_short: "REGISTRY", source_long: "Registry layer" };

/// Seconds that pass at most between the last data of an upload and its link: the content is hashed.
const LONGEST_END_OF_UPLOAD: i64 = 60;

impl Registry<'_> {
    pub(super) fn layers(
        &self,
        repository: &Repository,
        contents: &mut Contents,
        findings: &mut dyn Findings,
    ) {
        let Some(directory) = repository.path.join(b"_layers") else { return };
        let changes = self.digests(&directory, findings, &mut |digest, path, findings| match self
            .link_of(&digest, &path, findings)
        {
            Link::There(link) => {
                contents.link(&digest, repository, findings);
                self.layer(repository, &link, findings);
            }
            Link::Deleted => {
                let link = ("content", &digest, &path);
                self.tell_deletion(&Deletion::of_link(self, repository, link), findings);
            }
            Link::Unreadable => {}
        });
        let removed = ("links to layers were removed by a garbage collection", &changes);
        let removal = Deletion::from_directory(repository, &directory, removed);
        self.tell_deletion(&removal, findings);
    }

    fn layer(&self, repository: &Repository, link: &LinkFile, findings: &mut dyn Findings) {
        let Some(written) = link.written else { return };
        let digest = &link.digest;
        let blob = self.blob(digest);
        let is_gone = blob.is_none() && self.has_contents();
        let stored = blob.as_ref().and_then(|blob| blob.modified);
        let text = format!(
            "content {} came into repository {}, the last time{}",
            digest.short(),
            repository.name,
            whence(written, is_gone, stored)
        );
        let at = (written, Meaning::Added);
        let mut event = Event::new(&link.file.origin, &LAYER, &Subject::UNKNOWN, at);
        event.tags.extend(is_gone.then_some(Cow::Borrowed("orphan")));
        event.confidence = Confidence::Filesystem;
        event.action = "push";
        event.text = (&text).into();
        event.size = blob.map(|blob| blob.size);
        event.attribute("repository", Some(Value::Text(repository.name.as_str().into())));
        event.attribute("blob_digest", Some(Value::Text(digest.as_str().into())));
        findings.event(&event);
    }
}

/// How the content came, as far as the time tells at which it was first stored.
fn whence(written: Instant, is_gone: bool, stored: Option<Instant>) -> String {
    let earlier = stored.filter(|stored| {
        written.seconds().saturating_sub(stored.seconds()) > LONGEST_END_OF_UPLOAD
    });
    match (is_gone, earlier) {
        (true, _) => "; it is not in the registry any more".to_owned(),
        (false, None) => ": uploaded, or mounted from another repository".to_owned(),
        (false, Some(stored)) => {
            format!(
                ": mounted from another repository, or sent anew; in the registry since {stored}"
            )
        }
    }
}
