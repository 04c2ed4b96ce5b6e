//! Swarm on this node: `<root>/swarm/`.
//!
//! | file | written by | instant | event |
//! |---|---|---|---|
//! | `docker-state.json` | init, join, update of the addresses | time of the file | node joined or made the swarm, or was set |
//! | `state.json` | each change of who manages | time of the file | managers last changed |
//! | `worker/tasks.db` | the worker, for each task that is assigned to this node | `created_at`, `updated_at`, `status.timestamp` | task made, updated, came to a state |
//! | `certificates/*.crt` | init, join, renewal | validity; time of the file | certificate valid from, issued; written |
//! | `certificates/*.key` | the same | time of the file | private key written |
//! | `raft/**` | managers | time of the file | last written |
//!
//! `tasks.db` is BoltDB: `v1`, `tasks`, a bucket for each task with `data` and `status` (protobuf). A
//! task is taken out when the manager forgets it, so a node that was stopped has none; what free pages
//! still hold is tagged `recovered`. A certificate says when it was issued only by when its validity
//! begins: an hour before for a node, five minutes for the authority, to the full minute, so that time
//! is `inferred`. Until when it is valid is an attribute.
//!
//! After swarmkit `api/{objects,specs,types}.proto`, `agent/storage.go`, `ca/certificates.go`,
//! `ca/keyreadwriter.go`; moby 29.7.2 `daemon/cluster/{cluster,noderunner}.go`.
//!
//! Not supported: `raft/`, which holds services, secrets and nodes encrypted with the key in the
//! header of `swarm-node.key` (each file is an issue).

mod certificates;
mod state;
mod task;
mod tasks;

use crate::written_file::WrittenFile;
use crate::{Artifact, Gather, Inventory, Parser};
use dockline_timeline::{Findings, IssueKind, Kind, Position};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "docker.swarm",
    reads: &[
        "swarm/docker-state.json",
        "swarm/state.json",
        "swarm/worker/tasks.db",
        "swarm/certificates/{certificate}.crt",
        "swarm/certificates/{key}.key",
        "swarm/raft/{kind}/{log}",
    ],
    gather: Gather::File,
    about: "this node's part in a swarm: addresses, managers, tasks, certificates",
    yields: "node joined, managers changed, tasks made and their states, certificates issued",
    references: &[
        "swarmkit 2.1 api/{objects,specs,types}.proto, agent/storage.go, ca/certificates.go",
        "moby 29.7.2 daemon/cluster/{cluster,noderunner}.go",
    ],
    parse,
};

static NODE: Kind = Kind {
    data_type: "docker:swarm:node",
    source_short: "DOCKER",
    source_long: "Docker swarm node",
};

static TASK: Kind = Kind {
    data_type: "docker:swarm:task",
    source_short: "DOCKER",
    source_long: "Docker swarm task",
};

static CERTIFICATE: Kind = Kind {
    data_type: "docker:swarm:certificate",
    source_short: "DOCKER",
    source_long: "Docker swarm certificate",
};

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let one = WrittenFile::of(artifact, file, findings);
        let is = |name: &str| file.capture(name).is_some();
        match file.path.file_name().unwrap_or_default() {
            _ if is("log") => raft(&one, findings),
            _ if is("certificate") => certificates::certificate(&one, findings),
            _ if is("key") => certificates::key(&one, findings),
            b"docker-state.json" => state::node(&one, findings),
            b"state.json" => state::managers(&one, findings),
            _ => tasks::report(&one, inventory, findings),
        }
    }
}

/// The log of the managers, or a snapshot of it.
fn raft(one: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let kind = one.file.capture("kind").unwrap_or_default();
    let size = one.artifact.metadata(one.file, findings).map_or(0, |metadata| metadata.size);
    let what = format!(
        "{kind}: services, nodes and secrets of the swarm, encrypted with the key in the header of \
         swarm-node.key"
    );
    let issue = one.file.issue(IssueKind::Unsupported, Position::File, what);
    findings.issue(issue.losing(0, size));
    let text = format!("state of the swarm last written by this manager ({kind})");
    if let Some(event) = one.event(&NODE, &text) {
        findings.event(&event);
    }
}

#[cfg(test)]
mod tests;
