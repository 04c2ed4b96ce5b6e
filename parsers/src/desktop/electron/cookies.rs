//! Cookies: with which servers the window had sessions, since when, and when it last spoke to them.

use super::Profile;
use crate::ArtifactFile;
use crate::formats::chrome_time;
use crate::formats::sqlite::{Database, Value};
use dockline_timeline::{Findings, Instant, Kind, Meaning, Position, Value as Fact};
use std::borrow::Cow;
use std::sync::Arc;

static COOKIE: Kind = Kind {
    data_type: "chrome:cookie:entry",
    source_short: "DESKTOP",
    source_long: "Cookie of an Electron program",
};

/// What is read of a row; older schemas lack some of it, or call it otherwise.
const COLUMNS: &[&str] = &[
    "creation_utc",
    "last_access_utc",
    "last_update_utc",
    "expires_utc",
    "host_key",
    "name",
    "path",
    "is_secure",
    "secure",
    "is_httponly",
    "httponly",
];

/// The columns that are instants, what each means, and its verb.
const INSTANTS: &[(&str, Meaning, &str, &str)] = &[
    ("creation_utc", Meaning::Creation, "create", "set"),
    ("last_update_utc", Meaning::Update, "update", "last changed"),
    ("last_access_utc", Meaning::LastAccess, "access", "last used"),
];

/// One row of a table, by its columns.
pub(super) struct Row {
    key: i64,
    columns: Vec<&'static str>,
    values: Vec<Value>,
}

impl Row {
    /// The rows of a table, with those of the columns that it has.
    pub(super) fn all(
        database: &Database,
        (table, columns): (&str, &[&'static str]),
        file: &ArtifactFile,
        findings: &mut dyn Findings,
    ) -> Vec<Row> {
        let there = database.columns(table).unwrap_or_default();
        let is_there = |column: &&str| there.iter().any(|name| name == column);
        let columns: Vec<&'static str> = columns.iter().copied().filter(is_there).collect();
        let rows = database.rows_of_file((table, &columns), file, findings);
        let row = |(key, values)| Row { key, columns: columns.clone(), values };
        rows.into_iter().map(row).collect()
    }

    fn value(&self, column: &str) -> Option<&Value> {
        let at = self.columns.iter().position(|name| *name == column)?;
        self.values.get(at)
    }

    pub(super) fn text(&self, column: &str) -> Option<Cow<'_, str>> {
        match self.value(column)? {
            Value::Bytes(bytes) => Some(String::from_utf8_lossy(bytes)),
            _ => None,
        }
    }

    pub(super) fn integer(&self, column: &str) -> Option<i64> {
        match self.value(column)? {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn instant(&self, column: &str) -> Option<Instant> {
        chrome_time::instant(self.integer(column)?)
    }

    /// Where a value stands.
    pub(super) fn position(&self, table: &str, column: &str) -> Position<'static> {
        Position::OwnedKey(Arc::from(format!("{table}[{}].{column}", self.key)))
    }
}

impl Profile<'_> {
    /// The database of a file as so many records; an issue when it is none.
    pub(super) fn database(
        &self,
        file: &ArtifactFile,
        findings: &mut dyn Findings,
    ) -> Option<Database> {
        let bytes = self.artifact.open(file, findings)?;
        let database = Database::open_file(self.artifact, (file, &*bytes), findings)?;
        findings.records(&file.origin, 0, bytes.len());
        Some(database)
    }

    pub(super) fn cookies(&self, file: &ArtifactFile, findings: &mut dyn Findings) {
        let Some(database) = self.database(file, findings) else { return };
        let rows = Row::all(&database, ("cookies", COLUMNS), file, findings);
        findings.records(&file.origin, u64::try_from(rows.len()).unwrap_or(u64::MAX), 0);
        for row in &rows {
            self.cookie(file, row, findings);
        }
    }

    fn cookie(&self, file: &ArtifactFile, row: &Row, findings: &mut dyn Findings) {
        let name = row.text("name").unwrap_or_default();
        let host = row.text("host_key").unwrap_or_default();
        let expires = row.instant("expires_utc").map(|instant| instant.to_string());
        let is_set = |names: [&str; 2]| {
            names.iter().any(|name| row.integer(name).is_some_and(|flag| flag != 0))
        };
        let mut told: Vec<Instant> = Vec::new();
        for (column, meaning, action, verb) in INSTANTS {
            let Some(instant) = row.instant(column) else { continue };
            // A cookie that was only set was last used and changed then.
            if told.contains(&instant) {
                continue;
            }
            told.push(instant);
            let text = format!("cookie {name} of {host} {verb}");
            let mut event = self.event(file, (instant, *meaning), &text);
            event.kind = &COOKIE;
            event.action = action;
            event.position = row.position("cookies", column);
            let words = |text: &str| Fact::Text(Cow::Owned(text.to_owned()));
            event.attribute("cookie_name", Some(words(&name)));
            event.attribute("server", Some(words(&host)));
            event.attribute("cookie_path", row.text("path").map(|path| words(&path)));
            event.attribute("expires", expires.as_deref().map(words));
            event.attribute(
                "secure",
                is_set(["is_secure", "secure"]).then_some(Fact::Boolean(true)),
            );
            let http_only = is_set(["is_httponly", "httponly"]);
            event.attribute("http_only", http_only.then_some(Fact::Boolean(true)));
            findings.event(&event);
        }
    }
}
