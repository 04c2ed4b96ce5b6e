//! What containerd was given: the contents of `io.containerd.content.v1.content`, and what was never
//! received whole.
//!
//! Since Engine 29 this is where Docker keeps images; BuildKit keeps its build records here, and
//! Kubernetes its images. A content is written once, by a pull, a build, a load or a commit, and
//! removed when nothing refers to it; its name is its SHA-256. containerd sets the time of the file
//! to that of the last step, when the content was whole. After containerd 2.1
//! `plugins/content/local/{store,writer}.go`; which content is what is in [`crate::formats::oci`].
//!
//! | instant | event |
//! |---|---|
//! | time of a blob | content arrived: index, manifest, configuration, layer, or something else |
//! | `created` of a configuration | image created: by the clock of whoever made it |
//! | `history[].created` | each step, as `docker history` lists it |
//! | annotation `org.opencontainers.image.created` of an index or manifest | image created, by its maker's word |
//! | `ingest/<id>/startedat`, `updatedat` | a transfer that was not finished: begun, last written |
//!
//! The subject of an event is the image that the content belongs to, by the digest of its target, as
//! `docker images` shows it; when several images hold it, the first, and all are listed. A step or
//! an image without a time is listed with the arrival of its configuration.
//!
//! Small contents are held to their names; a larger one is said to be not verified. Not supported:
//! manifests of schema 1 (told), the files inside layers, digests other than SHA-256, the log
//! of a build that BuildKit stores here.

mod arrival;
mod ingest;

use crate::formats::content_store::{self, Blob, Content};
use crate::formats::image_config::{ConfigEvents, ImageConfig, Maker};
use crate::formats::oci::Descriptor;
use crate::inventory::REMOVED_CONTAINER;
use crate::{Artifact, Digest, Gather, Inventory, Parser};
use dockline_timeline::{
    Attribute, Event, Findings, Instant, IssueKind, Kind, Meaning, Position, Subject, Value,
};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "containerd.content",
    reads: &[
        "io.containerd.content.v1.content/blobs/sha256/{blob:id}",
        "io.containerd.content.v1.content/ingest/{ingest}/ref",
        "io.containerd.content.v1.content/ingest/{ingest}/startedat",
        "io.containerd.content.v1.content/ingest/{ingest}/updatedat",
        "io.containerd.content.v1.content/ingest/{ingest}/total",
        "io.containerd.content.v1.content/ingest/{ingest}/data",
    ],
    gather: Gather::DataRoot,
    about: "images of containerd and of Engine 29: indexes, manifests, configurations, layers",
    yields: "content arrived, image created, each step of its history, unfinished transfers",
    references: &[
        "containerd 2.1 plugins/content/local/{store,writer}.go",
        "OCI image-spec 1.1 image-index.md, manifest.md, config.md",
    ],
    parse,
};

const fn kind(data_type: &'static str, source_long: &'static str) -> Kind {
    Kind { data_type, source_short: "CONTAINERD", source_long }
}

static BLOB: Kind = kind("containerd:content:blob", "containerd content");
static INGEST: Kind = kind("containerd:content:ingest", "containerd unfinished transfer");
static MANIFEST: Kind = kind("containerd:image:manifest", "containerd image manifest");
static CONFIGURATION: Kind =
    kind("containerd:image:configuration", "containerd image configuration");
static HISTORY: Kind = kind("containerd:image:history", "containerd image history");

/// A store that is being read.
struct Store<'a> {
    artifact: &'a Artifact,
    inventory: &'a Inventory,
    /// What manifests and indexes of the store say of a content.
    described: BTreeMap<&'a Digest, &'a Descriptor>,
}

/// One content, and to which images it belongs.
struct Known<'a> {
    digest: &'a Digest,
    blob: &'a Blob<'a>,
    subject: Subject,
    /// The images, by target.
    targets: &'a [String],
}

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let blobs = content_store::read(artifact, findings);
    let described = described(&blobs);
    let store = Store { artifact, inventory, described };
    for (digest, blob) in &blobs {
        let targets = inventory.target_images.of(digest);
        let subject = targets.first().map(|target| inventory.image_subject(target));
        let known = Known { digest, blob, subject: subject.unwrap_or_default(), targets };
        store.arrival(&known, findings);
        match &blob.content {
            Content::Index(index) => store.made(&known, &index.annotations, findings),
            Content::Manifest(manifest) => store.made(&known, &manifest.annotations, findings),
            Content::ImageConfig(config) => store.configuration(&known, config, findings),
            Content::Attestation | Content::Other => {}
        }
    }
    ingest::parse(&store, findings);
}

