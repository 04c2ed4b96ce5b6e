//! What containerd knows: `io.containerd.metadata.v1.bolt/meta.db`, a BoltDB, of every namespace.
//!
//! | instant | event |
//! |---|---|
//! | an image's `createdat`, `updatedat` | a name was given to a target; it stands for another, or has other labels |
//! | a container's `createdat` | container created; in Docker's namespaces, started: Docker writes the record at each start and removes it at the end, so one that is there ran when the host died |
//! | a sandbox's `createdat` | pod sandbox created |
//! | a snapshot's `createdat` | snapshot made: the writable one of a container, that of a layer, of a build step |
//! | a content's `createdat`, `updatedat` | content received or built here; its labels changed |
//! | a lease's `createdat` | made: with a container's id, the container was created; else a pull or a build began |
//! | an ingest's `expireat` | 24 hours before, a transfer began that was not finished |
//! | birth of a directory `io.containerd.runtime.v2.task/<namespace>/<container>` beside it (`filesystem`) | container started, and ran when the host went down |
//! | time of the database | a snapshot that its parent still lists among its children was removed, then or before |
//!
//! `updatedat` is told where it differs from `createdat`. Free pages hold objects of earlier states:
//! what the current state does not say is told with the tag `recovered`, also when half of an object
//! is all that is left, and as far as is known whose it was. Tags of risks are judged from the
//! runtime's configuration where no engine's own settings are known.
//!
//! A container or a sandbox of Kubernetes has an extension with what the kubelet asked for
//! (`formats/cri_metadata.rs`): its pod, its image, its log, all of its mounts, the addresses of the pod,
//! and settings, as far as the specification of the runtime does not say them.
//!
//! After containerd 2.1 `core/metadata/{buckets,containers,images,snapshot,content,leases,sandbox}.go`.
//! Not supported: the options of runtimes; an extension of another client than the kubelet is named.

mod container;
mod moment;
mod object;
mod tasks;

use crate::formats::bolt::{self, Database};
use crate::formats::containerd_db::{self, Class};
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{Findings, Instant, IssueKind, Kind, Position};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "containerd.metadata",
    reads: &["io.containerd.metadata.v1.bolt/meta.db"],
    gather: Gather::File,
    about: "containers, images, snapshots, contents and leases of containerd, in every namespace",
    yields: "each created and updated, containers started, also of free pages",
    references: &[
        "containerd 2.1 core/metadata/{buckets,containers,images,snapshot,content,leases,sandbox}.go",
        "containerd 2.3 internal/cri/store/{container,sandbox}/metadata.go",
        "OCI runtime-spec 1.3 config.md",
    ],
    parse,
};

const fn kind(data_type: &'static str, source_long: &'static str) -> Kind {
    Kind { data_type, source_short: "CONTAINERD", source_long }
}

static IMAGE: Kind = kind("containerd:image", "containerd image");
static CONTAINER: Kind = kind("containerd:container", "containerd container");
static SANDBOX: Kind = kind("containerd:sandbox", "containerd sandbox");
static SNAPSHOT: Kind = kind("containerd:snapshot", "containerd snapshot");
static CONTENT: Kind = kind("containerd:content", "containerd content record");
static INGEST: Kind = kind("containerd:ingest", "containerd transfer record");
static LEASE: Kind = kind("containerd:lease", "containerd lease");

fn kind_of(class: Class) -> &'static Kind {
    match class {
        Class::Image => &IMAGE,
        Class::Container => &CONTAINER,
        Class::Sandbox => &SANDBOX,
        Class::Snapshot => &SNAPSHOT,
        Class::Blob => &CONTENT,
        Class::Ingest => &INGEST,
        Class::Lease => &LEASE,
    }
}

/// A database that is being read.
struct Store<'a> {
    artifact: &'a Artifact,
    file: &'a ArtifactFile,
    inventory: &'a Inventory,
    /// When it was last written.
    modified: Option<Instant>,
}

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let modified = artifact.metadata(file, findings).and_then(|metadata| metadata.modified);
        let limit = bolt::FILE_LIMIT;
        let Some(bytes) = artifact.read_up_to(file, limit, findings) else { continue };
        let database = match Database::open(&bytes) {
            Ok(database) => database,
            Err(flaw) => {
                flaw.report_lost(file, bytes.len(), findings);
                continue;
            }
        };
        database.flaws().iter().for_each(|flaw| flaw.report(file, findings));
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let store = Store { artifact, file, inventory, modified };
        store.read(&database, length, findings);
        store.tasks(findings);
    }
}

impl Store<'_> {
    fn read(&self, database: &Database<'_>, length: u64, findings: &mut dyn Findings) {
        let Some(current) = containerd_db::current(database) else {
            let what = "no bucket v1: not a database of containerd, or an empty one";
            let issue = self.file.issue(IssueKind::Malformed, Position::File, what);
            return findings.issue(issue.losing(0, length));
        };
        if let Some(schema) =
            containerd_db::schema(database).filter(|it| *it > containerd_db::SCHEMA)
        {
            let what =
                format!("schema {schema}, newer than the {} that is known", containerd_db::SCHEMA);
            findings.issue(self.file.issue(
                IssueKind::Unsupported,
                Position::Key("v1/version"),
                what,
            ));
        }
        for path in &current.unknown {
            let what = "a bucket that is not known";
            findings.issue(self.file.issue(IssueKind::Unsupported, Position::Key(path), what));
        }
        let recovered = containerd_db::recovered(database);
        let count = current.objects.len().saturating_add(recovered.len());
        findings.records(&self.file.origin, u64::try_from(count).unwrap_or(u64::MAX), length);
        for object in current.objects.iter().chain(&recovered) {
            self.object(object, findings);
        }
        for (child, parent) in current.lost_children() {
            self.lost_child(&child, parent, findings);
        }
    }
}
