//! What each object is to a person.

use super::moment::{Told, path};
use super::{INGEST, SNAPSHOT, Store};
use crate::formats::containerd_db::{Class, Object, is_docker, shown_name};
use crate::inventory::snapshot_owner;
use crate::{ContainerId, Digest};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Meaning, Position, Subject, Value,
};
use std::borrow::Cow;

/// An ingest expires so many seconds after it began.
const INGEST_LIFE: i64 = 24 * 60 * 60;
/// Things that a lease holds, of which an event tells.
const RESOURCE_LIMIT: usize = 64;

impl Store<'_> {
    pub(super) fn object(&self, object: &Object<'_, '_>, findings: &mut dyn Findings) {
        let told = match object.class {
            Class::Image => self.image(object),
            Class::Container | Class::Sandbox => self.container(object, findings),
            Class::Snapshot => self.snapshot(object),
            Class::Blob => self.blob(object),
            Class::Lease => self.lease(object),
            Class::Ingest => return self.ingest(object, findings),
        };
        self.moments(object, &told, findings);
    }

    fn image(&self, object: &Object<'_, '_>) -> Told {
        let (target, media_type, size) = object.target();
        let name = object.name.as_deref().unwrap_or("a name that is lost");
        let shown = shown_name(object.namespace.as_deref(), name);
        let target = target.as_ref();
        let mut subject =
            target.map(|id| self.inventory.image_subject(id.as_str())).unwrap_or_default();
        let id = target.map_or("nothing that can be read", Digest::short);
        let dangling = name.starts_with("moby-dangling@");
        let made = if dangling {
            (
                Meaning::Added,
                "untag",
                format!("image {id} lost its last tag, or was built without one"),
            )
        } else {
            subject.image_name = Some(shown.to_owned());
            (
                Meaning::Added,
                "tag",
                format!("image {id} named {shown} here: pulled, built, loaded or tagged"),
            )
        };
        let mut told = Told::new(subject, made);
        told.updated =
            format!("name {shown} changed: it stands for image {id} now, or its labels changed");
        let known = target.and_then(|id| self.inventory.target_images.images.get(id.as_str()));
        told.size = size.and_then(|size| u64::try_from(size).ok());
        told.text("image_reference", Some(shown.to_owned()));
        told.list("image_tags", known.map(|image| image.tags.clone()).unwrap_or_default());
        told.list("image_digests", known.map(|image| image.digests.clone()).unwrap_or_default());
        told.text("media_type", media_type);
        told.list("annotations", object.pairs("annotations"));
        told
    }

    fn blob(&self, object: &Object<'_, '_>) -> Told {
        let digest = object.name.as_deref().and_then(Digest::parse);
        let target = digest.as_ref().and_then(|id| self.inventory.target_images.of(id).first());
        let subject = target.map(|target| self.inventory.image_subject(target)).unwrap_or_default();
        let id = digest.as_ref().map_or("of a name that is lost", Digest::short);
        let made =
            (Meaning::Added, "store", format!("content {id} was whole: received or built here"));
        let mut told = Told::new(subject, made);
        told.updated = format!("labels of content {id} changed");
        told.size = object.integer("size").and_then(|size| u64::try_from(size).ok());
        told.text("blob_digest", digest.map(|digest| digest.to_string()));
        told
    }

    fn snapshot(&self, object: &Object<'_, '_>) -> Told {
        let key = object.name.as_deref().unwrap_or_default();
        let (subject, text) = self.snapshot_told(key);
        let mut told = Told::new(subject, (Meaning::Creation, "create", format!("{text} made")));
        told.updated = format!("{text}: labels changed");
        told.layer = key.starts_with("sha256:").then(|| key.to_owned());
        told.text("snapshotter", object.snapshotter.clone());
        told.text("snapshot_key", object.name.clone());
        told.text("snapshot_name", object.text("name"));
        told.text("snapshot_parent", object.text("parent"));
        told
    }

    /// Whose a snapshot is, and in words.
    fn snapshot_told(&self, key: &str) -> (Subject, String) {
        if let Some((container, is_init)) = snapshot_owner(self.inventory, key) {
            let text = if is_init {
                "snapshot with what the engine puts into the container"
            } else {
                "writable snapshot of the container"
            };
            return (self.inventory.container_subject(container.as_str()), text.to_owned());
        }
        let layer = Digest::parse(key);
        let text = match layer {
            Some(chain) => format!("snapshot of layer {}", chain.short()),
            None => format!("snapshot {key}"),
        };
        (Subject::UNKNOWN, text)
    }

    fn lease(&self, object: &Object<'_, '_>) -> Told {
        let id = object.name.as_deref().unwrap_or("without a name");
        let container = ContainerId::parse(id);
        let subject = container.as_ref().map(|id| self.inventory.container_subject(id.as_str()));
        let text = match container {
            Some(_) => "lease of the container made: the container was created".to_owned(),
            None => format!(
                "lease {id} made: something begun that needs what it holds, such as a pull or a build"
            ),
        };
        let mut told = Told::new(subject.unwrap_or_default(), (Meaning::Creation, "create", text));
        let mut held = object.keys_of("content");
        held.extend(object.keys_of("ingests"));
        let snapshots = object.bucket.bucket("snapshots");
        for (_, list) in snapshots.into_iter().flat_map(|snapshots| snapshots.buckets()) {
            held.extend(
                list.entries().map(|entry| String::from_utf8_lossy(entry.key).into_owned()),
            );
        }
        held.truncate(RESOURCE_LIMIT);
        told.list("lease_resources", held);
        told
    }

    /// A transfer has no time of its own: it began a day before it expires.
    fn ingest(&self, object: &Object<'_, '_>, findings: &mut dyn Findings) {
        let path = path(object, "expireat");
        let expires = match object.instant("expireat") {
            Ok(Some((expires, _))) => expires,
            Ok(None) => return,
            Err(error) => {
                let at = Position::Key(&path);
                return findings.issue(self.file.issue(
                    IssueKind::Malformed,
                    at,
                    error.to_string(),
                ));
            }
        };
        let began = expires.seconds().saturating_sub(INGEST_LIFE);
        let Some(began) = Instant::new(began, expires.nanoseconds()) else { return };
        let reference = object.text("ref").or_else(|| object.name.clone()).unwrap_or_default();
        let digest = object.text("expected").as_deref().and_then(Digest::parse);
        let target = digest.as_ref().and_then(|id| self.inventory.target_images.of(id).first());
        let subject = target.map(|id| self.inventory.image_subject(id)).unwrap_or_default();
        let text = format!(
            "transfer of {reference} begun and not finished: it expires at {expires}, 24 hours later"
        );
        let mut event = Event::new(&self.file.origin, &INGEST, &subject, (began, Meaning::Start));
        event.confidence = Confidence::Inferred;
        event.position = Position::Key(&path);
        event.action = "transfer";
        event.text = (&text).into();
        event.attribute("transfer_reference", Some(Value::Text(reference.as_str().into())));
        let digest = digest.as_ref().map(|digest| Value::Text(digest.as_str().into()));
        event.attribute("blob_digest", digest);
        if object.page.is_some() {
            event.tags.push(Cow::from("recovered"));
        }
        findings.event(&event);
    }

    /// A snapshot of which only its parent still knows: it was there, and was removed.
    pub(super) fn lost_child(
        &self,
        key: &str,
        parent: &Object<'_, '_>,
        findings: &mut dyn Findings,
    ) {
        let Some(modified) = self.modified else { return };
        let (subject, what) = self.snapshot_told(key);
        let text = format!(
            "{what} removed: it was made on {}, which still lists it; at this time, when the \
             database was last written, or before",
            parent.name.as_deref().unwrap_or("another")
        );
        let path = path(parent, &format!("children/{key}"));
        let mut event =
            Event::new(&self.file.origin, &SNAPSHOT, &subject, (modified, Meaning::Deletion));
        event.confidence = Confidence::Inferred;
        event.position = Position::Key(&path);
        event.action = "delete";
        event.text = (&text).into();
        event.tags.push(Cow::from("recovered"));
        let text = |text: &str| Some(Value::Text(text.to_owned().into()));
        event.attribute("containerd_namespace", parent.namespace.as_deref().and_then(text));
        event.attribute("snapshotter", parent.snapshotter.as_deref().and_then(text));
        event.attribute("snapshot_key", text(key));
        event.attribute("snapshot_parent", parent.name.as_deref().and_then(text));
        event.attribute("recovered_from", text("the list of children of its parent"));
        self.inventory.mark_removed(&mut event);
        findings.event(&event);
    }

    /// Whether a container's record is written by Docker. It keeps snapshots by the id of the
    /// container and leaves the key empty, which no other client does.
    pub(super) fn is_docker(object: &Object<'_, '_>, cgroup: Option<&str>) -> bool {
        match object.namespace.as_deref() {
            Some(namespace) => is_docker(namespace),
            None => {
                let has_no_key = object.bucket.get("snapshotKey").is_some_and(<[u8]>::is_empty);
                has_no_key || cgroup.is_some_and(|cgroup| cgroup.contains("docker"))
            }
        }
    }
}
