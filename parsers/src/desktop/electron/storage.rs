//! The storage of pages, and the words of the library that keeps it.

use super::Profile;
use crate::ArtifactFile;
use crate::formats::leveldb::info_log::Line;
use crate::formats::leveldb::{Flaw, Record, log, table};
use crate::formats::{chrome_time, lines, protobuf};
use chrono::LocalResult;
use dockline_timeline::{Confidence, Findings, Instant, IssueKind, Meaning, Position, Value};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Larger files are not read: pages may store 10 MiB each.
const FILE_LIMIT: u64 = 64 << 20;
/// Names of keys that are listed of one origin.
const KEYS: usize = 200;
/// Flaws of one file that are told one by one.
const FLAWS: usize = 100;

/// What the key of a record of times begins with, the meaning of its time, and its verb.
const TIMES: &[(&str, Meaning, &str)] = &[
    ("META:", Meaning::ContentModification, "write"),
    ("METAACCESS:", Meaning::LastAccess, "access"),
];

/// One time of an origin, and the latest change that says so.
struct Seen<'a> {
    file: &'a ArtifactFile,
    sequence: u64,
    offset: usize,
    size: Option<u64>,
}

/// What the files of a storage hold together.
#[derive(Default)]
struct Storage<'a> {
    /// By key and instant.
    times: BTreeMap<(String, Instant), Seen<'a>>,
    /// The number of the last change of each such key, also of its deletion.
    latest: BTreeMap<String, u64>,
    /// Names of the keys of each origin.
    keys: BTreeMap<String, BTreeSet<String>>,
}

impl<'a> Storage<'a> {
    fn take(&mut self, record: &Record<'_>, file: &'a ArtifactFile) {
        if let Some((origin, key)) = key_of_page(record.key) {
            self.keys.entry(origin).or_default().insert(key);
            return;
        }
        let Ok(key) = std::str::from_utf8(record.key) else { return };
        if !TIMES.iter().any(|(prefix, ..)| key.starts_with(prefix)) {
            return;
        }
        let latest = self.latest.entry(key.to_owned()).or_default();
        *latest = record.sequence.max(*latest);
        let Some(value) = record.value else { return };
        let field = |number| protobuf::last(value, number).and_then(protobuf::Value::integer);
        let Some(instant) = field(1).and_then(chrome_time::instant) else { return };
        let size = field(2).and_then(|size| u64::try_from(size).ok());
        let Record { sequence, offset, .. } = *record;
        let seen = Seen { file, sequence, offset, size };
        let known = self.times.entry((key.to_owned(), instant)).or_insert(seen);
        if known.sequence < sequence {
            *known = Seen { file, sequence, offset, size };
        }
    }
}

/// Origin and name of a key of a page: `_<origin>`, NUL, 0 for UTF-16 or 1 for Latin-1, the name.
fn key_of_page(key: &[u8]) -> Option<(String, String)> {
    let rest = key.strip_prefix(b"_")?;
    let (origin, name) = rest.split_at_checked(rest.iter().position(|byte| *byte == 0)?)?;
    let name = match name.split_first_chunk::<2>()? {
        ([_, 1], latin) => latin.iter().map(|byte| char::from(*byte)).collect(),
        ([_, 0], wide) => {
            let units = wide.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
            String::from_utf16_lossy(&units.collect::<Vec<u16>>())
        }
        _ => return None,
    };
    Some((String::from_utf8_lossy(origin).into_owned(), name))
}

