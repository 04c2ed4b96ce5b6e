//! Hand-made events for the tests of the outputs.

#![cfg(test)]

use crate::{
    Confidence, Event, Instant, Kind, Meaning, Origin, Position, Rank, Subject, Text, Value,
};
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

pub(super) static ORIGIN: LazyLock<Origin> = LazyLock::new(|| {
    let path = "/var/lib/docker/containers/25b0/config.v2.json";
    let place = (Arc::from("alpine-host"), Arc::from("web1.E01"), Arc::from(path));
    Origin::new(place, "docker.container_config", Rank(7))
});

pub(super) static KIND: Kind = Kind {
    data_type: "docker:container:configuration",
    source_short: "DOCKER",
    source_long: "Docker container configuration",
};

pub(super) static APACHE: LazyLock<Subject> = LazyLock::new(|| Subject {
    container_identifier: Some("25b0".repeat(16)),
    container_name: Some("apache".to_owned()),
    image_name: Some("httpd:2.4.38-alpine".to_owned()),
    image_identifier: Some(format!("sha256:{}", "ab12".repeat(16))),
});

pub(super) static LABELS: LazyLock<Vec<String>> =
    LazyLock::new(|| vec!["com.docker.compose.project=shop".to_owned(), "a=\"b\"".to_owned()]);

pub(super) fn instant(seconds: i64, nanoseconds: u32) -> Instant {
    Instant::new(seconds, nanoseconds).unwrap()
}

/// An event with nothing in it that can be absent.
pub(crate) fn bare(text: &str) -> Event<'_> {
    let at = (instant(1_561_720_268, 347_278_022), Meaning::Recorded);
    Event { text: Text::Plain(text), ..Event::new(&ORIGIN, &KIND, &Subject::UNKNOWN, at) }
}

/// An event with everything in it.
pub(super) fn full() -> Event<'static> {
    let at = (instant(1_561_720_268, 347_278_022), Meaning::Creation);
    Event {
        position: Position::Key("State.StartedAt"),
        confidence: Confidence::Inferred,
        action: "create",
        text: Text::Plain("container created\nfrom httpd"),
        log_source: Some("stdout"),
        exit_code: Some(-1),
        pid: Some(4_211),
        uid: Some(0),
        gid: Some(u64::MAX),
        size: Some(123_456_789_012),
        inode: Some(131_077),
        filename: Some("/etc/passwd"),
        mode_as_string: Some("-rw-r--r--"),
        macb: Some("M.C."),
        layer_identifier: Some("sha256:11"),
        volume_name: Some("data"),
        network_name: Some("bridge"),
        command_line: Some("sh -c 'echo \"=1+1\"'"),
        user: Some("root"),
        sha256_hash: Some("00e1"),
        labels: &LABELS,
        tags: vec![Cow::Borrowed("escape-risk:privileged")],
        attributes: attributes(),
        ..Event::new(&ORIGIN, &KIND, &APACHE, at)
    }
}

fn attributes() -> Vec<crate::Attribute<'static>> {
    let list = Value::List(vec![Cow::Borrowed("x=1"), Cow::Borrowed("y=\u{2028}")]);
    [
        ("driver", Value::Text(Cow::Borrowed("over\tlay2"))),
        ("restart_count", Value::Integer(i64::MIN)),
        ("running", Value::Boolean(true)),
        ("oom_killed", Value::Boolean(false)),
        ("environment", list),
        ("ports", Value::List(Vec::new())),
    ]
    .map(|(name, value)| crate::Attribute { name, value })
    .into()
}
