//! The event at which a manifest was stored: the time of its file.

use crate::formats::json::{self, Fields, Wrong};
use crate::{Artifact, ArtifactFile, Digest, Inventory};
use dockline_timeline::{Confidence, Event, Findings, Kind, Meaning, Value};
use std::borrow::Cow;

static MANIFEST: Kind = Kind {
    data_type: "podman:image:manifest",
    source_short: "PODMAN",
    source_long: "Podman image manifest",
};

pub(super) fn parse(
    (artifact, file): (&Artifact, &ArtifactFile),
    inventory: &Inventory,
    findings: &mut dyn Findings,
) {
    let Some(id) = file.capture("image").and_then(Digest::from_hex) else { return };
    let metadata = artifact.metadata(file, findings);
    let Some(bytes) = artifact.read(file, findings) else { return };
    let document = match json::read(&bytes) {
        Ok(document) => document,
        Err(flaw) => return flaw.report_lost(file, bytes.len(), findings),
    };
    findings.records(&file.origin, 1, document.length);
    let wrong = Wrong::default();
    let fields = Fields::new(&document.value, &wrong);
    let (layers, annotations) = (layers(&fields), fields.object("annotations").pairs());
    for flaw in document.flaws.iter().chain(&wrong.into_flaws()) {
        flaw.report(file, findings);
    }
    let Some(modified) = metadata.and_then(|metadata| metadata.modified) else { return };
    let digest = Digest::of(&bytes);
    let text = format!("manifest {} of image {} stored", digest.short(), id.short());
    let subject = inventory.image_subject(id.as_str());
    let mut event = Event::new(&file.origin, &MANIFEST, &subject, (modified, Meaning::Added));
    event.confidence = Confidence::Filesystem;
    event.action = "store";
    event.text = (&text).into();
    event.size = Some(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    event.sha256_hash = Some(digest.hex());
    event.attribute("image_manifest_digest", Some(Value::Text(digest.as_str().into())));
    event.attribute("layer_digests", list(&layers));
    event.attribute("annotations", list(&annotations));
    findings.event(&event);
}

fn layers(fields: &Fields<'_>) -> Vec<String> {
    fields.objects("layers").iter().filter_map(|layer| layer.text("digest")).collect()
}

/// A list of texts, unless it is empty.
fn list(texts: &[String]) -> Option<Value<'_>> {
    (!texts.is_empty()).then(|| Value::List(texts.iter().map(Cow::from).collect()))
}
