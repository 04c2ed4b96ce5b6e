//! `repositories.json`: the table of an image store that says which name means which image.
//!
//! `{"Repositories":{"alpine":{"alpine:latest":"sha256:<image>","alpine@sha256:<manifest>":
//! "sha256:<image>"}}}`, written by moby's `reference/store.go` (`daemon/internal/refstore` from
//! 29.0) as a whole, on each change of any reference, to `.tmp-repositories.json<random>` first.

use super::json::{Fields, Wrong};
use crate::{Digest, ImageReference};
use serde_json::Value;

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The key that leads to it.
    pub key: String,
    /// The name.
    pub reference: ImageReference,
    /// The image.
    pub image: Digest,
}

/// The table, and what is wrong with single rows as `(key, what)`.
#[derive(Debug, Default)]
pub struct Table {
    /// The rows, ordered by repository and name.
    pub rows: Vec<Row>,
    /// Rows that are none.
    pub wrong: Vec<(String, String)>,
    /// Whether there is a table at all.
    pub found: bool,
}

/// Reads the table.
#[must_use]
pub fn read(document: &Value, wrong: &Wrong) -> Table {
    let fields = Fields::new(document, wrong);
    let mut table = Table { found: fields.has("Repositories"), ..Table::default() };
    for (repository, names) in fields.object("Repositories").members() {
        for name in names.keys() {
            let Some(image) = names.text(&name) else { continue };
            let key = format!("Repositories.{repository}.{name}");
            match (ImageReference::parse(&name), Digest::parse(&image)) {
                (Some(reference), Some(image)) => table.rows.push(Row { key, reference, image }),
                (None, _) => table.wrong.push((key, format!("{name:?} is no image reference"))),
                (_, None) => table.wrong.push((key, format!("{image:?} is no image id"))),
            }
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_none_costs_only_itself() {
        let image = Digest::of(b"");
        let document = serde_json::json!({"Repositories": {
            "web": {"web:1": image.as_str(), "web": image.as_str(), "web:2": "sha256:12", "web:3": 3},
            "no": [],
        }});
        let wrong = Wrong::default();
        let table = read(&document, &wrong);
        assert_eq!(table.rows.len(), 1);
        assert_eq!(table.rows[0].key, "Repositories.web.web:1");
        let told: Vec<&str> = table.wrong.iter().map(|(_, what)| what.as_str()).collect();
        let expected = [
            "\"web\" is no image reference",
            "\"sha256:12\" is no image id",
            "\"3\" is no image id",
        ];
        assert_eq!(told, expected);
        assert_eq!(wrong.into_flaws().len(), 1);
        assert!(!read(&serde_json::json!({}), &Wrong::default()).found);
    }
}
