//! Checkpoints that `docker checkpoint create` left: `containers/<id>/checkpoints/<name>/` (experimental
//! since 1.13). The container, unless it was told to run on, ended with it; `docker start --checkpoint`
//! goes on from it.
//!
//! | instant | event |
//! |---|---|
//! | time of the last file (`filesystem`) | checkpoint made; with its processes, whose memory lies in it |
//!
//! Not supported: checkpoints that were put elsewhere (`--checkpoint-dir`).

use crate::formats::criu;
use crate::{Artifact, Gather, Inventory, Parser};
use dockline_timeline::{Findings, Kind};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "docker.checkpoint",
    reads: &["containers/{container:id}/checkpoints/{checkpoint}/{file}"],
    gather: Gather::Together,
    about: "checkpoints of containers: their processes, frozen with their memory",
    yields: "checkpoint made, with the programs that ran",
    references: &["moby 29.7.2 daemon/checkpoint.go", "criu 4.1 images/core.proto"],
    parse,
};

static CHECKPOINT: Kind = Kind {
    data_type: "docker:checkpoint",
    source_short: "DOCKER",
    source_long: "Docker checkpoint",
};

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    criu::tell_checkpoint((artifact, &CHECKPOINT), inventory, findings);
}
