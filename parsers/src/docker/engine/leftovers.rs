//! What the engine wrote for itself and did not come back to.

use super::{LEFTOVER, SETTINGS, WrittenFile};
use crate::formats::attributes::Attributes;
use crate::formats::engine_settings::EngineSettings;
use crate::formats::shell::words;
use crate::inventory::Risk;
use crate::inventory::risk::judge_engine;
use dockline_timeline::{Findings, IssueKind, Position};
use std::borrow::Cow;

/// A layer that was being downloaded when the engine ended.
pub(super) fn download(written: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let metadata = written.artifact.metadata(written.file, findings);
    let size = metadata.map(|metadata| metadata.size);
    findings.records(&written.file.origin, 1, size.unwrap_or_default());
    let text = "download of a layer broken off: last write of what had arrived";
    let Some(mut event) = written.event(&LEFTOVER, text) else { return };
    event.action = "pull";
    event.size = size;
    findings.event(&event);
}

/// The script with which the engine calls a runtime that has arguments.
pub(super) fn runtime(written: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let Some(content) = written.text(findings) else { return };
    let name = written.file.capture("runtime").unwrap_or_default();
    let mut lines = content.lines();
    let command = match (lines.next(), lines.next()) {
        (Some(first), Some(command)) if first.starts_with("#!") => command,
        _ => {
            let what = "no script that calls a runtime";
            findings.issue(written.file.issue(IssueKind::Malformed, Position::File, what));
            return;
        }
    };
    let program = words(command).into_iter().next().unwrap_or_default();
    let settings =
        EngineSettings { pairs: vec![format!("runtimes.{name}.path={program}")], cut: false };
    let risks = judge_engine(&settings, false);
    let text = format!("runtime {name} set up with arguments, by a start of the engine");
    let Some(mut event) = written.event(&SETTINGS, &text) else { return };
    event.command_line = Some(command);
    event.tags.extend(risks.iter().map(|risk| Cow::Borrowed(risk.name.as_str())));
    let mut all = Attributes::default();
    all.list("risks", risks.iter().map(Risk::to_string).collect());
    all.text("runtime", Some(name));
    event.attributes = all.into_vec();
    findings.event(&event);
}
