//! What crashes, cut-off writes and hostile hands leave of a log.

use super::*;

/// Events and issues of a log in which `damage` stands between two good lines, of which the first
/// has 67 bytes.
fn around(damage: &[u8]) -> (Vec<String>, Vec<String>) {
    let before = record("before\\n", "stdout", "04");
    let after = record("after\\n", "stdout", "06");
    let found = found(&[&[before.as_bytes(), damage, after.as_bytes()].concat()]);
    let mut events = shown(&found);
    assert_eq!(events.remove(0), "offset:0 stdout \"before\"");
    let last = format!("offset:{} stdout \"after\"", before.len() + damage.len());
    assert_eq!(events.pop(), Some(last));
    (events, issues(&found))
}

#[test]
fn a_torn_line_is_an_issue_at_its_offset() {
    let (events, issues) = around(b"{\"log\":\"torn\\n\",\"stream\":\"std\n");
    assert_eq!(events, [""; 0]);
    assert_eq!(issues, ["offset:67 torn record of 29 bytes -1 -29"]);
}

#[test]
fn two_records_on_one_line_are_two_events() {
    let glued = record("glued\\n", "stderr", "05");
    let (events, issues) = around(glued.trim_end().as_bytes());
    assert_eq!(events, ["offset:67 stderr \"glued\""]);
    let what = "a record on the line of another, as after a write that was cut off";
    assert_eq!(issues, [format!("offset:{} {what} -0 -0", 67 + glued.len() - 1)]);
}

#[test]
fn a_torn_record_does_not_swallow_the_one_behind_it_on_its_line() {
    for end in ["{\"log\":\"torn", "{\"log\":\"x\",", "{\"log\":\"x\",\"attrs\":", "{\"lo", "ut\"}"]
    {
        let (events, issues) = around(end.as_bytes());
        assert_eq!((events.len(), issues.len()), (0, 1), "{end}");
        assert!(issues[0].ends_with(&format!("-1 -{}", end.len())), "{issues:?}");
    }
}

#[test]
fn a_run_of_nul_bytes_is_one_issue_however_long() {
    let (events, issues) = around(&vec![0; 300_000]);
    assert_eq!(events, [""; 0]);
    assert_eq!(issues, ["offset:67 run of 300000 NUL bytes, as after a crash -0 -300000"]);
}

#[test]
fn a_run_of_nul_bytes_after_a_torn_record_costs_one_record() {
    let torn = [b"{\"log\":\"torn".as_slice(), &[0; 4_096]].concat();
    let (events, issues) = around(&torn);
    assert_eq!(events, [""; 0]);
    assert_eq!(issues, ["offset:67 torn record of 4108 bytes -1 -4108"]);
}

#[test]
fn carriage_returns_spaces_and_empty_lines_are_no_damage() {
    assert_eq!(around(b"\n\r\n  \t\n"), (vec![], vec![]));
}

