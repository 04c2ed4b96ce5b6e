//! What containerd's plugin for Kubernetes keeps of each container and each pod:
//! `io.containerd.grpc.v1.cri` below containerd's root.
//!
//! | file | written |
//! |---|---|
//! | `containers/<id>/status` | JSON, whole, at each change of the container's state; it goes with the container |
//! | `sandboxes/<id>/hostname` | once, when the pod's sandbox is set up; so are `hosts` and `resolv.conf` |
//!
//! | instant | event |
//! |---|---|
//! | `CreatedAt`, `StartedAt`, nanoseconds since 1970, 0 is never | container created, started; with `FinishedAt` 0 it ran when the host went down |
//! | `FinishedAt` | container ended, with the code and the reason; of the reason `Unknown` only inferred: containerd started again, did not find the container any more, and wrote the time of that |
//! | time of a file of a sandbox (`filesystem`) | the sandbox of a pod was set up, or its file was changed since |
//!
//! Names, images and settings stand in containerd's `meta.db`, under the same id. After containerd 1.0
//! to 2.1 `internal/cri/store/container/status.go` (`pkg/cri`, `pkg/store` before), `internal/cri/server`.
//!
//! Not supported: sandboxes that are not told by files (host's own network and names).

use crate::formats::attributes::Attributes;
use crate::formats::json::{self, Fields, Wrong};
use crate::formats::pod_labels;
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Kind, Meaning, Position, Subject,
};
use std::borrow::Cow;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "containerd.cri",
    reads: &[
        "io.containerd.grpc.v1.cri/containers/{container:id}/status",
        "io.containerd.grpc.v1.cri/sandboxes/{sandbox:id}/hostname",
        "io.containerd.grpc.v1.cri/sandboxes/{sandbox:id}/hosts",
        "io.containerd.grpc.v1.cri/sandboxes/{sandbox:id}/resolv.conf",
    ],
    gather: Gather::File,
    about: "state of containers of Kubernetes in containerd, and files of their pods' sandboxes",
    yields: "container created, started, ended with its code and reason; sandbox set up",
    references: &[
        "containerd 2.1 internal/cri/store/container/status.go",
        "containerd 2.1 internal/cri/server/{sandbox_run_linux,restart}.go",
    ],
    parse,
};

static STATUS: Kind = Kind {
    data_type: "containerd:cri:container",
    source_short: "CONTAINERD",
    source_long: "containerd CRI container",
};
static SANDBOX: Kind = Kind {
    data_type: "containerd:cri:sandbox",
    source_short: "CONTAINERD",
    source_long: "containerd CRI sandbox",
};

/// The version of a status that is known.
const VERSION: &str = "v1";
/// The reason of an end that containerd did not see.
const UNSEEN: &str = "Unknown";
/// No host name is longer.
const HOST_NAME_LENGTH: usize = 253;
const BILLION: i64 = 1_000_000_000;

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        match file.capture("sandbox") {
            Some(id) => {
                let subject = inventory.container_subject(id);
                sandbox((artifact, file), (inventory, &subject), findings);
            }
            None => container((artifact, file), inventory, findings),
        }
    }
}

/// What a status says.
struct Status {
    created: Option<Instant>,
    started: Option<Instant>,
    finished: Option<Instant>,
    exit_code: Option<i64>,
    pid: Option<i64>,
    reason: Option<String>,
    message: Option<String>,
}

impl Status {
    fn read(fields: &Fields<'_>, file: &ArtifactFile, findings: &mut dyn Findings) -> Status {
        let mut instant = |key: &str| {
            let nanoseconds = fields.integer(key).filter(|time| *time != 0)?;
            let rest = u32::try_from(nanoseconds.rem_euclid(BILLION)).unwrap_or_default();
            let instant = Instant::new(nanoseconds.div_euclid(BILLION), rest);
            if instant.is_none() {
                let what = format!("{nanoseconds} is no time");
                findings.issue(file.issue(IssueKind::Malformed, Position::Key(key), what));
            }
            instant
        };
        Status {
            created: instant("CreatedAt"),
            started: instant("StartedAt"),
            finished: instant("FinishedAt"),
            exit_code: fields.integer("ExitCode"),
            pid: fields.integer("Pid").filter(|pid| *pid != 0),
            reason: fields.text("Reason").filter(|reason| !reason.is_empty()),
            message: fields.text("Message").filter(|message| !message.is_empty()),
        }
    }

    /// How it ended, and how far its time can be believed.
    fn ended(&self) -> (String, Confidence) {
        let code = self.exit_code.unwrap_or_default();
        match self.reason.as_deref() {
            Some(UNSEEN) => {
                let text = "container was gone when containerd started again: it ended then or \
                            before, nobody saw with which code";
                (text.to_owned(), Confidence::Inferred)
            }
            Some(reason) if reason != "Completed" && reason != "Error" => {
                (format!("container exited with code {code}: {reason}"), Confidence::Recorded)
            }
            _ if self.started.is_none() => {
                (format!("container could not be started, code {code}"), Confidence::Recorded)
            }
            _ => (format!("container exited with code {code}"), Confidence::Recorded),
        }
    }
}

