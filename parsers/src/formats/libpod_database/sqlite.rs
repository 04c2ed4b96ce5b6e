//! libpod's SQLite database: podman 5.8 `libpod/sqlite_state_internal.go`.
//!
//! The JSON texts are stored as bytes. `ContainerExitCode` keeps the exit codes of containers for
//! some minutes after their removal, in seconds; what else there is are indexes. Of rows that are gone, what
//! a text is shows from its own keys: nothing tells the table.

use super::{Contents, Record, What, what_is};
use crate::container_id::is_id;
use crate::formats::sqlite::{Database, Recovered, Remain, Value, is_database};
use crate::{Artifact, ArtifactFile};
use dockline_evidence::ReadAt;
use dockline_evidence::read_at::read_up_to;
use dockline_timeline::{Findings, Instant, IssueKind, Position};
use std::collections::BTreeSet;

/// Tables with a JSON text in the second column of these, and the id of its subject in the first.
const TABLES: &[(&str, &[&str], What)] = &[
    ("ContainerConfig", &["ID", "JSON"], What::Container),
    ("ContainerState", &["ID", "JSON"], What::State(None)),
    ("PodConfig", &["ID", "JSON"], What::Pod),
    ("VolumeConfig", &["Name", "JSON"], What::Volume),
];
/// Length of the magic of a database.
const BEGINNING: u64 = 16;

pub(super) fn read(
    artifact: &Artifact,
    file: &ArtifactFile,
    findings: &mut dyn Findings,
) -> Option<Contents> {
    let main = artifact.open(file, findings)?;
    if is_another(artifact, &*main) {
        return None;
    }
    let database = Database::open_file(artifact, (file, &*main), findings)?;
    let mut contents = Contents { records: Vec::new(), recovered: in_words(database.recovered) };
    let mut rows =
        |table: &str, columns: &[&str]| database.rows_of_file((table, columns), file, findings);
    for (_, row) in rows("DBConfig", &["GraphRoot"]) {
        contents.records.extend(root(&row));
    }
    for (table, columns, what) in TABLES {
        for (key, row) in rows(table, columns) {
            contents.records.extend(record((table, key), &row, what));
        }
    }
    let codes = rows("ContainerExitCode", &["ID", "Timestamp", "ExitCode"]);
    for (key, row) in codes {
        let place = format!("ContainerExitCode:{key}");
        match exit_code(&row) {
            Some(what) => contents.records.push(bare(what, place)),
            None => {
                let what = "an exit code without an id, a number or a time";
                let issue = file.issue(IssueKind::Malformed, Position::Key(&place), what);
                findings.issue(issue.losing(1, 0));
            }
        }
    }
    let remains = remains(&database, &contents.records);
    contents.records.extend(remains);
    Some(contents)
}

/// What is left of rows that were deleted or replaced, and that the current ones do not say.
fn remains(database: &Database, current: &[Record]) -> Vec<Record> {
    let mut known: BTreeSet<&[u8]> = current.iter().map(|record| record.json.as_slice()).collect();
    let new = database.remains.iter().filter(|remain| known.insert(&remain.json));
    new.filter_map(remain).collect()
}

fn remain(remain: &Remain) -> Option<Record> {
    let what = match what_is(&remain.json)? {
        What::State(_) => What::State(last_id(&remain.before)),
        other => other,
    };
    let place = if remain.free_page { "free page" } else { "unused bytes of page" };
    Some(Record {
        what,
        json: remain.json.clone(),
        key: format!("byte {}", remain.offset),
        recovered_from: Some(format!("{place} {} of the database", remain.page)),
    })
}

/// The last id among the columns before a text.
fn last_id(before: &[u8]) -> Option<String> {
    let id = before.windows(64).rev().find(|bytes| is_id(bytes))?;
    String::from_utf8(id.to_vec()).ok()
}

/// Whether a file of that name is of another program: outside of a data root, and no database.
fn is_another(artifact: &Artifact, main: &dyn ReadAt) -> bool {
    let beginning = read_up_to(main, BEGINNING).map(|(bytes, _)| bytes).unwrap_or_default();
    let in_storage = artifact.root.file_name() == Some(b"storage");
    !in_storage && !is_database(&beginning)
}

fn in_words(recovered: Recovered) -> Option<String> {
    match recovered {
        Recovered { transactions: 0, pages_put_back: 0 } => None,
        Recovered { transactions, pages_put_back: 0 } => {
            Some(format!("{transactions} transactions read from its write-ahead log"))
        }
        Recovered { pages_put_back, .. } => {
            Some(format!("an interrupted transaction undone: {pages_put_back} pages put back"))
        }
    }
}

fn bare(what: What, key: String) -> Record {
    Record { what, json: Vec::new(), key, recovered_from: None }
}

fn root(row: &[Value]) -> Option<Record> {
    Some(bare(What::Root(text(row.first()?)?), "DBConfig.GraphRoot".to_owned()))
}

fn record((table, key): (&str, i64), row: &[Value], what: &What) -> Option<Record> {
    let [id, Value::Bytes(json)] = row else { return None };
    let what = match what {
        What::State(_) => What::State(text(id)),
        other => other.clone(),
    };
    Some(Record { what, json: json.clone(), key: format!("{table}:{key}"), recovered_from: None })
}

fn exit_code(row: &[Value]) -> Option<What> {
    let [id, Value::Integer(seconds), Value::Integer(code)] = row else { return None };
    let at = Instant::new(*seconds, 0)?;
    Some(What::ExitCode { container: text(id)?, at, code: *code })
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    }
}
