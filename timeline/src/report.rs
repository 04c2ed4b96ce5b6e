//! What a run has read, written and not understood: the same for any number of threads, any
//! memory budget and any order of jobs.
//!
//! Each worker counts in its own `Tally`; tallies are added up when the workers are done, and
//! adding is commutative, so it does not matter who counted what.

use crate::{Event, Instant, Issue, IssueKind, Origin, Position, Rank};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Issues that are kept whole; hostile evidence could give billions. All are counted.
pub const ISSUES_KEPT: usize = 10_000;

/// What a run has read, written and not understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Every file that something was read from, in the order of the evidence; then the places
    /// that no parser has read anything from but that have issues.
    pub files: Vec<FileReport>,
    /// Every output, in the order of the sinks.
    pub sinks: Vec<SinkReport>,
    /// The first [`ISSUES_KEPT`] issues in the order of (evidence, path, position).
    pub issues: Vec<Issue>,
    /// Events that were read and left out: outside the asked time, or not asked for.
    pub left_out: u64,
}

impl Report {
    /// The sum of all files.
    #[must_use]
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        self.files.iter().for_each(|file| total.add(&file.counts));
        total
    }

    /// The sums for each parser, by name, with the number of its files; `None` stands for places
    /// that no parser has read anything from.
    #[must_use]
    pub fn parsers(&self) -> BTreeMap<Option<&'static str>, (u64, Counts)> {
        let mut parsers: BTreeMap<Option<&'static str>, (u64, Counts)> = BTreeMap::new();
        for file in &self.files {
            let (files, counts) = parsers.entry(file.parser).or_default();
            *files = files.saturating_add(1);
            counts.add(&file.counts);
        }
        parsers
    }

    /// Issues that were counted but are not in [`Report::issues`].
    #[must_use]
    pub fn issues_not_kept(&self) -> u64 {
        let kept = u64::try_from(self.issues.len()).unwrap_or(u64::MAX);
        self.total().issues.total().saturating_sub(kept)
    }
}

/// One file as one parser has read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// Name of the evidence.
    pub evidence: Arc<str>,
    /// Path in the evidence, with a leading `/`.
    pub path: Arc<str>,
    /// Name of the host, where a parser has read anything.
    pub host: Option<Arc<str>>,
    /// Name of the parser, where a parser has read anything.
    pub parser: Option<&'static str>,
    /// Place in the order of (host, evidence, path), where a parser has read anything.
    pub rank: Option<Rank>,
    /// What was found in it.
    pub counts: Counts,
}

impl FileReport {
    fn of(origin: &Origin) -> FileReport {
        FileReport {
            evidence: origin.evidence.clone(),
            path: origin.artifact.clone(),
            host: Some(origin.host.clone()),
            parser: Some(origin.parser),
            rank: Some(origin.rank),
            counts: Counts::default(),
        }
    }
}

/// What was found in one or several files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records read whole.
    pub records: u64,
    /// Bytes that those records cover.
    pub record_bytes: u64,
    /// Of the records, those that are not about containers and became no events.
    pub unconcerned: u64,
    /// Events written (an event that one output cannot carry counts here all the same).
    pub events: u64,
    /// Issues by kind.
    pub issues: IssueCounts,
    /// Records that did not become events because of an issue.
    pub lost_records: u64,
    /// Bytes that an issue accounts for and no record covers.
    pub lost_bytes: u64,
    /// Instant of the earliest event written.
    pub first: Option<Instant>,
    /// Instant of the latest event written.
    pub last: Option<Instant>,
}

impl Counts {
    fn add(&mut self, other: &Counts) {
        self.records = self.records.saturating_add(other.records);
        self.record_bytes = self.record_bytes.saturating_add(other.record_bytes);
        self.unconcerned = self.unconcerned.saturating_add(other.unconcerned);
        self.events = self.events.saturating_add(other.events);
        self.issues.add(other.issues);
        self.lost_records = self.lost_records.saturating_add(other.lost_records);
        self.lost_bytes = self.lost_bytes.saturating_add(other.lost_bytes);
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.into_iter().chain(other.last).max();
    }

    fn event(&mut self, instant: Instant) {
        self.events = self.events.saturating_add(1);
        self.first = Some(self.first.map_or(instant, |first| first.min(instant)));
        self.last = Some(self.last.map_or(instant, |last| last.max(instant)));
    }

    fn issue(&mut self, issue: &Issue) {
        self.issues.count(issue.kind);
        self.lost_records = self.lost_records.saturating_add(issue.lost_records);
        self.lost_bytes = self.lost_bytes.saturating_add(issue.lost_bytes);
    }
}

/// Numbers of issues by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IssueCounts {
    /// [`IssueKind::Unreadable`].
    pub unreadable: u64,
    /// [`IssueKind::Malformed`].
    pub malformed: u64,
    /// [`IssueKind::Unsupported`].
    pub unsupported: u64,
    /// [`IssueKind::LimitReached`].
    pub limit_reached: u64,
}

