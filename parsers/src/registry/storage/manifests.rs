//! Manifests of a repository: `_manifests/revisions/<algorithm>/<digest>/link`, written anew by each
//! push of the manifest to the repository, under whatever tag or under none.

use super::Registry;
use super::deletions::Deletion;
use super::documents::{Owner, Read};
use super::known_contents::{Contents, key};
use super::links::{Link, LinkFile};
use super::repositories::Repository;
use super::tags::Tags;
use crate::Digest;
use crate::formats::oci::Document;
use crate::inventory::Silent;
use dockline_timeline::{Confidence, Event, Findings, Kind, Meaning, Subject, Value};
use std::borrow::Cow;

pub(super) static MANIFEST: Kind = Kind {
    data_type: "registry:manifest",
    source_short: "REGISTRY",
    source_long: "Registry manifest",
};

impl Registry<'_> {
    pub(super) fn manifests(
        &self,
        (repository, tags): (&Repository, &Tags),
        contents: &mut Contents,
        findings: &mut dyn Findings,
    ) {
        let Some(directory) = repository.path.below(b"_manifests/revisions") else { return };
        let changes = self.digests(&directory, findings, &mut |digest, path, findings| match self
            .link_of(&digest, &path, findings)
        {
            Link::There(link) => {
                contents.link(&digest, repository, findings);
                let revision = Revision { registry: self, repository, tags, digest };
                revision.report(&link, contents, findings);
            }
            Link::Deleted => {
                let link = ("manifest", &digest, &path);
                self.tell_deletion(&Deletion::of_link(self, repository, link), findings);
            }
            Link::Unreadable => {}
        });
        let removed = ("manifests were removed by a garbage collection", &changes);
        let removal = Deletion::from_directory(repository, &directory, removed);
        self.tell_deletion(&removal, findings);
    }
}

/// A manifest of a repository.
struct Revision<'a> {
    registry: &'a Registry<'a>,
    repository: &'a Repository,
    tags: &'a Tags,
    digest: Digest,
}

impl Revision<'_> {
    fn report(&self, link: &LinkFile, contents: &mut Contents, findings: &mut dyn Findings) {
        let subject = self.subject();
        let is_new = contents.manifests.insert(key(&self.digest));
        // What another repository has too was told there.
        let told: &mut dyn Findings = if is_new { &mut *findings } else { &mut Silent };
        let read = self.registry.document(&self.digest, told);
        if let Some(read) = &read {
            contents.note(&self.digest, read);
        }
        self.push((link, read.as_ref()), &subject, findings);
        let Some(Document::Manifest(manifest)) = read.map(|read| read.document) else { return };
        let Some(config) = &manifest.config.digest else { return };
        let pinned = self.pinned();
        let owner = Owner { image_name: subject.image_name, pinned: Some(&pinned), tags: &[] };
        self.registry.configuration((config, &owner), contents, findings);
    }

    /// `lab/busybox@sha256:…`.
    fn pinned(&self) -> String {
        format!("{}@{}", self.repository.name, self.digest)
    }

    /// The image, as a tag names it if one does.
    fn subject(&self) -> Subject {
        let name = &self.repository.name;
        let tag = Tags::of(&self.tags.current, &self.digest).first();
        let reference = tag.map_or_else(|| name.clone(), |tag| format!("{name}:{tag}"));
        Subject {
            image_name: Some(reference),
            image_identifier: Some(self.digest.to_string()),
            ..Subject::UNKNOWN
        }
    }

    fn push(
        &self,
        (link, read): (&LinkFile, Option<&Read>),
        subject: &Subject,
        findings: &mut dyn Findings,
    ) {
        let Some(written) = link.written else { return };
        let name = &self.repository.name;
        let (now, before) =
            (Tags::of(&self.tags.current, &self.digest), Tags::of(&self.tags.former, &self.digest));
        let mut text = format!(
            "{} {} pushed to {name}, the last time; {}",
            read.map_or("manifest".to_owned(), |read| told(&read.document)),
            self.digest.short(),
            named(now, before)
        );
        let at = (written, Meaning::Added);
        let mut event = Event::new(&link.file.origin, &MANIFEST, subject, at);
        event.confidence = Confidence::Filesystem;
        event.action = "push";
        if let Some(missing) = self.registry.what_is_missing(self.repository, &self.digest) {
            text.push_str(missing);
            event.tags.push(Cow::from("orphan"));
        }
        event.text = (&text).into();
        event.attribute("repository", Some(Value::Text(name.as_str().into())));
        event.attribute("image_tags", list(now.iter().map(|tag| format!("{name}:{tag}"))));
        event.attribute("image_digests", list([self.pinned()]));
        if let Some(read) = read {
            event.tags.extend((!read.genuine).then_some(Cow::Borrowed("digest-mismatch")));
            describe(&mut event, &read.document);
        }
        findings.event(&event);
    }
}

/// What a manifest says, as attributes.
fn describe(event: &mut Event<'_>, document: &Document) {
    let (media_type, references, annotations) = match document {
        Document::Index(index) => {
            (&index.media_type, index.manifests.iter().collect::<Vec<_>>(), &index.annotations)
        }
        Document::Manifest(manifest) => {
            let parts = std::iter::once(&manifest.config).chain(&manifest.layers);
            (&manifest.media_type, parts.collect(), &manifest.annotations)
        }
        _ => return,
    };
    let digests = references.iter().filter_map(|part| part.digest.as_ref());
    let media_type = media_type.clone().map(|text| Value::Text(Cow::from(text)));
    event.attribute("media_type", media_type);
    event.attribute("blob_references", list(digests.map(ToString::to_string)));
    event.attribute("annotations", list(annotations.iter().cloned()));
}

/// What a document is, in words.
pub(super) fn told(document: &Document) -> String {
    match document {
        Document::Index(index) => {
            let platforms = index.manifests.iter().filter(|one| !one.is_attestation());
            let platforms: Vec<&str> =
                platforms.filter_map(|one| one.platform.as_deref()).collect();
            format!("index of {} manifests ({})", index.manifests.len(), platforms.join(", "))
        }
        Document::Manifest(manifest) => {
            let sizes = manifest.layers.iter().filter_map(|layer| layer.size);
            let bytes = sizes.fold(0_u64, u64::saturating_add);
            match manifest.layers.len() {
                1 => format!("manifest of 1 layer, {bytes} bytes,"),
                count => format!("manifest of {count} layers, {bytes} bytes,"),
            }
        }
        Document::ImageConfig => "image configuration".to_owned(),
        Document::Attestation => "attestation".to_owned(),
        Document::Schema1 => "manifest of schema 1".to_owned(),
        Document::Other => "JSON text".to_owned(),
    }
}

/// A list of texts, unless it is empty.
fn list<'a>(texts: impl IntoIterator<Item = String>) -> Option<Value<'a>> {
    let texts: Vec<Cow<'a, str>> = texts.into_iter().map(Cow::from).collect();
    (!texts.is_empty()).then_some(Value::List(texts))
}

/// Which tags name a manifest, and which did.
fn named(now: &[String], before: &[String]) -> String {
    let now = match now {
        [] => "no tag names it".to_owned(),
        [tag] => format!("tag {tag} names it"),
        tags => format!("{} tags name it: {}", tags.len(), tags.join(", ")),
    };
    match before {
        [] => now,
        before => format!("{now}; before, it was named by {}", before.join(", ")),
    }
}
