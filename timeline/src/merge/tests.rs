//! Random jobs and strands against a plain sort, and everything that can go wrong beside them.

#![cfg(test)]

use super::*;
use crate::report::Counts;
use crate::{
    Block, Confidence, Findings, Issue, IssueKind, Key, Kind, Meaning, Origin, Place, Position,
    Rank, Rendered, Renderer, Strand, Subject,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

static KIND: Kind = Kind { data_type: "test", source_short: "TEST", source_long: "A test" };

/// splitmix64: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// One event of a test, from which the real ones are made.
#[derive(Clone, Debug)]
struct Seen {
    origin: Arc<Origin>,
    seconds: u64,
    position: u64,
    meaning: Meaning,
    text: String,
}

impl Seen {
    fn instant(&self) -> Instant {
        Instant::new(i64::try_from(self.seconds).unwrap(), 5).unwrap()
    }

    fn with<T>(&self, tell: impl FnOnce(&Event<'_>) -> T) -> T {
        let when = (self.instant(), self.meaning);
        let mut event = Event::new(&self.origin, &KIND, &Subject::UNKNOWN, when);
        event.position = Position::Line(self.position);
        event.text = (&self.text).into();
        event.confidence = Confidence::Recorded;
        tell(&event)
    }

    fn key(&self, sequence: u32) -> Key {
        self.with(|event| Key::of(event, sequence))
    }
}

fn plain<'e>(event: &'e Event<'_>) -> &'e str {
    match event.text {
        crate::Text::Plain(text)
        | crate::Text::Json(text)
        | crate::Text::JsonWithControls(text) => text,
    }
}

/// Renders key and text; carries only events whose text does not begin with its name.
struct Lines(&'static str);

impl Output for Lines {
    fn name(&self) -> &'static str {
        self.0
    }
    fn header(&self) -> Vec<u8> {
        format!("header of {}\n", self.0).into_bytes()
    }
    fn renderer(&self) -> Box<dyn Renderer> {
        Box::new(Lines(self.0))
    }
}

impl Renderer for Lines {
    fn render(&mut self, event: &Event<'_>, into: &mut Vec<u8>) -> Rendered {
        if plain(event).starts_with(self.0) {
            return Rendered::NotCarried;
        }
        into.extend_from_slice(line(event).as_bytes());
        Rendered::Row
    }
}

fn line(event: &Event<'_>) -> String {
    let Event { origin, position, instant, meaning, .. } = event;
    let text = plain(event);
    format!("{instant} {} {position} {meaning:?} {text}\n", origin.path)
}

/// A strand whose blocks are given.
struct Log {
    blocks: Vec<Block>,
    events: Vec<Vec<Seen>>,
}

impl Log {
    fn new(events: Vec<Vec<Seen>>) -> Log {
        let block = |events: &Vec<Seen>| {
            let keys: Vec<Key> = events.iter().map(|seen| seen.key(0)).collect();
            Block {
                first: *keys.iter().min().unwrap(),
                last: *keys.iter().max().unwrap(),
                size: events.iter().map(|seen| seen.text.len() as u64 + 60).sum(),
                events: keys.len() as u64,
            }
        };
        Log { blocks: events.iter().map(block).collect(), events }
    }
}

impl Strand for Log {
    fn blocks(&self) -> &[Block] {
        &self.blocks
    }
    fn emit(&self, block: usize, findings: &mut dyn Findings) {
        // What is found beside events must be ignored.
        findings.issue(Issue::new(IssueKind::Malformed, Place::evidence("ev"), "again"));
        self.events[block].iter().for_each(|seen| seen.with(|event| findings.event(event)));
    }
}

/// What is to be merged: events of jobs, and of strands in blocks.
#[derive(Clone, Default)]
struct World {
    jobs: Vec<Vec<Seen>>,
    logs: Vec<Vec<Vec<Seen>>>,
}

impl World {
    /// Events of jobs with equal keys get a sequence; all others are unique or alike.
    fn keyed(&self) -> Vec<(Key, &Seen)> {
        let jobs = self.jobs.iter().flat_map(|job| (0..).zip(job));
        let logs = self.logs.iter().flatten().flatten().map(|seen| (0, seen));
        jobs.chain(logs).map(|(sequence, seen)| (seen.key(sequence), seen)).collect()
    }

    /// The timeline by plain sorting.
    fn sorted(&self, name: &'static str, options: &Options) -> String {
        let mut all = self.keyed();
        all.retain(|(_, seen)| seen.with(|event| options.includes(event)));
        // As in a frame, the length stands before the bytes.
        all.sort_by_cached_key(|(key, seen)| {
            let line = seen.with(line);
            (*key, line.len().to_le_bytes(), line)
        });
        let mut out = format!("header of {name}\n").into_bytes();
        for (_, seen) in all {
            seen.with(|event| Lines(name).render(event, &mut out));
        }
        String::from_utf8(out).unwrap()
    }

    /// Jobs that tell it: strands and a part of the jobs come from jobs that jobs add.
    fn into_jobs(self) -> Vec<Job> {
        let mut jobs: Vec<Job> = Vec::new();
        for events in self.jobs {
            let tell: Job = Box::new(move |findings: &mut dyn Findings| {
                for seen in &events {
                    findings.records(&seen.origin, 1, seen.text.len() as u64);
                    seen.with(|event| findings.event(event));
                }
            });
            let adds = jobs.len() % 3 == 0;
            jobs.push(if adds { Box::new(move |f: &mut dyn Findings| f.job(tell)) } else { tell });
        }
        for events in self.logs {
            jobs.push(Box::new(move |findings: &mut dyn Findings| {
                for seen in events.iter().flatten() {
                    findings.records(&seen.origin, 1, seen.text.len() as u64);
                }
                findings.strand(Box::new(Log::new(events)));
            }));
        }
        jobs
    }
}

/// Memory that a sink writes to and a test reads.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    fn text(&self) -> String {
        String::from_utf8(lock(&self.0).clone()).unwrap()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Default)]
