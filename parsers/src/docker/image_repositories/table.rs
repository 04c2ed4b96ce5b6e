//! Events of the table `repositories.json`: one for each name.

use super::{REFERENCE, add_names};
use crate::formats::json::{self, Wrong};
use crate::formats::repositories::{self, Row};
use crate::{Artifact, ArtifactFile, ImageReference, ImageStore, Inventory};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Meaning, Position, Subject, Value,
};

pub(super) fn parse(
    (artifact, file): (&Artifact, &ArtifactFile),
    bytes: &[u8],
    inventory: &Inventory,
    findings: &mut dyn Findings,
) {
    let rows = rows(file, bytes, findings);
    let modified = artifact.metadata(file, findings).and_then(|metadata| metadata.modified);
    let (Some(rows), Some(modified)) = (rows, modified) else { return };
    let store = ImageStore::of(artifact, file);
    let table = Table { file, modified, driver: &store.driver, inventory };
    if rows.is_empty() {
        table.empty(findings);
    }
    for row in &rows {
        table.row(row, findings);
    }
}

/// The rows; `None` when the file is no table.
fn rows(file: &ArtifactFile, bytes: &[u8], findings: &mut dyn Findings) -> Option<Vec<Row>> {
    let document = match json::read(bytes) {
        Ok(document) => document,
        Err(flaw) => {
            flaw.report_lost(file, bytes.len(), findings);
            return None;
        }
    };
    findings.records(&file.origin, 1, document.length);
    let wrong = Wrong::default();
    let table = repositories::read(&document.value, &wrong);
    for flaw in document.flaws.iter().chain(&wrong.into_flaws()) {
        flaw.report(file, findings);
    }
    for (key, what) in table.wrong {
        findings.issue(file.issue(IssueKind::Malformed, Position::Key(&key), what));
    }
    if !table.found {
        let what = "no table of repositories";
        findings.issue(file.issue(IssueKind::Malformed, Position::Key("Repositories"), what));
        return None;
    }
    Some(table.rows)
}

struct Table<'a> {
    file: &'a ArtifactFile,
    modified: Instant,
    driver: &'a str,
    inventory: &'a Inventory,
}

impl Table<'_> {
    /// Says of a leftover what it is.
    fn which(&self) -> &'static str {
        if self.file.capture("version").is_some() {
            "a version of the table of image names that was never put in place"
        } else {
            "the table of image names"
        }
    }

    fn event<'a>(&'a self, subject: &'a Subject) -> Event<'a> {
        let at = (self.modified, Meaning::ContentModification);
        let mut event = Event::new(&self.file.origin, &REFERENCE, subject, at);
        event.confidence = Confidence::Filesystem;
        event.attribute("storage_driver", Some(Value::Text(self.driver.into())));
        event
    }

    /// An engine makes an empty table at its first start with a storage driver.
    fn empty(&self, findings: &mut dyn Findings) {
        let which = self.which();
        let text = format!("{which} of the {} store last written: it names no image", self.driver);
        let mut event = self.event(&Subject::UNKNOWN);
        event.action = "tag";
        event.text = (&text).into();
        findings.event(&event);
    }

    fn row(&self, row: &Row, findings: &mut dyn Findings) {
        let id = row.image.as_str();
        let mut subject = self.inventory.image_subject(id);
        subject.image_name = Some(row.reference.as_str().to_owned());
        let image = self.inventory.images.get(id);
        let known = image.is_some_and(|image| !image.stores.is_empty());
        let text = self.text(row, known, image.is_some_and(|image| !image.digests.is_empty()));
        let mut event = self.event(&subject);
        event.position = Position::Key(&row.key);
        event.text = (&text).into();
        event.action = "tag";
        event.attribute("image_reference", Some(Value::Text(row.reference.as_str().into())));
        if let Some(image) = image {
            add_names(&mut event, image);
        }
        findings.event(&event);
    }

    fn text(&self, row: &Row, known: bool, in_registry: bool) -> String {
        let image = row.image.short();
        let why = match row.reference {
            ImageReference::Registry(_) => {
                "; a registry's digest: it was pulled from there or pushed there"
            }
            ImageReference::Tag(_) if in_registry => "",
            ImageReference::Tag(_) => {
                "; no registry's digest is known of it: made or loaded here, or pulled before engine 1.13"
            }
        };
        let lost = if known { "" } else { "; the image itself is not in the evidence" };
        let which = self.which();
        format!(
            "name of image {image}, given now or before: {which} was last written now{why}{lost}"
        )
    }
}
