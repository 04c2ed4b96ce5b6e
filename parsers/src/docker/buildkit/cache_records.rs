//! `metadata_v2.db`: what BuildKit keeps so that it need not be built again.
//!
//! Bucket `_main`, a bucket for each record in it, and in that a value for each property: JSON with
//! the property as `value`. A value of no bytes is a property that was taken back.

use super::loose::is_id;
use super::{CACHE, Source, text};
use crate::formats::attributes::Attributes;
use crate::formats::bolt::{Bucket, Content};
use dockline_timeline::{
    Attribute, Event, Findings, Instant, IssueKind, Meaning, Position, Subject,
};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// What records are, by id.
pub(super) type Described = BTreeMap<String, String>;

/// Issues with values that are told one by one.
const ISSUE_LIMIT: usize = 100;

/// A record of the cache.
#[derive(Debug, Default)]
struct Record {
    /// Empty when it is not known.
    id: String,
    created: Option<Instant>,
    last_used: Option<Instant>,
    usage_count: Option<i64>,
    description: Option<String>,
    kind: Option<String>,
    size: Option<u64>,
    parents: Vec<String>,
    images: Vec<String>,
    chain_id: Option<String>,
    diff_id: Option<String>,
    blob: Option<String>,
    snapshot: Option<String>,
    /// The record that can still be changed, of which this is what was committed.
    mutable_twin: Option<String>,
    /// What else tells where it came from: the name of a local context, a remote.
    sources: Vec<String>,
    removed: bool,
}

/// Events that were told: record, meaning, instant. A fragment without a name has the empty id.
type Told = BTreeSet<(String, Meaning, Instant)>;

pub(super) fn report(source: &Source<'_>, known: &mut Described, findings: &mut dyn Findings) {
    let (mut told, mut wrong) = (Told::new(), Vec::new());
    let main = source.database.root().bucket("_main");
    for (entry, bucket) in main.into_iter().flat_map(Bucket::buckets) {
        let record = Record::read(text(entry.key), bucket, &mut wrong);
        findings.records(&source.file.origin, 1, 0);
        known.insert(record.id.clone(), record.described());
        record.report(source, (None, &mut told), findings);
    }
    for (index, (key, what)) in wrong.iter().enumerate() {
        if index == ISSUE_LIMIT {
            let what = format!("more than {ISSUE_LIMIT} wrong values, the rest is not told");
            findings.issue(source.file.issue(IssueKind::LimitReached, Position::File, what));
            break;
        }
        findings.issue(source.file.issue(IssueKind::Malformed, Position::Key(key), what));
    }
    for loose in &source.loose {
        if loose.bucket.find(b"cache.createdAt").is_none() {
            continue;
        }
        let record = Record::read(loose.id().unwrap_or_default(), loose.bucket, &mut Vec::new());
        record.report(source, (Some(loose.recovered_from()), &mut told), findings);
    }
}

impl Record {
    fn read(id: String, bucket: Bucket<'_, '_>, wrong: &mut Vec<(String, String)>) -> Record {
        let mut record = Record { id, ..Record::default() };
        for entry in bucket.entries() {
            let Content::Value(bytes) = entry.content else { continue };
            if bytes.is_empty() {
                continue;
            }
            let key = text(entry.key);
            let value = serde_json::from_slice::<Value>(bytes).ok();
            let value = value.as_ref().and_then(|value| value.get("value"));
            let is_read = value.is_some_and(|value| record.set(&key, value).is_some());
            if !is_read {
                wrong.push((
                    format!("_main/{}/{key}", record.id),
                    "no value of its kind".to_owned(),
                ));
            }
        }
        record
    }

    /// `None` when the value is not of its kind.
    fn set(&mut self, key: &str, value: &Value) -> Option<()> {
        let text = || value.as_str().map(str::to_owned);
        match key {
            "cache.createdAt" => self.created = instant(value.as_i64()?)?,
            "cache.lastUsedAt" => self.last_used = instant(value.as_i64()?)?,
            "cache.usageCount" => self.usage_count = Some(value.as_i64()?),
            "cache.description" => self.description = Some(text()?),
            "cache.recordType" => self.kind = Some(text()?),
            // Unknown sizes are -1.
            "snapshot.size" => self.size = u64::try_from(value.as_i64()?).ok(),
            "cache.parent" | "cache.lowerDiffParent" | "cache.upperDiffParent" => {
                self.parents.push(text()?);
            }
            "cache.mergeParents" => self.parents.extend(texts(value)?),
            "cache.imageRefs" => self.images = texts(value)?,
            "cache.chainID" => self.chain_id = Some(text()?),
            "cache.diffID" => self.diff_id = Some(text()?),
            "cache.blob" => self.blob = Some(text()?),
            "cache.snapshot" => self.snapshot = Some(text()?),
            "cache.equalMutable" => self.mutable_twin = Some(text()?),
            "cache.deleted" => self.removed = value.as_bool()?,
            _ if key.starts_with("cache.") || key.starts_with("snapshot.") => {}
            _ => {
                let value = text().unwrap_or_else(|| value.to_string());
                self.sources.push(format!("{key}={value}"));
            }
        }
        Some(())
    }

