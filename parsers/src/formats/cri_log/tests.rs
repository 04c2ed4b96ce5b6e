//! The log as a whole: bytes to whole events, and promises for any log.

use super::cut::ranges;
use super::read::LINE_LIMIT;
use super::{CriLog, DIVISION, Division, divided};
use crate::formats::rotated_log::Chain;
use dockline_evidence::ReadAt;
use dockline_timeline::{Attribute, Collected, Kind, Origin, Rank, Subject, Value};
use std::sync::Arc;

const KIND: Kind = Kind { data_type: "test:log", source_short: "TEST", source_long: "Test log" };

/// Divides even the smallest log.
const SMALL: Division = Division { at_once: 0, range: 3_000, block: 400 };

/// The log that consists of these files, the oldest first.
fn log(files: &[&[u8]]) -> CriLog {
    let file = |(rank, bytes): (u64, &&[u8])| {
        let place = ("host".into(), "evidence".into(), format!("/log.{rank}").into());
        let origin = Arc::new(Origin::new(place, "test.cri_log", Rank(rank)));
        let bytes: Arc<dyn ReadAt> = Arc::new(bytes.to_vec());
        (origin, bytes)
    };
    let chain = Chain::of((0..).zip(files).map(file));
    let attribute = Attribute { name: "pod_name", value: Value::Text("web".into()) };
    let (subject, tags) = (Subject::UNKNOWN, Vec::new());
    CriLog { chain, kind: &KIND, subject, attributes: vec![attribute], tags }
}

fn found(files: &[&[u8]]) -> Collected {
    let mut found = Collected::new();
    divided(log(files), DIVISION, &mut found);
    found
}

/// Each event as `place stream text`, and what else is said of it.
fn shown(found: &Collected) -> Vec<String> {
    found.lines.iter().map(|line| show(line)).collect()
}

fn show(line: &str) -> String {
    let event: serde_json::Value = serde_json::from_str(line).unwrap();
    let text = |name: &str| event[name].as_str().unwrap().to_owned();
    assert_eq!((text("pod_name"), text("action")), ("web".to_owned(), "log".to_owned()));
    let body = event["message_body"].as_str().or(event["message"].as_str()).unwrap();
    let mut shown = format!("{} {} {body:?}", text("source_locator"), text("log_source"));
    for name in ["pieces", "incomplete", "escaped_bytes", "log_attributes"] {
        if let Some(value) = event.get(name) {
            shown.push_str(&format!(" {name}={value}"));
        }
    }
    shown
}

/// Each issue as `place what records bytes`.
fn issues(found: &Collected) -> Vec<String> {
    let show = |issue: &dockline_timeline::Issue| {
        let place = &issue.place;
        let lost = format!("-{} -{}", issue.lost_records, issue.lost_bytes);
        format!("{} {} {} {lost}", place.path, place.position, issue.what)
    };
    found.issues.iter().map(show).collect()
}

