//! `containerdmeta.db`: leases and blobs of the cache, in the form of containerd's own database.
//!
//! An engine with a graph driver has no containerd store: BuildKit keeps its own, with the
//! namespaces `buildkit` and `buildkit_history`. A lease has the id of a record of the cache, or is
//! `ref_<build>`. After containerd 2.4 `core/metadata/buckets.go`.

use super::cache_records::Described;
use super::{CACHE, Source, text};
use crate::formats::attributes::Attributes;
use crate::formats::bolt::Bucket;
use crate::formats::go_time;
use dockline_timeline::{
    Attribute, Event, Findings, Instant, IssueKind, Meaning, Position, Subject,
};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A lease or a blob: its key, when it was made, and what it is.
struct Item {
    key: String,
    created: Instant,
    what: String,
    id: String,
}

pub(super) fn report(source: &Source<'_>, known: &Described, findings: &mut dyn Findings) {
    let mut told = BTreeSet::new();
    let version = source.database.root().bucket("v1");
    for (namespace, bucket) in version.into_iter().flat_map(Bucket::buckets) {
        let namespace = text(namespace.key);
        for (path, what) in [(["leases"].as_slice(), "lease"), (&["content", "blob"], "blob")] {
            let items = bucket.at(path);
            for (entry, item) in items.into_iter().flat_map(Bucket::buckets) {
                findings.records(&source.file.origin, 1, 0);
                let id = text(entry.key);
                let key = format!("v1/{namespace}/{}/{id}", path.join("/"));
                match created(item) {
                    Some(Ok(created)) => {
                        told.insert(created);
                        let item = Item { key, created, what: worded(what, &id, known), id };
                        tell(source, &item, None, findings);
                    }
                    Some(Err(what)) => {
                        let at = Position::Key(&key);
                        findings.issue(source.file.issue(IssueKind::Malformed, at, what));
                    }
                    None => {}
                }
            }
        }
    }
    for loose in &source.loose {
        let Some(Ok(created)) = created(loose.bucket) else { continue };
        if told.insert(created) {
            let id = loose.names.first().map(|name| text(name)).unwrap_or_default();
            let what = worded("lease or blob", &id, known);
            let item = Item { key: format!("v1/{id}"), created, what, id };
            tell(source, &item, Some(loose.recovered_from()), findings);
        }
    }
}

fn created(item: Bucket<'_, '_>) -> Option<Result<Instant, String>> {
    match go_time::parse(item.get("createdat")?) {
        Ok(instant) => instant.map(Ok),
        Err(error) => Some(Err(error.to_string())),
    }
}

fn worded(what: &str, id: &str, known: &Described) -> String {
    match known.get(id) {
        Some(description) => format!("{what} of the build cache made: {description}"),
        None if id.is_empty() => format!("{what} of the build cache made"),
        None => format!("{what} of the build cache made: {id}"),
    }
}

fn tell(
    source: &Source<'_>,
    item: &Item,
    recovered: Option<Attribute<'static>>,
    findings: &mut dyn Findings,
) {
    let when = (item.created, Meaning::Added);
    let mut event = Event::new(&source.file.origin, &CACHE, &Subject::UNKNOWN, when);
    event.position = Position::Key(&item.key);
    event.action = "create";
    event.text = (&item.what).into();
    let mut all = Attributes::default();
    all.text("cache_record", Some(item.id.as_str()).filter(|id| !id.is_empty()));
    event.attributes = all.into_vec();
    if let Some(recovered) = recovered {
        event.tags.push(Cow::Borrowed("recovered"));
        event.attributes.push(recovered);
    }
    findings.event(&event);
}
