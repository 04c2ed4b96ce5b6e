//! Bundles of tasks: what containerd gives the runtime of each running container, in
//! `io.containerd.runtime.v2.task/<namespace>/<container>`.
//!
//! They lie below containerd's state directory, `/run/containerd`, in memory: on a disk where that
//! was kept elsewhere (`state` in `config.toml`, an engine in a container, a copy of a live host).
//! containerd makes one at each start of a container and removes it when the container has ended.
//!
//! | file | what | instant |
//! |---|---|---|
//! | `config.json` | the runtime's specification | time of the file: the container was started |
//! | `init.pid` | the first process of the container, on the host | — |
//! | `log.json` | JSON lines of the runtime: what it could not do | `time` of a line |
//!
//! Below containerd's root a directory of the same name, empty, stands beside each bundle; see
//! `containerd.metadata`. After containerd 1.2 to 2.1 `core/runtime/v2/bundle.go`; up to 1.7 there is
//! `io.containerd.runtime.v1.linux` too, of the same form.
//!
//! Not supported: the address of the shim and its options.

use crate::formats::json::{self, Fields, Wrong};
use crate::formats::lines;
use crate::formats::logrus::Entry;
use crate::formats::runtime_spec::RuntimeSpec;
use crate::inventory::runtime_risks;
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Kind, Meaning, Position, Subject, Value,
};
use std::borrow::Cow;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "containerd.task",
    reads: &[
        "io.containerd.runtime.v2.task/{namespace}/{container}/config.json",
        "io.containerd.runtime.v2.task/{namespace}/{container}/init.pid",
        "io.containerd.runtime.v2.task/{namespace}/{container}/log.json",
        "io.containerd.runtime.v1.linux/{namespace}/{container}/config.json",
        "io.containerd.runtime.v1.linux/{namespace}/{container}/init.pid",
        "io.containerd.runtime.v1.linux/{namespace}/{container}/log.json",
    ],
    gather: Gather::Together,
    about: "bundles of running containers: what containerd told the runtime, and its complaints",
    yields: "container started with its settings and risks, errors of the runtime",
    references: &[
        "containerd 2.1 core/runtime/v2/bundle.go",
        "OCI runtime-spec 1.3 config.md",
        "runc 1.3 main.go",
    ],
    parse,
};

static TASK: Kind = Kind {
    data_type: "containerd:task",
    source_short: "CONTAINERD",
    source_long: "containerd task",
};

/// A bundle that is being read.
struct Bundle<'a> {
    artifact: &'a Artifact,
    subject: Subject,
    namespace: &'a str,
    pid: Option<i64>,
}

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let named = |name: &[u8]| artifact.files.iter().find(|it| it.path.file_name() == Some(name));
    let mut bundle = Bundle {
        artifact,
        subject: inventory.container_subject(artifact.capture("container").unwrap_or_default()),
        namespace: artifact.capture("namespace").unwrap_or_default(),
        pid: None,
    };
    bundle.pid = named(b"init.pid").and_then(|file| bundle.pid(file, findings));
    if let Some(file) = named(b"config.json") {
        bundle.specification(file, findings);
    }
    if let Some(file) = named(b"log.json") {
        bundle.log(file, findings);
    }
}

