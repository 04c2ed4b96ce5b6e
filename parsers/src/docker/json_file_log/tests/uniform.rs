//! Blocks that are read from the ends of their lines.

use super::generator::Seed;
use super::*;
use crate::docker::json_file_log::chain::Chain;
use crate::docker::json_file_log::entry::Events;
use crate::docker::json_file_log::index::index;
use crate::docker::json_file_log::join::{Message, Messages};
use crate::docker::json_file_log::record::Escapes;
use crate::docker::json_file_log::scan::{Sink, scan};
use crate::docker::json_file_log::uniform::{self, Survey, Uniform};
use dockline_timeline::{Event, Findings, Issue, Job, Strand};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

const TEXTS: &[&str] = &[
    "",
    "GET /index.html 200",
    "quoted \\\"\\\\\\\" \\u003chtml\\u003e \\u0026 \\\\u003c \\\\\\\\",
    "ends with a backslash \\\\",
    "\\t\\r\\b\\f\\/\\u001b[31m \\u2028 \\u003C \\ufffd",
    "ends with \\\\\\n",
    "\u{7f} \u{85} \u{a9} \u{2028} \u{20ac}",
    "caf\u{e9} \u{1f433} \u{65e5}\u{672c}",
    "\\\",\\\"stream\\\":\\\"stdout\\\",\\\"time\\\":\\\"2024-01-01T00:00:00Z\\\"}",
    "{\\\"log\\\":\\\"x\\\\n\\\",\\\"stream\\\":\\\"stderr\\\",\\\"attrs\\\":{\\\"a\\\":\\\"b\\\"},\\\"time\\\":\\\"2024-01-01T00:00:00Z\\\"}",
];

fn line(text: &str, attrs: &str, second: u64) -> String {
    let stream = ["stdout", "stderr"][usize::from(second.is_multiple_of(3))];
    let time = format!("2026-11-21T21:54:{:02}.{}Z", second % 60, second + 1);
    format!("{{\"log\":\"{text}\\n\",\"stream\":\"{stream}\"{attrs},\"time\":\"{time}\"}}\n")
}

struct Surveyor {
    survey: Survey,
    found: Collected,
}

impl Messages for Surveyor {
    fn message(&mut self, message: &Message<'_>) {
        self.survey.message(message);
    }
}

impl Sink for Surveyor {
    fn findings(&mut self) -> &mut dyn Findings {
        &mut self.found
    }
}

/// What the index finds out about this log as one block.
fn surveyed(bytes: &[u8]) -> Option<Uniform> {
    let log = log(&[bytes]);
    let mut surveyor = Surveyor { survey: Survey::default(), found: Collected::new() };
    scan(&log.chain, &(0..log.chain.length()), &mut surveyor);
    surveyor.survey.end(log.chain.length())
}

/// The events of this log when it is read as one uniform block, and where that reading ends.
fn backwards(bytes: &[u8], known: Uniform) -> (Vec<String>, u64) {
    let log = log(&[bytes]);
    let mut found = Collected::new();
    let block = 0..log.chain.length();
    let end = uniform::read(&log.chain, &block, known, &mut Events::new(&log, &mut found));
    (found.lines, end)
}

#[test]
fn a_uniform_block_gives_the_same_lines_backwards() {
    for number in 0..300 {
        let mut seed = Seed(number);
        let attrs = ["", ",\"attrs\":{\"stream\":\"stdout\",\"time\":\"x\\\"}\"}"];
        let attrs = attrs[seed.below(2) as usize];
        let texts = &TEXTS[..[3, TEXTS.len()][seed.below(2) as usize]];
        let lines = (0..20).map(|second| {
            let picked: Vec<_> = (0..seed.below(4))
                .map(|_| texts[seed.below(texts.len() as u64) as usize])
                .collect();
            line(&picked.concat(), attrs, second)
        });
        let log = lines.collect::<String>().into_bytes();
        let known = surveyed(&log).unwrap_or_else(|| panic!("{number} is not uniform"));
        let (read, end) = backwards(&log, known);
        assert_eq!(end, log.len() as u64, "{number}");
        assert_eq!(read, found(&[&log]).lines, "{number}");
    }
}

#[test]
fn a_block_knows_the_worst_escapes_of_its_texts() {
    let of = |text| surveyed(format!("{}{}", line("a", "", 0), line(text, "", 1)).as_bytes());
    assert_eq!(
        of("\\\" \\\\ \\u003c\\u003e\\u0026"),
        Some(Uniform { lines: 2, escapes: Escapes::Simple })
    );
    for control in ["\\n", "\\t", "\\u001b", "\\u0009 \\\" \\\\ \\u003c"] {
        assert_eq!(
            of(control),
            Some(Uniform { lines: 2, escapes: Escapes::Controls }),
            "{control}"
        );
    }
    for other in ["\\u003C", "\\/", "\\n \\/", "\\u00e9", "\\u2028"] {
        assert_eq!(of(other), Some(Uniform { lines: 2, escapes: Escapes::Any }), "{other}");
    }
}

