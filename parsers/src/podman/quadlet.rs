//! Quadlets: files from which systemd makes services that are containers, at each boot.
//!
//! They lie in `/etc/containers/systemd`, for one user in `~/.config/containers/systemd` or
//! `/etc/containers/systemd/users/<uid>`, of packages in `/usr/share/containers/systemd`, and are
//! how a container of Podman comes back after a reboot. Podman keeps no other trace of them: their
//! units are made in memory.
//!
//! | file | what it makes |
//! |---|---|
//! | `<unit>.container` | a service that runs a container |
//! | `<unit>.pod`, `<unit>.kube` | a service for a pod; that of a manifest of Kubernetes |
//! | `<unit>.volume`, `.network`, `.image`, `.build` | a service that makes a volume, a network, pulls or builds an image |
//! | `<unit>.<kind>.d/*.conf` | additions to one of these |
//! | anything else | what one of these names, such as a manifest: told, not read |
//!
//! | instant | event |
//! |---|---|
//! | time of the file (`filesystem`) | last written, with the settings of the container and their risks |
//!
//! After podman 5.8 `pkg/systemd/quadlet/quadlet.go`, `docs/source/markdown/podman-systemd.unit.5.md`.

mod settings;

use crate::formats::attributes::Attributes;
use crate::formats::secrets::names_of_secrets;
use crate::formats::unit_file::{self, Assignment};
use crate::inventory::risk::{judge_unit, told};
use crate::inventory::{Risk, runtime_risks};
use crate::written_file::WrittenFile;
use crate::{Artifact, Gather, Inventory, Parser};
use dockline_timeline::{Findings, IssueKind, Kind, Position, Subject};
use settings::Settings;
use std::borrow::Cow;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "podman.quadlet",
    reads: &["containers/systemd/{unit**}"],
    gather: Gather::File,
    about: "quadlets: containers, pods, volumes and images that systemd runs at each boot",
    yields: "unit last written, with what it runs and the risks of it",
    references: &[
        "podman 5.8 pkg/systemd/quadlet/quadlet.go",
        "podman 5.8 docs/source/markdown/podman-systemd.unit.5.md",
        "systemd 257 man systemd.syntax",
    ],
    parse,
};

static QUADLET: Kind =
    Kind { data_type: "podman:quadlet", source_short: "PODMAN", source_long: "Podman quadlet" };

/// What a unit makes, by the end of its name.
const KINDS: &[&str] = &["build", "container", "image", "kube", "network", "pod", "volume"];

fn parse(artifact: &Arc<Artifact>, _: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let file = WrittenFile::of(artifact, file, findings);
        let path = file.file.capture("unit").unwrap_or_default();
        match Name::of(path) {
            Some(name) => Unit { file: &file, name }.read(findings),
            None => beside(&file, path, findings),
        }
    }
}

/// A file of another kind.
fn beside(file: &WrittenFile<'_>, path: &str, findings: &mut dyn Findings) {
    findings.records(&file.file.origin, 1, 0);
    let text = format!("{path} beside quadlets last written; its content is not read");
    if let Some(event) = file.event(&QUADLET, &text) {
        findings.event(&event);
    }
}

/// How a unit is called, and what it makes.
struct Name<'a> {
    /// `web.container`.
    unit: &'a str,
    stem: &'a str,
    kind: &'a str,
    /// `10-more.conf`.
    addition: Option<&'a str>,
}

impl<'a> Name<'a> {
    fn of(path: &'a str) -> Option<Name<'a>> {
        let mut parts = path.rsplit('/');
        let last = parts.next()?;
        let above = parts.next().and_then(|above| above.strip_suffix(".d"));
        let (unit, addition) = match above {
            Some(unit) if last.ends_with(".conf") => (unit, Some(last)),
            _ => (last, None),
        };
        let (stem, kind) = unit.rsplit_once('.')?;
        KINDS.contains(&kind).then_some(Name { unit, stem, kind, addition })
    }

    fn described(&self) -> String {
        match self.addition {
            Some(addition) => format!("addition {addition} to the quadlet {}", self.unit),
            None => format!("quadlet {}", self.unit),
        }
    }

    /// The name that Podman gives a container which has none of its own.
    fn container(&self) -> Option<String> {
        (self.kind == "container" && self.addition.is_none())
            .then(|| format!("systemd-{}", self.stem))
    }
}

/// A unit that is being read.
struct Unit<'a> {
    file: &'a WrittenFile<'a>,
    name: Name<'a>,
}

impl Unit<'_> {
    fn read(&self, findings: &mut dyn Findings) {
        let Some(text) = self.file.text(findings) else { return };
        let (assignments, cut) = unit_file::read(&text);
        if cut {
            let what = format!("more than {} assignments, the rest is not read", assignments.len());
            findings.issue(self.file.file.issue(IssueKind::LimitReached, Position::File, what));
        }
        self.report((&Settings::read(&assignments), &assignments), findings);
    }

    fn report(
        &self,
        (settings, assignments): (&Settings, &[Assignment]),
        findings: &mut dyn Findings,
    ) {
        let mut risks = runtime_risks(&settings.config, &settings.host_config);
        risks.extend(judge_unit(assignments));
        let what = match self.name.kind {
            "container" => format!("{} last written: a service runs it", self.name.described()),
            _ => format!("{} last written", self.name.described()),
        };
        let subject = Subject {
            container_name: settings.config.name.clone().or_else(|| self.name.container()),
            image_name: settings.config.settings.image.clone(),
            ..Subject::UNKNOWN
        };
        let (text, command) = (told(&what, &risks), settings.config.command_line());
        let Some(mut event) = self.file.event(&QUADLET, &text) else { return };
        event.subject = &subject;
        event.command_line = command.as_deref();
        event.user = settings.config.settings.user.as_deref();
        event.labels = &settings.config.settings.labels;
        event.tags.extend(risks.iter().map(|risk| Cow::Borrowed(risk.name.as_str())));
        let secrets = names_of_secrets(&settings.config.settings.environment);
        event.tags.extend((!secrets.is_empty()).then_some(Cow::Borrowed("possible-secret")));
        event.attributes.extend(settings.config.runtime_attributes());
        event.attributes.extend(settings.host_config.attributes());
        let pair = |one: &Assignment| format!("{}.{}={}", one.section, one.key, one.value);
        let pairs: Vec<String> = assignments.iter().map(pair).collect();
        let mut all = Attributes::default();
        all.list("risks", risks.iter().map(Risk::to_string).collect());
        all.list("possible_secrets", secrets);
        all.texts("settings", &pairs);
        event.attributes.extend(all.into_vec());
        findings.event(&event);
    }
}

#[cfg(test)]
mod tests;
