//! SQLite databases, read by SQLite itself from bytes in memory: nothing is opened, locked or made
//! beside the evidence.
//!
//! What a crash left beside the database is honoured first, in memory, as SQLite would do it on the
//! next open: the committed transactions of a write-ahead log (`-wal`, `wal`), or a hot rollback
//! journal (`-journal`, `journal`). After <https://sqlite.org/fileformat2.html>, version 3.
//!
//! The database is hostile: its schema is code. Only tables that are made by `CREATE TABLE` are
//! asked, one whole table at a time, so that no view, virtual table or trigger runs; the number of
//! steps, rows and bytes is limited.
//!
//! Rows that were deleted or replaced leave their texts behind ([`Remain`]).
//!
//! Not supported: encrypted databases; what is left of rows that hold no JSON.

mod journal;
mod of_artifact;
mod remains;
mod wal;

use dockline_evidence::ReadAt;
use dockline_evidence::read_at::read_up_to;
use dockline_timeline::IssueKind;
pub use remains::Remain;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;

/// Larger databases are not read: the file is held in memory. Podman writes less than a megabyte.
pub const FILE_LIMIT: u64 = 1 << 30;
/// Longest value that is read, in bytes.
const VALUE_LIMIT: i32 = 16 * 1024 * 1024;
/// Rows that are read of one table.
const ROW_LIMIT: usize = 1_000_000;
/// Steps of SQLite's machine between two looks at the limit, and how many looks are allowed: an
/// honest table of a million rows takes fewer than ten million steps.
const STEPS_PER_LOOK: i32 = 100_000;
const LOOK_LIMIT: u32 = 1_000;
/// What a database begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Where the header says whether a write-ahead log is used, and what it says when none is.
const VERSIONS: std::ops::Range<usize> = 18..20;
const WITHOUT_LOG: [u8; 2] = [1, 1];

/// Why something of a database could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// In which way.
    pub kind: IssueKind,
    /// What, in words.
    pub what: String,
}

impl Flaw {
    fn malformed(what: impl Into<String>) -> Flaw {
        Flaw { kind: IssueKind::Malformed, what: what.into() }
    }
}

/// The files of a database.
pub struct Files<'a> {
    /// The database itself.
    pub main: &'a dyn ReadAt,
    /// `-wal`.
    pub wal: Option<&'a dyn ReadAt>,
    /// `-journal`.
    pub journal: Option<&'a dyn ReadAt>,
}

/// What a crash left and was honoured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Transactions in the write-ahead log that are not in the database itself.
    pub transactions: u64,
    /// Pages that an interrupted transaction had changed and that were put back.
    pub pages_put_back: u64,
}

/// A database in memory.
pub struct Database {
    connection: Connection,
    /// What a crash left and was honoured.
    pub recovered: Recovered,
    /// JSON texts that no row holds any more.
    pub remains: Vec<Remain>,
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// Another number.
    Real(f64),
    /// A text or bytes: a program may give the one for the other.
    Bytes(Vec<u8>),
}

/// The rows of a table: its key in the file, and the values of the columns that were asked for.
pub type Rows = Vec<(i64, Vec<Value>)>;

/// Whether the bytes are the beginning of a database.
#[must_use]
pub fn is_database(beginning: &[u8]) -> bool {
    beginning.starts_with(MAGIC)
}

impl Database {
    /// Reads a database and what a crash left beside it.
    ///
    /// # Errors
    /// The flaw because of which there is no database. Flaws of the files beside it are given back
    /// beside the database.
    pub fn open(files: &Files<'_>) -> Result<(Database, Vec<Flaw>), Flaw> {
        let mut bytes = read_whole(files.main, "database")?;
        let (mut recovered, mut flaws) = (Recovered::default(), Vec::new());
        if let Some(wal) = files.wal.filter(|wal| !wal.is_empty()) {
            match read_whole(wal, "write-ahead log").and_then(|wal| wal::apply(&mut bytes, &wal)) {
                Ok(transactions) => recovered.transactions = transactions,
                Err(flaw) => flaws.push(flaw),
            }
        }
        if let Some(journal) = files.journal.filter(|journal| !journal.is_empty()) {
            match read_whole(journal, "journal")
                .and_then(|found| journal::apply(&mut bytes, &found))
            {
                Ok(pages) => recovered.pages_put_back = pages,
                Err(flaw) => flaws.push(flaw),
            }
        }
        if !is_database(&bytes) {
            return Err(Flaw::malformed("not an SQLite database: no header"));
        }
        if let Some(versions) = bytes.get_mut(VERSIONS) {
            versions.copy_from_slice(&WITHOUT_LOG);
        }
        let connection = load(&bytes).map_err(|error| in_words(&error))?;
        Ok((Database { connection, recovered, remains: remains::texts(&bytes) }, flaws))
    }

