//! Plugins of the engine: programs that it runs as root and asks for volumes, networks or consent.
//!
//! A managed plugin is installed under `<root>/plugins/<id>/`: `config.json`, which the engine writes
//! whole at installation and whenever the plugin is enabled, disabled, set or upgraded; its root file
//! system; and, once for all plugins, `storage/blobs/sha256/` with the configuration, manifest and
//! layers, which are written once, at installation. A plugin of the older kind is a program of
//! the host that a file in `docker/plugins` names. After moby 29.7.2 `daemon/pkg/plugin/manager.go`,
//! `store.go`, `backend_linux.go`, `pkg/plugins/discovery.go`; the same in `plugin/` of 20.10.27.
//!
//! | instant | event |
//! |---|---|
//! | time of `config.json` | plugin last installed, enabled, disabled or set, with what it may have of the host |
//! | time of the blob of its configuration | plugin installed, or made on this host |
//! | time of a blob that no plugin names | content of a plugin that is gone was stored |
//! | time of `docker/plugins/*.json`, `*.spec` | plugin outside of the engine made known |
//!
//! All instants are times of files. What a plugin may have is judged as for a container
//! ([`crate::inventory::risk`]). Leftovers of interrupted writes, `.tmp-config.json*`, say so.
//!
//! Not supported: the content of layers, and which user installed a plugin, which nothing holds.

mod stored;

use crate::formats::attributes::Attributes;
use crate::formats::config_v2::typed;
use crate::formats::json;
use crate::formats::plugin_config::PluginConfig;
use crate::formats::secrets::{holds_password, names_of_secrets};
use crate::inventory::Risk;
use crate::inventory::risk::{judge_plugin, told};
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Kind, Meaning, Position, Subject,
};
use std::borrow::Cow;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "docker.plugin",
    reads: &[
        "plugins/{plugin:id}/config.json",
        "plugins/{plugin:id}/.tmp-config.json{leftover*}",
        "plugins/storage/blobs/sha256/{blob:id}",
        "docker/plugins/{specification}.json",
        "docker/plugins/{specification}.spec",
    ],
    gather: Gather::DataRoot,
    about: "plugins of the engine, and what they may have of the host",
    yields: "plugin installed, last enabled, disabled or set; plugins outside of the engine",
    references: &[
        "moby 29.7.2 daemon/pkg/plugin/{manager,store,backend_linux}.go, pkg/plugins/discovery.go",
        "moby 20.10.27 plugin/{manager,store,backend_linux}.go",
    ],
    parse,
};

static PLUGIN: Kind =
    Kind { data_type: "docker:plugin", source_short: "DOCKER", source_long: "Docker plugin" };

fn parse(artifact: &Arc<Artifact>, _: &Arc<Inventory>, findings: &mut dyn Findings) {
    let mut plugins = Vec::new();
    for file in &artifact.files {
        if file.capture("specification").is_some() {
            specification(artifact, file, findings);
        } else if file.capture("plugin").is_some() {
            plugins.extend(Plugin::read(artifact, file, findings));
        }
    }
    plugins.iter().for_each(|plugin| plugin.report(findings));
    let current: Vec<&PluginConfig> =
        plugins.iter().filter(|plugin| !plugin.leftover).map(|plugin| &plugin.config).collect();
    for file in artifact.files.iter().filter(|file| file.capture("blob").is_some()) {
        stored::report((artifact, file), &current, findings);
    }
}

/// The event of a file's own time.
fn written<'a>(file: &'a ArtifactFile, modified: Instant, text: &'a str) -> Event<'a> {
    let when = (modified, Meaning::ContentModification);
    let mut event = Event::new(&file.origin, &PLUGIN, &Subject::UNKNOWN, when);
    event.confidence = Confidence::Filesystem;
    event.action = "write";
    event.text = text.into();
    event
}

/// A plugin's configuration and where it lies.
struct Plugin<'a> {
    file: &'a ArtifactFile,
    modified: Option<Instant>,
    config: PluginConfig,
    risks: Vec<Risk>,
    leftover: bool,
}