    fn described(&self) -> String {
        match (&self.description, self.images.first()) {
            (Some(description), Some(image)) => format!("{} ({image})", description.trim()),
            (Some(description), None) => description.trim().to_owned(),
            (None, Some(image)) => format!("layer of {image}"),
            (None, None) => format!("record {}", self.id),
        }
    }

    /// The command that it is the result of.
    fn command_line(&self) -> Option<&str> {
        let (_, command) = self.description.as_deref()?.split_once(" from exec ")?;
        Some(command.split_once(" with id \"").map_or(command, |(command, _)| command))
    }

    fn report(
        &self,
        source: &Source<'_>,
        (recovered, told): (Option<Attribute<'static>>, &mut Told),
        findings: &mut dyn Findings,
    ) {
        let what = self.described();
        let moments = [
            (self.created, Meaning::Creation, "create", format!("build cache made: {what}")),
            (self.last_used, Meaning::LastAccess, "use", self.used(&what)),
        ];
        for (instant, meaning, action, text) in moments {
            let Some(instant) = instant else { continue };
            let unnamed = told.insert((String::new(), meaning, instant));
            let named = self.id.is_empty() || told.insert((self.id.clone(), meaning, instant));
            if recovered.is_some() && !(unnamed && named) {
                continue;
            }
            let key = format!("_main/{}/{}", self.id, property(meaning));
            let mut event =
                Event::new(&source.file.origin, &CACHE, &Subject::UNKNOWN, (instant, meaning));
            event.position = Position::Key(&key);
            event.action = action;
            event.text = (&text).into();
            self.describe(&mut event);
            if let Some(recovered) = &recovered {
                event.tags.push(Cow::Borrowed("recovered"));
                event.attributes.push(recovered.clone());
            }
            findings.event(&event);
        }
    }

    fn used(&self, what: &str) -> String {
        match self.usage_count {
            Some(1) => format!("build cache last used, once in all: {what}"),
            Some(count) => format!("build cache last used, {count} times in all: {what}"),
            None => format!("build cache last used: {what}"),
        }
    }

    fn describe<'e>(&'e self, event: &mut Event<'e>) {
        event.command_line = self.command_line();
        event.size = self.size;
        event.layer_identifier = self.chain_id.as_deref();
        let mut all = Attributes::default();
        all.text("cache_record", Some(self.id.as_str()).filter(|id| !id.is_empty()));
        all.text("cache_type", self.kind.as_deref());
        all.integer("usage_count", self.usage_count);
        all.texts("cache_parents", &self.parents);
        all.texts("image_digests", &self.images);
        all.text("diff_id", self.diff_id.as_deref());
        all.text("blob_digest", self.blob.as_deref());
        all.text("snapshot_key", self.snapshot.as_deref());
        all.text("mutable_record", self.mutable_twin.as_deref());
        all.texts("cache_sources", &self.sources);
        all.flag("cache_removed", self.removed);
        event.attributes = all.into_vec();
    }
}

fn property(meaning: Meaning) -> &'static str {
    if meaning == Meaning::Creation { "cache.createdAt" } else { "cache.lastUsedAt" }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

/// An instant from nanoseconds since 1970; what is not above zero was never set.
fn instant(nanoseconds: i64) -> Option<Option<Instant>> {
    if nanoseconds <= 0 {
        return Some(None);
    }
    let seconds = nanoseconds.checked_div_euclid(1_000_000_000)?;
    let rest = u32::try_from(nanoseconds.checked_rem_euclid(1_000_000_000)?).ok()?;
    Instant::new(seconds, rest).map(Some)
}

/// Whether a name is one of a record.
pub(super) fn record_of(result: &str) -> Option<&str> {
    let id = result.rsplit("::").next()?;
    is_id(id.as_bytes()).then_some(id)
}
