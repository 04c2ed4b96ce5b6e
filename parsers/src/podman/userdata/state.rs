//! Events of `state.json`, CRI-O's record of a container.

use super::CONTAINER;
use crate::ArtifactFile;
use crate::formats::attributes::Attributes;
use crate::formats::json::{Fields, Wrong};
use dockline_timeline::{Event, Findings, Meaning, Position, Subject};
use serde_json::Value as Json;
use std::borrow::Cow;

pub(super) fn report(
    (file, subject): (&ArtifactFile, Subject),
    (document, wrong): (&Json, &Wrong),
    findings: &mut dyn Findings,
) {
    let fields = Fields::new(document, wrong);
    let code = fields.integer("exitCode");
    let ended = match code {
        Some(code) => format!("container exited with code {code}, as CRI-O noted"),
        None => "container ended, as CRI-O noted".to_owned(),
    };
    let moments = [
        ("created", Meaning::Creation, "create", "container created, as CRI-O noted"),
        ("started", Meaning::Start, "start", "container started, as CRI-O noted"),
        ("finished", Meaning::End, "die", ended.as_str()),
        ("checkpointedTime", Meaning::Recorded, "checkpoint", "container checkpointed"),
    ];
    let (status, error) = (fields.text("status"), fields.text("error"));
    let killed = fields.boolean("oomKilled").unwrap_or(false);
    let pid = fields.integer("pid").or_else(|| fields.integer("initPid")).filter(|pid| *pid != 0);
    for (key, meaning, action, text) in moments {
        let Some(instant) = fields.instant(key) else { continue };
        let mut event = Event::new(&file.origin, &CONTAINER, &subject, (instant, meaning));
        event.position = Position::Key(key);
        event.action = action;
        event.text = text.into();
        let mut all = Attributes::default();
        all.text("state", status.as_deref());
        if meaning == Meaning::End {
            event.exit_code = code;
            event.tags.extend(killed.then_some(Cow::Borrowed("oom")));
            all.text("error", error.as_deref());
        }
        if meaning == Meaning::Start {
            event.pid = pid;
        }
        event.attributes = all.into_vec();
        findings.event(&event);
    }
}
