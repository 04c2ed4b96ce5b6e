//! A log with its rotations: what its files have in common, and how far they reach.

use super::names::Names;
use super::when::When;
use crate::Inventory;
use crate::formats::daemon_message::Messages;
use dockline_timeline::{Event, Findings, Kind, Meaning, Origin, Subject, Value};
use std::sync::Arc;

pub(super) static LOG: Kind = Kind {
    data_type: "docker:desktop:log",
    source_short: "DESKTOP",
    source_long: "Docker Desktop log",
};

pub(super) static RANCHER: Kind = Kind {
    data_type: "rancher:desktop:log",
    source_short: "DESKTOP",
    source_long: "Rancher Desktop log",
};

/// A log with its rotations.
pub(super) struct Set<'i> {
    pub(super) inventory: &'i Inventory,
    pub(super) names: Names<'i>,
    pub(super) daemons: Messages<'i>,
    pub(super) kind: &'static Kind,
    /// In whose profile it lies.
    pub(super) user: Option<&'i str>,
    /// Seconds east of UTC that a line named last.
    pub(super) offset: Option<i32>,
    window: Option<Window>,
}

/// From when to when the lines of a log reach.
struct Window {
    origin: Arc<Origin>,
    first: When,
    last: When,
    files: i64,
}

impl<'i> Set<'i> {
    pub(super) fn new(
        inventory: &'i Inventory,
        kind: &'static Kind,
        user: Option<&'i str>,
    ) -> Set<'i> {
        let (names, daemons) = (Names::new(inventory), Messages::new(inventory));
        Set { inventory, names, daemons, kind, user, offset: None, window: None }
    }

    /// Tells how far the log reaches.
    pub(super) fn finish(self, findings: &mut dyn Findings) {
        let Some(Window { origin, first, last, files }) = self.window else { return };
        let text = format!(
            "log reaches from {} to {}, in {files} file{}",
            first.instant.civil(),
            last.instant.civil(),
            if files == 1 { "" } else { "s" }
        );
        let at = (first.instant, Meaning::Recorded);
        let mut event = Event::new(&origin, self.kind, &Subject::UNKNOWN, at);
        event.confidence = first.confidence.max(last.confidence);
        event.action = "log_window";
        event.text = (&text).into();
        event.attribute("first_time", Some(Value::Text(first.instant.to_string().into())));
        event.attribute("last_time", Some(Value::Text(last.instant.to_string().into())));
        event.attribute("files", Some(Value::Integer(files)));
        event.attribute("user_name", self.user.map(|user| Value::Text(user.into())));
        findings.event(&event);
    }

    /// A line of it was written then.
    pub(super) fn widen(&mut self, origin: &Arc<Origin>, when: When) {
        match &mut self.window {
            None => {
                let origin = origin.clone();
                self.window = Some(Window { origin, first: when, last: when, files: 0 });
            }
            Some(window) if when.instant < window.first.instant => window.first = when,
            Some(window) if when.instant > window.last.instant => window.last = when,
            Some(_) => {}
        }
    }

    /// One more of its files has lines.
    pub(super) fn count_file(&mut self) {
        if let Some(window) = &mut self.window {
            window.files = window.files.saturating_add(1);
        }
    }
}
