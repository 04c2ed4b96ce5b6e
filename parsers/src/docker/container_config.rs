//! A container's own metadata: `containers/<id>/config.v2.json`, `config.json` before 1.10.
//!
//! The daemon writes it whole, together with `hostconfig.json`, at every change of the container's
//! state, and for every container at each of its own starts (moby `daemon/container/container.go`,
//! `state.go`, `health.go`; `container/` before 29). It is the only place that holds when a
//! container was created, last started and last ended: earlier rounds are overwritten.
//!
//! | instant | event |
//! |---|---|
//! | `Created` | container created, with everything that is known of it; a failed start is told here |
//! | `State.StartedAt` | container started (the last time) |
//! | `State.FinishedAt` | container ended (the last time), with exit code, error, memory, and by whom |
//! | `State.Health.Log[].Start` | health probe, with its end, exit code and output |
//! | time of the file | metadata last written: a change of state or a start of the daemon |
//!
//! What the instants do not say is said in words, and never corrected:
//!
//! - Go's zero time is "never" and has no event.
//! - `Running: true` on dead evidence: power was lost, the image was taken of a live host, or the
//!   daemon left its containers running (live-restore).
//! - `FinishedAt` before `StartedAt`: the end of the run before, whose exit code the start
//!   overwrote; or, when the container has ended, a short run, of which engines up to 26 stamped
//!   the start after the end.
//! - Exit code 255: what a daemon start writes for a container that a crash ended, with the time of
//!   that start. The event is `inferred`, since a program can exit with 255 too.
//! - `HasBeenManuallyStopped`: set by `docker stop` and `docker kill`, and also when a daemon start
//!   kills the containers that outlived a crash of the daemon (seen with 20.10.24).
//! - The probes are those of the last write of the file: results alone do not cause one.
//!
//! `.tmp-config.v2.json*` is left behind when a write was interrupted: an earlier version, or one
//! that never came to be. It gives only those instants that the current file does not hold, and
//! the time of the file with everything that it says.
//!
//! The settings of `hostconfig.json` beside it ride on the created and started events; risky ones
//! ([`crate::inventory::risk`]) are tags of all events.
//!
//! Not supported: the network state in `NetworkSettings` beyond addresses and ports.

mod life;

use crate::formats::attributes::Attributes;
use crate::formats::config_v2::ConfigV2;
use crate::formats::container_directory as directory;
use crate::formats::host_config::HostConfig;
use crate::formats::json::{self, Document};
use crate::formats::secrets::names_of_secrets;
use crate::inventory::Risk;
use crate::{Artifact, ArtifactFile, ContainerId, Gather, Inventory, Parser};
use dockline_timeline::{
    Attribute, Confidence, Event, Findings, Instant, IssueKind, Kind, Meaning, Position, Subject,
};
use life::{Moment, Step};
use std::borrow::Cow;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "docker.container_config",
    reads: &[
        "containers/{container:id}/config.v2.json",
        "containers/{container:id}/.tmp-config.v2.json{leftover*}",
        "containers/{container:id}/config.json",
        "{container:id}/config.v2.json",
        "{container:id}/.tmp-config.v2.json{leftover*}",
        "config.v2.json",
        ".tmp-config.v2.json{leftover*}",
    ],
    gather: Gather::File,
    about: "metadata of a container: what it runs, from which image, and what became of it",
    yields: "container created, last start, last end, health probes, last write of the file",
    references: &[
        "moby 29.7.2 daemon/container/{container,state,health}.go",
        "moby 20.10.27 container/{container,state,health}.go",
    ],
    parse,
};

static CONFIGURATION: Kind = Kind {
    data_type: "docker:container:configuration",
    source_short: "DOCKER",
    source_long: "Docker container configuration",
};

static PROBE: Kind = Kind {
    data_type: "docker:container:health",
    source_short: "DOCKER",
    source_long: "Docker container health probe",
};

/// What is known of the container of one file.
struct ContainerFile<'a> {
    file: &'a ArtifactFile,
    subject: Subject,
    config: ConfigV2,
    /// Settings in the file beside it.
    host_config: HostConfig,
    risks: Vec<Risk>,
    command_line: Option<String>,
    /// Whether the file names another container than its directory.
    foreign: bool,
    /// What the current file tells (nothing when there is none), when this is the leftover of an
    /// interrupted write.
    current: Option<ConfigV2>,
}

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let modified = artifact.metadata(file, findings).and_then(|metadata| metadata.modified);
        let Some(bytes) = artifact.read(file, findings) else { continue };
        let document = match json::read(&bytes) {
            Ok(document) => document,
            Err(flaw) => {
                flaw.report_lost(file, bytes.len(), findings);
                report_unreadable(file, inventory, modified, findings);
                continue;
            }
        };
        let config = read_config(file, &document, findings);
        let container = ContainerFile::new((artifact, file), config, inventory);
        container.report(modified, findings);
    }
}

