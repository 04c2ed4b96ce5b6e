//! The event that a line of a container becomes when a log driver gave it to the log of the host.

use crate::Inventory;
use crate::formats::daemon_message::When;
use dockline_timeline::{Event, Findings, Kind, Meaning, Origin, Position, Subject, Value};
use std::borrow::Cow;

static DOCKER: Kind = Kind {
    data_type: "docker:container:log:entry",
    source_short: "DOCKER",
    source_long: "Docker container log",
};

static PODMAN: Kind = Kind {
    data_type: "podman:container:log:entry",
    source_short: "PODMAN",
    source_long: "Podman container log",
};

/// A line that a container wrote.
#[derive(Clone, Debug)]
pub(super) struct ContainerLine<'l> {
    /// The container, as far as it is known.
    pub(super) subject: Subject,
    /// The tag under which the log driver wrote it.
    pub(super) program: &'l str,
    /// `stdout` or `stderr`, where the log driver tells.
    pub(super) stream: Option<&'l str>,
    /// Whether Podman ran the container.
    pub(super) is_podman: bool,
    /// Of how many pieces it was joined.
    pub(super) pieces: u64,
    /// Whether its last piece is not there.
    pub(super) is_incomplete: bool,
    /// Whether it was found where a log that was not closed does not reach.
    pub(super) is_recovered: bool,
    /// Where it was found.
    pub(super) position: Position<'l>,
    /// When it was written.
    pub(super) when: When,
    /// What was written.
    pub(super) text: &'l str,
}

/// The shortened id in a tag of the `syslog` log driver: `5f0a1b2c3d0a`, before Docker 1.12
/// `docker/5f0a1b2c3d0a`.
pub(super) fn of_tag(program: &str) -> Option<&str> {
    let id = program.strip_prefix("docker/").unwrap_or(program);
    let is_short = id.len() == 12 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    is_short.then_some(id)
}

impl<'l> ContainerLine<'l> {
    /// A whole line of an unknown container.
    pub(super) fn new(
        program: &'l str,
        position: Position<'l>,
        when: When,
        text: &'l str,
    ) -> ContainerLine<'l> {
        ContainerLine {
            subject: Subject::UNKNOWN,
            program,
            stream: None,
            is_podman: false,
            pieces: 1,
            is_incomplete: false,
            is_recovered: false,
            position,
            when,
            text,
        }
    }

    /// Makes the event.
    pub(super) fn tell(&self, origin: &Origin, inventory: &Inventory, findings: &mut dyn Findings) {
        let kind = if self.is_podman { &PODMAN } else { &DOCKER };
        let at = (self.when.instant, Meaning::ContentModification);
        let mut event = Event::new(origin, kind, &self.subject, at);
        event.confidence = self.when.confidence;
        event.position = self.position.clone();
        event.action = "log";
        event.text = self.text.into();
        event.log_source = self.stream;
        let text = |text: &'l str| (!text.is_empty()).then_some(Value::Text(Cow::Borrowed(text)));
        event.attribute("program", text(self.program));
        event.attribute("time_concluded", text(self.when.from));
        let pieces = i64::try_from(self.pieces).ok().filter(|pieces| *pieces > 1);
        event.attribute("pieces", pieces.map(Value::Integer));
        event.attribute("incomplete", self.is_incomplete.then_some(Value::Boolean(true)));
        event.tags.extend(self.is_recovered.then_some(Cow::Borrowed("recovered")));
        inventory.mark_removed(&mut event);
        findings.event(&event);
    }
}
