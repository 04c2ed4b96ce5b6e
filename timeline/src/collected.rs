//! Findings held in memory: for the tests of parsers, and for small uses. Nothing is sorted, and
//! nothing bounds the memory; a whole case goes through the runs and the merger instead.

use crate::output::{Jsonl, Renderer, schema};
use crate::{Block, Event, Findings, Issue, Job, Key, Origin, Output, Strand};
use std::collections::VecDeque;

/// Everything that a parser found, in order of arrival.
pub struct Collected {
    /// Each event as its line of JSONL, without the line end.
    pub lines: Vec<String>,
    /// The key of each of the lines.
    pub keys: Vec<Key>,
    /// What could not be read.
    pub issues: Vec<Issue>,
    /// Records that were read whole.
    pub records: u64,
    /// Bytes of evidence that those records cover.
    pub record_bytes: u64,
    /// Of the records, those that are not about containers.
    pub unconcerned: u64,
    renderer: Box<dyn Renderer>,
    rendered: Vec<u8>,
    /// Events of the current job.
    sequence: u32,
    waiting: VecDeque<Job>,
    /// Whether jobs are being run, further up the stack.
    running: bool,
}

impl Default for Collected {
    fn default() -> Collected {
        Collected {
            lines: Vec::new(),
            keys: Vec::new(),
            issues: Vec::new(),
            records: 0,
            record_bytes: 0,
            unconcerned: 0,
            renderer: Jsonl.renderer(),
            rendered: Vec::new(),
            sequence: 0,
            waiting: VecDeque::new(),
            running: false,
        }
    }
}

impl Collected {
    /// Nothing found yet.
    #[must_use]
    pub fn new() -> Collected {
        Collected::default()
    }

    fn collect(&mut self, event: &Event<'_>, key: Key) {
        debug_assert_attributes(event);
        self.rendered.clear();
        self.renderer.render(event, &mut self.rendered);
        let line = String::from_utf8_lossy(&self.rendered);
        self.lines.push(line.trim_end_matches('\n').to_owned());
        self.keys.push(key);
    }
}

impl Findings for Collected {
    fn event(&mut self, event: &Event<'_>) {
        let key = Key::of(event, self.sequence);
        self.sequence = self.sequence.saturating_add(1);
        self.collect(event, key);
    }

    fn issue(&mut self, issue: Issue) {
        self.issues.push(issue);
    }

    fn records(&mut self, _origin: &Origin, records: u64, bytes: u64) {
        self.records = self.records.saturating_add(records);
        self.record_bytes = self.record_bytes.saturating_add(bytes);
    }

    fn unconcerned(&mut self, _origin: &Origin, records: u64) {
        self.unconcerned = self.unconcerned.saturating_add(records);
    }

    /// Runs the job at once, or, when a job is already running, after it: a chain of jobs of any
    /// length needs no stack.
    fn job(&mut self, job: Job) {
        self.waiting.push_back(job);
        if self.running {
            return;
        }
        let sequence = self.sequence;
        self.running = true;
        while let Some(job) = self.waiting.pop_front() {
            self.sequence = 0;
            job(self);
        }
        self.running = false;
        self.sequence = sequence;
    }

    /// Emits all blocks at once. In a debug build each event must lie inside the bounds of its
    /// block, and there must be as many as the block says.
    fn strand(&mut self, strand: Box<dyn Strand>) {
        for (index, block) in strand.blocks().iter().enumerate() {
            let mut events = StrandEvents { collected: self, block, count: 0 };
            strand.emit(index, &mut events);
            let count = events.count;
            debug_assert_eq!(count, block.events, "events of block {index}");
        }
    }
}

/// Takes the events of one block and nothing else: the rest belongs to the reading that made the
/// bounds.
struct StrandEvents<'c> {
    collected: &'c mut Collected,
    block: &'c Block,
    count: u64,
}

impl Findings for StrandEvents<'_> {
    fn event(&mut self, event: &Event<'_>) {
        let key = Key::of(event, 0);
        debug_assert!(
            (self.block.first..=self.block.last).contains(&key),
            "{key:?} lies outside of its block {:?}",
            self.block
        );
        self.count = self.count.saturating_add(1);
        self.collected.collect(event, key);
    }

    fn issue(&mut self, _issue: Issue) {}

    fn records(&mut self, _origin: &Origin, _records: u64, _bytes: u64) {}

    fn job(&mut self, _job: Job) {}

    fn strand(&mut self, _strand: Box<dyn Strand>) {}
}

