//! The log of a container: `<driver>-containers/<id>/userdata/ctr.log`.
//!
//! conmon writes it, for Podman with the log drivers `k8s-file` and `json-file` (which is the same:
//! the file is no JSON), and for CRI-O where no path is given; with `journald`, `passthrough` and
//! `none` there is none. The form is that of the Container Runtime Interface,
//! [`crate::formats::cri_log`].
//!
//! `--log-opt max-size` begins the file anew when it is full: what stood in it is gone, and the first
//! line may be any. conmon since 2.1.13 can keep `ctr.log.1` and older instead.
//! `podman logs` shows the same lines, without the streams.

use crate::formats::cri_log::{self, CriLog};
use crate::formats::rotated_log::{Chain, NUMBERED};
use crate::inventory::REMOVED_CONTAINER;
use crate::{Artifact, Gather, Inventory, Parser};
use dockline_timeline::{Findings, Kind, Subject};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "podman.container_log",
    reads: &[
        "{driver}-containers/{container:id}/userdata/ctr.log{rotation*}",
        "{container:id}/userdata/ctr.log{rotation*}",
    ],
    gather: Gather::Together,
    about: "log of a container of Podman, with its rotations",
    yields: "one event for each message, long lines joined from their pieces",
    references: &[
        "conmon 2.1.6 and 2.1.13 src/ctr_logging.c",
        "podman 4.3.1 libpod/container_log.go",
    ],
    parse,
};

static LOG: Kind = Kind {
    data_type: "podman:container:log:entry",
    source_short: "PODMAN",
    source_long: "Podman container log",
};

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let subject = match artifact.capture("container") {
        Some(id) => inventory.container_subject(id),
        None => Subject::UNKNOWN,
    };
    let removed = artifact.capture("container").is_some_and(|id| inventory.is_removed(id));
    let tags = removed.then_some(REMOVED_CONTAINER).into_iter().collect();
    let chain = Chain::open(artifact, &NUMBERED, findings);
    cri_log::read(CriLog { chain, kind: &LOG, subject, tags, attributes: Vec::new() }, findings);
}
