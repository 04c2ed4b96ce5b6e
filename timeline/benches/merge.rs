//! What the merge costs: synthetic events through runs, through strands, and both at once.
//!
//! ```text
//! cargo bench -p dockline-timeline --bench merge -- [SCENARIO [MILLION_EVENTS [MEMORY_MIB [THREADS]]]]
//! ```
//!
//! Scenarios: `runs` (64 jobs tell almost sorted events), `shuffled` (the same in random order),
//! `small` (events that render to 60 bytes), `strands` (24 logs side by side), `many` (1,000 logs
//! side by side), `both` (strands and runs), `hostile` (a log in random order). Without one, all
//! are run. The peak memory is that of the whole process, so it means something for one scenario
//! at a time.

use dockline_timeline::{
    Block, Event, Findings, Instant, Job, Key, Kind, Meaning, Options, Origin, Output, Position,
    Progress, Rank, Rendered, Renderer, Sink, Strand, Subject, run,
};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant as Clock;

static KIND: Kind = Kind { data_type: "bench", source_short: "BENCH", source_long: "A bench" };
/// Records in one block of a strand: about 64 KiB.
const BLOCK: u64 = 210;
/// Bytes of a record in the evidence.
const RECORD: u64 = 309;
const TEXT: &str =
    "172.18.0.7 - - [21/Nov/2026:21:54:17 +0000] \"GET /api/v1/items?id=1 HTTP/1.1\" 200";

/// splitmix64 of a number.
fn mixed(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Rendered as so many bytes, of which the first differ.
struct Padded(usize);

impl Output for Padded {
    fn name(&self) -> &'static str {
        "padded"
    }
    fn header(&self) -> Vec<u8> {
        Vec::new()
    }
    fn renderer(&self) -> Box<dyn Renderer> {
        Box::new(Padded(self.0))
    }
}

impl Renderer for Padded {
    fn render(&mut self, event: &Event<'_>, into: &mut Vec<u8>) -> Rendered {
        let end = into.len() + self.0;
        write!(into, "{} {} ", event.instant.seconds(), event.position.ordinal()).unwrap();
        while into.len() < end {
            let room = end - into.len();
            let mut decoded = String::new();
            let text = event.text.decoded(&mut decoded).as_bytes();
            into.extend_from_slice(&text[..room.min(text.len())]);
        }
        Rendered::Row
    }
}

/// How the times of a log go.
#[derive(Clone, Copy)]
enum Times {
    AlmostSorted,
    Random,
}

/// One log: `count` records, the first of them number `start`.
struct Log {
    origin: Arc<Origin>,
    times: Times,
    start: u64,
    count: u64,
    blocks: Vec<Block>,
}

impl Log {
    fn new(number: u64, start: u64, count: u64, times: Times) -> Log {
        let place = (Arc::from("host"), Arc::from("ev"), Arc::from(format!("/log{number}")));
        let origin = Arc::new(Origin::new(place, "bench", Rank(number)));
        Log { origin, times, start, count, blocks: Vec::new() }
    }

    fn indexed(mut self) -> Log {
        let first_of = |block: u64| block * BLOCK;
        self.blocks = (0..self.count.div_ceil(BLOCK))
            .map(|block| {
                let numbers = first_of(block)..first_of(block + 1).min(self.count);
                let keys = || numbers.clone().map(|n| self.with(n, |event| Key::of(event, 0)));
                let events = numbers.end - numbers.start;
                let (first, last) = (keys().min().unwrap(), keys().max().unwrap());
                Block { first, last, size: events * RECORD, events }
            })
            .collect();
        self
    }

