//! Logs that a real engine wrote.

use super::*;

/// The files of a case, from the folder that the project carries.
fn files(case: &str, id: &str, ends: &[&str]) -> Vec<Vec<u8>> {
    let read = |end: &&str| {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/docker.json_file_log");
        let directory = format!("{root}/{case}/evidence/var/lib/docker/containers/{id}");
        std::fs::read(format!("{directory}/{id}-json.log{end}")).unwrap()
    };
    ends.iter().map(read).collect()
}

#[test]
fn the_long_and_odd_lines_of_a_program_come_out_as_it_wrote_them() {
    let id = "7daac7a62c35527287d950b7efa008c90e3df8aa060171649e896e6aa8048c9a";
    let files = files("long-lines", id, &[""]);
    let found = found(&[&files[0]]);
    assert_eq!((found.records, found.record_bytes, found.issues.len()), (34, 291_816, 0));
    let expected = [
        r#"offset:0 stdout "first line""#,
        r#"offset:81 stdout "Exception in thread main""#,
        r#"offset:176 stdout "\tat a.b.C(C.java:1)""#,
        r#"offset:271 stdout "\tat d.e.F""#,
        "offset:356 stdout \"inv \u{fffd}\u{fffd}\u{fffd} bytes \u{fffd}( end\"",
        r#"offset:467 stdout "\u{1b}[31mRED\u{1b}[0m \u{1b}]0;title\u{7} bell\u{7}""#,
        r#"offset:592 stdout "nul\0inside""#,
        "offset:678 stdout \"tab\\tquote\\\"back\\\\slash <html>&amp; \\u{2028} LS \u{1f433} whale\"",
        r#"offset:824 stdout "A*40000" pieces=3"#,
        r#"offset:41033 stdout "B*16384" pieces=2"#,
        r#"offset:74010 stderr "err-line""#,
        r#"offset:57557 stdout "C*16385" pieces=2"#,
        r#"offset:74161 stdout "\r""#,
        r#"offset:74234 stdout "crlf line\r""#,
        r#"offset:74316 stdout """#,
        r#"offset:74387 stdout "D*200000" pieces=13"#,
        "offset:275273 stdout \"unterminated tailutf8 split:E*16371\u{1f433}\" pieces=2",
    ];
    let shown: Vec<String> = shown(&found).iter().map(|line| runs_counted(line)).collect();
    assert_eq!(shown, expected);
}

/// The line with long runs of one letter written as `A*16384`.
fn runs_counted(line: &str) -> String {
    let mut shown = line.to_owned();
    for letter in ["A", "B", "C", "D", "E"] {
        let begin = shown.find(&letter.repeat(100));
        if let Some(begin) = begin {
            let count = shown[begin..].chars().take_while(|c| letter.starts_with(*c)).count();
            shown.replace_range(begin..begin + count, &format!("{letter}*{count}"));
        }
    }
    shown
}

#[test]
fn a_terminal_writes_carriage_returns_and_may_end_without_a_line_break() {
    let id = "69b95a3f6689ba122fde5b2601052f669e78104d5fdb9bd36eaa9762c95fec31";
    let files = files("terminal", id, &[""]);
    let found = found(&[&files[0]]);
    let shown = shown(&found);
    assert_eq!(shown[0], r#"offset:0 stdout "tty one\r""#);
    assert_eq!(shown[2], r#"offset:485 stdout "no newline""#);
    assert_eq!(found.keys[1].instant.to_string(), "2026-11-21T21:54:05.511351000Z");
    assert_eq!((found.records, found.issues.len()), (3, 0));
}

#[test]
fn no_byte_of_a_real_log_that_is_cut_or_changed_costs_a_record_on_another_line() {
    let id = "69b95a3f6689ba122fde5b2601052f669e78104d5fdb9bd36eaa9762c95fec31";
    let log = files("terminal", id, &[""]).remove(0);
    let good = shown(&found(&[&log]));
    let starts = [0, 79, 485, log.len()];
    for at in 0..log.len() {
        let cut = shown(&found(&[&log[..at]]));
        for bit in 0..8 {
            let mut changed = log.clone();
            changed[at] ^= 1 << bit;
            let changed = shown(&found(&[&changed]));
            for (number, event) in good.iter().enumerate() {
                let is_before = starts[number + 1] <= at;
                assert!(!is_before || cut.contains(event), "cut at {at}: {event}");
                let is_other = is_before || starts[number] > at + 1;
                assert!(!is_other || changed.contains(event), "byte {at} bit {bit}: {event}");
            }
        }
    }
}
