//! `Preferences` and `Local State`: settings, with times of Chromium's form among them.

use super::Profile;
use crate::ArtifactFile;
use crate::formats::chrome_time;
use dockline_timeline::{Confidence, Findings, Instant, IssueKind, Meaning, Position, Value};
use serde_json::Value as Json;
use std::borrow::Cow;

/// Times that are told of one file.
const TIMES: usize = 10_000;

/// A time, and the way to it.
type Found = (String, Instant);

impl Profile<'_> {
    pub(super) fn preferences(&self, file: &ArtifactFile, findings: &mut dyn Findings) {
        let Some(document) = self.json(file, findings) else { return };
        let mut times = times(&document);
        if times.len() > TIMES {
            let what = format!("{} times, of which {TIMES} are told", times.len());
            findings.issue(file.issue(IssueKind::LimitReached, Position::File, what));
            times.truncate(TIMES);
        }
        let name = String::from_utf8_lossy(file.path.file_name().unwrap_or_default());
        let written = format!("{name} last written");
        let event = self.written(file, &written, findings);
        let modified = event.as_ref().map(|event| event.instant);
        // What lies ahead of the file is planned, such as the next check for updates.
        let is_past = |(_, instant): &Found| modified.is_none_or(|modified| *instant <= modified);
        let (past, planned): (Vec<Found>, Vec<Found>) = times.into_iter().partition(is_past);
        if let Some(mut event) = event {
            let planned = planned.iter().map(|(key, at)| Cow::Owned(format!("{key}={at}")));
            let planned: Vec<Cow<'_, str>> = planned.collect();
            event.attribute("planned", (!planned.is_empty()).then_some(Value::List(planned)));
            findings.event(&event);
        }
        for (key, instant) in &past {
            let text = format!("{name}: {key}, read as a time of Chromium");
            let mut event = self.event(file, (*instant, Meaning::Recorded), &text);
            event.confidence = Confidence::Inferred;
            event.action = "record";
            event.position = Position::Key(key);
            findings.event(&event);
        }
    }
}

/// All texts of a document that look like times, with the ways to them.
fn times(document: &Json) -> Vec<Found> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), document)];
    while let Some((path, value)) = open.pop() {
        match value {
            Json::Object(object) => {
                let dot = if path.is_empty() { "" } else { "." };
                let members =
                    object.iter().map(|(key, value)| (format!("{path}{dot}{key}"), value));
                open.extend(members.rev());
            }
            Json::Array(list) => {
                let items = list.iter().enumerate();
                open.extend(items.map(|(at, value)| (format!("{path}[{at}]"), value)).rev());
            }
            Json::String(text) => {
                found.extend(chrome_time::likely(text).map(|instant| (path, instant)));
            }
            _ => {}
        }
    }
    found
}