impl IssueCounts {
    /// Issues of all kinds.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.unreadable
            .saturating_add(self.malformed)
            .saturating_add(self.unsupported)
            .saturating_add(self.limit_reached)
    }

    fn count(&mut self, kind: IssueKind) {
        let number = match kind {
            IssueKind::Unreadable => &mut self.unreadable,
            IssueKind::Malformed => &mut self.malformed,
            IssueKind::Unsupported => &mut self.unsupported,
            IssueKind::LimitReached => &mut self.limit_reached,
        };
        *number = number.saturating_add(1);
    }

    fn add(&mut self, other: IssueCounts) {
        self.unreadable = self.unreadable.saturating_add(other.unreadable);
        self.malformed = self.malformed.saturating_add(other.malformed);
        self.unsupported = self.unsupported.saturating_add(other.unsupported);
        self.limit_reached = self.limit_reached.saturating_add(other.limit_reached);
    }
}

/// One output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkReport {
    /// Name of the format.
    pub name: &'static str,
    /// Events written.
    pub rows: u64,
    /// Events that the format has no way to carry.
    pub not_carried: u64,
    /// Events written to each of its parts, in the order of their first files.
    pub rows_of_parts: Vec<u64>,
}

impl SinkReport {
    pub(crate) fn add(&mut self, other: &SinkReport) {
        self.rows = self.rows.saturating_add(other.rows);
        self.not_carried = self.not_carried.saturating_add(other.not_carried);
    }
}

/// What one worker has counted.
#[derive(Default)]
pub(crate) struct Tally {
    files: Vec<FileReport>,
    index: HashMap<(Rank, &'static str), usize>,
    /// The file that the last event or record came from: almost always that of the next one too.
    current: Option<usize>,
    /// Issues at places that are not the current file, by (evidence, path).
    elsewhere: BTreeMap<(Arc<str>, Arc<str>), Counts>,
    issues: Vec<Issue>,
    left_out: u64,
}

impl Tally {
    /// Another job begins, which has said nothing yet of where it reads.
    pub(crate) fn begin_job(&mut self) {
        self.current = None;
    }

    /// The file that the job has read from last.
    pub(crate) fn current(&self) -> Option<&FileReport> {
        self.current.and_then(|current| self.files.get(current))
    }

    /// One event that is written.
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        if let Some(file) = self.file(event.origin) {
            file.counts.event(event.instant);
        }
    }

    /// So many events that are not written.
    pub(crate) fn left_out(&mut self, events: u64) {
        self.left_out = self.left_out.saturating_add(events);
    }

    pub(crate) fn records(&mut self, origin: &Origin, records: u64, bytes: u64) {
        if let Some(file) = self.file(origin) {
            file.counts.records = file.counts.records.saturating_add(records);
            file.counts.record_bytes = file.counts.record_bytes.saturating_add(bytes);
        }
    }

    pub(crate) fn unconcerned(&mut self, origin: &Origin, records: u64) {
        if let Some(file) = self.file(origin) {
            file.counts.unconcerned = file.counts.unconcerned.saturating_add(records);
        }
    }

    pub(crate) fn issue(&mut self, issue: Issue) {
        let place = &issue.place;
        let current = self.current.and_then(|current| self.files.get_mut(current));
        match current.filter(|file| file.path == place.path && file.evidence == place.evidence) {
            Some(file) => file.counts.issue(&issue),
            None => self
                .elsewhere
                .entry((place.evidence.clone(), place.path.clone()))
                .or_default()
                .issue(&issue),
        }
        self.issues.push(issue);
        if self.issues.len() >= ISSUES_KEPT.saturating_mul(2) {
            self.keep_first_issues();
        }
    }

    /// Adds what another worker has counted.
    pub(crate) fn add(&mut self, other: Tally) {
        for file in other.files {
            if let (Some(rank), Some(parser)) = (file.rank, file.parser) {
                let at = *self.index.entry((rank, parser)).or_insert(self.files.len());
                match self.files.get_mut(at) {
                    Some(known) => known.counts.add(&file.counts),
                    None => self.files.push(file),
                }
            }
        }
        for (place, counts) in other.elsewhere {
            self.elsewhere.entry(place).or_default().add(&counts);
        }
        self.issues.extend(other.issues);
        self.keep_first_issues();
        self.left_out(other.left_out);
    }

    /// The file with this rank, of the first parser by name.
    pub(crate) fn file_of_rank(&self, rank: Rank) -> Option<&FileReport> {
        let files = self.files.iter().filter(|file| file.rank == Some(rank));
        files.min_by_key(|file| file.parser)
    }

