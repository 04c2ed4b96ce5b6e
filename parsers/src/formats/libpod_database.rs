//! The database in which libpod keeps containers, pods and volumes, in both of its kinds.
//!
//! - `libpod/bolt_state.db`, BoltDB: up to Podman 4.7 (`bolt`). Podman 6 removed it; a host that
//!   was upgraded may have kept it.
//! - `db.sql` in the data root, SQLite: the default since Podman 4.8 (`sqlite`).
//!
//! Both hold the same JSON texts ([`super::libpod`]); a [`Record`] is one of them and where it lies.

mod bolt;
mod sqlite;

use crate::{Artifact, ArtifactFile};
use dockline_timeline::{Findings, Instant};

/// Name of the BoltDB file.
const BOLT: &[u8] = b"bolt_state.db";
/// Name of the SQLite file.
const SQLITE: &[u8] = b"db.sql";

/// What the keys of a text tell, most telling first. libpod writes them in this form, without spaces.
const SIGNS: &[(&[u8], What)] = &[
    (b"{\"spec\":", What::Container),
    (b"{\"state\":", What::State(None)),
    (b"\"mountPoint\":", What::Volume),
    (b"\"CreateCommand\":", What::Pod),
];

/// What a record is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A container's configuration.
    Container,
    /// The state of a container; its id, when the place of the record tells.
    State(Option<String>),
    /// A pod's configuration.
    Pod,
    /// A volume's configuration.
    Volume,
    /// The exit code of a container, kept some minutes longer than the container.
    ExitCode {
        /// Id of the container.
        container: String,
        /// When it was recorded.
        at: Instant,
        /// The code.
        code: i64,
    },
    /// Which data root the database belongs to.
    Root(String),
}

/// One text of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it is of.
    pub what: What,
    /// The JSON text; empty where [`What`] says all.
    pub json: Vec<u8>,
    /// Where it lies: a key, or a row.
    pub key: String,
    /// From what kind of place it was recovered; `None` when it is part of the current state.
    pub recovered_from: Option<String>,
}

/// What a database holds, and what SQLite found beside it.
#[derive(Debug, Default)]
pub struct Contents {
    /// The records, the current state first.
    pub records: Vec<Record>,
    /// What a crash left and was honoured, in words.
    pub recovered: Option<String>,
}

/// The file among those of an artifact that is the database itself.
#[must_use]
pub fn main_file(artifact: &Artifact) -> Option<&ArtifactFile> {
    let named = |name: &[u8]| artifact.files.iter().find(|it| it.path.file_name() == Some(name));
    [BOLT, SQLITE].into_iter().find_map(named)
}

/// Reads the database of an artifact, and tells what is wrong with it.
pub fn read(artifact: &Artifact, findings: &mut dyn Findings) -> Option<Contents> {
    let file = main_file(artifact)?;
    if file.path.file_name() == Some(SQLITE) {
        return sqlite::read(artifact, file, findings);
    }
    let bytes = artifact.read_up_to(file, super::bolt::FILE_LIMIT, findings)?;
    bolt::read(&bytes, file, findings)
}

/// What a text is of that was recovered from a place which does not tell.
fn what_is(json: &[u8]) -> Option<What> {
    if !json.starts_with(b"{") {
        return None;
    }
    let found = SIGNS.iter().find(|(sign, _)| memchr::memmem::find(json, sign).is_some());
    found.map(|(_, what)| what.clone())
}