fn container(
    (artifact, file): (&Artifact, &ArtifactFile),
    inventory: &Inventory,
    findings: &mut dyn Findings,
) {
    let Some(bytes) = artifact.read(file, findings) else { return };
    let document = match json::read(&bytes) {
        Ok(document) => document,
        Err(flaw) => return flaw.report_lost(file, bytes.len(), findings),
    };
    findings.records(&file.origin, 1, document.length);
    let wrong = Wrong::default();
    let fields = Fields::new(&document.value, &wrong);
    match fields.text("Version") {
        Some(version) if version == VERSION => {
            let status = Status::read(&fields, file, findings);
            report(&status, file, inventory, findings);
        }
        version => {
            let what = format!("a status of version {:?}", version.unwrap_or_default());
            let at = Position::Key("Version");
            findings.issue(file.issue(IssueKind::Unsupported, at, what).losing(1, 0));
        }
    }
    document.flaws.iter().chain(&wrong.into_flaws()).for_each(|flaw| flaw.report(file, findings));
}

fn report(
    status: &Status,
    file: &ArtifactFile,
    inventory: &Inventory,
    findings: &mut dyn Findings,
) {
    let id = file.capture("container").unwrap_or_default();
    let subject = inventory.container_subject(id);
    let known = inventory.containers.get(id);
    let risks = known.map(|known| known.risks.as_slice());
    let pod = known.map(|known| pod_labels::attributes(&known.labels)).unwrap_or_default();
    let (ended, confidence) = status.ended();
    let running = status.finished.is_none();
    let started = match running {
        true => "container started; nothing says that it ended",
        false => "container started",
    };
    let created = (Meaning::Creation, "create", "container created");
    let moments = [
        ("CreatedAt", status.created, created, Confidence::Recorded),
        ("StartedAt", status.started, (Meaning::Start, "start", started), Confidence::Recorded),
        ("FinishedAt", status.finished, (Meaning::End, "die", ended.as_str()), confidence),
    ];
    for (key, instant, (meaning, action, text), confidence) in moments {
        let Some(instant) = instant else { continue };
        let mut event = Event::new(&file.origin, &STATUS, &subject, (instant, meaning));
        event.position = Position::Key(key);
        event.confidence = confidence;
        event.action = action;
        event.text = text.into();
        let mut all = Attributes::default();
        match meaning {
            Meaning::End => {
                event.exit_code = status.exit_code;
                let killed = status.reason.as_deref() == Some("OOMKilled");
                event.tags.extend(killed.then_some(Cow::Borrowed("oom")));
                all.text("reason", status.reason.as_deref());
                all.text("error", status.message.as_deref());
            }
            _ => {
                event.pid = status.pid.filter(|_| meaning == Meaning::Start && running);
                let risks = risks.unwrap_or_default();
                event.tags.extend(risks.iter().map(|risk| Cow::Borrowed(risk.name.as_str())));
                all.list("risks", risks.iter().map(ToString::to_string).collect());
            }
        }
        event.attributes = all.into_vec();
        event.attributes.extend(pod.iter().cloned());
        findings.event(&event);
    }
}

fn sandbox(
    (artifact, file): (&Artifact, &ArtifactFile),
    (inventory, subject): (&Inventory, &Subject),
    findings: &mut dyn Findings,
) {
    let modified = artifact.metadata(file, findings).and_then(|metadata| metadata.modified);
    let Some(bytes) = artifact.read(file, findings) else { return };
    findings.records(&file.origin, 1, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    let Some(modified) = modified else { return };
    let name = String::from_utf8_lossy(file.path.file_name().unwrap_or_default()).into_owned();
    let content = String::from_utf8_lossy(&bytes).trim().to_owned();
    let is_name = |text: &&str| !text.is_empty() && text.len() <= HOST_NAME_LENGTH;
    let hostname = Some(content.as_str()).filter(|text| name == "hostname" && is_name(text));
    let servers: Vec<String> = content
        .lines()
        .filter(|_| name == "resolv.conf")
        .filter_map(|line| Some(line.strip_prefix("nameserver")?.trim().to_owned()))
        .collect();
    let text = format!("{name} of a pod's sandbox written, as when the sandbox is set up");
    let when = (modified, Meaning::ContentModification);
    let mut event = Event::new(&file.origin, &SANDBOX, subject, when);
    event.confidence = Confidence::Filesystem;
    event.action = "write";
    event.text = (&text).into();
    let mut all = Attributes::default();
    all.text("container_hostname", hostname);
    all.texts("name_servers", &servers);
    event.attributes = all.into_vec();
    inventory.mark_removed(&mut event);
    findings.event(&event);
}

#[cfg(test)]
mod tests;
