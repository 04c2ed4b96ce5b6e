//! CRI-O itself: how it was set, which version started last, and whether it was shut down cleanly.
//!
//! Its containers, pods and images lie in containers/storage (`podman.storage`, `podman.userdata`,
//! `podman.image_data`), their logs where those of all pods lie (`kubernetes.pod_log`).
//!
//! | file | written | instant (`filesystem`) | event |
//! |---|---|---|---|
//! | `/etc/crio/crio.conf`, `crio.conf.d/*` | by a person or a package | time of the file | settings last written, with their risks |
//! | `/var/lib/crio/version` | at each start of CRI-O, JSON; where `version_file_persist` is set | time of the file | CRI-O started, in this version |
//! | `/var/lib/crio/clean.shutdown.supported` | at each start | time of the file | CRI-O started |
//! | `/var/lib/crio/clean.shutdown` | when CRI-O ends by request; the next start removes it | time of the file | CRI-O stopped; without it, it did not end by request |
//!
//! After cri-o 1.36 `internal/version/version.go`, `server/server.go`, `docs/crio.conf.5.md`.
//! Not supported: sockets and exit files below `/run`.

use crate::formats::attributes::Attributes;
use crate::formats::containers_conf::SettingsFile;
use crate::formats::json::{self, Fields, Wrong};
use crate::inventory::risk::told;
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{Confidence, Event, Findings, Instant, Kind, Meaning, Subject};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "kubernetes.cri_o",
    reads: &[
        "etc/crio/crio.conf",
        "etc/crio/crio.conf.d/{part}",
        "lib/crio/version",
        "lib/crio/clean.shutdown",
        "lib/crio/clean.shutdown.supported",
    ],
    gather: Gather::File,
    about: "CRI-O itself: its settings, its version, and how it ended",
    yields: "settings last written with their risks, CRI-O started and stopped",
    references: &[
        "cri-o 1.36 internal/version/version.go, server/server.go",
        "cri-o 1.36 docs/crio.conf.5.md",
    ],
    parse,
};

static CRI_O: Kind =
    Kind { data_type: "kubernetes:cri_o", source_short: "K8S", source_long: "CRI-O" };

fn parse(artifact: &Arc<Artifact>, _: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let modified = artifact.metadata(file, findings).and_then(|metadata| metadata.modified);
        match file.path.file_name().unwrap_or_default() {
            b"version" => started((artifact, file), modified, findings),
            b"clean.shutdown" => {
                let text = "CRI-O stopped on request, and did not start again";
                mark((file, modified), (Meaning::End, "stop", text), findings);
            }
            b"clean.shutdown.supported" => {
                let text = "CRI-O last started: it marks that it can tell a clean shutdown";
                mark((file, modified), (Meaning::Start, "start", text), findings);
            }
            _ => settings((artifact, file), modified, findings),
        }
    }
}

fn event<'e>(
    file: &'e ArtifactFile,
    when: (Instant, Meaning),
    (action, text): (&'e str, &'e str),
) -> Event<'e> {
    let mut event = Event::new(&file.origin, &CRI_O, &Subject::UNKNOWN, when);
    event.confidence = Confidence::Filesystem;
    event.action = action;
    event.text = text.into();
    event
}

/// A file that says something by being there.
fn mark(
    (file, modified): (&ArtifactFile, Option<Instant>),
    (meaning, action, text): (Meaning, &str, &str),
    findings: &mut dyn Findings,
) {
    findings.records(&file.origin, 1, 0);
    if let Some(modified) = modified {
        findings.event(&event(file, (modified, meaning), (action, text)));
    }
}

fn started(
    (artifact, file): (&Artifact, &ArtifactFile),
    modified: Option<Instant>,
    findings: &mut dyn Findings,
) {
    let Some(bytes) = artifact.read(file, findings) else { return };
    let document = match json::read(&bytes) {
        Ok(document) => document,
        Err(flaw) => return flaw.report_lost(file, bytes.len(), findings),
    };
    findings.records(&file.origin, 1, document.length);
    let wrong = Wrong::default();
    // Before 1.18 the file was a text of JSON: the version and the commit, joined by `-`.
    let version = match document.value.as_str() {
        Some(text) => Some(text.to_owned()),
        None => Fields::new(&document.value, &wrong).text("version"),
    };
    if let Some(modified) = modified {
        let shown = version.as_deref().unwrap_or("of an unknown version");
        let text = format!("CRI-O {shown} last started, or found another version before it");
        let mut event = event(file, (modified, Meaning::Start), ("start", &text));
        let mut all = Attributes::default();
        all.text("engine_version", version.as_deref());
        event.attributes = all.into_vec();
        findings.event(&event);
    }
    document.flaws.iter().chain(&wrong.into_flaws()).for_each(|flaw| flaw.report(file, findings));
}

fn settings(
    (artifact, file): (&Artifact, &ArtifactFile),
    modified: Option<Instant>,
    findings: &mut dyn Findings,
) {
    let name = String::from_utf8_lossy(file.path.file_name().unwrap_or_default()).into_owned();
    let what = format!("settings of CRI-O, {name}, last written");
    let read = SettingsFile::read(artifact, file, findings);
    let text = match &read {
        Some(settings) => told(&what, &settings.risks),
        None => format!("{what}; the content cannot be read"),
    };
    let Some(modified) = modified else { return };
    let when = (modified, Meaning::ContentModification);
    let mut event = event(file, when, ("write", &text));
    if let Some(settings) = &read {
        settings.describe(&mut event);
    }
    findings.event(&event);
}

#[cfg(test)]
mod tests {
    use crate::case::Case;

    #[test]
    fn starts_and_a_clean_stop_are_told_from_files() {
        let found = Case::default()
            .with(
                "var/lib/crio/version",
                r#"{"version":"1.30.4","gitCommit":"a","goVersion":"go1.22"}"#,
            )
            .with("var/lib/crio/clean.shutdown", "")
            .with("var/lib/crio/clean.shutdown.supported", "")
            .read("kubernetes.cri_o");
        assert_eq!(found.only("stop")["timestamp_desc"], "End Time");
        let starts = found.all("start");
        assert_eq!(starts.len(), 2);
        assert!(starts.iter().any(|event| event["engine_version"] == "1.30.4"), "{starts:?}");
        let old = Case::default().with("var/lib/crio/version", "\"1.17.3-abc\"\n");
        assert_eq!(old.read("kubernetes.cri_o").only("start")["engine_version"], "1.17.3-abc");
    }

    #[test]
    fn settings_that_open_every_container_are_a_risk() {
        let conf = "[crio.runtime]\nseccomp_profile = \"unconfined\"\n[crio.runtime.runtimes.x]\n\
                    runtime_path = \"/tmp/x\"\n[crio.api]\nstream_address = \"0.0.0.0\"\n";
        let found =
            Case::default().with("etc/crio/crio.conf.d/10-x", conf).read("kubernetes.cri_o");
        let tags = found.only("write")["tag"].to_string();
        for tag in ["seccomp=unconfined", "runtime:x=/tmp/x", "engine-api:0.0.0.0"] {
            assert!(tags.contains(tag), "{tag} in {tags}");
        }
    }
}