impl<'a> Plugin<'a> {
    fn read(
        artifact: &Artifact,
        file: &'a ArtifactFile,
        findings: &mut dyn Findings,
    ) -> Option<Plugin<'a>> {
        let modified = artifact.metadata(file, findings).and_then(|metadata| metadata.modified);
        let bytes = artifact.read(file, findings)?;
        let document = match json::read(&bytes) {
            Ok(document) => document,
            Err(flaw) => {
                flaw.report_lost(file, bytes.len(), findings);
                let text = "plugin last written; its configuration cannot be read";
                modified.iter().for_each(|time| findings.event(&written(file, *time, text)));
                return None;
            }
        };
        findings.records(&file.origin, 1, document.length);
        let (config, wrong) = PluginConfig::from_json(&document.value);
        document.flaws.iter().chain(&wrong).for_each(|flaw| flaw.report(file, findings));
        let directory = file.capture("plugin").unwrap_or_default();
        if let Some(id) = config.id.as_deref().filter(|id| *id != directory) {
            let id: String = id.chars().take(64).collect();
            let what = format!("names the plugin {id}, not that of its directory");
            findings.issue(file.issue(IssueKind::Malformed, Position::Key("plugin.Id"), what));
        }
        let risks = judge_plugin(&config);
        Some(Plugin { file, modified, config, risks, leftover: file.capture("leftover").is_some() })
    }

    fn report(&self, findings: &mut dyn Findings) {
        let Some(modified) = self.modified else { return };
        let text = self.text();
        let command_line = typed(&self.config.command);
        let mut event = written(self.file, modified, &text);
        event.command_line = Some(command_line.as_str()).filter(|line| !line.is_empty());
        let secrets = names_of_secrets(&self.config.environment);
        event.tags.extend(self.risks.iter().map(|risk| Cow::Borrowed(risk.name.as_str())));
        event.tags.extend((!secrets.is_empty()).then_some(Cow::Borrowed("possible-secret")));
        let mut all = Attributes::default();
        all.list("risks", self.risks.iter().map(Risk::to_string).collect());
        all.flag("leftover", self.leftover);
        all.list("possible_secrets", secrets);
        self.describe(&mut all);
        event.attributes = all.into_vec();
        findings.event(&event);
    }

    fn text(&self) -> String {
        let config = &self.config;
        let state = if config.enabled { "enabled" } else { "disabled" };
        let what = match self.leftover {
            false => format!("plugin {} last installed, enabled, disabled or set", name_of(config)),
            true => format!(
                "earlier version of plugin {}, left by an interrupted write",
                name_of(config)
            ),
        };
        told(&format!("{what}; it is {state}"), &self.risks)
    }

    fn describe<'e>(&'e self, all: &mut Attributes<'e>) {
        let config = &self.config;
        all.text("plugin_identifier", self.file.capture("plugin"));
        all.text("plugin_name", config.name.as_deref());
        all.text("plugin_reference", config.reference.as_deref());
        all.text("plugin_description", config.description.as_deref());
        all.text("docker_version", config.docker_version.as_deref());
        all.flag("plugin_enabled", config.enabled);
        all.texts("plugin_interfaces", &config.interfaces);
        all.text("plugin_socket", config.socket.as_deref());
        all.texts("environment", &config.environment);
        all.texts("cap_add", &config.host_config.cap_add);
        all.texts("binds", &config.host_config.binds);
        let devices = config.host_config.devices.iter();
        all.list("devices", devices.map(|device| device.on_host.clone()).collect());
        all.text("network_mode", config.host_config.network_mode.as_deref());
        all.text("pid_mode", config.host_config.pid_mode.as_deref());
        all.text("ipc_mode", config.host_config.ipc_mode.as_deref());
        all.text("propagated_mount", config.propagated_mount.as_deref());
        all.text("config_digest", config.config_digest.as_deref());
        all.text("manifest_digest", config.manifest_digest.as_deref());
        all.texts("plugin_layers", &config.layers);
        all.text("swarm_service", config.swarm_service.as_deref());
    }
}

fn name_of(config: &PluginConfig) -> &str {
    config.name.as_deref().or(config.id.as_deref()).unwrap_or("without a name")
}

/// A plugin of the host's own: an address in a `.spec`, or JSON.
fn specification(artifact: &Artifact, file: &ArtifactFile, findings: &mut dyn Findings) {
    let modified = artifact.metadata(file, findings).and_then(|metadata| metadata.modified);
    let Some(bytes) = artifact.read(file, findings) else { return };
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let name = file.capture("specification").unwrap_or_default();
    let address = match json::read(&bytes) {
        Ok(document) => {
            document.flaws.iter().for_each(|flaw| flaw.report(file, findings));
            let wrong = json::Wrong::default();
            let address = json::Fields::new(&document.value, &wrong).text("Addr");
            wrong.into_flaws().iter().for_each(|flaw| flaw.report(file, findings));
            address
        }
        Err(_) => {
            let text = String::from_utf8_lossy(&bytes);
            Some(text.trim().to_owned()).filter(|address| address.contains("://"))
        }
    };
    let Some(address) = address else {
        let what = "says no address of a plugin";
        findings.issue(file.issue(IssueKind::Malformed, Position::File, what).losing(1, length));
        return;
    };
    findings.records(&file.origin, 1, length);
    let Some(modified) = modified else { return };
    let text = format!("plugin {name} outside of the engine made known: {address}");
    let mut event = written(file, modified, &text);
    let secret = holds_password(&address);
    event.tags.extend(secret.then_some(Cow::Borrowed("possible-secret")));
    let mut all = Attributes::default();
    all.text("plugin_name", Some(name));
    all.text("plugin_socket", Some(&address));
    event.attributes = all.into_vec();
    findings.event(&event);
}

#[cfg(test)]
mod tests;
