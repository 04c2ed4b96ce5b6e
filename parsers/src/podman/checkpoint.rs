//! The last checkpoint of a container of Podman or CRI-O: `userdata/checkpoint/` below its directory
//! in containers/storage. `podman container checkpoint` makes it, and so does the kubelet through
//! CRI-O; it stays unless it was exported or restored.
//!
//! | instant | event |
//! |---|---|
//! | time of the last file (`filesystem`) | checkpoint made; with its processes, whose memory lies in it |
//!
//! Not supported: exported archives.

use crate::formats::criu;
use crate::{Artifact, Gather, Inventory, Parser};
use dockline_timeline::{Findings, Kind};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "podman.checkpoint",
    reads: &["{driver}-containers/{container:id}/userdata/checkpoint/{file}"],
    gather: Gather::Together,
    about: "checkpoint of a container: its processes, frozen with their memory",
    yields: "checkpoint made, with the programs that ran",
    references: &["podman 4.3.1 libpod/container_internal_linux.go", "criu 4.1 images/core.proto"],
    parse,
};

static CHECKPOINT: Kind = Kind {
    data_type: "podman:checkpoint",
    source_short: "PODMAN",
    source_long: "Podman checkpoint",
};

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    criu::tell_checkpoint((artifact, &CHECKPOINT), inventory, findings);
}
