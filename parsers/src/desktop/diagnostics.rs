//! Bundles of diagnostics: zip archives that Docker Desktop makes when somebody asks for help.
//!
//! | what | instant | event |
//! |---|---|---|
//! | `%TEMP%\<id>\<YYYYMMDDHHMMSS>.zip`, `/tmp/<id>/<stamp>.zip` | the stamp, in UTC | diagnostics were collected |
//! | `diagkit.json`, `system.json`, `system/*`, `backend/*`, `lifecycleserver/*`, `proxy/*`, `dmesg*` of a bundle, or of one that was unpacked | the stamp in the name of the bundle, else of `diagkit.json` | diagnostics were collected; checks, and the outputs of commands that are in it |
//!
//! The bundle itself is evidence in evidence: it is opened, and its `log/host`, `log/vm` and settings
//! are read as those of the host are, from a time before they rotated away. What commands said
//! (`system/<command>.txt`) and `backend/events.json` are named and not read; their schema, and the
//! names of the directories in bundles of Windows, are unconfirmed.
//!
//! The times in a bundle are local: the difference between the earliest and the stamp is the offset
//! of the host's zone. What Docker Desktop hid (`<HOME>`, `<HOST>`, `<USER>`) stays hidden.
//!
//! After the listing of a bundle in docker/desktop-linux issue 45, and the log of the collector in
//! docker/for-win issues.

mod offset;

use crate::formats::attributes::Attributes;
use crate::formats::engine_settings::EngineSettings;
use crate::formats::json;
use crate::formats::user_profile;
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Kind, Meaning, Position, Subject,
};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "desktop.diagnostics",
    reads: &[
        "(?i)Temp/{bundle}/20{stamp}.zip",
        "tmp/{bundle}/20{stamp}.zip",
        "T/{bundle}/20{stamp}.zip",
        "diagkit.json",
        "/system.json",
        "/system/{output}.txt",
        "/backend/events.json",
        "/backend/port-forward.json",
        "/backend/stacks{errors*}.log",
        "/lifecycleserver/stacks{errors*}.log",
        "/proxy/stacks{errors*}.log",
        "/dmesg{output*}.txt",
    ],
    // The files of one bundle are one artifact.
    gather: Gather::DataRoot,
    about: "bundles of diagnostics that Docker Desktop collected",
    yields: "diagnostics collected, with checks, outputs of commands and the host's offset from UTC",
    references: &[
        "docker/desktop-linux issue 45: listing of a bundle",
        "docker/for-win issues: com.docker.diagnose",
    ],
    parse,
};

static KIND: Kind = Kind {
    data_type: "docker:desktop:diagnostics",
    source_short: "DESKTOP",
    source_long: "Docker Desktop diagnostics",
};

fn parse(artifact: &Arc<Artifact>, _: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in artifact.files.iter().filter(|file| file.capture("stamp").is_some()) {
        bundle(file, findings);
    }
    let is_summary = |file: &&ArtifactFile| file.path.file_name() == Some(b"diagkit.json");
    if let Some(file) = artifact.files.iter().find(is_summary) {
        content(artifact, file, findings);
    }
}

/// A bundle, by its name alone; another file with digits for a name says nothing.
fn bundle(file: &ArtifactFile, findings: &mut dyn Findings) {
    let stamp = format!("20{}", file.capture("stamp").unwrap_or_default());
    let Some(instant) = offset::stamp(&stamp) else { return };
    findings.records(&file.origin, 1, 0);
    let mut all = Attributes::default();
    let id = format!("{}/{stamp}", file.capture("bundle").unwrap_or_default());
    all.owned_text("diagnostics_identifier", Some(id));
    all.owned_text("user_name", user_profile::user_of(file));
    let text = "diagnostics of Docker Desktop collected, as the name of the bundle says";
    let when = (instant, Meaning::Recorded);
    let mut event = Event::new(&file.origin, &KIND, &Subject::UNKNOWN, when);
    event.action = "diagnostics";
    event.text = text.into();
    event.attributes = all.into_vec();
    findings.event(&event);
}

/// What is in a bundle, by its summary.
fn content(artifact: &Artifact, file: &ArtifactFile, findings: &mut dyn Findings) {
    let Some(metadata) = artifact.metadata(file, findings) else { return };
    let named = offset::of_evidence(&file.origin.evidence);
    let (when, confidence) = match (named, metadata.modified) {
        (Some(stamp), _) => (stamp, Confidence::Recorded),
        (None, Some(modified)) => (modified, Confidence::Filesystem),
        (None, None) => return,
    };
    let outputs = outputs(artifact, file, findings);
    let checks = checks(artifact, file, findings);
    let mut all = Attributes::default();
    all.texts("checks", &checks);
    all.texts("collected_outputs", &outputs);
    all.owned_text("user_name", user_profile::user_of(file));
    all.owned_text("host_utc_offset", named.and_then(|stamp| zone(artifact, file, stamp)));
    let text = format!(
        "diagnostics of Docker Desktop collected; outputs of commands and programs, not read: {}",
        outputs.len()
    );
    tell(file, ((when, confidence), &text), all, findings);
}

fn tell(
    file: &ArtifactFile,
    ((instant, confidence), text): ((Instant, Confidence), &str),
    all: Attributes<'_>,
    findings: &mut dyn Findings,
) {
    let mut event =
        Event::new(&file.origin, &KIND, &Subject::UNKNOWN, (instant, Meaning::Recorded));
    event.confidence = confidence;
    event.action = "diagnostics";
    event.text = text.into();
    event.attributes = all.into_vec();
    findings.event(&event);
}

/// The other files of the bundle, which are named and not read.
fn outputs(
    artifact: &Artifact,
    summary: &ArtifactFile,
    findings: &mut dyn Findings,
) -> Vec<String> {
    let others = artifact
        .files
        .iter()
        .filter(|file| file.path != summary.path && file.capture("stamp").is_none());
    let mut names = Vec::new();
    for file in others {
        findings.records(&file.origin, 1, 0);
        names.push(String::from_utf8_lossy(file.path.as_bytes()).into_owned());
    }
    names
}

/// `diagkit.json`, whatever its keys are.
fn checks(artifact: &Artifact, file: &ArtifactFile, findings: &mut dyn Findings) -> Vec<String> {
    let Some(bytes) = artifact.read(file, findings) else { return Vec::new() };
    let Some(document) = json::record(&bytes, file, findings) else { return Vec::new() };
    let checks = EngineSettings::from_document(&document);
    if checks.cut {
        let what = format!("more than {} checks, the rest is not read", checks.pairs.len());
        findings.issue(file.issue(IssueKind::LimitReached, Position::File, what));
    }
    checks.pairs
}

/// The offset of the host's zone, from the local time that the bundle has of its summary.
fn zone(artifact: &Artifact, file: &ArtifactFile, stamp: Instant) -> Option<String> {
    let attributes = artifact.tree.extended_attributes(&file.path).ok()?;
    let local = attributes.iter().find(|attribute| attribute.name == b"zip.local_time")?;
    offset::between(std::str::from_utf8(&local.value).ok()?, stamp)
}

#[cfg(test)]
mod tests;
