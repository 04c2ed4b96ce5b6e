//! `history_c8d.db`, `history.db`: the builds, with the logs and provenance that they point to.

mod failure;
mod provenance;

use super::record::Record;
use super::status_log::{Line, StatusLog, Step};
use super::{BUILD, OUTPUT, STEP, Source, blobs, loose::is_id, text};
use crate::formats::attributes::Attributes;
use crate::formats::bolt::{Bucket, Content, Entry};
use crate::{Artifact, Inventory};
use dockline_timeline::{
    Attribute, Event, Findings, Instant, IssueKind, Kind, Meaning, Position, Subject,
};
use provenance::Provenance;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What it is read in.
type Context<'c> = (&'c Artifact, &'c Inventory);

pub(super) fn report(source: &Source<'_>, context: Context<'_>, findings: &mut dyn Findings) {
    let mut told = BTreeSet::new();
    let records = source.database.root().bucket("_records");
    for entry in records.into_iter().flat_map(Bucket::entries) {
        let Content::Value(message) = entry.content else { continue };
        findings.records(&source.file.origin, 1, 0);
        match Record::read(message) {
            Ok(record) => {
                told.insert(identity(&entry, &record));
                Build::new(source, context, (&entry, record), findings).report(None, findings);
            }
            Err(problem) => {
                let at = u64::try_from(problem.offset).unwrap_or(u64::MAX);
                let at = Position::Offset(entry.offset.saturating_add(at));
                let what = format!("record of build {}: {}", text(entry.key), problem.what);
                findings.issue(source.file.issue(problem.kind, at, what));
            }
        }
    }
    for loose in &source.loose {
        for entry in loose.bucket.entries().filter(|entry| is_id(entry.key) && !entry.repeated) {
            let Content::Value(message) = entry.content else { continue };
            let Ok(record) = Record::read(message) else { continue };
            if record.build.as_bytes() == entry.key && told.insert(identity(&entry, &record)) {
                let recovered = loose.recovered_from();
                let build = Build::new(source, context, (&entry, record), findings);
                build.report(Some(&recovered), findings);
            }
        }
    }
}

/// Records of one build that say the same times are the same.
fn identity(entry: &Entry<'_, '_>, record: &Record) -> (String, Option<Instant>, Option<Instant>) {
    (text(entry.key), record.created, record.completed)
}

/// A build with everything that is known of it.
struct Build<'a> {
    source: &'a Source<'a>,
    key: String,
    record: Record,
    subject: Subject,
    log: StatusLog,
    provenance: Provenance,
    /// The file that a failed build was described by.
    file_of_build: Option<String>,
    /// Blobs that it points to and that are gone.
    missing: Vec<String>,
}

