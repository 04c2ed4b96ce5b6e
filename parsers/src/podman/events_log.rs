//! Events of Podman in a file: `events/events.log` below its temporary directory, where there is no
//! journal or `events_logger = "file"` asks for it.
//!
//! One JSON object each line: `ID`, `Image`, `Name`, `Status`, `Time`, `Type`, `ContainerExitCode`,
//! `Network`, `PodID`, `HealthStatus`. The directory is `/run/libpod`, for a user
//! `/run/user/<uid>/libpod/tmp`, in memory, unless `tmp_dir` or `events_logfile_path` says otherwise.
//! Podman cuts the file to its newer half when it has grown past its limit; each such cut is an
//! event `rotate`.
//!
//! Each line is one event, at `Time`, as those of the journal (`host.journal`). After podman 4.3 to 5.8
//! `libpod/events/{config,logfile}.go`. Not supported: labels of containers (`Attributes`).

use crate::formats::json::{self, Fields, Wrong};
use crate::formats::lines::{self, Line};
use crate::formats::podman_event::{Place, PodmanEvent};
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{Findings, IssueKind, Position};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "podman.events_log",
    reads: &["events/events.log{rotation*}"],
    gather: Gather::File,
    about: "events of Podman in a file of their own, where there is no journal",
    yields: "each event that Podman recorded, also exec and removals",
    references: &["podman 4.3 to 5.8 libpod/events/{config,logfile}.go"],
    parse,
};

/// So many lines that are no events are told one by one: the file may be of another program.
const WRONG_LIMIT: u64 = 1_000;

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let Some(bytes) = artifact.open(file, findings) else { continue };
        let (mut records, mut length, mut wrong) = (0_u64, 0_u64, 0_u64);
        let end = lines::read(&*bytes, &mut |line| {
            length = length.saturating_add(line.length);
            if line.bytes.trim_ascii().is_empty() {
                return;
            }
            records = records.saturating_add(1);
            if let Err((kind, what)) = tell(file, line, inventory, findings) {
                wrong = wrong.saturating_add(1);
                if wrong > WRONG_LIMIT {
                    return;
                }
                let issue = file.issue(kind, Position::Offset(line.offset), what);
                findings.issue(issue.losing(1, line.length));
            }
        });
        findings.records(&file.origin, records, length);
        if let Some(more) = wrong.checked_sub(WRONG_LIMIT).filter(|more| *more > 0) {
            let what = format!("more than {WRONG_LIMIT} lines that are no events, not all told");
            let issue = file.issue(IssueKind::LimitReached, Position::File, what);
            findings.issue(issue.losing(more, 0));
        }
        if let Err(end) = end {
            findings.issue(file.issue(end.kind, Position::Offset(end.at), end.what));
        }
    }
}

/// Tells a line, or what is wrong with it.
fn tell(
    file: &ArtifactFile,
    line: Line<'_>,
    inventory: &Inventory,
    findings: &mut dyn Findings,
) -> Result<(), (IssueKind, String)> {
    let document = json::read(line.bytes).map_err(|flaw| (flaw.kind, flaw.what))?;
    let wrong = Wrong::default();
    let fields = Fields::new(&document.value, &wrong);
    let text = |key: &str| fields.text(key).filter(|text| !text.is_empty());
    let instant = fields.instant("Time");
    let event = PodmanEvent {
        status: text("Status").unwrap_or_default(),
        of: text("Type"),
        id: text("ID"),
        name: text("Name"),
        image: text("Image"),
        exit_code: fields.integer("ContainerExitCode"),
        network: text("Network").or_else(|| text("network")),
        pod: text("PodID"),
        health: text("HealthStatus").or_else(|| text("health_status")),
    };
    let flaws = wrong.into_flaws();
    for flaw in document.flaws.iter().chain(&flaws) {
        flaw.report_at(file, line.offset, findings);
    }
    let malformed = |what: &str| (IssueKind::Malformed, what.to_owned());
    let instant = instant.ok_or_else(|| malformed("an event without a time"))?;
    if event.status.is_empty() {
        return Err(malformed("an event that does not say what happened"));
    }
    let place = Place { file, offset: line.offset, instant, recovered: false };
    event.report(&place, inventory, findings);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::case::Case;

    #[test]
    fn a_line_is_an_event_at_its_own_time() {
        let id = "a".repeat(64);
        let log = format!(
            "{{\"ContainerExitCode\":137,\"ID\":\"{id}\",\"Image\":\"alpine\",\"Name\":\"web\",\
             \"Status\":\"died\",\"Time\":\"2024-05-01T14:00:00.5+02:00\",\"Type\":\"container\"}}\n\n\
             {{\"Name\":\"alpine\",\"Status\":\"pull\",\"Time\":\"2024-05-01T11:00:00Z\",\"Type\":\"image\"}}\n\
             {{\"Status\":\"\",\"Time\":\"2024-05-01T11:00:00Z\"}}\n{{\"Status\":\"x\"}}\ntorn"
        );
        let found =
            Case::default().with("run/libpod/events/events.log", log).read("podman.events_log");
        let died = found.only("die");
        assert_eq!(died["datetime_ns"], "2024-05-01T12:00:00.500000000Z");
        assert_eq!(
            (died["exit_code"].as_i64(), died["container_name"].as_str()),
            (Some(137), Some("web"))
        );
        assert_eq!(found.only("pull")["image_name"], "alpine");
        assert_eq!((found.events.len(), found.issues.len(), found.records), (2, 3, 5));
    }
}