#[test]
fn what_conmon_and_containerd_write_comes_out_as_the_program_wrote_it() {
    let log = b"2026-11-21T21:57:01.907579071+00:00 stdout F up\n\
        2026-11-21T21:57:01.907579071+00:00 stdout F a\tb\n\
        2026-11-21T21:57:01.907675150+00:00 stderr P long \n\
        2026-11-21T21:57:02.5Z stdout F between\r\n\
        2026-11-21T21:57:02.6Z stderr F:x line\n\
        2026-11-21T21:57:03Z stdout F \n\
        2026-11-21T21:57:04Z stdout F:k=v raw \xff\xfe\n";
    let found = found(&[log]);
    assert_eq!(issues(&found), [""; 0]);
    assert_eq!((found.records, found.record_bytes), (7, log.len() as u64));
    let expected = [
        r#"offset:0 stdout "up""#,
        r#"offset:48 stdout "a\tb""#,
        r#"offset:148 stdout "between\r""#,
        r#"offset:97 stderr "long line" pieces=2"#,
        r#"offset:228 stdout """#,
        r#"offset:259 stdout "raw \\xff\\xfe" escaped_bytes=true log_attributes=["tags=k=v"]"#,
    ];
    assert_eq!(shown(&found)[..2], expected[..2]);
    assert!(found.lines[0].contains(r#""datetime_ns":"2026-11-21T21:57:01.907579071Z""#));
    let texts: Vec<String> = shown(&found).iter().map(|line| after_place(line)).collect();
    assert_eq!(texts, expected.map(after_place));
}

fn after_place(line: &str) -> String {
    line.split_once(' ').unwrap().1.to_owned()
}

#[test]
fn a_message_goes_on_across_a_rotation_but_not_across_a_loss() {
    let first: &[u8] = b"2024-05-01T12:00:00Z stdout P one \n";
    let second: &[u8] = b"2024-05-01T12:00:01Z stdout F two\n";
    assert_eq!(shown(&found(&[first, second])), [r#"offset:0 stdout "one two" pieces=2"#]);
    let mut lossy = log(&[first, second]);
    lossy.chain.parts[1].follows_loss = true;
    let mut found = Collected::new();
    divided(lossy, DIVISION, &mut found);
    let expected = [r#"offset:0 stdout "one " incomplete=true"#, r#"offset:0 stdout "two""#];
    assert_eq!(shown(&found), expected);
}

#[test]
fn what_is_no_line_is_told_and_costs_only_itself() {
    let found = found(&[b"torn behind a cra\n{\"log\":\"x\"}\n\
        2024-05-01T12:00:00Z stdout P begun\n\
        \0\0\0\x002024-05-01T12:00:01Z stdout F behind nuls\n\
        2024-05-01T12:00:02Z stdout F to\0\x002024-05-01T12:00:03Z stdout F swallowed\n\
        2024-05-01T12:00:04Z stderr F the en\0\0\0"]);
    let expected = [
        r#"offset:30 stdout "begun" incomplete=true"#,
        r#"offset:70 stdout "behind nuls""#,
        r#"offset:112 stdout "to\0\02024-05-01T12:00:03Z stdout F swallowed""#,
        r#"offset:186 stderr "the en" incomplete=true"#,
    ];
    assert_eq!(shown(&found), expected);
    let expected = [
        "/log.0 offset:0 2 lines of 30 bytes that are no records, the first: no time at its front \
         -2 -30",
        "/log.0 offset:66 run of 4 NUL bytes, as after a crash -0 -4",
        "/log.0 offset:112 a record follows NUL bytes in the text of this line, as after a crash; \
         it is shown as text, since a program can write that -0 -0",
        "/log.0 offset:222 run of 3 NUL bytes, as after a crash -0 -3",
    ];
    assert_eq!(issues(&found), expected);
}

#[test]
fn a_line_without_end_is_text_up_to_the_limit() {
    let head = "2024-05-01T12:00:00Z stdout F ";
    let next = "2024-05-01T12:00:01Z stdout F next\n";
    for more in [0, 1, 300_000] {
        let text = "x".repeat(LINE_LIMIT - head.len() + more);
        let found = found(&[format!("{head}{text}\n{next}").as_bytes()]);
        let shown = shown(&found);
        assert_eq!(shown.len(), 2, "{more}");
        assert!(shown[1].ends_with(r#"stdout "next""#));
        assert_eq!(shown[0].ends_with("incomplete=true"), more > 0, "{more}");
        let issue = format!(
            "/log.0 offset:{LINE_LIMIT} {} bytes of a line left out behind its first {LINE_LIMIT} -0 -{}",
            more + 1,
            more + 1
        );
        assert_eq!(issues(&found), if more > 0 { vec![issue] } else { vec![] });
    }
}

#[test]
fn a_message_that_spans_too_much_is_cut_and_one_that_waits_too_long_is_let_out() {
    let piece = format!("2024-05-01T12:00:00Z stdout P {}\n", "x".repeat(999_969));
    let found_cut = found(&[piece.repeat(5).as_bytes()]);
    assert_eq!(found_cut.lines.len(), 2);
    assert!(shown(&found_cut)[0].ends_with("pieces=4 incomplete=true"));
    let expected = [
        "/log.0 offset:0 message cut after 4194304 bytes of log; the rest follows on its own -0 -0",
    ];
    assert_eq!(issues(&found_cut), expected);
    let begun = "2024-05-01T12:00:00Z stderr P begun\n";
    let other = "2024-05-01T12:00:00Z stdout F x\n".repeat(40_000);
    let found = found(&[format!("{begun}{other}").as_bytes()]);
    assert_eq!((found.lines.len(), found.issues.len()), (40_001, 0));
    assert!(shown(&found).contains(&r#"offset:0 stderr "begun" incomplete=true"#.to_owned()));
}

/// A small generator of numbers (SplitMix64).
struct Seed(u64);

impl Seed {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }

    fn pick<'t>(&mut self, choices: &[&'t str]) -> &'t str {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// A log of what writers, crashes and hostile hands leave.
    fn log(&mut self, count: u64) -> Vec<u8> {
        let mut log = Vec::new();
        for _ in 0..count {
            let line = self.line();
            match self.below(40) {
                0 => log.extend_from_slice(&line[..self.below(line.len() as u64) as usize]),
                1 => log.extend_from_slice(&line[self.below(line.len() as u64) as usize..]),
                2 => log.extend(std::iter::repeat_n(0, self.below(600) as usize)),
                3 => log.extend_from_slice(self.pick(&["\n", "\r\n", " ", "garbage\n"]).as_bytes()),
                _ => log.extend(line),
            }
        }
        log
    }

    fn line(&mut self) -> Vec<u8> {
        let stream = self.pick(&["stdout", "stdout", "stderr", "stderr", "stdin"]);
        let second = self.below(60);
        let time = self.pick(&["Z", ".5Z", ".123456789+02:00", ".x"]);
        let tag = self.pick(&["F", "F", "F", "P", "P:x", "X"]);
        let text = self.pick(&[
            "",
            "short",
            "caf\u{e9} \u{1f433}",
            "2024-05-01T12:00:00Z stdout F",
            "a\0b",
        ]);
        let mut line =
            format!("2024-05-01T12:00:{second:02}{time} {stream} {tag} {text}").into_bytes();
        if self.below(10) == 0 {
            line.push(0xff);
        }
        line.push(b'\n');
        line
    }
}

/// Events by key, issues and counts: what must not depend on how a log is divided.
fn outcome(files: &[&[u8]], division: Division) -> (Vec<String>, Vec<String>, u64, u64) {
    let mut found = Collected::new();
    divided(log(files), division, &mut found);
    let mut keyed: Vec<_> = found.keys.iter().zip(&found.lines).collect();
    keyed.sort_by_key(|(key, _)| (key.instant, key.rank, key.position));
    let lines = keyed.into_iter().map(|(_, line)| line.clone()).collect();
    let mut issues: Vec<String> = found.issues.iter().map(|issue| format!("{issue:?}")).collect();
    issues.sort();
    (lines, issues, found.records, found.record_bytes)
}

#[test]
fn every_line_is_in_an_event_and_every_byte_is_explained() {
    for seed in 0..400 {
        let mut seed = Seed(seed);
        let files = [seed.log(60), seed.log(60)];
        let found = found(&[&files[0], &files[1]]);
        let pieces = |line: &String| -> u64 {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            event.get("pieces").map_or(1, |pieces| pieces.as_u64().unwrap())
        };
        let joined: u64 = found.lines.iter().map(pieces).sum();
        assert_eq!(joined, found.records, "seed {}", seed.0);
        let lost: u64 = found.issues.iter().map(|issue| issue.lost_bytes).sum();
        assert_eq!(found.record_bytes + lost, (files[0].len() + files[1].len()) as u64);
    }
}

#[test]
fn the_outcome_does_not_depend_on_how_the_log_is_divided() {
    let mut cuts = 0;
    for number in 0..300 {
        let mut seed = Seed(1_000_000 + number);
        let files: Vec<Vec<u8>> = (0..3).map(|_| seed.log(80)).collect();
        let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        let whole = outcome(&files, DIVISION);
        cuts += ranges(&log(&files).chain, SMALL.range).len() - 1;
        for division in [SMALL, Division { at_once: 0, range: u64::MAX, block: 1 }] {
            assert_eq!(outcome(&files, division), whole, "{number}");
        }
    }
    assert!(cuts > 500, "there were only {cuts} cuts");
}
