//! What containers of pods wrote to their standard streams.
//!
//! The kubelet tells the container runtime (containerd, CRI-O, …) where to write: below
//! `/var/log/pods`, one directory for each pod and container, one file for each time that the kubelet
//! started the container; the lines are those of [`cri_log`].
//!
//! | Kubernetes | path below `/var/log/pods` |
//! |---|---|
//! | since 1.14 | `<namespace>_<pod>_<uid>/<container>/<n>.log` |
//! | 1.11 to 1.13 | `<uid>/<container>/<n>.log` |
//! | 1.5 to 1.10 | `<uid>/<container>_<n>.log` |
//!
//! - `n` counts restarts from 0; the kubelet keeps the last one before the current. It is the
//!   attribute `restart_count`. A file is never continued by the next restart.
//! - A log that has grown too large (10 MiB by default) is renamed to `<n>.log.<date>-<time>`, in the
//!   kubelet's time zone, and compressed (`.gz`, meanwhile `.tmp`) when the next one is renamed.
//!   Five files are kept. Since the zone is not told, that time is no event.
//! - For a static pod, which a file on the node describes, the uid is a hash of that file.
//! - `/var/log/containers/<pod>_<namespace>_<container>-<id>.log` is a link to a log, and the only
//!   place that says the container's id. With Docker's old shim the logs themselves are links to logs
//!   of the json-file driver, which `docker.json_file_log` reads where they are.
//!
//! # Events
//!
//! One for each message, as [`cri_log`] tells, with the pod's namespace, name and uid.
//!
//! Not supported: logs of systems that write elsewhere, such as `podLogsDir` of the kubelet's
//! configuration when it does not end in `log/pods` and has the old form of names.

use crate::formats::cri_log::{self, CriLog};
use crate::formats::rotated_log::{Chain, DATED};
use crate::inventory::REMOVED_CONTAINER;
use crate::{Artifact, ArtifactFile, ContainerId, Gather, Inventory, Parser};
use dockline_evidence::FileKind;
use dockline_timeline::{Attribute, Findings, IssueKind, Kind, Position, Subject, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Logs of the containers of pods, and their rotations.
pub(super) static PARSER: Parser = Parser {
    name: "kubernetes.pod_log",
    reads: &[
        "pods/{namespace}_{pod}_{uid}/{container}/{attempt}.log{rotation*}",
        "log/pods/{uid}/{container}/{attempt}.log{rotation*}",
        "log/pods/{uid}/{container}_{attempt}.log{rotation*}",
    ],
    gather: Gather::Together,
    about: "log of a container of a pod, with its rotations",
    yields: "one event for each message, long lines joined from their pieces",
    references: &[
        "kubernetes 1.5 to 1.34: pkg/kubelet/kuberuntime/helpers.go",
        "kubernetes 1.10 to 1.34: pkg/kubelet/logs/container_log_manager.go",
        "containerd 1.0 to 2.1: internal/cri/io/logger.go",
        "cri-o 1.0 to 1.33, conmon 2.0 to 2.1: src/ctr_logging.c",
    ],
    parse,
};

/// What all events of pod logs are.
static KIND: Kind = Kind {
    data_type: "kubernetes:pod_log",
    source_short: "K8S",
    source_long: "Kubernetes pod log",
};

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    // In the oldest form of names, the containers of a pod share a directory.
    let mut runs: BTreeMap<(Option<&str>, u32), Vec<&ArtifactFile>> = BTreeMap::new();
    for file in &artifact.files {
        match file.capture("attempt").and_then(|attempt| attempt.parse().ok()) {
            Some(attempt) => {
                runs.entry((file.capture("container"), attempt)).or_default().push(file)
            }
            None => {
                let what = "not a log of the kubelet, whose names begin with a number";
                findings.issue(file.issue(IssueKind::Unsupported, Position::File, what));
            }
        }
    }
    for ((container, attempt), files) in runs {
        let Some(first) = files.first() else { continue };
        let chain = Chain::open_files(artifact, files.iter().copied(), &DATED, findings);
        let id = container_id(artifact, first, attempt);
        let mut subject =
            id.as_deref().map_or(Subject::UNKNOWN, |id| inventory.container_subject(id));
        subject.container_name = subject.container_name.or_else(|| container.map(str::to_owned));
        let is_removed = id.is_some_and(|id| inventory.is_removed(&id));
        let tags = is_removed.then_some(REMOVED_CONTAINER).into_iter().collect();
        let attributes = attributes(first, attempt);
        cri_log::read(CriLog { chain, kind: &KIND, subject, attributes, tags }, findings);
    }
}

fn attributes(file: &ArtifactFile, attempt: u32) -> Vec<Attribute<'static>> {
    let mut attributes = Vec::new();
    let names = [("pod_namespace", "namespace"), ("pod_name", "pod"), ("pod_uid", "uid")];
    for (name, capture) in names {
        if let Some(text) = file.capture(capture) {
            attributes.push(Attribute { name, value: Value::Text(text.to_owned().into()) });
        }
    }
    attributes.push(Attribute { name: "restart_count", value: Value::Integer(attempt.into()) });
    attributes
}

/// The container's id, by the link of `/var/log/containers` that leads to this log.
fn container_id(artifact: &Artifact, file: &ArtifactFile, attempt: u32) -> Option<String> {
    let container = file.path.parent()?;
    let pod = container.parent()?;
    let links = pod.parent()?.parent()?.join(b"containers")?;
    let (name, namespace) = (file.capture("pod")?, file.capture("namespace")?);
    let prefix = format!("{name}_{namespace}_{}-", file.capture("container")?);
    let end =
        [pod.file_name()?, container.file_name()?, format!("{attempt}.log").as_bytes()].join(&b'/');
    let entries = artifact.tree.list(&links).ok()?;
    let is_link = |kind: FileKind| kind == FileKind::SymbolicLink;
    entries.iter().filter(|entry| is_link(entry.kind)).find_map(|entry| {
        let id =
            std::str::from_utf8(&entry.name).ok()?.strip_prefix(&prefix)?.strip_suffix(".log")?;
        ContainerId::parse(id)?;
        let target = artifact.tree.link_target(&links.join(&entry.name)?).ok()?;
        target.ends_with(&end).then(|| id.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use crate::case::Case;

    const ID: &str = "663bc536dc2660c2b6aa249a03dd3f5082b7890cb043c5ed51736c53c7ad4788";

    #[test]
    fn the_link_to_a_log_says_the_id_of_its_container() {
        let pod = "var/log/pods/shop_api-7d9_2f0e2b5a-1111-2222-3333-444455556666";
        let line = "2024-05-01T12:00:00.5Z stdout F up\n";
        let link = format!("var/log/containers/api-7d9_shop_web-{ID}.log");
        let case = Case::default()
            .with(&format!("{pod}/web/0.log"), line)
            .with(&format!("{pod}/web/1.log"), line)
            .with_link(&link, format!("/{pod}/web/1.log"));
        let found = case.read("kubernetes.pod_log");
        assert_eq!(found.events.len(), 2);
        assert_eq!(found.events[0].get("container_identifier"), None);
        assert_eq!(found.events[1]["container_identifier"], ID);
        assert_eq!(found.events[1]["restart_count"], 1);
        assert_eq!(found.events[1]["message"], "[web] up");
    }
}
