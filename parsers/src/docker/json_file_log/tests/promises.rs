//! What holds for any log.

use super::generator::{self, Seed};
use super::*;
use crate::docker::json_file_log::cut::ranges;

/// Events by key, issues and counts: what must not depend on how a log is divided.
fn outcome(files: &[&[u8]], division: Division) -> (Vec<String>, Vec<String>, u64, u64) {
    let mut found = Collected::new();
    read(log(files), division, &mut found);
    let mut keyed: Vec<_> = found.keys.iter().zip(&found.lines).collect();
    keyed.sort_by_key(|(key, _)| (key.instant, key.rank, key.position));
    let lines = keyed.into_iter().map(|(_, line)| line.clone()).collect();
    let mut issues: Vec<String> = found.issues.iter().map(|issue| format!("{issue:?}")).collect();
    issues.sort();
    (lines, issues, found.records, found.record_bytes)
}

fn pieces(line: &str) -> u64 {
    let event: serde_json::Value = serde_json::from_str(line).unwrap();
    event.get("pieces").map_or(1, |pieces| pieces.as_u64().unwrap())
}

#[test]
fn every_record_is_in_an_event_and_every_byte_is_explained() {
    for seed in 0..400 {
        let mut seed = Seed(seed);
        let files = [generator::log(&mut seed, 60), generator::log(&mut seed, 60)];
        let files = [files[0].as_slice(), files[1].as_slice()];
        let found = found(&files);
        let joined: u64 = found.lines.iter().map(|line| pieces(line)).sum();
        assert_eq!(joined, found.records, "seed {}", seed.0);
        let lost: u64 = found.issues.iter().map(|issue| issue.lost_bytes).sum();
        let length = (files[0].len() + files[1].len()) as u64;
        assert_eq!(found.record_bytes + lost, length, "seed {}", seed.0);
    }
}

#[test]
fn the_outcome_does_not_depend_on_how_the_log_is_divided() {
    let mut cuts = 0;
    for number in 0..300 {
        let mut seed = Seed(1_000_000 + number);
        let files: Vec<Vec<u8>> = (0..3).map(|_| generator::log(&mut seed, 80)).collect();
        let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        let whole = outcome(&files, DIVISION);
        cuts += ranges(&log(&files).chain, SMALL.range).len() - 1;
        for division in [SMALL, Division { at_once: 0, range: u64::MAX, block: 1 }] {
            assert_eq!(outcome(&files, division), whole, "{number}");
        }
    }
    assert!(cuts > 1_000, "there were only {cuts} cuts");
}

#[test]
fn a_log_is_cut_into_ranges_that_together_are_the_log() {
    let line = record("x\\n", "stdout", "04");
    let bytes = line.repeat(40_000).into_bytes();
    let log = log(&[&bytes]);
    let ranges = ranges(&log.chain, 1024 * 1024);
    assert_eq!(ranges.len(), 2, "1 MiB must pass before stderr is known to be closed");
    assert_eq!((ranges[0].start, ranges[0].end), (0, ranges[1].start));
    assert_eq!(ranges[1].end, bytes.len() as u64);
    assert_eq!(ranges[1].start % line.len() as u64, 0);
}

#[test]
fn one_changed_byte_costs_no_record_but_its_own_and_its_neighbours_line() {
    let lines = [
        record("first line\\n", "stdout", "04.962491761"),
        record("inv \\ufffd\\n", "stdout", "04.96253"),
        record("err \\\"quoted\\\"\\n", "stderr", "05"),
        record("last\\n", "stdout", "06.1"),
    ];
    let log = lines.concat().into_bytes();
    let good = shown(&found(&[&log]));
    let mut begin = 0;
    let line_of: Vec<usize> = lines
        .iter()
        .enumerate()
        .flat_map(|(number, line)| std::iter::repeat_n(number, line.len()))
        .collect();
    for at in 0..log.len() {
        for bit in 0..8 {
            let mut changed = log.clone();
            changed[at] ^= 1 << bit;
            let events = shown(&found(&[&changed]));
            for (number, event) in good.iter().enumerate() {
                let is_joined =
                    changed[at] != b'\n' && log[at] == b'\n' && number == line_of[at] + 1;
                if number != line_of[at] && !is_joined {
                    assert!(events.contains(event), "byte {at} bit {bit}: {event}");
                }
            }
        }
        begin += 1;
    }
    assert_eq!(begin, log.len());
}

#[test]
fn a_log_cut_at_any_byte_gives_every_record_before_the_cut() {
    let lines: Vec<String> =
        (0..4).map(|n| record("some text\\n", "stdout", &format!("0{n}"))).collect();
    let log = lines.concat().into_bytes();
    let good = shown(&found(&[&log]));
    for cut in 0..log.len() {
        let found = found(&[&log[..cut]]);
        let whole = lines[0].len();
        // The line break itself may be missing.
        let expected = (cut + 1) / whole;
        assert_eq!(shown(&found), good[..expected], "{cut}");
        let is_torn = cut % whole != 0 && (cut + 1) % whole != 0;
        assert_eq!(found.issues.len(), usize::from(is_torn), "{cut}");
    }
}

#[test]
fn every_text_comes_out_as_it_went_in() {
    let mut seed = Seed(4_711);
    let (mut log, mut texts) = (Vec::new(), Vec::new());
    for _ in 0..5_000 {
        let length = seed.below(40);
        let text: String = (0..length).map(|_| any_character(&mut seed)).collect();
        let whole = format!("{text}\n");
        // What the engine escapes beside what JSON must.
        let json = serde_json::to_string(&whole).unwrap();
        let json = json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028");
        let end = "\"stream\":\"stdout\",\"time\":\"2026-11-21T21:54:17.5Z\"}\n";
        log.extend(format!("{{\"log\":{json},{end}").into_bytes());
        texts.push(text);
    }
    let found = found(&[&log]);
    assert_eq!((found.records, found.issues.len()), (5_000, 0));
    for (line, text) in found.lines.iter().zip(&texts) {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        let body = event["message_body"].as_str().or(event["message"].as_str()).unwrap();
        assert_eq!(body, text);
    }
}

/// Mostly those that are written in a way of their own.
fn any_character(seed: &mut Seed) -> char {
    let choices =
        ['"', '\\', '\n', '\r', '\t', '\0', '\u{1b}', '<', '\u{2028}', '\u{fffd}', 'é', '🐳'];
    match seed.below(3) {
        0 => choices[seed.below(choices.len() as u64) as usize],
        1 => char::from(seed.below(128) as u8),
        _ => char::from_u32(seed.below(0x11_0000) as u32).unwrap_or('x'),
    }
}
