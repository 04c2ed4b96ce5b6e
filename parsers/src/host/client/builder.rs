//! What buildx keeps: builders, when each was last used, and what was built with it.
//!
//! A build that a client began has the same name here and in the engine's build history, which
//! forgets it after two days.

use super::{CLIENT, HomeFile};
use crate::formats::json::{Fields, Wrong};
use dockline_timeline::{
    Confidence, Findings, Instant, IssueKind, Kind, Meaning, Position, Subject, Value,
};
use std::borrow::Cow;

static BUILD: Kind = Kind {
    data_type: "docker:client:build",
    source_short: "HOST",
    source_long: "Container client",
};

impl HomeFile<'_> {
    /// `refs/<builder>/<node>/<build>`.
    pub(super) fn build(&self, findings: &mut dyn Findings) {
        let Some(document) = self.document(findings) else { return };
        let Some(modified) = self.modified(findings) else { return };
        let (build, builder) = (self.captured("build"), self.captured("builder"));
        let wrong = Wrong::default();
        let fields = Fields::new(&document, &wrong);
        let directory = fields.text("LocalPath");
        let dockerfile = fields.text("DockerfilePath");
        let text = format!(
            "build {build} begun by builder {builder}: of {} with {}",
            directory.as_deref().unwrap_or("no local directory"),
            dockerfile.as_deref().unwrap_or("no local Dockerfile")
        );
        let mut event = self.event(&BUILD, &Subject::UNKNOWN, (modified, Meaning::Recorded));
        event.action = "build";
        event.text = (&text).into();
        event.attribute("build_reference", Some(Value::Text(Cow::from(build))));
        event.attribute("builder", Some(Value::Text(Cow::from(builder))));
        event.attribute("build_context", directory.map(|text| Value::Text(Cow::from(text))));
        event.attribute("dockerfile", dockerfile.map(|text| Value::Text(Cow::from(text))));
        findings.event(&event);
        for flaw in wrong.into_flaws() {
            flaw.report(self.file, findings);
        }
    }

    /// `activity/<builder>` and `instances/<builder>`.
    pub(super) fn builder(&self, findings: &mut dyn Findings) {
        let directory = self.file.path.parent();
        match directory.as_ref().and_then(|path| path.file_name()) {
            Some(b"activity") => self.activity(findings),
            _ => self.instance(findings),
        }
    }

    fn activity(&self, findings: &mut dyn Findings) {
        let Some(text) = self.text(findings) else { return };
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        let used = match Instant::parse_rfc3339(text.trim_end()) {
            Ok(used) => used,
            Err(error) => {
                let shown: String = text.chars().take(64).collect();
                let what = format!("time of last use {shown:?}: {error}");
                let issue = self.file.issue(IssueKind::Malformed, Position::File, what);
                return findings.issue(issue.losing(1, length));
            }
        };
        findings.records(&self.file.origin, 1, length);
        let Some(used) = used else { return };
        let builder = self.captured("builder");
        let text = format!("builder {builder} last used");
        let mut event = self.event(&CLIENT, &Subject::UNKNOWN, (used, Meaning::Update));
        event.confidence = Confidence::Recorded;
        event.action = "build";
        event.text = (&text).into();
        event.attribute("builder", Some(Value::Text(Cow::from(builder))));
        findings.event(&event);
    }

    fn instance(&self, findings: &mut dyn Findings) {
        let Some(document) = self.document(findings) else { return };
        let Some(modified) = self.modified(findings) else { return };
        let wrong = Wrong::default();
        let fields = Fields::new(&document, &wrong);
        let driver = fields.text("Driver").unwrap_or_default();
        let nodes = fields.objects("Nodes");
        let endpoints: Vec<String> =
            nodes.iter().filter_map(|node| node.text("Endpoint")).collect();
        let builder = self.captured("builder");
        let text =
            format!("builder {builder} ({driver}) made or changed: {}", endpoints.join(", "));
        let at = (modified, Meaning::ContentModification);
        let mut event = self.event(&CLIENT, &Subject::UNKNOWN, at);
        event.action = "write";
        event.text = (&text).into();
        event.attribute("builder", Some(Value::Text(Cow::from(builder))));
        let endpoints = endpoints.into_iter().map(Cow::from).collect();
        event.attribute("endpoints", Some(Value::List(endpoints)));
        findings.event(&event);
        for flaw in wrong.into_flaws() {
            flaw.report(self.file, findings);
        }
    }

    /// `current`: the builder that was chosen last.
    pub(super) fn current_builder(&self, findings: &mut dyn Findings) {
        let Some(document) = self.document(findings) else { return };
        let Some(modified) = self.modified(findings) else { return };
        let wrong = Wrong::default();
        let fields = Fields::new(&document, &wrong);
        let name = fields.text("Name");
        let engine = fields.text("Key").unwrap_or_default();
        let text = match &name {
            Some(name) => format!("builder {name} chosen, for the engine {engine}"),
            None => format!("the default builder chosen, for the engine {engine}"),
        };
        let at = (modified, Meaning::ContentModification);
        let mut event = self.event(&CLIENT, &Subject::UNKNOWN, at);
        event.action = "write";
        event.text = (&text).into();
        event.attribute("builder", name.map(|name| Value::Text(Cow::from(name))));
        findings.event(&event);
        for flaw in wrong.into_flaws() {
            flaw.report(self.file, findings);
        }
    }

    fn captured(&self, name: &str) -> String {
        self.file.capture(name).unwrap_or_default().to_owned()
    }
}
