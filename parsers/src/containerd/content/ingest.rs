//! Events of `ingest/<id>/`: transfers that were not finished when the host died.
//!
//! `ref` names what is transferred (`moby/3/layer-sha256:…`: namespace, number, and what the client
//! calls it), `startedat` and `updatedat` are RFC 3339 texts, `total` is the expected length in
//! digits, `data` what has come so far. containerd writes `updatedat` with each status that a client
//! asks for, so data may be younger.

use super::{INGEST, Store};
use crate::{ArtifactFile, Digest};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Meaning, Position, Subject, Value,
};
use std::collections::BTreeMap;

/// The files of one transfer.
#[derive(Default)]
struct Transfer<'a> {
    reference: Option<String>,
    total: Option<u64>,
    /// What has come, in bytes.
    received: Option<u64>,
    started: Option<(&'a ArtifactFile, Instant)>,
    updated: Option<(&'a ArtifactFile, Instant)>,
    /// When data last came.
    written: Option<(&'a ArtifactFile, Instant)>,
}

pub(super) fn parse(store: &Store<'_>, findings: &mut dyn Findings) {
    let mut transfers: BTreeMap<&str, Transfer<'_>> = BTreeMap::new();
    for file in &store.artifact.files {
        if let Some(id) = file.capture("ingest") {
            transfers.entry(id).or_default().add(store, file, findings);
        }
    }
    for transfer in transfers.values() {
        transfer.report(store, findings);
    }
}

impl<'a> Transfer<'a> {
    fn add(&mut self, store: &Store<'_>, file: &'a ArtifactFile, findings: &mut dyn Findings) {
        if file.path.file_name() == Some(b"data") {
            let metadata = store.artifact.metadata(file, findings);
            self.received = metadata.as_ref().map(|metadata| metadata.size);
            let written = metadata.and_then(|metadata| metadata.modified);
            self.written = written.map(|instant| (file, instant));
            return findings.records(&file.origin, 1, 0);
        }
        let Some(text) = text(store, file, findings) else { return };
        let wrong = |findings: &mut dyn Findings, what: String| {
            findings.issue(file.issue(IssueKind::Malformed, Position::File, what));
        };
        let shown: String = text.chars().take(80).collect();
        match file.path.file_name().unwrap_or_default() {
            b"ref" => self.reference = Some(text),
            b"total" => match text.parse() {
                Ok(total) => self.total = Some(total),
                Err(_) => wrong(findings, format!("{shown:?} is no number of bytes")),
            },
            name => match Instant::parse_rfc3339(&text) {
                Ok(instant) => {
                    let told = instant.map(|instant| (file, instant));
                    if name == b"startedat" { self.started = told } else { self.updated = told }
                }
                Err(error) => wrong(findings, format!("{shown:?}: {error}")),
            },
        }
    }

    fn report(&self, store: &Store<'_>, findings: &mut dyn Findings) {
        let digest = self.digest();
        let target =
            digest.as_ref().and_then(|digest| store.inventory.target_images.of(digest).first());
        let subject =
            target.map(|target| store.inventory.image_subject(target)).unwrap_or_default();
        let what = self.reference.as_deref().unwrap_or("something without a name");
        let have = self.received.map(|received| match self.total.filter(|total| *total > 0) {
            Some(total) => format!(", {received} of {total} bytes are there"),
            None => format!(", {received} bytes are there"),
        });
        let have = have.unwrap_or_default();
        let begun = format!("transfer of {what} begun, and never finished{have}");
        let last = format!("unfinished transfer of {what} last known to go on{have}");
        let data = format!("unfinished transfer of {what}: data last written{have}");
        let moments = [
            (self.started, Meaning::Start, Confidence::Recorded, begun),
            (self.updated, Meaning::Update, Confidence::Recorded, last),
            (self.written, Meaning::ContentModification, Confidence::Filesystem, data),
        ];
        for (moment, meaning, confidence, text) in moments {
            let Some((file, instant)) = moment else { continue };
            let mut event = self.event((file, &subject), (instant, meaning), digest.as_ref());
            event.confidence = confidence;
            event.text = (&text).into();
            findings.event(&event);
        }
    }

    fn event<'e>(
        &'e self,
        (file, subject): (&'e ArtifactFile, &'e Subject),
        when: (Instant, Meaning),
        digest: Option<&'e Digest>,
    ) -> Event<'e> {
        let mut event = Event::new(&file.origin, &INGEST, subject, when);
        event.action = "transfer";
        event.size = self.received;
        let reference = self.reference.as_deref();
        event.attribute("transfer_reference", reference.map(|text| Value::Text(text.into())));
        event.attribute("blob_digest", digest.map(|digest| Value::Text(digest.as_str().into())));
        let total = self.total.and_then(|total| i64::try_from(total).ok());
        event.attribute("expected_size", total.map(Value::Integer));
        event
    }

    /// The digest that its reference ends with.
    fn digest(&self) -> Option<Digest> {
        let reference = self.reference.as_deref()?;
        Digest::parse(reference.get(reference.rfind("sha256:")?..)?)
    }
}

/// The text of a small file.
fn text(store: &Store<'_>, file: &ArtifactFile, findings: &mut dyn Findings) -> Option<String> {
    let bytes = store.artifact.read(file, findings)?;
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    match String::from_utf8(bytes) {
        Ok(text) => {
            findings.records(&file.origin, 1, length);
            Some(text.trim().to_owned())
        }
        Err(_) => {
            let issue =
                file.issue(IssueKind::Malformed, Position::File, "bytes that are not UTF-8");
            findings.issue(issue.losing(1, length));
            None
        }
    }
}