    pub(crate) fn into_report(mut self, sinks: Vec<SinkReport>) -> Report {
        self.files.sort_by_key(|file| (file.rank, file.parser));
        let mut by_place: BTreeMap<(Arc<str>, Arc<str>), usize> = BTreeMap::new();
        for (at, file) in self.files.iter().enumerate() {
            by_place.entry((file.evidence.clone(), file.path.clone())).or_insert(at);
        }
        for ((evidence, path), counts) in self.elsewhere {
            let known = by_place.get(&(evidence.clone(), path.clone())).copied();
            match known.and_then(|at| self.files.get_mut(at)) {
                Some(file) => file.counts.add(&counts),
                None => self.files.push(FileReport {
                    evidence,
                    path,
                    host: None,
                    parser: None,
                    rank: None,
                    counts,
                }),
            }
        }
        Report { files: self.files, sinks, issues: self.issues, left_out: self.left_out }
    }

    fn file(&mut self, origin: &Origin) -> Option<&mut FileReport> {
        let is_current = self.current().is_some_and(|file| {
            file.rank == Some(origin.rank) && file.parser == Some(origin.parser)
        });
        if !is_current {
            let next = self.files.len();
            let at = *self.index.entry((origin.rank, origin.parser)).or_insert(next);
            if at == next {
                self.files.push(FileReport::of(origin));
            }
            self.current = Some(at);
        }
        self.current.and_then(|current| self.files.get_mut(current))
    }

    /// Keeping the first of any order-independent order is the same, whoever found them when.
    fn keep_first_issues(&mut self) {
        self.issues.sort_by(compare_issues);
        self.issues.truncate(ISSUES_KEPT);
    }
}

fn compare_issues(one: &Issue, other: &Issue) -> Ordering {
    let place = |issue: &Issue| issue.place.position.ordinal();
    (&one.place.evidence, &one.place.path, place(one))
        .cmp(&(&other.place.evidence, &other.place.path, place(other)))
        .then_with(|| compare_positions(&one.place.position, &other.place.position))
        .then_with(|| (one.kind, &one.what).cmp(&(other.kind, &other.what)))
        .then_with(|| {
            (one.lost_records, one.lost_bytes).cmp(&(other.lost_records, other.lost_bytes))
        })
}

/// Of positions with the same ordinal; writes them out only where they differ.
fn compare_positions(one: &Position<'_>, other: &Position<'_>) -> Ordering {
    if one == other { Ordering::Equal } else { one.to_string().cmp(&other.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;

    fn origin(path: &str, rank: u64, parser: &'static str) -> Origin {
        Origin::new((Arc::from("host"), Arc::from("ev"), Arc::from(path)), parser, Rank(rank))
    }

    fn issue(path: &str, offset: u64) -> Issue {
        let place = Place { position: Position::Offset(offset), ..Place::file("ev", path) };
        Issue::new(IssueKind::Malformed, place, "torn record").losing(1, 10)
    }

    #[test]
    fn an_issue_belongs_to_the_parser_that_reads_the_file() {
        let mut tally = Tally::default();
        tally.records(&origin("/a", 1, "second"), 5, 50);
        tally.issue(issue("/a", 3));
        tally.issue(issue("/b", 7));
        let mut other = Tally::default();
        other.records(&origin("/a", 1, "first"), 1, 2);
        other.records(&origin("/b", 2, "first"), 1, 2);
        other.begin_job();
        other.issue(issue("/nowhere", 0));
        tally.add(other);
        let report = tally.into_report(Vec::new());
        let lines: Vec<_> = report
            .files
            .iter()
            .map(|f| (&*f.path, f.parser, f.counts.records, f.counts.issues.malformed))
            .collect();
        let expected = [
            ("/a", Some("first"), 1, 0),
            ("/a", Some("second"), 5, 1),
            ("/b", Some("first"), 1, 1),
            ("/nowhere", None, 0, 1),
        ];
        assert_eq!(lines, expected);
        assert_eq!((report.total().lost_records, report.total().lost_bytes), (3, 30));
        assert_eq!(report.parsers()[&Some("first")].0, 2);
    }

    #[test]
    fn the_first_issues_are_kept_and_all_are_counted() {
        let many = u64::try_from(ISSUES_KEPT).unwrap() * 3;
        let mut up = Tally::default();
        let mut down = Tally::default();
        for offset in 0..many {
            up.issue(issue("/a", offset));
            down.issue(issue("/a", many - 1 - offset));
        }
        let mut sum = Tally::default();
        sum.add(up);
        let mut reversed = Tally::default();
        reversed.add(down);
        let (sum, reversed) = (sum.into_report(Vec::new()), reversed.into_report(Vec::new()));
        assert_eq!(sum, reversed);
        assert_eq!(sum.issues.len(), ISSUES_KEPT);
        assert_eq!(sum.issues.last().unwrap(), &issue("/a", many / 3 - 1));
        assert_eq!(sum.issues_not_kept(), many - many / 3);
    }
}
