//! Events of `distribution`: where layers came from and went to.

use super::standing::Ids;
use super::{DISTRIBUTION, Store};
use crate::formats::json::{self, Wrong};
use crate::formats::layer_source::{self, LayerSource, Transfer};
use crate::{ArtifactFile, DiffId, Digest};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Meaning, Position, Subject, Value,
};

/// Sources of a layer that its own event names; the engine keeps at most 50.
const SOURCES_KEPT: usize = 50;
/// Longest name of a repository in that list; a registry allows 255.
const NAME_KEPT: usize = 255;

/// `repository@digest`.
fn name(source: &LayerSource) -> String {
    let repository: String = source.repository.chars().take(NAME_KEPT).collect();
    format!("{repository}@{}", source.digest)
}

impl<'a> Store<'a> {
    pub(super) fn distribution(&mut self, findings: &mut dyn Findings) {
        for (file, diff) in &self.files.sources {
            let sources = self.read_sources(file, findings);
            self.transfers((file, diff), &sources, findings);
            let names = sources.iter().rev().take(SOURCES_KEPT).map(name);
            self.sources.insert(diff, names.collect());
        }
        for (file, digest, diff) in &self.files.blobs {
            if let Some(diff) = diff {
                self.blob(file, (digest, diff), findings);
            }
        }
    }

    fn read_sources(&self, file: &ArtifactFile, findings: &mut dyn Findings) -> Vec<LayerSource> {
        let Some(bytes) = self.artifact.read(file, findings) else { return Vec::new() };
        let document = match json::read(&bytes) {
            Ok(document) => document,
            Err(flaw) => {
                flaw.report_lost(file, bytes.len(), findings);
                return Vec::new();
            }
        };
        findings.records(&file.origin, 1, document.length);
        let wrong = Wrong::default();
        let (sources, bad) = layer_source::read(&document.value, &wrong);
        for flaw in document.flaws.iter().chain(&wrong.into_flaws()) {
            flaw.report(file, findings);
        }
        if !bad.is_empty() || !document.value.is_array() {
            let what = format!("{} entries that name no digest and repository", bad.len().max(1));
            findings.issue(file.issue(IssueKind::Malformed, Position::File, what));
        }
        sources
    }

    /// The file is rewritten with each transfer, the newest last: its time is that of the last one.
    fn transfers(
        &self,
        (file, diff): (&ArtifactFile, &DiffId),
        sources: &[LayerSource],
        findings: &mut dyn Findings,
    ) {
        if sources.is_empty() {
            return;
        }
        let Some(modified) = self.modified(file, findings) else { return };
        let subject = self.holder(diff);
        for (index, source) in sources.iter().enumerate() {
            let last = index.saturating_add(1) == sources.len();
            let key = format!("[{index}]");
            let text = text(diff, source, last);
            let mut event = event(file, &subject, (modified, source.transfer));
            if !last {
                event.confidence = Confidence::Inferred;
            }
            event.position = Position::Key(&key);
            event.text = (&text).into();
            self.add_driver(&mut event);
            event.attribute("diff_id", Some(Value::Text(diff.0.as_str().into())));
            event.attribute("repository", Some(Value::Text(source.repository.as_str().into())));
            event.attribute("blob_digest", Some(Value::Text(source.digest.as_str().into())));
            findings.event(&event);
        }
    }

    fn blob(
        &self,
        file: &ArtifactFile,
        (digest, diff): (&Digest, &DiffId),
        findings: &mut dyn Findings,
    ) {
        let Some(modified) = self.modified(file, findings) else { return };
        let subject = self.holder(diff);
        let text = format!(
            "compressed layer {} of a registry is layer {} here: pulled or pushed",
            digest.short(),
            diff.0.short()
        );
        let at = (modified, Meaning::Recorded);
        let mut event = Event::new(&file.origin, &DISTRIBUTION, &subject, at);
        event.confidence = Confidence::Filesystem;
        event.action = "store";
        event.text = (&text).into();
        self.add_driver(&mut event);
        event.attribute("diff_id", Some(Value::Text(diff.0.as_str().into())));
        event.attribute("blob_digest", Some(Value::Text(digest.as_str().into())));
        findings.event(&event);
    }

    /// The image, when just one holds the layer.
    fn holder(&self, diff: &DiffId) -> Subject {
        let holder = self.standing.holders.get(diff).and_then(Ids::only);
        holder.map_or(Subject::UNKNOWN, |image| self.inventory.image_subject(image))
    }
}

fn event<'e>(
    file: &'e ArtifactFile,
    subject: &'e Subject,
    (modified, transfer): (Instant, Transfer),
) -> Event<'e> {
    let (meaning, action) = match transfer {
        Transfer::Pulled => (Meaning::Added, "pull"),
        Transfer::PushedAnonymously | Transfer::PushedWithCredentials => {
            (Meaning::Recorded, "push")
        }
    };
    let mut event = Event::new(&file.origin, &DISTRIBUTION, subject, (modified, meaning));
    event.confidence = Confidence::Filesystem;
    event.action = action;
    event
}

fn text(diff: &DiffId, source: &LayerSource, last: bool) -> String {
    let did = match source.transfer {
        Transfer::Pulled => "pulled from",
        Transfer::PushedAnonymously => "pushed from this host, without credentials, to",
        Transfer::PushedWithCredentials => "pushed from this host, with credentials, to",
    };
    let when = if last { "" } else { " at this time or before" };
    format!("layer {} {did} {}{when}", diff.0.short(), source.repository)
}
