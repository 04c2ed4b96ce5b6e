//! The log as a whole: bytes to whole events.

use crate::case::{Case, Outcome};

const ID: &str = "663bc536dc2660c2b6aa249a03dd3f5082b7890cb043c5ed51736c53c7ad4788";

/// An entry of the stream `stdout`, one second later than the one before.
fn entry(second: u8, line: &[u8]) -> Vec<u8> {
    let nanoseconds = (u64::from(second) + 1_700_000_000) * 1_000_000_000;
    let mut message = b"\n\x06stdout\x10".to_vec();
    varint(nanoseconds, &mut message);
    message.push(0x1a);
    varint(line.len() as u64, &mut message);
    message.extend_from_slice(line);
    framed(&message)
}

fn varint(mut number: u64, into: &mut Vec<u8>) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u32).to_be_bytes();
    [&length, message, &length].concat()
}

fn read(content: &[u8]) -> Outcome {
    let path = format!("containers/{ID}/local-logs/container.log");
    Case::default().with(&path, content).read("docker.local_log")
}

fn texts(outcome: &Outcome) -> Vec<&str> {
    let text = |event: &'_ serde_json::Value| {
        let body = event.get("message_body").unwrap_or(&event["message"]);
        body.as_str().unwrap().split("] ").last().unwrap().to_owned().leak() as &str
    };
    outcome.events.iter().map(text).collect()
}

#[test]
fn a_cut_at_any_byte_costs_only_the_entry_that_it_is_in() {
    let entries = [entry(0, b"one"), entry(1, b""), entry(2, b"three")];
    let log = entries.concat();
    for cut in 0..=log.len() {
        let found = read(&log[..cut]);
        let mut end = 0;
        let whole = entries.iter().take_while(|entry| {
            end += entry.len();
            end <= cut
        });
        let (count, length) = whole.fold((0, 0), |sum, entry| (sum.0 + 1, sum.1 + entry.len()));
        assert_eq!(found.records, count, "{cut}");
        assert_eq!(found.issues.is_empty(), cut == length, "{cut}: {:?}", found.issues);
    }
}

#[test]
fn a_wrong_length_costs_its_entry_and_the_next_one_is_found() {
    let entries = [entry(0, b"first"), entry(1, b"second"), entry(2, b"third")];
    let log = entries.concat();
    let second = entries[0].len()..entries[0].len() + entries[1].len();
    for at in second.clone() {
        let is_length = at < second.start + 4 || at >= second.end - 4;
        for bit in (0..8).filter(|_| is_length) {
            let mut changed = log.clone();
            changed[at] ^= 1 << bit;
            let found = read(&changed);
            assert_eq!(texts(&found), ["first", "third"], "byte {at} bit {bit}");
            let lost = format!("offset:{}: {} bytes that are no entry", second.start, second.len());
            assert!(found.issues[0].contains(&lost), "{:?}", found.issues);
        }
    }
}

#[test]
fn what_lies_between_entries_is_skipped_and_told() {
    let log = [
        entry(0, b"first"),
        vec![0; 5_000],
        entry(1, b"second"),
        b"\0\0\0\x20garbage \n\x06std".to_vec(),
        entry(2, b"third"),
        framed(b"\x0a\x06stdout\x12\0"),
        framed(b"\x0a\x06stdout"),
        entry(3, b"fourth"),
    ];
    let found = read(&log.concat());
    assert_eq!(texts(&found), ["first", "second", "third", "fourth"]);
    let issues: Vec<&str> =
        found.issues.iter().map(|issue| issue.split_once(" offset:").unwrap().1).collect();
    assert_eq!(
        issues,
        [
            "33: run of 5000 NUL bytes, as after a crash (malformed)",
            "5067: 17 bytes that are no entry, as after a write that was cut off (malformed)",
            "5117: entry of 18 bytes: field 2 is of another kind (malformed)",
            "5135: entry of 16 bytes: it has no time (malformed)",
        ]
    );
}

#[test]
fn a_cache_of_a_remote_driver_is_read_beside_the_log() {
    let cache = format!("containers/{ID}/container-cached.log");
    let case = Case::default()
        .with(&cache, entry(0, b"sent\xff"))
        .with(&format!("{cache}.1"), entry(1, b"before"));
    let found = case.read("docker.local_log");
    assert_eq!(texts(&found), ["before", "sent\\xff"]);
    assert_eq!(found.events[1]["escaped_bytes"], true);
    assert_eq!(found.events[1]["container_identifier"], ID);
}
