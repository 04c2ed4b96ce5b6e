//! What BuildKit built, step by step: `<root>/buildkit/`, and the state of a builder of buildx.
//!
//! | file | written by | holds |
//! |---|---|---|
//! | `history_c8d.db` (27 and later), `history.db` (24 and later) | the end of each build | one record a build: what, from where, with which arguments, when, how it ended; it points to blobs with the log, the trace and the provenance |
//! | `metadata_v2.db`, `metadata.db` | each change of the cache | records of the cache: layers, copies of build contexts, cache mounts |
//! | `cache.db` | each step that succeeded | which record of the cache holds the result of which step |
//! | `containerdmeta.db` | the cache of an engine with a graph driver | leases and blobs of the cache |
//!
//! All four are BoltDB. With a containerd image store `metadata_v2.db` lies in
//! `containerd-<snapshotter>/`, and blobs in containerd's content store; a builder of buildx is a
//! container, and has everything in its volume. After buildkit 0.32 `api/services/control/control.proto`,
//! `solver/llbsolver/history/buildhistory.go`, `cache/metadata.go`, `solver/bboltcachestorage/storage.go`;
//! moby 20.10.27 `builder/builder-next/worker`.
//!
//! | instant | event |
//! |---|---|
//! | `CreatedAt`, `CompletedAt` of a record | build started, build completed or failed |
//! | `started`, `completed` of a vertex in its log | build step started, ended |
//! | time of a line in its log | what the step wrote |
//! | `cache.createdAt`, `cache.lastUsedAt` | record of the cache made, last used |
//! | `CreatedAt` of a result | result of a step kept |
//! | `createdat` of a lease or blob | lease made, blob stored |
//!
//! Pages that the databases do not use any more give records that were removed, or had other times:
//! tagged `recovered`. The record of a build that was never completed does not exist. The event of a
//! line or step names the record of its build as its place, and the blob as `blob_digest`.
//!
//! Not supported: the trace (`otlp`), of which the event tells the digest; `snapshots.db`, which holds
//! no time; the hashes of contents in `_external`.

mod blobs;
mod cache_records;
mod history;
mod leases;
mod loose;
mod record;
mod results;
mod status_log;

use crate::formats::bolt::{self, Database};
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{Attribute, Findings, Kind, Value};
use loose::Loose;
use std::borrow::Cow;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "docker.buildkit",
    reads: &[
        "buildkit/history.db",
        "buildkit/history_c8d.db",
        "buildkit/cache.db",
        "buildkit/containerdmeta.db",
        "buildkit/metadata.db",
        "buildkit/metadata_v2.db",
        "buildkit/{worker}/metadata_v2.db",
        "buildx_buildkit_{builder}_state/_data/history.db",
        "buildx_buildkit_{builder}_state/_data/cache.db",
        "buildx_buildkit_{builder}_state/_data/{worker}/metadata_v2.db",
        "buildx_buildkit_{builder}_state/_data/{worker}/containerdmeta.db",
    ],
    gather: Gather::DataRoot,
    about: "builds of BuildKit with their steps and output, and its cache",
    yields: "build started, completed or failed, each step, its output; cache made and last used",
    references: &[
        "buildkit 0.32 api/services/control/control.proto, cache/metadata.go",
        "buildkit 0.32 solver/llbsolver/history/buildhistory.go, solver/bboltcachestorage/storage.go",
        "moby 20.10.27 builder/builder-next/worker/worker.go",
    ],
    parse,
};

static BUILD: Kind = Kind {
    data_type: "docker:build",
    source_short: "DOCKER",
    source_long: "Docker build (BuildKit)",
};

static STEP: Kind = Kind {
    data_type: "docker:build:step",
    source_short: "DOCKER",
    source_long: "Docker build step (BuildKit)",
};

static OUTPUT: Kind = Kind {
    data_type: "docker:build:log",
    source_short: "DOCKER",
    source_long: "Docker build output (BuildKit)",
};

static CACHE: Kind = Kind {
    data_type: "docker:build:cache",
    source_short: "DOCKER",
    source_long: "Docker build cache (BuildKit)",
};

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    // What a record of the cache is says only the file of records: it is read before the others.
    let is_records = |file: &&ArtifactFile| file_name(file).starts_with("metadata");
    let mut known = cache_records::Described::new();
    for file in artifact.files.iter().filter(is_records) {
        read(artifact, file, findings, &mut |source, findings| {
            cache_records::report(source, &mut known, findings);
        });
    }
    for file in artifact.files.iter().filter(|file| !is_records(file)) {
        read(artifact, file, findings, &mut |source, findings| match file_name(file).as_str() {
            "cache.db" => results::report(source, &known, findings),
            "containerdmeta.db" => leases::report(source, &known, findings),
            _ => history::report(source, (artifact, inventory), findings),
        });
    }
}

fn file_name(file: &ArtifactFile) -> String {
    String::from_utf8_lossy(file.path.file_name().unwrap_or_default()).into_owned()
}

/// A database and the file that it was read from.
struct Source<'a> {
    file: &'a ArtifactFile,
    database: &'a Database<'a>,
    /// What is left of earlier states.
    loose: Vec<Loose<'a>>,
}

impl Loose<'_> {
    /// That an event was recovered, and from where.
    fn recovered_from(&self) -> Attribute<'static> {
        let value = match self.is_earlier {
            true => "the state before the last transaction".to_owned(),
            false => format!("free page {} of the database", self.page),
        };
        Attribute { name: "recovered_from", value: Value::Text(Cow::Owned(value)) }
    }
}

fn read(
    artifact: &Artifact,
    file: &ArtifactFile,
    findings: &mut dyn Findings,
    report: &mut dyn FnMut(&Source<'_>, &mut dyn Findings),
) {
    let Some(bytes) = artifact.read_up_to(file, bolt::FILE_LIMIT, findings) else { return };
    let database = match Database::open(&bytes) {
        Ok(database) => database,
        Err(flaw) => return flaw.report(file, findings),
    };
    database.flaws().iter().for_each(|flaw| flaw.report(file, findings));
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    findings.records(&file.origin, 0, length);
    report(&Source { file, database: &database, loose: loose::all(&database) }, findings);
}

/// A text of the evidence.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