#[test]
fn a_blemished_record_is_an_event_and_an_issue_that_lost_nothing() {
    for (damage, text, what) in [
        (
            &b"{\"log\":\"raw \xff\xfe\\n\""[..],
            r#"raw \\xff\\xfe"#,
            "invalid UTF-8, shown as \\xNN",
        ),
        (b"{\"log\":\"bad \\ud800\\n\"", r#"bad \\ud800"#, "a lone surrogate, shown as it is"),
        (b"{\"log\":\"a\x01\\n\"", r#"a\u{1}"#, "raw control bytes"),
        (b"{\"log\":1,\"log\":\"2\\n\"", "2", "a key that stands twice, of which the last counts"),
    ] {
        let rest = b",\"stream\":\"stdout\",\"time\":\"2026-11-21T21:54:05Z\"}\n";
        let (events, issues) = around(&[damage, rest].concat());
        assert_eq!(events, [format!("offset:67 stdout \"{text}\"")]);
        assert_eq!(issues, [format!("offset:67 record with {what} -0 -0")]);
    }
}

#[test]
fn a_record_without_a_time_is_lost_and_counted() {
    for (time, what) in [
        ("\"x\":1", "record without time"),
        ("\"time\":\"0001-01-01T00:00:00Z\"", "record whose time is the zero time"),
        ("\"time\":7", "record whose time is not a text"),
        (
            "\"time\":\"2019-02-30T00:00:00Z\"",
            "record whose time cannot be read: no such date or time of day",
        ),
    ] {
        let line = format!("{{\"log\":\"x\\n\",\"stream\":\"stdout\",{time}}}\n");
        let (events, issues) = around(line.as_bytes());
        assert_eq!(events, [""; 0]);
        assert_eq!(issues, [format!("offset:67 {what} -1 -{}", line.len())]);
    }
}

#[test]
fn other_forms_of_json_are_records() {
    let line = "{ \"time\" : \"2026-11-21T22:54:05.000000001+01:00\",\"extra\":[{}], \"log\":\"x\\n\"}\r\n";
    assert_eq!(around(line.as_bytes()), (vec!["offset:67 - \"x\"".to_owned()], vec![]));
    let empty = "{\"stream\":\"stderr\",\"time\":\"2026-11-21T21:54:05Z\"}\n";
    let log = [record("a\\n", "stdout", "04"), empty.to_owned()].concat();
    assert_eq!(shown(&found(&[log.as_bytes()]))[1], "offset:62 stderr \"\"");
}

#[test]
fn a_record_that_a_program_wrote_into_its_log_is_text() {
    let forged = "{\\\"log\\\":\\\"x\\\\n\\\",\\\"stream\\\":\\\"stdout\\\",\\\"time\\\":\\\"2020-01-01T00:00:00Z\\\"}";
    let (events, issues) = around(record(&format!("{forged}\\n"), "stdout", "05").as_bytes());
    assert_eq!((events.len(), issues.len()), (1, 0));
    let (events, issues) = around(format!("{{\"log\":\"{forged}\n").as_bytes());
    assert_eq!((events.len(), issues.len()), (0, 1));
}

#[test]
fn a_label_that_is_called_log_is_no_record_when_the_head_of_its_record_is_lost() {
    let attrs = "{\"log\":\"forged\\n\",\"stream\":\"stdout\",\"time\":\"2020-01-01T00:00:00Z\"}";
    let line = format!("ut\",\"attrs\":{attrs},\"time\":\"2026-11-21T21:54:05Z\"}}\n");
    let (events, issues) = around(line.as_bytes());
    assert_eq!((events.len(), issues.len()), (0, 1));
}

#[test]
fn attrs_are_kept_as_a_list() {
    let line = record("x\\n", "stdout", "05").replace(
        ",\"time\"",
        ",\"attrs\":{\"tag\":\"web/1 \\\"x\\\"\",\"tier\":\"front\"},\"time\"",
    );
    let (events, _) = around(line.as_bytes());
    let attributes = r#"log_attributes=["tag=web/1 \"x\"","tier=front"]"#;
    assert_eq!(events, [format!("offset:67 stdout \"x\" {attributes}")]);
}

#[test]
fn a_line_beyond_the_limit_is_one_issue_and_the_next_line_is_read() {
    let long = format!("{{\"log\":\"{}\n", "x".repeat(3_000_000));
    let (events, issues) = around(long.as_bytes());
    assert_eq!(events, [""; 0]);
    assert_eq!(issues, ["offset:67 3000008 bytes of a line longer than 1048576 bytes -1 -3000008"]);
}

#[test]
fn good_records_on_a_line_beyond_the_limit_are_read() {
    let good = record("good\\n", "stdout", "05");
    let line = [&"y".repeat(2_000_000), good.trim_end(), &"z".repeat(2_000_000), "\n"].concat();
    let (events, issues) = around(line.as_bytes());
    assert_eq!(events, ["offset:2000067 stdout \"good\""]);
    assert_eq!(issues.len(), 2, "{issues:?}");
    let many = good.trim_end().repeat(30_000);
    assert_eq!(around(format!("{many}\n").as_bytes()).0.len(), 30_000);
}

#[test]
fn nothing_makes_the_reading_slow() {
    // Each would take hours if every damage searched the rest of its line again.
    for unit in ["{\"log\":", "{\"log\":\"\",\"x\":[", "{\"log\":[{}],", "{", "[", "\"", "\\", "{ "]
    {
        let line = unit.repeat(2_000_000 / unit.len());
        let (events, issues) = around(format!("{line}\n").as_bytes());
        assert_eq!(events, [""; 0]);
        assert!(issues.len() < 10, "{unit}: {}", issues.len());
    }
}

#[test]
fn a_line_without_end_that_is_half_records_and_half_damage_is_read_once() {
    let good = "{ \"time\":\"2026-11-21T21:54:05Z\"}";
    let line = format!("{good}damage").repeat(80_000);
    let (events, issues) = around(format!("{line}\n").as_bytes());
    assert_eq!((events.len(), issues.len()), (80_000, 80_000));
}

#[test]
fn an_empty_log_is_nothing() {
    let found = found(&[b""]);
    assert_eq!((found.lines.len(), found.issues.len(), found.records), (0, 0, 0));
}
