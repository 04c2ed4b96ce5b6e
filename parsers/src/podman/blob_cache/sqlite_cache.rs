//! The cache as an SQLite database.

use super::{Contents, Location, Where};
use crate::formats::sqlite::{Database, Value};
use crate::{Artifact, ArtifactFile};
use dockline_timeline::{Findings, Instant, IssueKind, Position};

const LOCATIONS: &[&str] = &["transport", "scope", "digest", "location", "time"];

pub(super) fn read(
    artifact: &Artifact,
    file: &ArtifactFile,
    findings: &mut dyn Findings,
) -> Option<Contents> {
    let main = artifact.open(file, findings)?;
    let database = Database::open_file(artifact, (file, &*main), findings)?;
    let mut contents = Contents::default();
    let mut rows =
        |table: &str, columns: &[&str]| database.rows_of_file((table, columns), file, findings);
    let located = rows("KnownLocations", LOCATIONS);
    let pairs = rows("DigestUncompressedPairs", &["anyDigest", "uncompressedDigest"]);
    let count = located.len().saturating_add(pairs.len());
    contents.records = u64::try_from(count).unwrap_or(u64::MAX);
    for (key, row) in located {
        match location(key, &row) {
            Some(location) => contents.locations.push(location),
            None => {
                let at = format!("KnownLocations:{key}");
                let what = "no digest, location and time";
                let issue = file.issue(IssueKind::Malformed, Position::Key(&at), what);
                findings.issue(issue.losing(1, 0));
            }
        }
    }
    for (_, row) in pairs {
        if let [Value::Bytes(any), Value::Bytes(uncompressed)] = row.as_slice() {
            contents.add_pair(any, uncompressed);
        }
    }
    findings.records(&file.origin, contents.records, main.len());
    Some(contents)
}

fn location(key: i64, row: &[Value]) -> Option<Location> {
    let text = |index: usize| match row.get(index) {
        Some(Value::Bytes(bytes)) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    };
    Some(Location {
        transport: text(0)?,
        scope: text(1)?,
        digest: text(2)?,
        location: text(3)?,
        seen: instant(&text(4)?)?,
        position: Where::Row(key),
        recovered_from: None,
    })
}

/// `2024-05-01 14:00:00.5+02:00`, as SQLite's driver for Go writes a time; RFC 3339 with a space.
fn instant(text: &str) -> Option<Instant> {
    Instant::parse_rfc3339(&text.replacen(' ', "T", 1)).ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_the_driver_is_rfc_3339_with_a_space() {
        let told = |text: &str| instant(text).map(|instant| instant.to_string());
        let expected = Some("2024-05-01T12:00:00.500000000Z".to_owned());
        assert_eq!(told("2024-05-01 14:00:00.5+02:00"), expected);
        assert_eq!(told("2024-05-01T12:00:00.5Z"), expected);
        assert_eq!(told("yesterday"), None);
    }
}