    fn with<T>(&self, number: u64, tell: impl FnOnce(&Event<'_>) -> T) -> T {
        let number = self.start + number;
        let micros = match self.times {
            Times::AlmostSorted if mixed(number) % 5_000 == 0 => {
                number * 100 - 90_000.min(number * 100)
            }
            Times::AlmostSorted => number * 100,
            Times::Random => mixed(number) % 100_000_000_000,
        };
        let seconds = i64::try_from(micros / 1_000_000).unwrap();
        let nanoseconds = u32::try_from(micros % 1_000_000 * 1_000).unwrap();
        let when = (Instant::new(seconds, nanoseconds).unwrap(), Meaning::Recorded);
        let mut event = Event::new(&self.origin, &KIND, &Subject::UNKNOWN, when);
        event.position = Position::Offset(number * RECORD);
        event.text = TEXT.into();
        tell(&event)
    }
}

impl Strand for Log {
    fn blocks(&self) -> &[Block] {
        &self.blocks
    }
    fn emit(&self, block: usize, findings: &mut dyn Findings) {
        let first = block as u64 * BLOCK;
        for number in first..(first + BLOCK).min(self.count) {
            self.with(number, |event| findings.event(event));
        }
    }
}

/// Jobs that tell events themselves; each reads a range of one file.
fn tellers(events: u64, times: Times) -> Vec<Job> {
    let count = events / 64;
    let job = |number: u64| -> Job {
        Box::new(move |findings: &mut dyn Findings| {
            let log = Log::new(0, number * count, count, times);
            (0..count).for_each(|n| log.with(n, |event| findings.event(event)));
        })
    };
    (0..64).map(job).collect()
}

/// Jobs that give each a strand.
fn strands(logs: u64, events: u64, times: Times) -> Vec<Job> {
    let job = |number: u64| -> Job {
        Box::new(move |findings: &mut dyn Findings| {
            let log = Log::new(1 + number, 0, events / logs, times);
            findings.strand(Box::new(log.indexed()));
        })
    };
    (0..logs).map(job).collect()
}

fn jobs(scenario: &str, events: u64) -> Vec<Job> {
    match scenario {
        "runs" | "small" => tellers(events, Times::AlmostSorted),
        "shuffled" => tellers(events, Times::Random),
        "strands" => strands(24, events, Times::AlmostSorted),
        "many" => strands(1_000, events, Times::AlmostSorted),
        "hostile" => strands(1, events, Times::Random),
        "both" => {
            let mut jobs = tellers(events / 2, Times::AlmostSorted);
            jobs.extend(strands(24, events / 2, Times::AlmostSorted));
            jobs
        }
        _ => panic!("there is no scenario {scenario}"),
    }
}

#[derive(Default)]
struct Spilled(AtomicU64);

impl Progress for Spilled {
    fn spilled(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// In MiB; where the system tells it.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    kib.unwrap_or(0_u64) >> 10
}

fn main() {
    // cargo passes `--bench`.
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let scenario = words.next();
    let mut number = |default: u64| words.next().map_or(default, |word| word.parse().unwrap());
    let (millions, memory, threads) = (number(2), number(512), number(0));
    let all = ["runs", "shuffled", "small", "strands", "many", "both", "hostile"];
    let asked = all.into_iter().filter(|name| scenario.as_ref().is_none_or(|asked| asked == name));
    for name in asked {
        let options = Options {
            threads: usize::try_from(threads).unwrap(),
            memory: memory << 20,
            ..Options::default()
        };
        let output = Box::new(Padded(if name == "small" { 60 } else { 1_350 }));
        let sinks = vec![Sink::new(output, Box::new(io::sink()))];
        let spilled = Spilled::default();
        let clock = Clock::now();
        let report = run(jobs(name, millions * 1_000_000), sinks, &options, &spilled).unwrap();
        let seconds = clock.elapsed().as_secs_f64();
        let events = report.total().events;
        println!(
            "{name:9} {memory:5} MiB allowed: {events} events in {seconds:.2} s, {:.2} M a second, \
             {} MiB spilled, {} MiB peak",
            events as f64 / seconds / 1e6,
            spilled.0.into_inner() >> 20,
            peak_memory()
        );
    }
}