fn described<'a>(blobs: &'a BTreeMap<Digest, Blob<'a>>) -> BTreeMap<&'a Digest, &'a Descriptor> {
    let mut described = BTreeMap::new();
    for blob in blobs.values() {
        let parts: Vec<&Descriptor> = match &blob.content {
            Content::Index(index) => index.manifests.iter().collect(),
            Content::Manifest(manifest) => {
                std::iter::once(&manifest.config).chain(&manifest.layers).collect()
            }
            _ => continue,
        };
        for part in parts {
            if let Some(digest) = &part.digest {
                described.entry(digest).or_insert(part);
            }
        }
    }
    described
}

impl Known<'_> {
    fn tags(&self) -> &'static [&'static str] {
        if self.blob.genuine == Some(false) { &["digest-mismatch"] } else { &[] }
    }
}

impl Store<'_> {
    /// What every event of a content says of the images that it belongs to.
    fn names<'a>(&'a self, known: &'a Known<'_>) -> Vec<Attribute<'a>> {
        let mut all = Vec::new();
        let image = known.targets.first();
        let image = image.and_then(|target| self.inventory.target_images.images.get(target));
        if let Some(value) = image.and_then(|image| list(&image.tags)) {
            all.push(Attribute { name: "image_tags", value });
        }
        if let Some(value) = list(known.targets).filter(|_| known.targets.len() > 1) {
            all.push(Attribute { name: "image_identifiers", value });
        }
        all
    }

    /// When a manifest or an index says that its image was made.
    fn made(&self, known: &Known<'_>, annotations: &[String], findings: &mut dyn Findings) {
        let name = "org.opencontainers.image.created";
        let created =
            annotations.iter().find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let Some(created) = created else { return };
        let file = known.blob.file;
        let key = format!("annotations.{name}");
        let instant = match Instant::parse_rfc3339(created) {
            Ok(Some(instant)) => instant,
            Ok(None) => return,
            Err(error) => {
                let shown: String = created.chars().take(64).collect();
                let what = format!("{shown:?}: {error}");
                return findings.issue(file.issue(IssueKind::Malformed, Position::Key(&key), what));
            }
        };
        let text = format!("image {} made, as its manifest says", known.digest.short());
        let at = (instant, Meaning::Creation);
        let mut event = Event::new(&file.origin, &MANIFEST, &known.subject, at);
        event.position = Position::Key(&key);
        event.action = "build";
        event.text = (&text).into();
        event.tags.extend(known.tags().iter().copied().map(Cow::Borrowed));
        event.attributes = self.names(known);
        event.attribute("annotations", list(annotations));
        findings.event(&event);
    }

    fn configuration(&self, known: &Known<'_>, config: &ImageConfig, findings: &mut dyn Findings) {
        let mut made = known.subject.clone();
        let maker = config.maker();
        if let Maker::Commit(container) = &maker {
            let subject = self.inventory.container_subject(container);
            made.container_identifier = subject.container_identifier;
            made.container_name = subject.container_name;
        }
        let removed = self.is_committed_here(known)
            && made.container_identifier.as_deref().is_some_and(|id| self.inventory.is_removed(id));
        let id = made.image_identifier.as_deref().and_then(Digest::parse);
        ConfigEvents {
            origin: &known.blob.file.origin,
            creation: &CONFIGURATION,
            history: &HISTORY,
            config,
            subject: &known.subject,
            made: &made,
            id: id.as_ref().unwrap_or(known.digest).short(),
            tags: known.tags(),
            creation_tags: if removed { &[REMOVED_CONTAINER] } else { &[] },
            attributes: &self.names(known),
        }
        .report(findings);
    }

    /// Whether nothing says that the image came from elsewhere. A name with the host of a registry
    /// may be that of a pull, and the container that of another host.
    fn is_committed_here(&self, known: &Known<'_>) -> bool {
        let images = &self.inventory.target_images.images;
        let image = known.targets.first().and_then(|target| images.get(target));
        image.is_some_and(|image| image.names.iter().all(|name| name.starts_with("docker.io/")))
    }
}

/// A list of texts, unless it is empty.
fn list(texts: &[String]) -> Option<Value<'_>> {
    (!texts.is_empty()).then(|| Value::List(texts.iter().map(Cow::from).collect()))
}