fn read_config(file: &ArtifactFile, document: &Document, findings: &mut dyn Findings) -> ConfigV2 {
    findings.records(&file.origin, 1, document.length);
    let (config, wrong) = ConfigV2::from_json(&document.value);
    for flaw in document.flaws.iter().chain(&wrong) {
        flaw.report(file, findings);
    }
    if config.state.probes.len() > life::PROBE_LIMIT {
        let what = format!("more than {} health probes, the rest is not read", life::PROBE_LIMIT);
        let at = Position::Key("State.Health.Log");
        findings.issue(file.issue(IssueKind::LimitReached, at, what));
    }
    let named = config.id.as_deref();
    if let (Some(named), Some(directory)) = (named, file.capture("container"))
        && named != directory
    {
        let named: String = named.chars().take(64).collect();
        let what =
            format!("names the container {named}, not that of its directory: copied or changed");
        findings.issue(file.issue(IssueKind::Malformed, Position::Key("ID"), what));
    }
    config
}

/// Of a file without readable content, the time at which it was written.
fn report_unreadable(
    file: &ArtifactFile,
    inventory: &Inventory,
    modified: Option<Instant>,
    findings: &mut dyn Findings,
) {
    let Some(modified) = modified else { return };
    let subject = file.capture("container").map(|id| inventory.container_subject(id));
    let subject = subject.unwrap_or_default();
    let when = (modified, Meaning::ContentModification);
    let mut event = Event::new(&file.origin, &CONFIGURATION, &subject, when);
    event.confidence = Confidence::Filesystem;
    event.action = "write";
    event.text = match file.capture("leftover") {
        None => "container metadata last written; the content cannot be read",
        Some(_) => "interrupted write of the container metadata; the content cannot be read",
    }
    .into();
    findings.event(&event);
}

impl<'a> ContainerFile<'a> {
    fn new(
        (artifact, file): (&Artifact, &'a ArtifactFile),
        config: ConfigV2,
        inventory: &Inventory,
    ) -> ContainerFile<'a> {
        let id = directory::container_id(file, &config);
        let current = || directory::config_beside(artifact, file).unwrap_or_default();
        let known = id.as_ref().and_then(|id| inventory.containers.get(id));
        ContainerFile {
            file,
            subject: subject(id.as_ref(), &config, inventory),
            host_config: directory::host_config_beside(artifact, file).unwrap_or_default(),
            risks: known.map(|container| container.risks.clone()).unwrap_or_default(),
            command_line: config.command_line(),
            foreign: id
                .is_some_and(|id| config.id.is_some() && config.id.as_deref() != Some(id.as_str())),
            current: file.capture("leftover").map(|_| current()),
            config,
        }
    }

    fn report(&self, modified: Option<Instant>, findings: &mut dyn Findings) {
        let current = self.current.as_ref().map(|config| life::moments(config, None));
        for moment in life::moments(&self.config, self.subject.image_name.as_deref()) {
            let told =
                |known: &Moment| (known.step, known.instant) == (moment.step, moment.instant);
            if !current.as_ref().is_some_and(|current| current.iter().any(told)) {
                self.report_moment(&moment, findings);
            }
        }
        if let Some(modified) = modified {
            self.report_write(modified, findings);
        }
    }

    fn report_moment(&self, moment: &Moment, findings: &mut dyn Findings) {
        let kind = if matches!(moment.step, Step::Probe(_)) { &PROBE } else { &CONFIGURATION };
        let key = moment.step.key();
        let text = self.worded(moment);
        let mut event = self.event(kind, (moment.instant, moment.meaning));
        event.position = Position::Key(&key);
        event.confidence = moment.confidence;
        event.action = moment.step.action();
        event.exit_code = moment.exit_code;
        event.text = (&text).into();
        match moment.step {
            Step::Creation => self.describe_whole(&mut event),
            Step::Start => {
                event.pid = self.config.state.pid;
                event.attributes.extend(self.config.summary());
                event.attributes.extend(self.host_config.attributes());
                self.describe_process(&mut event);
            }
            Step::End => {
                event.attributes.extend(self.config.summary());
                event.attributes.extend(self.host_config.summary());
                let early = self.config.state.started > self.config.state.finished;
                event.attributes.extend(flagged("finished_before_start", early));
                event.tags.extend(self.config.state.oom_killed.then_some(Cow::Borrowed("oom")));
                self.describe_process(&mut event);
            }
            Step::Probe(index) => event.attributes.extend(self.probe(index)),
        }
        findings.event(&event);
    }

