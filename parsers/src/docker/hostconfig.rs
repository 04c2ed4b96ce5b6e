//! What a container was allowed to have of its host: `containers/<id>/hostconfig.json`.
//!
//! The daemon writes it whole, together with `config.v2.json`, at every change of the container's
//! state, and for every container at each of its own starts (moby
//! `api/types/container/hostconfig.go`, `daemon/container/container.go`). It holds no time: its
//! settings ride on the container's created and started events (`docker.container_config`).
//!
//! | instant | event |
//! |---|---|
//! | time of the file | settings last written, with all settings and their risks |
//!
//! Which settings are risky, and how much, is in [`crate::inventory::risk`].
//!
//! `.tmp-hostconfig.json*` is left behind when a write was interrupted: an earlier version, or one
//! that never came to be. The event says so; its risks are those of that version.
//!
//! Not supported: settings of containers on Windows, beyond named pipes.

use crate::formats::attributes::Attributes;
use crate::formats::config_v2::ConfigV2;
use crate::formats::container_directory as directory;
use crate::formats::host_config::HostConfig;
use crate::formats::json;
use crate::formats::secrets::names_of_secrets;
use crate::inventory::Risk;
use crate::inventory::risk::{Case, judge, told};
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{Confidence, Event, Findings, Instant, Kind, Meaning, Subject};
use std::borrow::Cow;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "docker.hostconfig",
    reads: &[
        "containers/{container:id}/hostconfig.json",
        "containers/{container:id}/.tmp-hostconfig.json{leftover*}",
        "{container:id}/hostconfig.json",
        "{container:id}/.tmp-hostconfig.json{leftover*}",
        "hostconfig.json",
        ".tmp-hostconfig.json{leftover*}",
    ],
    gather: Gather::File,
    about: "what a container was allowed to have of its host, and what of it is a risk",
    yields: "settings last written; the settings ride on the container's created and started events",
    references: &[
        "moby 29.7.2 api/types/container/hostconfig.go",
        "moby 20.10.27 api/types/container/host_config.go",
    ],
    parse,
};

static SETTINGS: Kind = Kind {
    data_type: "docker:container:hostconfig",
    source_short: "DOCKER",
    source_long: "Docker container host configuration",
};

/// The settings of one container.
struct Settings {
    subject: Subject,
    host_config: HostConfig,
    risks: Vec<Risk>,
    leftover: bool,
}

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let modified = artifact.metadata(file, findings).and_then(|metadata| metadata.modified);
        let Some(bytes) = artifact.read(file, findings) else { continue };
        let host_config = match json::read(&bytes) {
            Ok(document) => {
                findings.records(&file.origin, 1, document.length);
                let (host_config, wrong) = HostConfig::from_json(&document.value);
                document.flaws.iter().chain(&wrong).for_each(|flaw| flaw.report(file, findings));
                Some(host_config)
            }
            Err(flaw) => {
                flaw.report_lost(file, bytes.len(), findings);
                None
            }
        };
        let Some(modified) = modified else { continue };
        match host_config {
            Some(host_config) => {
                let settings = Settings::new((artifact, file), host_config, inventory);
                settings.report(file, modified, findings);
            }
            None => report_unreadable(file, inventory, modified, findings),
        }
    }
}

/// Of a file without readable content, the time at which it was written.
fn report_unreadable(
    file: &ArtifactFile,
    inventory: &Inventory,
    modified: Instant,
    findings: &mut dyn Findings,
) {
    let subject = file.capture("container").map(|id| inventory.container_subject(id));
    let subject = subject.unwrap_or_default();
    let text = "container settings last written; the content cannot be read";
    findings.event(&written(file, &subject, modified, text));
}

fn written<'a>(
    file: &'a ArtifactFile,
    subject: &'a Subject,
    modified: Instant,
    text: &'a str,
) -> Event<'a> {
    let when = (modified, Meaning::ContentModification);
    let mut event = Event::new(&file.origin, &SETTINGS, subject, when);
    event.confidence = Confidence::Filesystem;
    event.action = "write";
    event.text = text.into();
    event
}

impl Settings {
    fn new(
        (artifact, file): (&Artifact, &ArtifactFile),
        host_config: HostConfig,
        inventory: &Inventory,
    ) -> Settings {
        let config = directory::config_beside(artifact, file).unwrap_or_default();
        let id = directory::container_id(file, &config);
        let leftover = file.capture("leftover").is_some();
        let known = id.as_ref().filter(|_| !leftover).and_then(|id| inventory.containers.get(id));
        let risks = match known {
            Some(container) => container.risks.clone(),
            None => judge_alone(artifact, &config, &host_config),
        };
        let subject = id.map(|id| inventory.container_subject(id.as_str())).unwrap_or_default();
        Settings { subject, host_config, risks, leftover }
    }

    fn report(&self, file: &ArtifactFile, modified: Instant, findings: &mut dyn Findings) {
        let text = self.text();
        let mut event = written(file, &self.subject, modified, &text);
        event.tags.extend(self.risks.iter().map(|risk| Cow::Borrowed(risk.name.as_str())));
        let secrets = names_of_secrets(&self.host_config.log_options);
        event.tags.extend((!secrets.is_empty()).then_some(Cow::Borrowed("possible-secret")));
        let mut all = Attributes::default();
        all.list("risks", self.risks.iter().map(Risk::to_string).collect());
        all.flag("leftover", self.leftover);
        all.list("possible_secrets", secrets);
        event.attributes = all.into_vec();
        event.attributes.extend(self.host_config.attributes());
        findings.event(&event);
    }

    fn text(&self) -> String {
        let what = match self.leftover {
            false => "container settings last written",
            true => "earlier version of the container settings, left by an interrupted write",
        };
        told(what, &self.risks)
    }
}

/// The risks of settings that the inventory does not know: of a leftover, or without an id.
fn judge_alone(artifact: &Artifact, config: &ConfigV2, host_config: &HostConfig) -> Vec<Risk> {
    judge(&Case {
        config,
        host_config,
        remapped: false,
        cgroupns_private_elsewhere: false,
        volume_options: &|name| directory::volume_options(artifact, name),
    })
}

#[cfg(test)]
mod tests;
