//! How fast `docker.json_file_log` reads, on one core: the index of a log (every record scanned,
//! its time read, every byte accounted for), and the events out of the indexed blocks.
//!
//! ```text
//! cargo bench -p dockline-parsers --bench json_log -- [FILE...]
//! ```
//!
//! Without files, logs of 16 MiB are made in memory: lines of a web server, lines of JSON in JSON,
//! very short lines, texts of other scripts, and payloads in pieces.

use dockline_evidence::MemoryTree;
use dockline_parsers::plan;
use dockline_parsers::plan::{Reading, Subtree};
use dockline_timeline::{Event, Findings, Issue, Job, Origin, Strand};
use std::collections::VecDeque;
use std::hint::black_box;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

const SIZE: usize = 16 * 1024 * 1024;
/// The best round counts, of so many as fit into this time.
const TIME: Duration = Duration::from_millis(1_500);

const ACCESS: &str = "203.0.113.7 - - [21/Nov/2026:21:54:17 +0000] \\\"GET /api/v1/items?id=4711&q=ab HTTP/1.1\\\" 200 5321 \\\"https://shop.example/login\\\" \\\"Mozilla/5.0 (X11; Linux x86_64; rv:123.0) Gecko/20100101 Firefox/123.0\\\" \\\"-\\\"\\n";
const NESTED: &str = "{\\\"level\\\":\\\"info\\\",\\\"ts\\\":\\\"2026-11-21T21:54:17Z\\\",\\\"logger\\\":\\\"svc.http\\\",\\\"msg\\\":\\\"cache miss for \\\\\\\"session\\\\\\\"\\\",\\\"trace_id\\\":\\\"0123456789abcdef0123456789abcdef\\\",\\\"http\\\":{\\\"method\\\":\\\"GET\\\",\\\"status\\\":200,\\\"latency_ms\\\":12.345},\\\"user\\\":{\\\"id\\\":815,\\\"name\\\":\\\"user815\\\"}}\\n";
const SHORT: &str = "ok\\n";
const SCRIPTS: &str =
    "worker - INFO - Спасибо, заказ принят user='815' coût=12€ Größe=3 日本語テスト \u{1f525}\\n";

/// Counts and forgets.
#[derive(Default)]
struct Counted {
    events: u64,
    records: u64,
    issues: u64,
    jobs: VecDeque<Job>,
    strands: Vec<Box<dyn Strand>>,
}

impl Findings for Counted {
    fn event(&mut self, event: &Event<'_>) {
        black_box(event);
        self.events += 1;
    }
    fn issue(&mut self, issue: Issue) {
        black_box(issue);
        self.issues += 1;
    }
    fn records(&mut self, _: &Origin, records: u64, _: u64) {
        self.records += records;
    }
    fn job(&mut self, job: Job) {
        self.jobs.push_back(job);
    }
    fn strand(&mut self, strand: Box<dyn Strand>) {
        self.strands.push(strand);
    }
}

/// A log of records with this text, times 1.7 ms apart, every eighth on the other stream.
fn synthetic(text: &str) -> Vec<u8> {
    let mut log = Vec::with_capacity(SIZE + 100_000);
    let mut nanoseconds = 0_u64;
    while log.len() < SIZE {
        nanoseconds += 1_700_003;
        let (second, fraction) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
        let clock = (second / 3_600 % 24, second / 60 % 60, second % 60);
        let time = format!("2026-11-21T{:02}:{:02}:{:02}.{fraction:09}", clock.0, clock.1, clock.2);
        let time = time.trim_end_matches('0').trim_end_matches('.');
        let stream = if nanoseconds % 8 == 0 { "stderr" } else { "stdout" };
        for piece in text.as_bytes().chunks(16_384) {
            let piece = std::str::from_utf8(piece).unwrap_or("?");
            let end = writeln!(
                log,
                "{{\"log\":\"{piece}\",\"stream\":\"{stream}\",\"time\":\"{time}Z\"}}"
            );
            end.unwrap();
        }
    }
    log
}

/// Best times of scanning `log` into an index, and of emitting every block.
fn measured(log: &[u8]) -> (Duration, Duration, Counted) {
    let id = "f5ae75654c8e0a52d153a6f7671b90ee39d8b892fdd8b75235960b324fb60ce8";
    let tree = MemoryTree::new().with_file(&format!("containers/{id}/{id}-json.log"), log, None);
    let subtree = Subtree {
        evidence: "bench".into(),
        host: None,
        fallback_host: "bench".into(),
        prefix: Arc::from(""),
        depth: 0,
        tree: Arc::new(tree),
    };
    let plan =
        plan(&[subtree], &|parser| parser.name == "docker.json_file_log", &Reading::default());
    let mut best = (Duration::MAX, Duration::MAX, Counted::default());
    let begin = Instant::now();
    while begin.elapsed() < TIME {
        let mut counted = Counted { jobs: plan.jobs().into(), ..Counted::default() };
        let start = Instant::now();
        while let Some(job) = counted.jobs.pop_front() {
            job(&mut counted);
        }
        best.0 = best.0.min(start.elapsed());
        let start = Instant::now();
        let strands = std::mem::take(&mut counted.strands);
        for strand in &strands {
            (0..strand.blocks().len()).for_each(|block| strand.emit(block, &mut counted));
        }
        best.1 = best.1.min(start.elapsed());
        best.2 = counted;
    }
    best
}

fn report(name: &str, log: &[u8]) {
    let (scan, emit, counted) = measured(log);
    let speed = |time: Duration| log.len() as f64 / 1e6 / time.as_secs_f64();
    let each = |time: Duration| time.as_nanos() as f64 / counted.records.max(1) as f64;
    let line = format!(
        "{name:>12}: index {:6.0} MB/s ({:4.0} ns a record), events {:6.0} MB/s ({:4.0} ns a record); \
         {} bytes, {} records, {} events, {} issues\n",
        speed(scan),
        each(scan),
        speed(emit),
        each(emit),
        log.len(),
        counted.records,
        counted.events,
        counted.issues
    );
    io::stdout().write_all(line.as_bytes()).unwrap();
}

fn main() {
    let files: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    for file in &files {
        report(
            file.rsplit('/').next().unwrap_or(file).get(..12).unwrap_or(file),
            &std::fs::read(file).unwrap(),
        );
    }
    if files.is_empty() {
        let payload = format!("{}\\n", "QUJD".repeat(12_000));
        for (name, text) in [
            ("access", ACCESS),
            ("nested", NESTED),
            ("short", SHORT),
            ("scripts", SCRIPTS),
            ("payload", &payload),
        ] {
            report(name, &synthetic(text));
        }
    }
}
