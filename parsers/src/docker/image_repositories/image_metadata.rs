//! Events of `imagedb/metadata/sha256/<image>/`: `lastUpdated`, `parent`, `builtLocally`.

use super::{REFERENCE, add_names};
use crate::inventory::Image;
use crate::{Artifact, ArtifactFile, Digest, Inventory};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Meaning, Position, Value,
};
use std::borrow::Cow;

pub(super) fn parse(
    (artifact, file): (&Artifact, &ArtifactFile),
    text: &str,
    inventory: &Inventory,
    findings: &mut dyn Findings,
) {
    let Some(id) = file.capture("image").and_then(Digest::from_hex) else { return };
    let unknown = Image::default();
    let known = inventory.images.get(id.as_str()).unwrap_or(&unknown);
    let image = ImageMetadata { artifact, file, inventory, id, known };
    let text = text.trim_end_matches('\n');
    match file.path.file_name().unwrap_or_default() {
        b"lastUpdated" => image.last_tagged(text, findings),
        b"parent" => image.made_from(text, findings),
        _ => image.made_here("built on this host by its classic builder", None, findings),
    }
}

struct ImageMetadata<'a> {
    artifact: &'a Artifact,
    file: &'a ArtifactFile,
    inventory: &'a Inventory,
    id: Digest,
    known: &'a Image,
}

impl ImageMetadata<'_> {
    fn malformed(&self, what: String, findings: &mut dyn Findings) {
        findings.issue(self.file.issue(IssueKind::Malformed, Position::File, what));
    }

    fn last_tagged(&self, text: &str, findings: &mut dyn Findings) {
        let instant = match Instant::parse_rfc3339(text) {
            Ok(Some(instant)) => instant,
            Ok(None) => return,
            Err(error) => {
                let shown: String = text.chars().take(64).collect();
                return self.malformed(format!("time of last tag {shown:?}: {error}"), findings);
            }
        };
        let subject = self.inventory.image_subject(self.id.as_str());
        let text = self.tags_left();
        let at = (instant, Meaning::Update);
        let mut event = Event::new(&self.file.origin, &REFERENCE, &subject, at);
        event.action = "tag";
        event.text = (&text).into();
        add_names(&mut event, self.known);
        if self.known.tags.is_empty() {
            event.tags.push(Cow::from("untagged"));
        }
        findings.event(&event);
    }

    fn tags_left(&self) -> String {
        let lost = if self.known.stores.is_empty() {
            "; the image itself is not in the evidence"
        } else {
            ""
        };
        match self.known.tags.as_slice() {
            [] => format!("tagged, the last time; it has no tag now: moved or removed since{lost}"),
            [tag] => format!("tagged, the last time; its tag now: {tag}{lost}"),
            tags => format!(
                "tagged, the last time, with one of {} tags that it has now or one removed since: \
                 {}{lost}",
                tags.len(),
                tags.join(", ")
            ),
        }
    }

    fn made_from(&self, parent: &str, findings: &mut dyn Findings) {
        let Some(parent) = Digest::parse(parent) else {
            let shown: String = parent.chars().take(80).collect();
            return self.malformed(format!("{shown:?} is no image id"), findings);
        };
        let name = self.inventory.image_subject(parent.as_str()).image_name;
        let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
        let text = format!("made on this host from image {}{name}", parent.short());
        self.made_here(&text, Some(parent.as_str()), findings);
    }

    fn made_here(&self, text: &str, parent: Option<&str>, findings: &mut dyn Findings) {
        let metadata = self.artifact.metadata(self.file, findings);
        let Some(modified) = metadata.and_then(|metadata| metadata.modified) else { return };
        let subject = self.inventory.image_subject(self.id.as_str());
        let at = (modified, Meaning::Recorded);
        let mut event = Event::new(&self.file.origin, &REFERENCE, &subject, at);
        event.confidence = Confidence::Filesystem;
        event.action = "build";
        event.text = text.into();
        event.attribute("parent_image", parent.map(|id| Value::Text(id.into())));
        findings.event(&event);
    }
}
