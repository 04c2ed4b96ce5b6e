//! What lies beside a container's log: `<driver>-containers/<id>/userdata/…`.
//!
//! | file | what | instants |
//! |---|---|---|
//! | `config.json` | the specification that the runtime was given: Podman and CRI-O write it anew at each start | annotation `io.kubernetes.cri-o.Created`: container created; time of the file: last start |
//! | `state.json` | CRI-O's own record of a container | `created`, `started`, `finished`, `checkpointedTime` |
//! | `healthcheck.log` | the last probes of `podman healthcheck`, five by default | `Log[].Start` |
//!
//! CRI-O has no database: these files are all that it keeps. Of Podman the database says the same and
//! more, but the time of `config.json` outlives what a boot resets there.
//!
//! Named and not read: `buildah.json`, checkpoints, `artifacts`; `attach`, `ctl`, `winsz`, `shm` are
//! no files with content.

mod health;
mod specification;
mod state;

use crate::formats::json::{self, Document, Wrong};
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{Findings, Kind};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "podman.userdata",
    reads: &[
        "{driver}-containers/{container:id}/userdata/config.json",
        "{driver}-containers/{container:id}/userdata/state.json",
        "{driver}-containers/{container:id}/userdata/healthcheck.log",
    ],
    gather: Gather::File,
    about: "runtime specification of a container of Podman or CRI-O, CRI-O's state, health probes",
    yields: "container created, last start, CRI-O's created, started and finished, health probes",
    references: &[
        "podman 4.3.1 libpod/container_internal_linux.go, libpod/healthcheck.go",
        "cri-o 1.36 internal/oci/container.go",
        "OCI runtime-spec 1.0 to 1.2 config.md",
    ],
    parse,
};

static CONTAINER: Kind = Kind {
    data_type: "podman:container:runtime",
    source_short: "PODMAN",
    source_long: "Runtime files of a container",
};

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let modified = artifact.metadata(file, findings).and_then(|metadata| metadata.modified);
        let Some(document) = document(artifact, file, findings) else { continue };
        let subject = inventory.container_subject(file.capture("container").unwrap_or_default());
        let wrong = Wrong::default();
        match file.path.file_name().unwrap_or_default() {
            b"config.json" => {
                let read = specification::Specification::read(&document.value, &wrong);
                read.report((file, subject), modified, findings);
            }
            b"state.json" => state::report((file, subject), (&document.value, &wrong), findings),
            _ => health::report((file, subject), (&document.value, &wrong), findings),
        }
        for flaw in document.flaws.iter().chain(&wrong.into_flaws()) {
            flaw.report(file, findings);
        }
    }
}

fn document(
    artifact: &Artifact,
    file: &ArtifactFile,
    findings: &mut dyn Findings,
) -> Option<Document> {
    let bytes = artifact.read(file, findings)?;
    match json::read(&bytes) {
        Ok(document) => {
            findings.records(&file.origin, 1, document.length);
            Some(document)
        }
        Err(flaw) => {
            flaw.report_lost(file, bytes.len(), findings);
            None
        }
    }
}
