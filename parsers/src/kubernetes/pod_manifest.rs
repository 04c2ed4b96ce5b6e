//! Manifests on a node: pods that the kubelet runs because a file says so, and objects that a
//! distribution of Kubernetes creates at its start.
//!
//! | path | who reads it |
//! |---|---|
//! | `/etc/kubernetes/manifests/*` | the kubelet (`staticPodPath`), as kubeadm sets it up: every file, each a pod |
//! | `/var/lib/rancher/{k3s,rke2}/agent/pod-manifests/*` | the kubelet of K3s and RKE2 |
//! | `/var/lib/rancher/{k3s,rke2}/server/manifests/**/*.yaml` | the server of K3s and RKE2: any objects |
//! | `/var/lib/k0s/manifests/<stack>/*.yaml` | the controller of k0s: any objects |
//!
//! Whoever can write such a file runs a container of his choice on the node, past the API server and
//! its audit log: a manifest is a way to stay. YAML or JSON, one or more documents; what the fields
//! mean is Kubernetes 1.34, `staging/src/k8s.io/api/core/v1/types.go`.
//!
//! # Events
//!
//! At the times of the file (`filesystem`): its last write, and its birth where the file system knows
//! it. One for each container of a pod, or of the template in a Deployment, DaemonSet, StatefulSet,
//! ReplicaSet, ReplicationController, Job, CronJob or PodTemplate: what is to run, from which image, with
//! which settings; one for each other object. `List`s are taken apart. At `creationTimestamp` one more
//! for the object, if it says one.
//!
//! Risky settings have the names that they have for a container of Docker ([`crate::inventory::risk`]):
//! `hostPID` is `escape-risk:pid-host`, a `hostPath` `escape-risk:host-mount:/…`. What Kubernetes sets
//! by itself is none: no seccomp profile, `restartPolicy: Always`, a service account's token. Values of
//! variables are shown; `possible_secrets` names those that may be secret, and the keys of a Secret.
//!
//! # What is wrong with a manifest
//!
//! The documents before a fault are read, the rest is lost to an issue. A value of an unexpected type
//! counts as absent. Limits: 4 MiB, see also [`crate::formats::yaml`].
//!
//! Not supported: a `staticPodPath` elsewhere, manifests from a URL, the objects of the cluster itself
//! (etcd, or `server/db/state.db` of K3s).

mod containers;
mod pod;

use crate::formats::attributes::Attributes;
use crate::formats::secrets::names_of_secrets;
use crate::formats::yaml::{self, Document};
use crate::inventory::Risk;
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use containers::{Container, containers};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Kind, Meaning, Position, Subject,
};
use pod::{Object, objects};
use std::borrow::Cow;
use std::sync::Arc;

/// Manifests of pods and other objects.
pub(super) static PARSER: Parser = Parser {
    name: "kubernetes.pod_manifest",
    reads: &[
        "etc/kubernetes/manifests/{file}",
        "agent/pod-manifests/{file}",
        "server/manifests/{file}.yaml",
        "server/manifests/{addon}/{file}.yaml",
        "k0s/manifests/{stack}/{file}.yaml",
    ],
    gather: Gather::File,
    about: "manifests of static pods and of objects that a distribution of Kubernetes creates",
    yields: "manifest last written and made: what is to run, from which image, with which risks",
    references: &[
        "kubernetes 1.34: staging/src/k8s.io/api/core/v1/types.go",
        "kubernetes 1.34: pkg/kubelet/config/file.go",
        "k3s 1.33: pkg/deploy/controller.go",
    ],
    parse,
};

static MANIFEST: Kind = Kind {
    data_type: "kubernetes:manifest",
    source_short: "K8S",
    source_long: "Kubernetes manifest",
};

/// Longest manifest that is read, in bytes.
const LENGTH_LIMIT: usize = 4 * 1024 * 1024;

fn parse(artifact: &Arc<Artifact>, _: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let metadata = artifact.metadata(file, findings);
        let Some(bytes) = artifact.read(file, findings) else { continue };
        let times: Vec<(Instant, Meaning)> = [
            (metadata.as_ref().and_then(|found| found.modified), Meaning::ContentModification),
            (metadata.as_ref().and_then(|found| found.born), Meaning::Creation),
        ]
        .into_iter()
        .filter_map(|(time, meaning)| Some((time?, meaning)))
        .collect();
        let mut report = Report { file, times: &times, findings };
        let read = documents(&bytes, &mut report);
        for document in &read {
            for object in objects(&document.value) {
                report.object(&object);
            }
        }
        if read.is_empty() {
            report.nothing();
        }
    }
}

/// The documents of a file; what is wrong with them is told.
fn documents(bytes: &[u8], report: &mut Report<'_, '_>) -> Vec<Document> {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if bytes.len() > LENGTH_LIMIT {
        let what = format!("larger than the {LENGTH_LIMIT} bytes that are read of it");
        report.issue((IssueKind::LimitReached, what), Position::File, length);
        return Vec::new();
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        report.issue((IssueKind::Malformed, "not UTF-8".to_owned()), Position::File, length);
        return Vec::new();
    };
    let (documents, problem) = yaml::documents(text);
    let records = u64::try_from(documents.len()).unwrap_or(u64::MAX);
    let covered = match problem {
        None => length,
        Some(problem) => {
            let covered = length_of_lines(text, problem.lost_from.saturating_sub(1));
            let lost = length.saturating_sub(covered);
            report.issue((problem.kind, problem.what), Position::Line(problem.line), lost);
            covered
        }
    };
    report.findings.records(&report.file.origin, records, covered);
    documents
}