    fn worded<'m>(&self, moment: &'m Moment) -> Cow<'m, str> {
        if self.current.is_none() {
            return Cow::Borrowed(&moment.text);
        }
        let left = "said by an earlier version that an interrupted write left";
        Cow::Owned(format!("{}; {left}", moment.text))
    }

    /// The write of the file itself.
    fn report_write(&self, modified: Instant, findings: &mut dyn Findings) {
        let mut event = self.event(&CONFIGURATION, (modified, Meaning::ContentModification));
        event.confidence = Confidence::Filesystem;
        event.action = "write";
        event.text = match self.current {
            None => "container metadata last written (state change or daemon start)",
            Some(_) => "earlier version of the container metadata, left by an interrupted write",
        }
        .into();
        let told_at_creation = self.current.is_none() && self.config.created.is_some();
        if told_at_creation {
            event.attributes.extend(self.config.summary());
            event.attributes.extend(self.host_config.summary());
        } else {
            self.describe_whole(&mut event);
        }
        findings.event(&event);
    }

    /// What every event of the container has.
    fn event<'e>(&'e self, kind: &'e Kind, when: (Instant, Meaning)) -> Event<'e> {
        let mut event = Event::new(&self.file.origin, kind, &self.subject, when);
        event.tags.extend(self.risks.iter().map(|risk| Cow::Borrowed(risk.name.as_str())));
        event.tags.extend(self.foreign.then_some(Cow::Borrowed("id-mismatch")));
        let mut all = Attributes::default();
        all.list("risks", self.risks.iter().map(Risk::to_string).collect());
        all.text("recorded_identifier", self.config.id.as_deref().filter(|_| self.foreign));
        all.flag("leftover", self.current.is_some());
        event.attributes = all.into_vec();
        event
    }

    fn describe_process<'e>(&'e self, event: &mut Event<'e>) {
        event.command_line = self.command_line.as_deref();
        event.user = self.config.settings.user.as_deref();
        event.labels = &self.config.settings.labels;
    }

    fn describe_whole<'e>(&'e self, event: &mut Event<'e>) {
        self.describe_process(event);
        if let [network] = self.config.networks.as_slice() {
            event.network_name = Some(&network.name);
        }
        event.attributes.extend(self.config.attributes());
        event.attributes.extend(self.host_config.attributes());
        let mut secrets = names_of_secrets(&self.config.settings.environment);
        secrets.extend(names_of_secrets(&self.host_config.log_options));
        event.tags.extend((!secrets.is_empty()).then_some(Cow::Borrowed("possible-secret")));
        let mut all = Attributes::default();
        all.list("possible_secrets", secrets);
        event.attributes.extend(all.into_vec());
    }

    fn probe(&self, index: usize) -> Vec<Attribute<'_>> {
        let state = &self.config.state;
        let mut all = Attributes::default();
        let probe = state.probes.get(index);
        all.text("health_status", state.health_status.as_deref());
        let end = probe.and_then(|probe| probe.end);
        all.owned_text("probe_end", end.map(|end| end.to_string()));
        all.text("probe_output", probe.and_then(|probe| probe.output.as_deref()));
        all.into_vec()
    }
}

/// To what it happened; of a container without an id, what the file says.
fn subject(id: Option<&ContainerId>, config: &ConfigV2, inventory: &Inventory) -> Subject {
    match id {
        Some(id) => inventory.container_subject(id.as_str()),
        None => Subject {
            container_identifier: config.id.clone(),
            container_name: config.name.clone(),
            image_name: config.settings.image.clone(),
            image_identifier: config.image_id.clone(),
        },
    }
}

fn flagged<'a>(name: &'static str, flag: bool) -> Vec<Attribute<'a>> {
    let mut all = Attributes::default();
    all.flag(name, flag);
    all.into_vec()
}

#[cfg(test)]
mod tests;
