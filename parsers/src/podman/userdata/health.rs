//! Events of `healthcheck.log`: the last probes of a container.

use crate::ArtifactFile;
use crate::formats::attributes::Attributes;
use crate::formats::json::{Fields, Wrong};
use dockline_timeline::{Event, Findings, IssueKind, Kind, Meaning, Position, Subject};
use serde_json::Value as Json;

/// Podman keeps five probes, or as many as its user asks for.
const PROBE_LIMIT: usize = 10_000;

static PROBE: Kind = Kind {
    data_type: "podman:container:health",
    source_short: "PODMAN",
    source_long: "Podman health probe",
};

pub(super) fn report(
    (file, subject): (&ArtifactFile, Subject),
    (document, wrong): (&Json, &Wrong),
    findings: &mut dyn Findings,
) {
    let fields = Fields::new(document, wrong);
    let (status, streak) = (fields.text("Status"), fields.integer("FailingStreak"));
    let probes = fields.objects("Log");
    if probes.len() > PROBE_LIMIT {
        let what = format!("more than {PROBE_LIMIT} health probes, the rest is not read");
        findings.issue(file.issue(IssueKind::LimitReached, Position::Key("Log"), what));
    }
    for probe in probes.iter().take(PROBE_LIMIT) {
        let Some(start) = probe.instant("Start") else { continue };
        let (code, output) = (probe.integer("ExitCode"), probe.text("Output"));
        let text = match code {
            Some(0) => "health probe succeeded".to_owned(),
            Some(code) => format!("health probe failed with code {code}"),
            None => "health probe".to_owned(),
        };
        let key = format!("{}.Start", probe.path());
        let mut event = Event::new(&file.origin, &PROBE, &subject, (start, Meaning::Recorded));
        event.position = Position::Key(&key);
        event.action = "health_status";
        event.text = (&text).into();
        event.exit_code = code;
        let mut all = Attributes::default();
        all.text("health_status", status.as_deref());
        all.integer("failing_streak", streak);
        all.owned_text("probe_end", probe.instant("End").map(|end| end.to_string()));
        all.text("probe_output", output.as_deref());
        event.attributes = all.into_vec();
        findings.event(&event);
    }
}