/// Bytes of the first lines.
fn length_of_lines(text: &str, lines: u64) -> u64 {
    let lines = usize::try_from(lines).unwrap_or(usize::MAX);
    let length: usize = text.split_inclusive('\n').take(lines).map(str::len).sum();
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Tells what a file says.
struct Report<'r, 'f> {
    file: &'r ArtifactFile,
    times: &'r [(Instant, Meaning)],
    findings: &'f mut dyn Findings,
}

impl Report<'_, '_> {
    fn issue(&mut self, (kind, what): (IssueKind, String), at: Position<'_>, lost_bytes: u64) {
        let lost_records = u64::from(lost_bytes > 0);
        self.findings.issue(self.file.issue(kind, at, what).losing(lost_records, lost_bytes));
    }

    /// Of a file without readable content, its times.
    fn nothing(&mut self) {
        let text = "manifest without an object that can be read";
        self.events((Position::File, text, &Subject::UNKNOWN), &Extra::default());
    }

    fn object(&mut self, object: &Object<'_>) {
        let containers = containers(object);
        let secrets = object.secret_keys();
        if containers.is_empty() {
            let text = format!("manifest of {}", object.label());
            let extra = Extra { object: Some(object), secrets, ..Extra::default() };
            self.events((Position::Key(&object.label()), &text, &Subject::UNKNOWN), &extra);
        }
        for container in &containers {
            self.container(object, container);
        }
        if let Some(created) = object.created() {
            let (label, text) = (object.label(), format!("{} created", object.label()));
            let when = (created, Meaning::Creation);
            let mut event = Event::new(&self.file.origin, &MANIFEST, &Subject::UNKNOWN, when);
            event.position = Position::Key(&label);
            event.action = "create";
            event.text = text.as_str().into();
            let mut all = Attributes::default();
            object.attributes(&mut all);
            event.attributes = all.into_vec();
            self.findings.event(&event);
        }
    }

    fn container(&mut self, object: &Object<'_>, container: &Container) {
        let settings = &container.config.settings;
        let image = settings.image.as_deref().unwrap_or("no image");
        let told = container.risks.iter().filter(|risk| !risk.is_note());
        let risks: Vec<String> = told.map(Risk::to_string).collect();
        let risks = if risks.is_empty() { "no risky setting".to_owned() } else { risks.join(", ") };
        let name = &container.name;
        let text =
            format!("manifest of {}: container {name} from {image}; {risks}", object.label());
        let subject = Subject {
            container_name: Some(name.clone()),
            image_name: settings.image.clone(),
            ..Subject::UNKNOWN
        };
        let secrets = names_of_secrets(&settings.environment);
        let extra = Extra { object: Some(object), container: Some(container), secrets };
        let key = format!("{}.{}", object.label(), container.place);
        self.events((Position::Key(&key), &text, &subject), &extra);
    }

    /// One event for each time of the file.
    fn events(&mut self, (at, text, subject): (Position<'_>, &str, &Subject), extra: &Extra<'_>) {
        for when in self.times {
            let mut event = Event::new(&self.file.origin, &MANIFEST, subject, *when);
            event.confidence = Confidence::Filesystem;
            event.position = at.clone();
            event.action = if when.1 == Meaning::Creation { "create" } else { "write" };
            event.text = text.into();
            extra.add_to(&mut event);
            self.findings.event(&event);
        }
    }
}

/// What else an event says.
#[derive(Default)]
struct Extra<'a> {
    object: Option<&'a Object<'a>>,
    container: Option<&'a Container>,
    /// Names of what may be secret.
    secrets: Vec<String>,
}

impl<'a> Extra<'a> {
    fn add_to(&self, event: &mut Event<'a>) {
        let risks = self.container.map(|container| container.risks.as_slice()).unwrap_or_default();
        event.tags.extend(risks.iter().map(|risk| Cow::Borrowed(risk.name.as_str())));
        event.tags.extend((!self.secrets.is_empty()).then_some(Cow::Borrowed("possible-secret")));
        let mut all = Attributes::default();
        if let Some(object) = self.object {
            object.attributes(&mut all);
        }
        all.list("risks", risks.iter().map(Risk::to_string).collect());
        all.list("possible_secrets", self.secrets.clone());
        if let Some(container) = self.container {
            event.command_line = container.command_line.as_deref();
            event.labels = &container.config.settings.labels;
            all.texts("environment", &container.config.settings.environment);
        }
        event.attributes = all.into_vec();
        event.attributes.extend(
            self.container.map(|container| container.host_config.attributes()).unwrap_or_default(),
        );
    }
}

#[cfg(test)]
mod tests;
