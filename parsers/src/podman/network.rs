//! A network: `networks/<name>.json` of netavark, or `<name>.conflist` of CNI.
//!
//! netavark (Podman 4 and later) keeps the networks of root in `/etc/containers/networks` and those of
//! a user in his data root; CNI (Podman up to 4) keeps them in `/etc/cni/net.d` or
//! `~/.config/cni/net.d`. A file is written once, when the network is made: `podman network update`
//! writes it again. The default network `podman` has no file, and no time, until somebody changes it.
//!
//! | instant | event |
//! |---|---|
//! | `created` | network created; CNI keeps no such time |
//! | time of the file | its definition last written |
//!
//! Not supported: plugins of CNI other than the first, which makes the interface.

use crate::formats::attributes::Attributes;
use crate::formats::json::{self, Fields, Wrong};
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{Confidence, Event, Findings, Instant, Kind, Meaning, Position, Subject};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "podman.network",
    reads: &[
        "containers/networks/{network}.json",
        "storage/networks/{network}.json",
        "cni/net.d/{network}.conflist",
    ],
    gather: Gather::File,
    about: "definition of a network of Podman, of netavark or CNI",
    yields: "network created, with its interface and subnets; its definition last written",
    references: &[
        "containers/common 0.50 libnetwork/types/network.go, libnetwork/netavark/config.go",
        "containers/common 0.50 libnetwork/cni/cni_conversion.go",
    ],
    parse,
};

static NETWORK: Kind =
    Kind { data_type: "podman:network", source_short: "PODMAN", source_long: "Podman network" };

/// A network, whoever defined it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Network {
    name: Option<String>,
    id: Option<String>,
    driver: Option<String>,
    interface: Option<String>,
    created: Option<Instant>,
    /// Subnets with their gateways.
    subnets: Vec<String>,
    internal: bool,
    labels: Vec<String>,
    options: Vec<String>,
}

fn parse(artifact: &Arc<Artifact>, _inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let modified = artifact.metadata(file, findings).and_then(|metadata| metadata.modified);
        let Some(bytes) = artifact.read(file, findings) else { continue };
        let document = match json::read(&bytes) {
            Ok(document) => document,
            Err(flaw) => {
                flaw.report_lost(file, bytes.len(), findings);
                continue;
            }
        };
        findings.records(&file.origin, 1, document.length);
        let wrong = Wrong::default();
        let fields = Fields::new(&document.value, &wrong);
        let network = if fields.has("plugins") { of_cni(&fields) } else { of_netavark(&fields) };
        for flaw in document.flaws.iter().chain(&wrong.into_flaws()) {
            flaw.report(file, findings);
        }
        network.report((file, modified), findings);
    }
}

fn of_netavark(fields: &Fields<'_>) -> Network {
    Network {
        name: fields.text("name"),
        id: fields.text("id"),
        driver: fields.text("driver"),
        interface: fields.text("network_interface"),
        created: fields.instant("created"),
        subnets: fields.objects("subnets").iter().filter_map(subnet).collect(),
        internal: fields.boolean("internal").unwrap_or(false),
        labels: fields.object("labels").pairs(),
        options: fields.object("options").pairs(),
    }
}

fn of_cni(fields: &Fields<'_>) -> Network {
    let plugins = fields.objects("plugins");
    let Some(plugin) = plugins.first() else { return Network::default() };
    let ranges = plugin.object("ipam").objects_in_lists("ranges");
    Network {
        name: fields.text("name"),
        driver: plugin.text("type"),
        interface: plugin.text("bridge"),
        subnets: ranges.iter().filter_map(subnet).collect(),
        labels: fields.object("args").object("podman_labels").pairs(),
        ..Network::default()
    }
}

/// `10.99.0.0/24 gateway=10.99.0.1`.
fn subnet(fields: &Fields<'_>) -> Option<String> {
    let subnet = fields.text("subnet")?;
    let gateway = fields.text("gateway").map(|gateway| format!(" gateway={gateway}"));
    Some(format!("{subnet}{}", gateway.unwrap_or_default()))
}

impl Network {
    fn report(
        &self,
        (file, modified): (&ArtifactFile, Option<Instant>),
        findings: &mut dyn Findings,
    ) {
        let name = self.name.as_deref().or_else(|| file.capture("network")).unwrap_or_default();
        if let Some(created) = self.created {
            let text = format!("network {name} created: {}", self.described());
            let mut event = self.event((file, name), (created, Meaning::Creation));
            event.position = Position::Key("created");
            event.action = "create";
            event.text = (&text).into();
            findings.event(&event);
        }
        if let Some(modified) = modified {
            let text = format!("definition of network {name} last written: {}", self.described());
            let mut event = self.event((file, name), (modified, Meaning::ContentModification));
            event.confidence = Confidence::Filesystem;
            event.action = "write";
            event.text = (&text).into();
            findings.event(&event);
        }
    }

    fn event<'e>(
        &'e self,
        (file, name): (&'e ArtifactFile, &'e str),
        when: (Instant, Meaning),
    ) -> Event<'e> {
        let mut event = Event::new(&file.origin, &NETWORK, &Subject::UNKNOWN, when);
        event.network_name = Some(name);
        event.labels = &self.labels;
        let mut all = Attributes::default();
        all.text("network_identifier", self.id.as_deref());
        all.text("network_driver", self.driver.as_deref());
        all.text("network_interface", self.interface.as_deref());
        all.texts("subnets", &self.subnets);
        all.texts("network_options", &self.options);
        all.flag("internal", self.internal);
        event.attributes = all.into_vec();
        event
    }

    fn described(&self) -> String {
        let mut words = vec![self.driver.clone().unwrap_or_else(|| "no driver".to_owned())];
        words.extend(self.interface.clone());
        words.extend(self.subnets.iter().cloned());
        words.join(" ")
    }
}
