//! libpod's SQLite database: podman 5.8 `libpod/sqlite_state_internal.go`.
//!
//! The JSON texts are stored as bytes. `ContainerExitCode` keeps the exit codes of containers for
//! some minutes after their removal, in seconds; what else there is are indexes.

use super::{Contents, Record, SQLITE_JOURNAL, SQLITE_LOG, What, named};
use crate::formats::sqlite::{Database, Files, Flaw, Recovered, Value, is_database};
use crate::{Artifact, ArtifactFile};
use dockline_evidence::ReadAt;
use dockline_evidence::read_at::read_up_to;
use dockline_timeline::{Findings, Instant, IssueKind, Position};

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
    let mut beside = |name: &[u8]| artifact.open(named(artifact, name)?, findings);
    let (wal, journal) = (beside(SQLITE_LOG), beside(SQLITE_JOURNAL));
    let files = Files { main: &*main, wal: wal.as_deref(), journal: journal.as_deref() };
    let report = |flaw: Flaw, findings: &mut dyn Findings| {
        findings.issue(file.issue(flaw.kind, Position::File, flaw.what));
    };
    let database = match Database::open(&files) {
        Ok((database, flaws)) => {
            flaws.into_iter().for_each(|flaw| report(flaw, findings));
            database
        }
        Err(flaw) => {
            report(flaw, findings);
            return None;
        }
    };
    let mut contents = Contents { records: Vec::new(), recovered: in_words(database.recovered) };
    let mut rows = |table: &str, columns: &[&str]| match database.rows(table, columns) {
        Ok(rows) => rows,
        Err((rows, flaw)) => {
            report(flaw, findings);
            rows
        }
    };
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
    Some(contents)
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
