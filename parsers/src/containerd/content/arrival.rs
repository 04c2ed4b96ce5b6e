//! The event at which a content was whole: the time of its file.

use super::{BLOB, Known, Store, list};
use crate::formats::content_store::Content;
use crate::formats::image_config::{ImageConfig, Step};
use crate::formats::oci::{Descriptor, Manifest};
use dockline_timeline::{Confidence, Event, Findings, Meaning, Value};
use std::borrow::Cow;

/// References of one content that an event lists.
const REFERENCE_LIMIT: usize = 256;

impl Store<'_> {
    pub(super) fn arrival(&self, known: &Known<'_>, findings: &mut dyn Findings) {
        let file = known.blob.file;
        let metadata = self.artifact.metadata(file, findings);
        let Some(modified) = metadata.and_then(|metadata| metadata.modified) else { return };
        let text = format!("{} stored{}", self.what(known), checked(known.blob.genuine));
        let references = references(&known.blob.content);
        let mut event = Event::new(&file.origin, &BLOB, &known.subject, (modified, Meaning::Added));
        event.confidence = Confidence::Filesystem;
        event.action = "store";
        event.text = (&text).into();
        event.size = known.blob.size;
        let genuine = known.blob.genuine == Some(true);
        event.sha256_hash = genuine.then(|| known.digest.hex());
        event.tags.extend(known.tags().iter().copied().map(Cow::Borrowed));
        event.attributes = self.names(known);
        event.attribute("blob_digest", Some(Value::Text(known.digest.as_str().into())));
        event.attribute("media_type", self.media_type(known).map(|text| Value::Text(text.into())));
        event.attribute("blob_references", list(&references));
        event.attribute("digest_verified", known.blob.genuine.map(Value::Boolean));
        let annotations = match &known.blob.content {
            Content::Index(index) => index.annotations.as_slice(),
            Content::Manifest(manifest) => &manifest.annotations,
            _ => &[],
        };
        event.attribute("annotations", list(annotations));
        let config = match &known.blob.content {
            Content::ImageConfig(config) => Some(&**config),
            _ => None,
        };
        let timeless = config.map(steps_without_time).unwrap_or_default();
        event.attribute("history_without_time", list(&timeless));
        if let Some(config) = config.filter(|config| config.created.is_none()) {
            config.describe(&mut event);
        }
        findings.event(&event);
    }

    fn media_type<'a>(&'a self, known: &'a Known<'_>) -> Option<&'a str> {
        let own = match &known.blob.content {
            Content::Index(index) => index.media_type.as_deref(),
            Content::Manifest(manifest) => manifest.media_type.as_deref(),
            _ => None,
        };
        let described = || self.described.get(known.digest)?.media_type.as_deref();
        own.or_else(described)
    }

    /// What it is, for a person.
    fn what(&self, known: &Known<'_>) -> String {
        let id = known.digest.short();
        match &known.blob.content {
            Content::Index(index) => {
                let platforms: Vec<&str> =
                    index.manifests.iter().filter_map(platform_of_image).collect();
                format!("index {id} of {}{}", counted(index.manifests.len()), joined(&platforms))
            }
            Content::Manifest(manifest) => format!("{} {id}", manifest_told(manifest)),
            Content::ImageConfig(_) => format!("image configuration {id}"),
            Content::Attestation => format!("attestation {id} of an image"),
            Content::Other => self.other(known),
        }
    }

    fn other(&self, known: &Known<'_>) -> String {
        let id = known.digest.short();
        let media_type = self.media_type(known);
        match media_type {
            Some(kind) if kind.contains("layer") || kind.contains("diff") => {
                format!("layer {id} ({kind})")
            }
            Some(kind) => format!("content {id} ({kind})"),
            None if known.targets.is_empty() => {
                format!("content {id} that no image here refers to")
            }
            None => format!("content {id}"),
        }
    }
}

fn manifest_told(manifest: &Manifest) -> String {
    let layers = manifest.layers.len();
    let plural = if layers == 1 { "" } else { "s" };
    match (&manifest.artifact_type, &manifest.subject) {
        (Some(kind), _) => format!("manifest of {kind}"),
        (None, Some(subject)) => format!("manifest about {}", subject.short()),
        (None, None) => format!("manifest of an image with {layers} layer{plural}"),
    }
}

fn checked(genuine: Option<bool>) -> &'static str {
    match genuine {
        Some(true) => "",
        Some(false) => "; its content was changed: it is not what its name says",
        None => "; not verified against its name",
    }
}

fn counted(manifests: usize) -> String {
    let plural = if manifests == 1 { "" } else { "s" };
    format!("{manifests} manifest{plural}")
}

fn joined(platforms: &[&str]) -> String {
    if platforms.is_empty() { String::new() } else { format!(": {}", platforms.join(", ")) }
}

fn platform_of_image(manifest: &Descriptor) -> Option<&str> {
    manifest.platform.as_deref().filter(|_| !manifest.is_attestation())
}

/// What a content names: `config sha256:…`, `layer sha256:…`, `linux/amd64 sha256:…`.
fn references(content: &Content) -> Vec<String> {
    let told = |role: &str, part: &Descriptor| {
        let digest = part.digest.as_ref().map_or("without a digest", |digest| digest.as_str());
        format!("{role} {digest}")
    };
    match content {
        Content::Index(index) => {
            let role = |one: &Descriptor| match platform_of_image(one) {
                Some(platform) => platform.to_owned(),
                None if one.is_attestation() => "attestation".to_owned(),
                None => "manifest".to_owned(),
            };
            let parts = index.manifests.iter().take(REFERENCE_LIMIT);
            parts.map(|one| told(&role(one), one)).collect()
        }
        Content::Manifest(manifest) => {
            let layers = manifest.layers.iter().take(REFERENCE_LIMIT);
            let layers = layers.map(|layer| told("layer", layer));
            std::iter::once(told("config", &manifest.config)).chain(layers).collect()
        }
        _ => Vec::new(),
    }
}

fn steps_without_time(config: &ImageConfig) -> Vec<String> {
    let steps = config.history.iter().filter(|step| step.created.is_none());
    steps.map(Step::told).collect()
}
