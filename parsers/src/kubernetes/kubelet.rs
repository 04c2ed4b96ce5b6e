//! What the kubelet keeps of the pods that it ran: `/var/lib/kubelet`.
//!
//! One directory for each pod, `pods/<uid>`, from when the kubelet first sets it up until the pod is
//! deleted; names and images are not in it. In the directory:
//!
//! | path | what it says |
//! |---|---|
//! | `etc-hosts` | written anew at each start of a container: host name and address of the pod, or a copy of the host's own file |
//! | `containers/<container>/<8 hex digits>` | made at each start of a container, for the message that it may leave when it ends |
//! | `volumes/<plugin>/<volume>/` | the pod's volumes; `kubernetes.io~configmap` has its files in a directory that is named after the time, UTC, at which they were written |
//!
//! Secrets and tokens of service accounts are in memory while the pod runs: on a disk only the names of
//! their volumes are left.
//!
//! | checkpoint | what it says |
//! |---|---|
//! | `cpu_manager_state`, `memory_manager_state` | which processors and memory are set aside for which container |
//! | `device-plugins/kubelet_internal_checkpoint` | which devices were given to which container |
//!
//! # Events
//!
//! | instant | event |
//! |---|---|
//! | birth of the pod's directory (`filesystem`) | the pod came to this node |
//! | modification of `etc-hosts` (`filesystem`) | a container of the pod was last started; with the pod's host name, address and volumes |
//! | name of a ConfigMap's directory (to the second) | a ConfigMap was written into the pod |
//! | modification of a container's file (`filesystem`) | container started, when the file is empty; else it left its last message |
//! | modification of a checkpoint (`filesystem`) | one event for each container in it |
//!
//! Kubernetes 1.18 to 1.34: `pkg/kubelet/kubelet_getters.go`, `pkg/kubelet/kubelet_pods.go`,
//! `pkg/volume/util/atomic_writer.go`, `pkg/kubelet/cm`.
//!
//! The files of volumes are told by `files.volume`. Not supported: the checkpoints of resource managers
//! that are not named here.

mod checkpoint;
mod pod;

use crate::formats::attributes::Attributes;
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Kind, Meaning, Position, Subject,
};
use std::sync::Arc;

/// Directories of pods, and checkpoints.
pub(super) static PARSER: Parser = Parser {
    name: "kubernetes.kubelet",
    reads: &[
        "kubelet/pods/{uid}/etc-hosts",
        "kubelet/pods/{uid}/containers/{container}/{run}",
        "kubelet/cpu_manager_state",
        "kubelet/memory_manager_state",
        "kubelet/device-plugins/kubelet_internal_checkpoint",
    ],
    gather: Gather::File,
    about: "what the kubelet keeps of the pods that it ran, and of what it set aside for them",
    yields: "pod came, containers started, last messages, ConfigMaps written, resources set aside",
    references: &[
        "kubernetes 1.34: pkg/kubelet/kubelet_getters.go",
        "kubernetes 1.34: pkg/kubelet/kubelet_pods.go",
        "kubernetes 1.34: pkg/volume/util/atomic_writer.go",
        "kubernetes 1.34: pkg/kubelet/cm",
    ],
    parse,
};

static KUBELET: Kind = Kind {
    data_type: "kubernetes:kubelet",
    source_short: "K8S",
    source_long: "Kubernetes kubelet",
};

fn parse(artifact: &Arc<Artifact>, _: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let modified = artifact.metadata(file, findings).and_then(|metadata| metadata.modified);
        let Some(bytes) = artifact.read(file, findings) else { continue };
        let reading = Reading { artifact, file, modified, bytes: &bytes };
        match (file.capture("uid"), file.capture("run")) {
            (Some(uid), Some(run)) => pod::container_run(&reading, (uid, run), findings),
            (Some(uid), None) => pod::directory(&reading, uid, findings),
            (None, _) => checkpoint::read(&reading, findings),
        }
    }
}

/// A file with its content.
struct Reading<'a> {
    artifact: &'a Artifact,
    file: &'a ArtifactFile,
    modified: Option<Instant>,
    bytes: &'a [u8],
}

impl<'a> Reading<'a> {
    /// The whole file was read.
    fn count(&self, findings: &mut dyn Findings) {
        let length = u64::try_from(self.bytes.len()).unwrap_or(u64::MAX);
        findings.records(&self.file.origin, 1, length);
    }

    fn event(&self, subject: &'a Subject, when: (Instant, Meaning), text: &'a str) -> Event<'a> {
        let mut event = Event::new(&self.file.origin, &KUBELET, subject, when);
        event.confidence = Confidence::Filesystem;
        event.text = text.into();
        event
    }
}

#[cfg(test)]
mod tests;