impl<'a> Build<'a> {
    fn new(
        source: &'a Source<'a>,
        (artifact, inventory): Context<'_>,
        (entry, record): (&Entry<'_, '_>, Record),
        findings: &mut dyn Findings,
    ) -> Build<'a> {
        let key = format!("_records/{}", text(entry.key));
        let mut missing = Vec::new();
        let mut read = |digest: &str| {
            let blob = blobs::read((artifact, source.file), digest, findings);
            if blob.is_none() {
                missing.push(digest.to_owned());
            }
            blob
        };
        let log = record.log.as_ref().and_then(|blob| read(&blob.digest));
        let log = log.map(|bytes| StatusLog::read(&bytes)).unwrap_or_default();
        let mut provenance = Provenance::default();
        for blob in &record.attestations {
            provenance.add(&read(&blob.digest).unwrap_or_default());
        }
        let failure = record.external_error.as_ref().and_then(|blob| read(&blob.digest));
        let file_of_build = failure.and_then(|status| failure::source_of(&status));
        if let Some(problem) = &log.problem {
            let what = format!("log of the build at byte {}: {}", problem.offset, problem.what);
            findings.issue(source.file.issue(IssueKind::Malformed, Position::Key(&key), what));
        }
        let image = record.results.first().map(|blob| blob.digest.as_str());
        let mut subject = image.map(|id| inventory.image_subject(id)).unwrap_or_default();
        subject.image_name = record.names.first().cloned().or(subject.image_name);
        Build { source, key, record, subject, log, provenance, file_of_build, missing }
    }

    fn event<'e>(
        &'e self,
        kind: &'static Kind,
        when: (Instant, Meaning),
        recovered: Option<&Attribute<'static>>,
    ) -> Event<'e> {
        let mut event = Event::new(&self.source.file.origin, kind, &self.subject, when);
        event.position = Position::Key(&self.key);
        event.action = "build";
        let mut all = Attributes::default();
        all.text("build_reference", Some(&self.record.build));
        event.attributes = all.into_vec();
        if let Some(recovered) = recovered {
            event.tags.push(Cow::Borrowed("recovered"));
            event.attributes.push(recovered.clone());
        }
        event
    }

    fn report(&self, recovered: Option<&Attribute<'static>>, findings: &mut dyn Findings) {
        let what = self.record.described();
        let secrets = self.record.secrets();
        let moments = [
            (self.record.created, Meaning::Start, format!("{what} started")),
            (self.record.completed, Meaning::End, self.ended(&what)),
        ];
        for (instant, meaning, text) in moments {
            let Some(instant) = instant else { continue };
            let mut event = self.event(&BUILD, (instant, meaning), recovered);
            event.text = (&text).into();
            event.tags.extend((!secrets.is_empty()).then_some(Cow::Borrowed("possible-secret")));
            let failed = meaning == Meaning::End && self.record.error.is_some();
            event.tags.extend(failed.then_some(Cow::Borrowed("failed")));
            let mut all = Attributes::default();
            all.texts("possible_secrets", &secrets);
            self.describe(&mut all);
            if meaning == Meaning::End {
                self.describe_end(&mut all);
            }
            event.attributes.extend(all.into_vec());
            findings.event(&event);
        }
        for (index, ((_, started), step)) in self.log.steps.iter().enumerate() {
            if started.is_some() {
                self.report_step((index, step), recovered, findings);
            }
        }
        for (index, line) in self.log.lines.iter().enumerate() {
            self.report_line((index, line), recovered, findings);
        }
    }

    fn ended(&self, what: &str) -> String {
        let record = &self.record;
        let steps = match (record.total_steps, record.cached_steps) {
            (Some(total), cached) => {
                format!("; {total} steps, {} of them cached", cached.unwrap_or_default())
            }
            (None, _) => String::new(),
        };
        match &record.error {
            Some(error) => format!("{what} failed: {error}{steps}"),
            None => format!("{what} completed{steps}"),
        }
    }

    fn describe<'e>(&'e self, all: &mut Attributes<'e>) {
        let record = &self.record;
        all.text("build_frontend", Some(record.frontend.as_str()).filter(|name| !name.is_empty()));
        all.texts("build_options", &record.attributes);
        all.texts("build_exporters", &record.exporters);
        all.texts("build_dependencies", &self.provenance.dependencies);
        all.texts("build_secrets", &self.provenance.secrets);
    }

    fn describe_end<'e>(&'e self, all: &mut Attributes<'e>) {
        let record = &self.record;
        all.text("error", record.error.as_deref());
        all.text("build_file", self.file_of_build.as_deref());
        all.integer("steps_total", record.total_steps);
        all.integer("steps_cached", record.cached_steps);
        all.integer("steps_completed", record.completed_steps);
        all.integer("build_warnings", record.warnings);
        all.flag("pinned", record.pinned);
        let digests = record.results.iter().map(|blob| blob.digest.clone());
        all.list("build_results", digests.collect());
        all.texts("build_answers", &record.answers);
        let named =
            [("log", &record.log), ("trace", &record.trace), ("error", &record.external_error)];
        let named = named.into_iter().filter_map(|(name, blob)| Some((name, blob.as_ref()?)));
        let attested = record.attestations.iter().map(|blob| ("attestation", blob));
        let blobs = named.chain(attested);
        let described =
            blobs.map(|(name, blob)| format!("{name} {} {}", blob.digest, blob.media_type));
        all.list("build_blobs", described.collect());
        all.texts("missing_blobs", &self.missing);
    }

    fn report_step(
        &self,
        (index, step): (usize, &Step),
        recovered: Option<&Attribute<'static>>,
        findings: &mut dyn Findings,
    ) {
        let key = format!("{}/log/step[{index}]", self.key);
        let how = match (&step.error, step.cached) {
            (Some(error), _) => format!("build step failed: {}: {error}", step.name),
            (None, true) => format!("build step taken from the cache: {}", step.name),
            (None, false) => format!("build step ended: {}", step.name),
        };
        let moments = [
            (step.started, Meaning::Start, format!("build step started: {}", step.name)),
            (step.completed, Meaning::End, how),
        ];
        for (instant, meaning, text) in moments {
            let Some(instant) = instant else { continue };
            let mut event = self.event(&STEP, (instant, meaning), recovered);
            event.position = Position::Key(&key);
            event.text = (&text).into();
            event.command_line = step.name.split_once("] RUN ").map(|(_, command)| command);
            let mut all = Attributes::default();
            if meaning == Meaning::End {
                all.text("error", step.error.as_deref());
            }
            all.text("blob_digest", self.record.log.as_ref().map(|blob| blob.digest.as_str()));
            event.attributes.extend(all.into_vec());
            findings.event(&event);
        }
    }

    fn report_line(
        &self,
        (index, line): (usize, &Line),
        recovered: Option<&Attribute<'static>>,
        findings: &mut dyn Findings,
    ) {
        let Some(instant) = line.instant else { return };
        let key = format!("{}/log/line[{index}]", self.key);
        let when = (instant, Meaning::ContentModification);
        let mut event = self.event(&OUTPUT, when, recovered);
        event.position = Position::Key(&key);
        event.action = "log";
        event.text = line.text.strip_suffix('\n').unwrap_or(&line.text).into();
        event.log_source = match line.stream {
            1 => Some("stdout"),
            2 => Some("stderr"),
            _ => None,
        };
        let mut all = Attributes::default();
        all.text("build_step", self.log.name_of(&line.step));
        all.text("blob_digest", self.record.log.as_ref().map(|blob| blob.digest.as_str()));
        event.attributes.extend(all.into_vec());
        findings.event(&event);
    }
}