impl Bundle<'_> {
    fn event<'e>(&'e self, file: &'e ArtifactFile, when: (Instant, Meaning)) -> Event<'e> {
        let mut event = Event::new(&file.origin, &TASK, &self.subject, when);
        event.pid = self.pid;
        event.attribute("containerd_namespace", Some(Value::Text(self.namespace.into())));
        event
    }

    fn pid(&self, file: &ArtifactFile, findings: &mut dyn Findings) -> Option<i64> {
        let bytes = self.artifact.read(file, findings)?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        findings.records(&file.origin, 1, length);
        let pid = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok());
        if pid.is_none() {
            let issue = file.issue(IssueKind::Malformed, Position::File, "no process id");
            findings.issue(issue.losing(1, 0));
        }
        pid
    }

    fn specification(&self, file: &ArtifactFile, findings: &mut dyn Findings) {
        let modified =
            self.artifact.metadata(file, findings).and_then(|metadata| metadata.modified);
        let Some(bytes) = self.artifact.read(file, findings) else { return };
        let document = match json::read(&bytes) {
            Ok(document) => document,
            Err(flaw) => return flaw.report_lost(file, bytes.len(), findings),
        };
        findings.records(&file.origin, 1, document.length);
        let wrong = Wrong::default();
        let spec = RuntimeSpec::read(&Fields::new(&document.value, &wrong), false);
        if let Some(modified) = modified {
            self.started((file, modified), &spec, findings);
        }
        let flaws = wrong.into_flaws();
        document.flaws.iter().chain(&flaws).for_each(|flaw| flaw.report(file, findings));
    }

    fn started(
        &self,
        (file, modified): (&ArtifactFile, Instant),
        spec: &RuntimeSpec,
        findings: &mut dyn Findings,
    ) {
        let command = spec.config.command_line();
        let risks = runtime_risks(&spec.config, &spec.host_config);
        let mut event = self.event(file, (modified, Meaning::ContentModification));
        event.confidence = Confidence::Filesystem;
        event.action = "start";
        event.text =
            "bundle written: the container was started, and had not been cleaned up after".into();
        spec.describe(&command, &mut event);
        event.tags.extend(risks.iter().map(|risk| Cow::Borrowed(risk.name.as_str())));
        let told: Vec<Cow<'_, str>> =
            risks.iter().map(|risk| Cow::Owned(risk.to_string())).collect();
        event.attribute("risks", (!told.is_empty()).then_some(Value::List(told)));
        findings.event(&event);
    }

    fn log(&self, file: &ArtifactFile, findings: &mut dyn Findings) {
        let Some(bytes) = self.artifact.open(file, findings) else { return };
        let (mut records, mut length) = (0_u64, 0_u64);
        let end = lines::read(&*bytes, &mut |line| {
            records = records.saturating_add(1);
            length = length.saturating_add(line.length);
            let text = String::from_utf8_lossy(line.bytes);
            if !self.line((file, line.offset), &text, findings) {
                let at = Position::Offset(line.offset);
                let issue = file.issue(IssueKind::Malformed, at, "no line of a runtime's log");
                findings.issue(issue.losing(1, line.length));
            }
        });
        findings.records(&file.origin, records, length);
        if let Err(end) = end {
            findings.issue(file.issue(end.kind, Position::Offset(end.at), end.what));
        }
    }

    /// Tells a line; false when it is none.
    fn line(
        &self,
        (file, offset): (&ArtifactFile, u64),
        line: &str,
        findings: &mut dyn Findings,
    ) -> bool {
        let Some(entry) = Entry::parse(line) else { return false };
        let time = entry.time.as_deref().and_then(|time| Instant::parse_rfc3339(time).ok()?);
        let Some(time) = time else { return false };
        let level = entry.level.as_deref().unwrap_or("unsaid");
        let text = format!("runtime: {}", entry.message);
        let mut event = self.event(file, (time, Meaning::Recorded));
        event.position = Position::Offset(offset);
        event.action = "log";
        event.text = (&text).into();
        event.attribute("log_level", Some(Value::Text(level.into())));
        findings.event(&event);
        true
    }
}

#[cfg(test)]
mod tests {
    use crate::case::Case;

    const BUNDLE: &str = "run/containerd/io.containerd.runtime.v2.task/default/web";

    #[test]
    fn a_bundle_is_a_start_with_what_the_runtime_was_told() {
        let spec = r#"{"process": {"args": ["sh", "-c", "id"], "env": ["TOKEN=x"]},
            "mounts": [{"destination": "/h", "type": "bind", "source": "/", "options": ["rbind"]}]}"#;
        let found = Case::default()
            .with(&format!("{BUNDLE}/config.json"), spec)
            .with(&format!("{BUNDLE}/init.pid"), "4242")
            .read("containerd.task");
        let event = found.only("start");
        assert_eq!(
            (event["pid"].as_i64(), event["containerd_namespace"].as_str()),
            (Some(4242), Some("default"))
        );
        assert_eq!(event["command_line"], "sh -c id");
        assert!(event["tag"].to_string().contains("escape-risk:host-mount:/"), "{event}");
        assert_eq!((found.issues.len(), found.records), (0, 2));
    }

    #[test]
    fn lines_of_the_runtime_are_told_with_their_own_times() {
        let log = "{\"level\":\"error\",\"msg\":\"exec failed\",\"time\":\"2024-05-01T12:00:00Z\"}\n\
                   what\n{\"level\":\"error\",\"msg\":\"no time\"}\n";
        let found =
            Case::default().with(&format!("{BUNDLE}/log.json"), log).read("containerd.task");
        let event = found.only("log");
        assert_eq!(event["datetime_ns"], "2024-05-01T12:00:00.000000000Z");
        assert_eq!(event["message"], "[web] runtime: exec failed");
        assert_eq!((found.issues.len(), found.records), (2, 3), "{:?}", found.issues);
    }
}
