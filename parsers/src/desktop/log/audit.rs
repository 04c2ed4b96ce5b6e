//! The list that the window's logger keeps of its files: `electron-audit-log.json`.
//!
//! Each file with when it was begun, in milliseconds since 1970, and a hash of its name and that time; it names
//! files that have been deleted since. Unconfirmed: `files[].{date,name,hash}` is how the logger
//! (`file-stream-rotator` of JavaScript) writes its list, and was not seen in a public issue.

use super::set::LOG;
use crate::formats::json::{self, Fields, Wrong};
use crate::{Artifact, ArtifactFile};
use dockline_timeline::{Event, Findings, Instant, IssueKind, Meaning, Position, Subject, Value};

/// Tells the files in a list.
pub(super) fn tell(
    artifact: &Artifact,
    file: &ArtifactFile,
    user: Option<&str>,
    findings: &mut dyn Findings,
) {
    let Some(bytes) = artifact.read(file, findings) else { return };
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let document = match json::read(&bytes) {
        Ok(document) => document,
        Err(flaw) => return flaw.report_lost(file, bytes.len(), findings),
    };
    document.flaws.iter().for_each(|flaw| flaw.report(file, findings));
    let files = document.value.get("files").and_then(serde_json::Value::as_array);
    let Some(files) = files else {
        let issue = file.issue(IssueKind::Malformed, Position::File, "a list without files");
        return findings.issue(issue.losing(1, length));
    };
    for (index, entry) in files.iter().enumerate() {
        let wrong = Wrong::default();
        let fields = Fields::new(entry, &wrong);
        let key = format!("files[{index}]");
        let milliseconds = fields.integer("date").filter(|date| *date > 0);
        let Some((instant, name)) = milliseconds.and_then(begun).zip(fields.text("name")) else {
            let what = "a file of a log without name or time";
            findings.issue(file.issue(IssueKind::Malformed, Position::Key(&key), what));
            continue;
        };
        let at = (instant, Meaning::Creation);
        let text = format!("log begun: {name}");
        let mut event = Event::new(&file.origin, &LOG, &Subject::UNKNOWN, at);
        event.position = Position::Key(&key);
        event.action = "log_create";
        event.text = (&text).into();
        event.filename = Some(&name);
        event.attribute("user_name", user.map(|user| Value::Text(user.into())));
        findings.event(&event);
    }
    findings.records(&file.origin, u64::try_from(files.len()).unwrap_or(u64::MAX), length);
}

fn begun(milliseconds: i64) -> Option<Instant> {
    let rest = u32::try_from(milliseconds.rem_euclid(1_000)).ok()?;
    Instant::new(milliseconds.div_euclid(1_000), rest.checked_mul(1_000_000)?)
}