/// The names of attributes are the parsers' own: here is where their tests learn that one is taken.
fn debug_assert_attributes(event: &Event<'_>) {
    for (index, attribute) in event.attributes.iter().enumerate() {
        let name = attribute.name;
        debug_assert!(schema::may_name_an_attribute(name), "no attribute may be named {name}");
        debug_assert!(
            !event.attributes.iter().skip(index.saturating_add(1)).any(|other| other.name == name),
            "two attributes are named {name}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Instant, Kind, Meaning, Position, Rank, Subject, Text};
    use std::sync::{Arc, LazyLock};

    static ORIGIN: LazyLock<Origin> = LazyLock::new(|| {
        let place = (Arc::from("host"), Arc::from("evidence"), Arc::from("/log"));
        Origin::new(place, "a.parser", Rank(3))
    });
    static KIND: Kind = Kind { data_type: "a:b", source_short: "A", source_long: "a b" };

    fn event(seconds: i64) -> Event<'static> {
        let at = (Instant::new(seconds, 0).unwrap(), Meaning::Recorded);
        let position = Position::Line(u64::try_from(seconds).unwrap());
        Event {
            position,
            text: Text::Plain("text"),
            ..Event::new(&ORIGIN, &KIND, &Subject::UNKNOWN, at)
        }
    }

    fn key(seconds: i64, sequence: u32) -> Key {
        Key::of(&event(seconds), sequence)
    }

    /// Emits an event at each of the seconds, and things that must be ignored.
    struct Seconds {
        block: [Block; 1],
        emitted: Vec<i64>,
    }

    impl Seconds {
        fn new(bounds: (i64, i64), emitted: Vec<i64>) -> Box<Seconds> {
            let (first, last) = (key(bounds.0, 0), key(bounds.1, 0));
            Box::new(Seconds { block: [Block { first, last, size: 9, events: 2 }], emitted })
        }
    }

    impl Strand for Seconds {
        fn blocks(&self) -> &[Block] {
            &self.block
        }

        fn emit(&self, _block: usize, findings: &mut dyn Findings) {
            for second in &self.emitted {
                findings.event(&event(*second));
                findings.records(&ORIGIN, 1, 1);
            }
        }
    }

    #[test]
    fn an_event_is_its_line_of_jsonl_and_its_key() {
        let mut collected = Collected::new();
        collected.event(&event(5));
        collected.event(&event(4));
        collected.records(&ORIGIN, 2, 30);
        assert!(
            collected.lines[0].starts_with(r#"{"datetime":"1970-01-01T00:00:05.000000+00:00""#)
        );
        assert!(collected.lines[1].ends_with("\"}"));
        assert_eq!(collected.keys, [key(5, 0), key(4, 1)]);
        assert_eq!((collected.records, collected.record_bytes), (2, 30));
    }

    #[test]
    fn a_job_that_brings_a_job_needs_no_stack() {
        fn countdown(left: u32) -> Job {
            Box::new(move |findings| {
                findings.event(&event(1));
                if left > 0 {
                    findings.job(countdown(left - 1));
                }
            })
        }
        let mut collected = Collected::new();
        collected.event(&event(1));
        collected.job(countdown(100_000));
        collected.event(&event(2));
        assert_eq!(collected.lines.len(), 100_003);
        assert_eq!(collected.keys[100_001], key(1, 0), "each job counts its own events");
        assert_eq!(collected.keys[100_002], key(2, 1), "and the first count goes on");
    }

    #[test]
    fn a_strand_gives_its_events_and_nothing_else() {
        let mut collected = Collected::new();
        collected.strand(Seconds::new((1, 2), vec![2, 1]));
        assert_eq!(collected.keys, [key(2, 0), key(1, 0)]);
        assert_eq!(collected.records, 0);
    }

    #[test]
    #[should_panic(expected = "lies outside of its block")]
    fn a_strand_that_leaves_its_bounds_is_found() {
        Collected::new().strand(Seconds::new((1, 2), vec![1, 3]));
    }

    #[test]
    #[should_panic(expected = "no attribute may be named inode")]
    fn an_attribute_with_the_name_of_a_field_is_found() {
        let mut event = event(1);
        event.attribute("inode", Some(crate::Value::Integer(1)));
        Collected::new().event(&event);
    }
}
