//! Networks and who was in them: `network/files/local-kv.db`, a BoltDB.
//!
//! libnetwork keeps its objects under flat keys (`docker/network/v1.0/network/<id>/`) of the bucket
//! `libnetwork`; a value is a counter of 8 bytes, which starts anew with the daemon, and JSON. Keys
//! of networks are `network`, with what each driver knows of it (`bridge`, `macvlan/network`, …);
//! keys of containers are `endpoint` and `sandbox`. An endpoint is there while its container is
//! connected: what is left after a clean stop is in free pages, which are read as well. After moby
//! `libnetwork/{network,endpoint,sandbox_store}.go`, `libnetwork/datastore` of 20.10.27 (the same
//! below `daemon/` in 29.7), `libnetwork/drivers/bridge/bridge_store.go`.
//!
//! | instant | event |
//! |---|---|
//! | `created` of a network | network created |
//! | `created` of the default bridge | the daemon started: it makes this network anew at each start, unless live-restore kept containers running |
//! | `created` of the network `none` | the daemon started for the first time with this data root |
//! | time of the database | one for each endpoint: which container was connected to which network with which addresses and published ports; one for each sandbox and each record of a driver that no other event tells |
//!
//! Networks of a Swarm (scope `swarm`) are kept by its managers, not here. Allocations of addresses
//! (`ipam`, `idm`, of engines that kept them) are not supported, and say so.

mod endpoint;
mod network;
mod record;
mod report;

use crate::formats::bolt::{self, Database};
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{Findings, Kind};
use record::Records;
use report::Report;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "docker.network_db",
    reads: &["network/files/local-kv.db"],
    gather: Gather::File,
    about: "networks, and which containers were in them with which addresses",
    yields: "network created, daemon started, containers connected, also of free pages",
    references: &[
        "moby 29.7.2 daemon/libnetwork/{network,endpoint,sandbox_store}.go, datastore",
        "moby 20.10.27 libnetwork/{network,endpoint,sandbox_store}.go, datastore",
    ],
    parse,
};

static NETWORK: Kind =
    Kind { data_type: "docker:network", source_short: "DOCKER", source_long: "Docker network" };

static ENDPOINT: Kind = Kind {
    data_type: "docker:network:endpoint",
    source_short: "DOCKER",
    source_long: "Docker network endpoint",
};

static DAEMON: Kind = Kind {
    data_type: "docker:daemon:start",
    source_short: "DOCKER",
    source_long: "Docker daemon start",
};

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let modified = artifact.metadata(file, findings).and_then(|metadata| metadata.modified);
        let limit = bolt::FILE_LIMIT;
        let Some(bytes) = artifact.read_up_to(file, limit, findings) else { continue };
        if let Some(records) = read(file, &bytes, findings) {
            Report { file, inventory, modified, records: &records }.tell(findings);
        }
    }
}

fn read<'b>(
    file: &ArtifactFile,
    bytes: &'b [u8],
    findings: &mut dyn Findings,
) -> Option<Records<'b>> {
    let database = match Database::open(bytes) {
        Ok(database) => database,
        Err(flaw) => {
            flaw.report_lost(file, bytes.len(), findings);
            return None;
        }
    };
    database.flaws().iter().for_each(|flaw| flaw.report(file, findings));
    let records = Records::read(&database, file, findings);
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    findings.records(&file.origin, records.count, length);
    Some(records)
}