impl Profile<'_> {
    /// The logs and tables of a store, as one.
    pub(super) fn storage(&self, findings: &mut dyn Findings) {
        let mut storage = Storage::default();
        for file in &self.artifact.files {
            let name = file.path.file_name().unwrap_or_default().to_ascii_lowercase();
            let is_log = name.ends_with(b".log");
            if !is_log && !name.ends_with(b".ldb") && !name.ends_with(b".sst") {
                continue;
            }
            let bytes = self.artifact.read_up_to(file, FILE_LIMIT, findings);
            let Some(bytes) = bytes else { continue };
            let mut count = 0_u64;
            let mut take = |record: &Record<'_>| {
                count = count.saturating_add(1);
                storage.take(record, file);
            };
            let flaws = match is_log {
                true => log::records(&bytes, &mut take),
                false => table::records(&bytes, &mut take),
            };
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            findings.records(&file.origin, count, length);
            tell_flaws(file, flaws, findings);
        }
        for ((key, instant), seen) in &storage.times {
            self.time_of_origin((key, *instant), seen, (&storage, findings));
        }
    }

    fn time_of_origin(
        &self,
        (key, instant): (&str, Instant),
        seen: &Seen<'_>,
        (storage, findings): (&Storage<'_>, &mut dyn Findings),
    ) {
        let mut kinds = TIMES.iter();
        let Some((origin, (_, meaning, action))) =
            kinds.find_map(|kind| Some((key.strip_prefix(kind.0)?, *kind)))
        else {
            return;
        };
        let text = match action {
            "write" => format!("page {origin} wrote to its storage"),
            _ => format!("page {origin} looked into its storage"),
        };
        let mut event = self.event(seen.file, (instant, meaning), &text);
        event.action = action;
        event.position = Position::Offset(u64::try_from(seen.offset).unwrap_or(u64::MAX));
        event.size = seen.size;
        event.attribute("page", Some(Value::Text(Cow::Borrowed(origin))));
        if storage.latest.get(key).is_some_and(|latest| *latest > seen.sequence) {
            event.tags.push(Cow::Borrowed("recovered"));
        } else if let Some(keys) = storage.keys.get(origin).filter(|_| action == "write") {
            let count = i64::try_from(keys.len()).unwrap_or(i64::MAX);
            event.attribute("storage_key_count", Some(Value::Integer(count)));
            let list = keys.iter().take(KEYS).map(|key| Cow::Borrowed(key.as_str()));
            event.attribute("storage_keys", Some(Value::List(list.collect())));
        }
        findings.event(&event);
    }

    /// `LOG` and `LOG.old`.
    pub(super) fn info_log(&self, file: &ArtifactFile, findings: &mut dyn Findings) {
        let Some(bytes) = self.artifact.open(file, findings) else { return };
        let (mut records, mut length) = (0_u64, 0_u64);
        let end = lines::read(&*bytes, &mut |line| {
            length = length.saturating_add(line.length);
            let text = String::from_utf8_lossy(line.bytes.trim_ascii_end());
            if text.is_empty() {
                return;
            }
            records = records.saturating_add(1);
            match Line::parse(&text).and_then(|line| Some((self.placed(&line)?, line))) {
                Some((placed, words)) => {
                    self.info_line(file, (&words, placed, line.offset), findings)
                }
                None => {
                    let what = "a line without a time";
                    let at = Position::Offset(line.offset);
                    findings
                        .issue(file.issue(IssueKind::Malformed, at, what).losing(1, line.length));
                }
            }
        });
        findings.records(&file.origin, records, length);
        if let Err(end) = end {
            findings.issue(file.issue(end.kind, Position::Offset(end.at), end.what));
        }
    }

    fn info_line(
        &self,
        file: &ArtifactFile,
        (line, (instant, zone), offset): (&Line<'_>, (Instant, &'static str), u64),
        findings: &mut dyn Findings,
    ) {
        let store = file.capture("store").unwrap_or_default();
        let text = match line.is_opening() {
            true => format!("{store} opened, the window with it: {}", line.words),
            false => format!("{store}: {}", line.words),
        };
        let mut event = self.event(file, (instant, Meaning::Recorded), &text);
        event.confidence = Confidence::Inferred;
        event.action = if line.is_opening() { "open" } else { "log" };
        event.position = Position::Offset(offset);
        event.attribute("local_time", Some(Value::Text(Cow::Borrowed(line.time))));
        event.attribute("zone_source", Some(Value::Text(Cow::Borrowed(zone))));
        findings.event(&event);
    }

    /// The instant of a local time, and from where its zone is.
    fn placed(&self, line: &Line<'_>) -> Option<(Instant, &'static str)> {
        let utc = line.local.and_utc();
        let zone = self.inventory.zone().map(|zone| zone.offset_at_local(line.local));
        let (offset, source) = match zone {
            Some(LocalResult::Single(offset)) => (offset, "time zone of the host"),
            Some(LocalResult::Ambiguous(first, _)) => {
                (first, "time zone of the host, the first of two instants with this clock")
            }
            Some(LocalResult::None) => (0, "none: the clock of the host's zone never showed this"),
            None => (0, "none, taken for UTC"),
        };
        let seconds = utc.timestamp().checked_sub(i64::from(offset))?;
        Some((Instant::new(seconds, utc.timestamp_subsec_nanos())?, source))
    }
}

fn tell_flaws(file: &ArtifactFile, flaws: Vec<Flaw>, findings: &mut dyn Findings) {
    let more = flaws.len().saturating_sub(FLAWS);
    for flaw in flaws.into_iter().take(FLAWS) {
        let at = Position::Offset(u64::try_from(flaw.offset).unwrap_or(u64::MAX));
        findings.issue(file.issue(flaw.kind, at, flaw.what));
    }
    if more > 0 {
        let what = format!("{more} more places of damage, not told one by one");
        findings.issue(file.issue(IssueKind::LimitReached, Position::File, what));
    }
}