#[test]
fn one_odd_record_makes_a_block_not_uniform() {
    let (good, tagged) = (line("a", "", 0), line("a", ",\"attrs\":{\"tag\":\"b\"}", 1));
    for odd in [
        tagged.clone(),
        "\n".to_owned(),
        "garbage\n".to_owned(),
        good.trim_end().to_owned(),
        good.replace("\n", " \n"),
        good.replace("{\"log", "{ \"log"),
        good.replace("a\\n", "piece"),
        good.replace("2026", "2O26"),
        good.replace("a\\n", "a\u{1}\\n"),
    ] {
        for block in [[good.as_str(), &odd, &good], [&odd, &good, &good], [&good, &good, &odd]] {
            assert_eq!(surveyed(block.concat().as_bytes()), None, "{odd:?}");
        }
    }
    assert_eq!(
        surveyed(tagged.repeat(3).as_bytes()),
        Some(Uniform { lines: 3, escapes: Escapes::Simple })
    );
}

#[test]
fn a_text_that_quotes_the_end_of_a_record_is_one_text() {
    let quoted = r#"x\",\"stream\":\"stdout\",\"time\":\"2024-01-01T00:00:00Z\"}"#;
    let log = line(quoted, "", 1);
    let (lines, _) = backwards(log.as_bytes(), surveyed(log.as_bytes()).unwrap());
    let text = r#"x","stream":"stdout","time":"2024-01-01T00:00:00Z"}"#;
    assert_eq!(lines.len(), 1);
    assert_eq!(show(&lines[0]), format!("offset:0 stdout {text:?}"));
}

/// Evidence that is another when it is read again.
struct Changing {
    before: Vec<u8>,
    after: Vec<u8>,
    has_changed: AtomicBool,
}

impl ReadAt for Changing {
    fn len(&self) -> u64 {
        self.before.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match self.has_changed.load(Ordering::Relaxed) {
            true => self.after.read_at(offset, buffer),
            false => self.before.read_at(offset, buffer),
        }
    }
}

/// Holds what stays in the evidence.
#[derive(Default)]
struct Held(Vec<Box<dyn Strand>>);

impl Findings for Held {
    fn event(&mut self, _event: &Event<'_>) {}
    fn issue(&mut self, issue: Issue) {
        panic!("{issue:?}");
    }
    fn records(&mut self, _origin: &Origin, _records: u64, _bytes: u64) {}
    fn job(&mut self, _job: Job) {}
    fn strand(&mut self, strand: Box<dyn Strand>) {
        self.0.push(strand);
    }
}

/// The events when the log changes after it has been indexed.
fn changed(before: &[u8], after: &[u8]) -> Vec<String> {
    let has_changed = AtomicBool::new(false);
    let bytes = Changing { before: before.to_vec(), after: after.to_vec(), has_changed };
    let bytes = Arc::new(bytes);
    let place = ("host".into(), "evidence".into(), "/log.0".into());
    let origin = Arc::new(Origin::new(place, "docker.json_file_log", Rank(0)));
    let file: (_, Arc<dyn ReadAt>) = (origin, bytes.clone());
    let chain = Chain::of(std::iter::once(file));
    let log = Arc::new(Log { chain, subject: Subject::UNKNOWN, is_removed: false });
    let mut held = Held::default();
    index(&log, 0..bytes.len(), bytes.len(), &mut held);
    bytes.has_changed.store(true, Ordering::Relaxed);
    let mut found = Collected::new();
    for strand in &held.0 {
        for block in 0..strand.blocks().len() {
            strand.emit(block, &mut found);
        }
    }
    found.lines
}

#[test]
fn evidence_that_has_changed_since_is_read_in_the_ordinary_way() {
    let log: String = (1..8).map(|second| line("some text", "", second)).collect();
    for (from, to) in [
        (
            "{\"log\":\"some text\\n\",\"stream\":\"std",
            "{\"log\":\"some text\\n\",\"strea_\":\"std",
        ),
        ("2026-11-21T21:54:04", "2026-11-21T21:54:94"),
        (":04.5Z\"}\n", ":04.5Z\"} "),
        ("stdout\",\"time\":\"2026-11-21T21:54:04", "stdxxx\",\"time\":\"2026-11-21T21:54:04"),
        ("text\\n\",\"stream\":\"stderr", "text__\",\"stream\":\"stderr"),
        ("{\"log\":\"some", "{\"l_g\":\"some"),
        ("{\"log\":\"some", "{ \"log\":\"ome"),
    ] {
        let after = log.replacen(from, to, 1);
        assert_ne!(after, log);
        assert_eq!(changed(log.as_bytes(), after.as_bytes()), found(&[after.as_bytes()]).lines);
    }
    let half = log.len() / 2;
    let shorter = changed(log.as_bytes(), &log.as_bytes()[..half]);
    assert_eq!(shorter, found(&[log.as_bytes()]).lines[..shorter.len()]);
    assert_eq!(shorter.len(), 3);
}

#[test]
fn a_byte_that_has_changed_since_costs_no_other_line() {
    let log: String = (1..6).map(|second| line("some \\\"text\\\"", "", second)).collect();
    let good = found(&[log.as_bytes()]).lines;
    let mut line = 0;
    for at in 0..log.len() {
        for bit in 0..8 {
            let mut after = log.as_bytes().to_vec();
            after[at] ^= 1 << bit;
            let lines = changed(log.as_bytes(), &after);
            let is_own = |number: usize| number == line || number == line + 1;
            for (number, event) in good.iter().enumerate().filter(|(n, _)| !is_own(*n)) {
                assert!(lines.contains(event), "byte {at} bit {bit}: line {number}");
            }
        }
        line += usize::from(log.as_bytes()[at] == b'\n');
    }
}
