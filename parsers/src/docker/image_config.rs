//! The configuration of an image: `image/<driver>/imagedb/content/sha256/<image>`.
//!
//! Written once, when the image is pulled, built, loaded, imported or committed, and never changed:
//! its name is the SHA-256 of its content, so that a change of a single byte shows. After OCI's
//! image configuration and moby `image/store.go`, `image/image.go`, `daemon/images/image_history.go`
//! of 20.10.27 (the same below `daemon/internal/image` in 29.7).
//!
//! | instant | event |
//! |---|---|
//! | `created` | image created: by the clock of whoever made it, not on this host unless it says so |
//! | `history[].created` | each step, as `docker history` lists it; those of the base image keep its dates |
//! | time of the file | image arrived on this host |
//!
//! A step or an image without a time (null, or Go's zero time) has no event of its own: such steps
//! are listed with the arrival. 1970-01-01 and 1980-01-01T00:00:01Z are what reproducible builds
//! write instead of a time: the event is there, tagged `not-wall-clock`.
//!
//! Not supported: the `graph` of engines before 1.10, which has no digests. Images in a containerd
//! store are read by `containerd.content`.

mod arrival;

use crate::formats::image_config::{ConfigEvents, ImageConfig, Maker};
use crate::inventory::{Image, REMOVED_CONTAINER};
use crate::{Artifact, ArtifactFile, Digest, Gather, ImageStore, Inventory, Parser};
use dockline_timeline::{Attribute, Findings, IssueKind, Kind, Position, Subject, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "docker.image_config",
    reads: &[
        "image/{driver}/imagedb/content/sha256/{image:id}",
        "imagedb/content/sha256/{image:id}",
    ],
    gather: Gather::File,
    about: "configuration of an image: how it was built and what it runs",
    yields: "image created, each step of its history, its arrival on this host",
    references: &[
        "OCI image-spec 1.1 config.md",
        "moby 20.10.27 image/image.go, image/store.go, daemon/images/image_history.go",
    ],
    parse,
};

static CONFIGURATION: Kind = Kind {
    data_type: "docker:image:configuration",
    source_short: "DOCKER",
    source_long: "Docker image configuration",
};

static HISTORY: Kind = Kind {
    data_type: "docker:image:history",
    source_short: "DOCKER",
    source_long: "Docker image history",
};

/// The image that is being read.
struct ImageFile<'a> {
    artifact: &'a Artifact,
    file: &'a ArtifactFile,
    inventory: &'a Inventory,
    id: Digest,
    known: &'a Image,
    subject: Subject,
    config: ImageConfig,
    /// Whether the content is what its name says.
    genuine: bool,
    size: u64,
}

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let unknown = Image::default();
    for file in &artifact.files {
        let Some(id) = file.capture("image").and_then(Digest::from_hex) else { continue };
        let Some(bytes) = artifact.read(file, findings) else { continue };
        let genuine = is_genuine(file, &id, &bytes, findings);
        let config = ImageConfig::of_file(file, &bytes, findings);
        let image = ImageFile {
            artifact,
            file,
            inventory,
            known: inventory.images.get(id.as_str()).unwrap_or(&unknown),
            subject: inventory.image_subject(id.as_str()),
            id,
            config,
            genuine,
            size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        };
        image.configuration(findings);
        image.arrival(findings);
    }
}

fn is_genuine(file: &ArtifactFile, id: &Digest, bytes: &[u8], findings: &mut dyn Findings) -> bool {
    let digest = Digest::of(bytes);
    if digest != *id {
        let what = format!("the content has the digest {digest}, not that of its name: changed");
        findings.issue(file.issue(IssueKind::Malformed, Position::File, what));
    }
    digest == *id
}

impl ImageFile<'_> {
    /// The store that holds the image.
    fn store(&self) -> ImageStore {
        ImageStore::of(self.artifact, self.file)
    }

    /// What its creation and its history tell.
    fn configuration(&self, findings: &mut dyn Findings) {
        let made = self.made();
        let id = made.container_identifier.as_deref();
        // An image that a registry knows may have been committed from a container of another host.
        let is_local = self.known.digests.is_empty();
        let removed = is_local && id.is_some_and(|id| self.inventory.is_removed(id));
        let tags = list(&self.known.tags).map(|value| Attribute { name: "image_tags", value });
        ConfigEvents {
            origin: &self.file.origin,
            creation: &CONFIGURATION,
            history: &HISTORY,
            config: &self.config,
            subject: &self.subject,
            made: &made,
            id: self.id.short(),
            tags: if self.genuine { &[] } else { &["digest-mismatch"] },
            creation_tags: if removed { &[REMOVED_CONTAINER] } else { &[] },
            attributes: tags.as_slice(),
        }
        .report(findings);
    }

    /// The image; with the container that it was committed from.
    fn made(&self) -> Subject {
        let Maker::Commit(container) = self.config.maker() else { return self.subject.clone() };
        Subject {
            image_name: self.subject.image_name.clone(),
            image_identifier: self.subject.image_identifier.clone(),
            ..self.inventory.container_subject(&container)
        }
    }
}

/// A list of texts, unless it is empty.
fn list(texts: &[String]) -> Option<Value<'_>> {
    (!texts.is_empty()).then(|| Value::List(texts.iter().map(Cow::from).collect()))
}
