//! Tags: `_manifests/tags/<tag>/current/link`, and one link in `index/<algorithm>/` for each manifest
//! that the tag ever named.

use super::deletions::Deletion;
use super::links::{Changes, Link, LinkFile};
use super::repositories::Repository;
use super::{Registry, lossy};
use crate::Digest;
use dockline_evidence::{FileKind, TreePath};
use dockline_timeline::{Confidence, Event, Findings, Kind, Meaning, Subject, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

static TAG: Kind =
    Kind { data_type: "registry:tag", source_short: "REGISTRY", source_long: "Registry tag" };

/// The tags of each manifest of a repository.
#[derive(Default)]
pub(super) struct Tags {
    /// Those that name it.
    pub(super) current: BTreeMap<Digest, Vec<String>>,
    /// Those that named it before.
    pub(super) former: BTreeMap<Digest, Vec<String>>,
}

impl Tags {
    pub(super) fn of<'a>(map: &'a BTreeMap<Digest, Vec<String>>, digest: &Digest) -> &'a [String] {
        map.get(digest).map(Vec::as_slice).unwrap_or_default()
    }
}

impl Registry<'_> {
    pub(super) fn tags(&self, repository: &Repository, findings: &mut dyn Findings) -> Tags {
        let mut tags = Tags::default();
        let Some(directory) = repository.path.below(b"_manifests/tags") else { return tags };
        let mut changes = Changes::of(self.modified(&directory));
        for entry in self.entries(&directory, findings) {
            let Some(path) = directory.join(&entry.name) else { continue };
            if entry.kind != FileKind::Directory {
                continue;
            }
            changes.entry(self.modified(&path));
            let tag = Tag { registry: self, repository, name: lossy(&entry.name), path };
            tag.report(&mut tags, findings);
        }
        let removed = ("a tag was removed, or several", &changes);
        let removal = Deletion::from_directory(repository, &directory, removed);
        self.tell_deletion(&removal, findings);
        tags
    }
}

struct Tag<'a> {
    registry: &'a Registry<'a>,
    repository: &'a Repository,
    name: String,
    path: TreePath,
}

impl Tag<'_> {
    fn report(&self, tags: &mut Tags, findings: &mut dyn Findings) {
        let current = self.path.join(b"current");
        let current = current.map(|path| self.registry.link(&path, findings));
        let named = match &current {
            Some(Link::There(link)) => Some(link.digest.clone()),
            _ => None,
        };
        if let Some(digest) = &named {
            tags.current.entry(digest.clone()).or_default().push(self.name.clone());
        }
        if let Some(Link::There(link)) = &current {
            let text = format!("tag last set: it names manifest {}", link.digest.short());
            self.event(link, &text, findings);
        }
        let Some(index) = self.path.join(b"index") else { return };
        self.registry.digests(&index, findings, &mut |digest, path, findings| {
            if named.as_ref() != Some(&digest) {
                tags.former.entry(digest.clone()).or_default().push(self.name.clone());
            }
            if let Link::There(link) = self.registry.link_of(&digest, &path, findings) {
                let text = format!("tag put on manifest {}, the last time", digest.short());
                let text = format!("{text}; {}", now_named(&digest, named.as_ref()));
                self.event(&link, &text, findings);
            }
        });
    }

    fn event(&self, link: &LinkFile, text: &str, findings: &mut dyn Findings) {
        let Some(written) = link.written else { return };
        let reference = format!("{}:{}", self.repository.name, self.name);
        let pinned = format!("{}@{}", self.repository.name, link.digest);
        let subject = Subject {
            image_name: Some(reference.clone()),
            image_identifier: Some(link.digest.to_string()),
            ..Subject::UNKNOWN
        };
        let mut text = Cow::from(text);
        let mut event = Event::new(&link.file.origin, &TAG, &subject, (written, Meaning::Update));
        event.confidence = Confidence::Filesystem;
        event.action = "tag";
        if let Some(left) = self.registry.what_is_missing(self.repository, &link.digest) {
            text.to_mut().push_str(left);
            event.tags.push(Cow::from("orphan"));
        }
        event.text = (&text).into();
        event.attribute("repository", Some(Value::Text(self.repository.name.as_str().into())));
        event.attribute("image_reference", Some(Value::Text(reference.as_str().into())));
        event.attribute("image_digests", Some(Value::List(vec![Cow::from(pinned)])));
        findings.event(&event);
    }
}

fn now_named(digest: &Digest, current: Option<&Digest>) -> String {
    match current {
        Some(current) if current == digest => "it still names it".to_owned(),
        Some(current) => format!("now it names manifest {}", current.short()),
        None => "which one it names now is not left".to_owned(),
    }
}