    /// The names of the columns of a table: they differ between versions of a program.
    ///
    /// # Errors
    /// When there is no such table.
    pub fn columns(&self, table: &str) -> Result<Vec<String>, Flaw> {
        self.check(table)?;
        let query = format!("SELECT * FROM \"{table}\"");
        let statement = self.connection.prepare(&query).map_err(|error| in_words(&error))?;
        Ok(statement.column_names().into_iter().map(str::to_owned).collect())
    }

    /// The rows of a table, ordered by their key in the file.
    ///
    /// # Errors
    /// When there is no such table, or it cannot be read to its end: what was read before is given.
    pub fn rows(&self, table: &str, columns: &[&str]) -> Result<Rows, (Rows, Flaw)> {
        let mut rows = Rows::new();
        match self.read_rows(table, columns, &mut rows) {
            Ok(()) => Ok(rows),
            Err(flaw) => {
                Err((rows, Flaw { what: format!("table {table}: {}", flaw.what), ..flaw }))
            }
        }
    }

    fn read_rows(&self, table: &str, columns: &[&str], rows: &mut Rows) -> Result<(), Flaw> {
        self.check(table)?;
        let names: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
        let query = format!("SELECT rowid, {} FROM \"{table}\" ORDER BY rowid", names.join(", "));
        let mut statement = self.connection.prepare(&query).map_err(|error| in_words(&error))?;
        let mut found = statement.query(()).map_err(|error| in_words(&error))?;
        loop {
            let row = match found.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(()),
                Err(error) => return Err(in_words(&error)),
            };
            if rows.len() >= ROW_LIMIT {
                let what = format!("more than {ROW_LIMIT} rows, the rest is not read");
                return Err(Flaw { kind: IssueKind::LimitReached, what });
            }
            let key = row.get(0).map_err(|error| in_words(&error))?;
            let values = (1..=columns.len()).map(|index| Ok(value(row.get_ref(index)?)));
            let values: rusqlite::Result<Vec<Value>> = values.collect();
            rows.push((key, values.map_err(|error| in_words(&error))?));
        }
    }

    /// That the name is that of a plain table: anything else may be code.
    fn check(&self, table: &str) -> Result<(), Flaw> {
        let query = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1";
        let sql: rusqlite::Result<String> =
            self.connection.query_row(query, [table], |row| row.get(0));
        let sql = match sql {
            Ok(sql) => sql,
            Err(rusqlite::Error::QueryReturnedNoRows) => {
                return Err(Flaw::malformed("there is no such table"));
            }
            Err(error) => return Err(in_words(&error)),
        };
        let plain = sql.trim_start().to_ascii_uppercase().starts_with("CREATE TABLE");
        if plain { Ok(()) } else { Err(Flaw::malformed("not a plain table")) }
    }
}

fn read_whole(bytes: &dyn ReadAt, what: &str) -> Result<Vec<u8>, Flaw> {
    match read_up_to(bytes, FILE_LIMIT) {
        Ok((bytes, false)) => Ok(bytes),
        Ok((_, true)) => {
            let what = format!("{what} larger than the {FILE_LIMIT} bytes that are read of it");
            Err(Flaw { kind: IssueKind::LimitReached, what })
        }
        Err(error) => Err(Flaw { kind: IssueKind::Unreadable, what: format!("{what}: {error}") }),
    }
}

fn load(bytes: &[u8]) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_LIMIT)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.deserialize_read_exact("main", bytes, bytes.len(), true)?;
    let mut looks = 0_u32;
    let exhausted = move || {
        looks = looks.saturating_add(1);
        looks > LOOK_LIMIT
    };
    connection.progress_handler(STEPS_PER_LOOK, Some(exhausted))?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // SQLite looks at the file only when it is asked for something.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    }
}

fn in_words(error: &rusqlite::Error) -> Flaw {
    use rusqlite::ErrorCode::{OperationInterrupted, TooBig};
    let kind = match error.sqlite_error_code() {
        Some(OperationInterrupted | TooBig) => IssueKind::LimitReached,
        _ => IssueKind::Malformed,
    };
    Flaw { kind, what: error.to_string() }
}

#[cfg(test)]
mod tests;
