//! `cache.db`: which record of the cache holds the result of which step.
//!
//! Bucket `_result`, a bucket for each key of the cache, and in it for each result JSON with
//! `CreatedAt` and `ID`: the worker and the record. It is written without being synced, so a crash
//! leaves it torn more often than others.

use super::cache_records::{Described, record_of};
use super::{CACHE, Source, text};
use crate::formats::attributes::Attributes;
use crate::formats::bolt::{Bucket, Content, Entry};
use crate::formats::json::{Fields, Wrong};
use dockline_timeline::{
    Attribute, Event, Findings, Instant, IssueKind, Meaning, Position, Subject,
};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Results that were told.
type Told = BTreeSet<(String, Instant)>;

pub(super) fn report(source: &Source<'_>, known: &Described, findings: &mut dyn Findings) {
    let mut told = Told::new();
    let results = source.database.root().bucket("_result");
    for (key, bucket) in results.into_iter().flat_map(Bucket::buckets) {
        for entry in bucket.entries() {
            findings.records(&source.file.origin, 1, 0);
            let place = format!("_result/{}/{}", text(key.key), text(entry.key));
            match read(&entry) {
                Some((id, Some(created))) => {
                    told.insert((id.clone(), created));
                    tell(source, (&id, created, &place), (known, None), findings);
                }
                Some((_, None)) => {}
                None => {
                    let what = "no result with a time";
                    let at = Position::Key(&place);
                    findings.issue(source.file.issue(IssueKind::Malformed, at, what));
                }
            }
        }
    }
    for loose in &source.loose {
        for entry in loose.bucket.entries().filter(|entry| !entry.repeated) {
            let Some((id, Some(created))) = read(&entry) else { continue };
            if told.insert((id.clone(), created)) {
                let recovered = loose.recovered_from();
                let place = format!("_result/{}", text(entry.key));
                tell(source, (&id, created, &place), (known, Some(recovered)), findings);
            }
        }
    }
}

/// The result and its time; `None` when the entry is no result.
fn read(entry: &Entry<'_, '_>) -> Option<(String, Option<Instant>)> {
    let Content::Value(bytes) = entry.content else { return None };
    let document: Value = serde_json::from_slice(bytes).ok()?;
    let wrong = Wrong::default();
    let fields = Fields::new(&document, &wrong);
    let (id, created) = (fields.text("ID")?, fields.instant("CreatedAt"));
    wrong.into_flaws().is_empty().then_some((id, created))
}

fn tell(
    source: &Source<'_>,
    (id, created, place): (&str, Instant, &str),
    (known, recovered): (&Described, Option<Attribute<'static>>),
    findings: &mut dyn Findings,
) {
    let record = record_of(id);
    let described = record.and_then(|record| known.get(record));
    let text = match described {
        Some(what) => format!("result of a build step kept: {what}"),
        None => format!("result of a build step kept in {id}, of which nothing is left"),
    };
    let when = (created, Meaning::Added);
    let mut event = Event::new(&source.file.origin, &CACHE, &Subject::UNKNOWN, when);
    event.position = Position::Key(place);
    event.action = "create";
    event.text = (&text).into();
    let mut all = Attributes::default();
    all.text("cache_record", Some(record.unwrap_or(id)));
    event.attributes = all.into_vec();
    if let Some(recovered) = recovered {
        event.tags.push(Cow::Borrowed("recovered"));
        event.attributes.push(recovered);
    }
    findings.event(&event);
}