struct Spilled(AtomicU64);

impl Progress for Spilled {
    fn spilled(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

fn origin(number: u64) -> Arc<Origin> {
    let place = (Arc::from("host"), Arc::from("ev"), Arc::from(format!("/log{number}")));
    Arc::new(Origin::new(place, "test", Rank(number)))
}

/// One output into memory.
fn timeline(jobs: Vec<Job>, options: &Options) -> (String, Report) {
    let page = Page::default();
    let sink = Sink::new(Box::new(Lines("one")), Box::new(page.clone()));
    let report = run(jobs, vec![sink], options, &()).unwrap();
    (page.text(), report)
}

fn options(threads: usize, memory: u64) -> Options {
    Options { threads, memory, ..Options::default() }
}

/// Some events of one file: steadily rising times, equal times, or any.
fn events(random: &mut Random, origin: &Arc<Origin>, count: u64) -> Vec<Seen> {
    let disorder = random.below(4);
    (0..count)
        .map(|line| {
            let longest = if random.below(100) == 0 { 9_000 } else { 120 };
            Seen {
                origin: origin.clone(),
                seconds: match disorder {
                    0 => 1_000,
                    1 => random.below(2_000),
                    2 => line * 3 + if random.below(50) == 0 { random.below(900) } else { 0 },
                    _ => line * 2,
                },
                position: if disorder == 1 { random.below(3) } else { line },
                meaning: Meaning::ALL[random.below(10) as usize],
                text: "x".repeat(random.below(longest) as usize),
            }
        })
        .collect()
}

fn world(seed: u64) -> World {
    let mut random = Random(seed);
    let mut world = World::default();
    for number in 0..random.below(9) {
        let count = random.below(if number == 0 { 3_000 } else { 300 });
        world.jobs.push(events(&mut random, &origin(number), count));
    }
    for number in 5..5 + random.below(8) {
        let count = 1 + random.below(700);
        let mut lines = events(&mut random, &origin(number), count);
        // A log gives no two different events of one key.
        (0..).zip(&mut lines).for_each(|(line, seen)| seen.position = line);
        let mut blocks = Vec::new();
        while !lines.is_empty() {
            let size = (1 + random.below(60)).min(lines.len() as u64);
            blocks.push(lines.drain(..size as usize).collect());
        }
        world.logs.push(blocks);
    }
    world
}

#[test]
fn a_timeline_is_what_a_plain_sort_gives_for_any_threads_memory_and_order_of_jobs() {
    for seed in 0..60 {
        let world = world(seed);
        let expected = world.sorted("one", &Options::default());
        let mut reports = Vec::new();
        for (threads, memory) in [(1, 0), (2, 200 << 10), (7, 0), (2, 64 << 20), (1, 1 << 20)] {
            let options = options(threads, memory);
            let mut jobs = world.clone().into_jobs();
            if threads == 2 {
                jobs.reverse();
            }
            let (text, report) = timeline(jobs, &options);
            assert!(text == expected, "seed {seed}, {threads} threads, {memory} bytes");
            reports.push(report);
        }
        reports.iter().for_each(|report| assert_eq!(report, &reports[0], "seed {seed}"));
    }
}

#[test]
fn the_report_counts_what_was_read_and_written() {
    for seed in 0..20 {
        let world = world(seed);
        let (_, report) = timeline(world.clone().into_jobs(), &options(3, 50 << 10));
        let all = world.keyed();
        for file in &report.files {
            let own: Vec<_> = all.iter().filter(|(key, _)| Some(key.rank) == file.rank).collect();
            let expected = Counts {
                records: own.len() as u64,
                record_bytes: own.iter().map(|(_, seen)| seen.text.len() as u64).sum(),
                events: own.len() as u64,
                first: own.iter().map(|(key, _)| key.instant).min(),
                last: own.iter().map(|(key, _)| key.instant).max(),
                ..Counts::default()
            };
            assert_eq!(file.counts, expected, "seed {seed}: {}", file.path);
        }
        assert_eq!(report.total().events, all.len() as u64);
        assert_eq!((report.left_out, report.issues.len()), (0, 0));
        assert!(report.files.is_sorted_by_key(|file| file.rank));
    }
}

#[test]
fn only_events_from_the_start_to_before_the_end_come_out() {
    for seed in 0..20 {
        let world = world(seed);
        let some = world.keyed().get(7).map_or(1_000, |(_, seen)| seen.seconds);
        let at = |seconds: u64| Instant::new(i64::try_from(seconds).unwrap(), 5);
        let options = Options { start: at(some), end: at(some + 400), ..options(2, 90 << 10) };
        let (text, report) = timeline(world.clone().into_jobs(), &options);
        assert!(text == world.sorted("one", &options), "seed {seed}");
        let all = world.keyed().len() as u64;
        assert_eq!(report.total().events + report.left_out, all, "seed {seed}");
    }
}

#[test]
fn only_events_that_are_kept_come_out() {
    let world = world(11);
    let keep: Keep = Box::new(|event| event.meaning == Meaning::Start);
    let options = Options { keep: Some(keep), ..options(2, 90 << 10) };
    let (text, report) = timeline(world.clone().into_jobs(), &options);
    assert!(text == world.sorted("one", &options));
    assert!(report.total().events > 0 && report.left_out > 0);
    assert_eq!(report.total().events + report.left_out, world.keyed().len() as u64);
}

#[test]
fn several_outputs_are_written_at_once_and_say_what_they_cannot_carry() {
    let mut world = large_world();
    for (number, seen) in world.jobs.iter_mut().flatten().enumerate() {
        let name = ["", "one", "two"][number % 3];
        seen.text.insert_str(0, name);
    }
    let pages = [Page::default(), Page::default()];
    let sink = |name, page: &Page| Sink::new(Box::new(Lines(name)), Box::new(page.clone()));
    let sinks = vec![sink("one", &pages[0]), sink("two", &pages[1])];
    let options = options(2, 40 << 10);
    let report = run(world.clone().into_jobs(), sinks, &options, &()).unwrap();
    for (page, sink) in pages.iter().zip(&report.sinks) {
        let text = page.text();
        assert!(text == world.sorted(sink.name, &options), "{}", sink.name);
        assert_eq!(sink.rows, text.lines().count() as u64 - 1);
        assert!(sink.not_carried > 0);
        assert_eq!(sink.rows + sink.not_carried, report.total().events);
    }
}

#[test]
fn the_parts_of_an_output_get_the_events_of_their_files() {
    let world = large_world();
    let ranks: Vec<u64> = world.keyed().iter().map(|(key, _)| key.rank.0).collect();
    let last = *ranks.iter().max().unwrap();
    assert!(last > 2);
    // The files before rank 1 belong to no part, and of no file is the last.
    let starts = [last + 1, 1, last];
    let pages = [Page::default(), Page::default(), Page::default()];
    let part = |(page, from): (&Page, &u64)| Part { from: Rank(*from), to: Box::new(page.clone()) };
    let parts: Vec<Part> = pages.iter().zip(&starts).map(part).collect();
    let sink = Sink { output: Box::new(Lines("one")), to: None, parts };
    let options = options(2, 40 << 10);
    let report = run(world.clone().into_jobs(), vec![sink], &options, &()).unwrap();
    let of = |from: u64, to: u64| {
        let keep: Keep = Box::new(move |event| (from..to).contains(&event.origin.rank.0));
        world.sorted("one", &Options { keep: Some(keep), ..Options::default() })
    };
    let expected = [of(last + 1, u64::MAX), of(1, last), of(last, last + 1)];
    for (page, expected) in pages.iter().zip(&expected) {
        assert!(page.text() == *expected, "{} lines", expected.lines().count());
    }
    let rows = |text: &String| text.lines().count() as u64 - 1;
    let rows = [&expected[1], &expected[2], &expected[0]].map(rows);
    assert_eq!(report.sinks[0].rows_of_parts, rows);
    assert!(rows[0] > 0 && rows[1] > 0);
}

#[test]
fn no_jobs_and_no_events_give_a_header() {
    assert_eq!(timeline(Vec::new(), &options(2, 0)).0, "header of one\n");
    let quiet: Job = Box::new(|_| {});
    assert_eq!(timeline(vec![quiet], &options(2, 0)).0, "header of one\n");
    let (text, report) = timeline(Vec::new(), &Options::default());
    assert_eq!((text.lines().count(), report.files.len()), (1, 0));
}

#[test]
fn one_event_is_one_line() {
    let seen = Seen {
        origin: origin(1),
        seconds: 0,
        position: 9,
        meaning: Meaning::Start,
        text: "hello".to_owned(),
    };
    let line = "header of one\n1970-01-01T00:00:00.000000005Z /log1 line:9 Start hello\n";
    let job = World { jobs: vec![vec![seen.clone()]], ..World::default() };
    assert_eq!(timeline(job.into_jobs(), &options(2, 0)).0, line);
    let log = World { logs: vec![vec![vec![seen]]], ..World::default() };
    assert_eq!(timeline(log.into_jobs(), &options(2, 0)).0, line);
}

/// Many events, over a block that spans all of them.
fn large_world() -> World {
    let mut random = Random(1);
    let line = |number: u64, seconds: u64| Seen {
        origin: origin(number),
        seconds,
        position: seconds,
        meaning: Meaning::Recorded,
        text: format!("line {seconds} of {number}"),
    };
    let rising: Vec<Seen> = (0..20_000).map(|second| line(1, second)).collect();
    let spanning = vec![vec![line(2, 0), line(2, 19_999)]];
    let shuffled = (0..20_000).map(|_| line(3, random.below(20_000))).collect();
    let logs = vec![rising.chunks(50).map(<[Seen]>::to_vec).collect(), spanning];
    World { jobs: vec![shuffled], logs }
}

#[test]
fn past_the_budget_events_go_to_files_that_have_no_name() {
    let directory = tempfile::tempdir().unwrap();
    let world = large_world();
    for (memory, spills) in [(256 << 10, true), (512 << 20, false)] {
        let temp_dir = Some(directory.path().to_owned());
        let options = Options { temp_dir, ..options(2, memory) };
        let (page, spilled) = (Page::default(), Spilled::default());
        let sink = Sink::new(Box::new(Lines("one")), Box::new(page.clone()));
        run(world.clone().into_jobs(), vec![sink], &options, &spilled).unwrap();
        assert!(page.text() == world.sorted("one", &options));
        assert_eq!(spilled.0.into_inner() > 0, spills);
        assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    }
}

#[test]
fn a_temporary_directory_that_is_not_there_is_named() {
    let directory = tempfile::tempdir().unwrap().path().join("gone");
    let options = Options { temp_dir: Some(directory.clone()), ..options(2, 0) };
    let sink = Sink::new(Box::new(Lines("one")), Box::new(io::sink()));
    let error = run(large_world().into_jobs(), vec![sink], &options, &()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&directory.display().to_string()), "{text}");
    assert!(text.ends_with("on a disk with more room, or allow more memory"), "{text}");
}

/// Takes so many bytes, then fails.
struct Full(usize, io::ErrorKind);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        if taken == 0 { Err(self.1.into()) } else { Ok(taken) }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_output_that_fails_ends_the_run() {
    let whole = large_world().sorted("one", &Options::default()).len();
    for taken in [0, 5, 300 << 10, 1 << 20, whole - 1] {
        for (kind, is_pipe) in
            [(io::ErrorKind::StorageFull, false), (io::ErrorKind::BrokenPipe, true)]
        {
            let to = Box::new(Full(taken, kind));
            let sinks = vec![Sink::new(Box::new(Lines("one")), to)];
            let result = run(large_world().into_jobs(), sinks, &options(2, 256 << 10), &());
            let error = result.unwrap_err();
            assert_eq!(matches!(error, TimelineError::ClosedPipe { output: "one" }), is_pipe);
            assert_eq!(matches!(error, TimelineError::Output { .. }), !is_pipe, "{error}");
        }
    }
}

#[test]
fn a_job_that_panics_is_an_issue_and_costs_no_other_event() {
    let world = world(4);
    let mut jobs = world.clone().into_jobs();
    jobs.push(Box::new(|findings: &mut dyn Findings| {
        findings.records(&origin(3), 0, 0);
        let nothing: Option<u8> = None;
        nothing.expect("a number");
    }));
    let options = options(2, 100 << 10);
    let (text, report) = timeline(jobs, &options);
    assert!(text == world.sorted("one", &options));
    let issues: Vec<String> = report.issues.iter().map(ToString::to_string).collect();
    assert_eq!(issues, ["ev:/log3: the parser stopped by a panic: a number (unreadable)"]);
}

/// A log whose second block gives other events than its bounds say.
struct Changed(Log);

impl Strand for Changed {
    fn blocks(&self) -> &[Block] {
        self.0.blocks()
    }
    fn emit(&self, block: usize, findings: &mut dyn Findings) {
        self.0.emit(block, findings);
        if block == 1 {
            let stray = Seen { seconds: 9_000, ..self.0.events[0][0].clone() };
            stray.with(|event| findings.event(event));
        }
    }
}

#[test]
fn events_that_a_second_reading_gives_elsewhere_are_told_once() {
    let world = large_world();
    for memory in [0, 256 << 10, 64 << 20] {
        let log = Log::new(world.logs[0].clone());
        let job: Job = Box::new(|findings: &mut dyn Findings| {
            findings.records(&origin(1), 0, 0);
            findings.strand(Box::new(Changed(log)));
        });
        let (text, report) = timeline(vec![job], &options(2, memory));
        let alone = World { logs: vec![world.logs[0].clone()], ..World::default() };
        assert!(text == alone.sorted("one", &Options::default()));
        let [issue] = &report.issues[..] else { panic!("{:?}", report.issues) };
        assert_eq!(
            issue.to_string(),
            "ev:/log1: block 1 gave 51 events when it was read again, not 50 as before, and 1 of \
             them lie outside its times and are lost: the evidence has changed, or its reader is \
             wrong (unreadable)"
        );
        assert_eq!((report.files[0].counts.issues.unreadable, issue.lost_records), (1, 1));
    }
}

/// A log whose reader panics in its second block.
struct Panicking(Log);

impl Strand for Panicking {
    fn blocks(&self) -> &[Block] {
        self.0.blocks()
    }
    fn emit(&self, block: usize, findings: &mut dyn Findings) {
        let nothing: Option<u8> = None;
        let _ = (block == 1).then(|| nothing.expect("a number"));
        self.0.emit(block, findings);
    }
}

#[test]
fn a_block_whose_reader_panics_is_an_issue_and_costs_no_other_block() {
    let mut blocks = large_world().logs[0].clone();
    let log = Log::new(blocks.clone());
    let job: Job = Box::new(|findings| findings.strand(Box::new(Panicking(log))));
    let (text, report) = timeline(vec![job], &options(2, 1 << 20));
    blocks.remove(1);
    let others = World { logs: vec![blocks], ..World::default() };
    assert!(text == others.sorted("one", &Options::default()));
    assert_eq!((report.issues.len(), report.issues[0].lost_records), (1, 50));
}

#[test]
fn events_of_a_strand_with_equal_keys_keep_the_order_of_the_evidence() {
    let seen = |text: &str| Seen {
        origin: origin(1),
        seconds: 3,
        position: 1,
        meaning: Meaning::Recorded,
        text: text.to_owned(),
    };
    let log = vec![vec![seen("second"), seen("first"), seen("third")]];
    for memory in [0, 64 << 20] {
        let world = World { logs: vec![log.clone()], ..World::default() };
        let text = timeline(world.into_jobs(), &options(2, memory)).0;
        let last: Vec<_> = text.lines().filter_map(|line| line.split(' ').next_back()).collect();
        assert_eq!(last, ["one", "second", "first", "third"]);
    }
}

#[test]
fn progress_is_told_to_the_end() {
    #[derive(Default)]
    struct Heard(Mutex<(u64, u64, u64, u64)>);
    impl Progress for Heard {
        fn jobs(&self, done: u64, known: u64) {
            let mut heard = lock(&self.0);
            (heard.0, heard.1) = (heard.0.max(done), heard.1.max(known));
        }
        fn slices(&self, done: u64, total: u64) {
            let mut heard = lock(&self.0);
            (heard.2, heard.3) = (done, total);
        }
    }
    let heard = Heard::default();
    let sink = Sink::new(Box::new(Lines("one")), Box::new(io::sink()));
    run(large_world().into_jobs(), vec![sink], &options(2, 8 << 20), &heard).unwrap();
    let (jobs_done, jobs_known, slices_done, slices) = *lock(&heard.0);
    assert_eq!((jobs_done, jobs_known), (4, 4));
    assert!(slices > 3 && slices_done == slices);
}
