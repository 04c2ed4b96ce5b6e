//! Tests of logs in all their forms.
#![cfg(test)]

use crate::case::{Case, Outcome};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

const A: &str = "01afc5bdfb4c359054b68a1aa8195910aa85b3972a1dbd1df070cb25e29c039b";

fn read(name: &str, content: impl Into<Vec<u8>>) -> Outcome {
    Case::default().with(&format!("var/log/{name}"), content).read("host.daemon_log")
}

fn times(outcome: &Outcome) -> Vec<(&str, &str)> {
    fn field<'e>(event: &'e serde_json::Value, name: &str) -> &'e str {
        event[name].as_str().unwrap_or_default()
    }
    let both = |event| (field(event, "datetime"), field(event, "time_confidence"));
    outcome.events.iter().map(both).collect()
}

#[test]
fn of_syslog_only_what_is_about_containers_is_an_event() {
    let log = format!(
        "Dec 31 23:59:58 web1 dockerd[58]: time=\"2025-12-31T22:59:58.5Z\" level=info msg=\"Starting up\"\n\
         Dec 31 23:59:59 web1 cron[7]: job\n\
         Jan  1 00:00:01 web1 systemd[1]: docker-{A}.scope: Deactivated successfully.\n\
         Jan  1 00:00:02 web1 kernel: [ 7.5] oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=/docker/{A},task=sh,pid=77,uid=0\n\
         Jan  1 00:00:03 web1 01afc5bdfb4c[58]: hello from a container\n"
    );
    let outcome = read("syslog", log);
    assert_eq!((outcome.events.len(), outcome.records, outcome.issues.len()), (4, 5, 0));
    assert_eq!(outcome.unconcerned, 1);
    let expected = [
        ("2025-12-31T22:59:58.500000+00:00", "recorded"),
        ("2025-12-31T23:00:01.000000+00:00", "inferred"),
        ("2025-12-31T23:00:02.000000+00:00", "inferred"),
        ("2025-12-31T23:00:03.000000+00:00", "inferred"),
    ];
    assert_eq!(times(&outcome), expected);
    assert_eq!(outcome.only("die")["container_identifier"], A);
    assert_eq!(
        (&outcome.only("oom")["pid"], &outcome.only("oom")["container_identifier"]),
        (&77.into(), &A.into())
    );
    assert_eq!(outcome.only("log")["message"], "hello from a container");
}

#[test]
fn a_compressed_rotation_is_read_and_one_that_cannot_be_is_named() {
    let line = "2026-01-01T01:02:03.5+01:00 web1 containerd[8]: time=\"2026-01-01T00:02:03.25Z\" level=info msg=\"starting containerd\"\n";
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(line.as_bytes()).unwrap();
    let outcome = read("messages-20260101.gz", encoder.finish().unwrap());
    assert_eq!(outcome.only("daemon_start")["datetime"], "2026-01-01T00:02:03.250000+00:00");
    let outcome = read("syslog.2.xz", "\u{fd}7zXZ");
    assert_eq!((outcome.events.len(), outcome.issues.len()), (0, 0));
    let outcome = read("syslog.2.xz", &b"\xfd7zXZ\0\0\0"[..]);
    assert!(outcome.issues[0].contains("xz is not supported"), "{:?}", outcome.issues);
}

#[test]
fn what_has_no_time_has_that_of_the_line_before_it_or_is_lost_to_an_issue() {
    let log = "goroutine 1 [running]:\nmain.main()\n\
               time=\"2026-01-01T00:02:03\" level=fatal msg=\"it ends\"\n\
               panic: it ends\n";
    let outcome = read("docker.log.1", log);
    assert_eq!(outcome.records, 2);
    let expected = [("2026-01-01T00:02:03.000000+00:00", "inferred"); 2];
    assert_eq!(times(&outcome), expected);
    assert!(
        outcome.events[1]["message"].as_str().unwrap().starts_with("dockerd: panic: it ends (")
    );
    let issue =
        "case:/var/log/docker.log.1 offset:0: 2 lines without a time that can be known (malformed)";
    assert_eq!(outcome.issues, [issue]);
}
