//! `plugins/<id>/config.json`: a managed plugin of the engine, as it was installed and set.
//!
//! moby `daemon/pkg/plugin/v2/plugin.go`, `api/types/plugin/plugin.go` (29.7.2; `plugin/v2`,
//! `api/types` in 20.10). The engine writes it whole at installation, and whenever the plugin is
//! enabled, disabled, set or upgraded. It holds no time.

use super::host_config::{Device, HostConfig};
use super::json::{Fields, Flaw, Wrong};
use serde_json::Value;

/// A plugin; what is absent, null or of a wrong type is `None`, empty or `false`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PluginConfig {
    /// 64 hexadecimal digits.
    pub id: Option<String>,
    /// As the user calls it: `lab/volplug:latest`.
    pub name: Option<String>,
    /// Where it was pulled from.
    pub reference: Option<String>,
    /// Whether it runs whenever the engine does.
    pub enabled: bool,
    /// Of its author.
    pub description: Option<String>,
    /// Version of the engine that built it.
    pub docker_version: Option<String>,
    /// What it is for: `docker.volumedriver/1.0`.
    pub interfaces: Vec<String>,
    /// Its socket.
    pub socket: Option<String>,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Environment as it was set.
    pub environment: Vec<String>,
    /// Directory in the plugin whose mounts the host sees.
    pub propagated_mount: Option<String>,
    /// Whether it has all devices of the host.
    pub all_devices: bool,
    /// What it may have of its host, in the words of a container.
    pub host_config: HostConfig,
    /// Digest of its configuration.
    pub config_digest: Option<String>,
    /// Digest of its manifest.
    pub manifest_digest: Option<String>,
    /// Digests of its layers.
    pub layers: Vec<String>,
    /// Swarm service that it belongs to.
    pub swarm_service: Option<String>,
}

impl PluginConfig {
    /// Reads a document; beside the plugin, what is wrong in it.
    #[must_use]
    pub fn from_json(document: &Value) -> (PluginConfig, Vec<Flaw>) {
        let wrong = Wrong::default();
        let file = Fields::new(document, &wrong);
        let (plugin, config) = (file.object("plugin"), file.object("plugin").object("Config"));
        let (settings, interface) = (plugin.object("Settings"), config.object("Interface"));
        let mut command = config.texts("Entrypoint");
        command.extend(settings.texts("Args"));
        let plugin = PluginConfig {
            id: plugin.text("Id"),
            name: plugin.text("Name"),
            reference: plugin.text("PluginReference"),
            enabled: plugin.boolean("Enabled").unwrap_or(false),
            description: config.text("Description"),
            docker_version: config.text("DockerVersion"),
            interfaces: interface.texts("Types"),
            socket: interface.text("Socket"),
            command,
            environment: settings.texts("Env"),
            propagated_mount: config.text("PropagatedMount"),
            all_devices: config.object("Linux").boolean("AllowAllDevices").unwrap_or(false),
            host_config: host_config(&config, &settings),
            config_digest: file.text("Config"),
            manifest_digest: file.text("Manifest"),
            layers: file.texts("Blobsums"),
            swarm_service: file.text("SwarmServiceID"),
        };
        (plugin, wrong.into_flaws())
    }
}

fn host_config(config: &Fields<'_>, settings: &Fields<'_>) -> HostConfig {
    let host = |key: &str| config.boolean(key).unwrap_or(false).then(|| "host".to_owned());
    let bind = |mount: &Fields<'_>| {
        let (source, target) = (mount.text("Source")?, mount.text("Destination")?);
        let read_only = mount.texts("Options").iter().any(|option| option == "ro");
        Some(format!("{source}:{target}{}", if read_only { ":ro" } else { "" }))
    };
    let device = |device: &Fields<'_>| {
        let path = device.text("Path")?;
        Some(Device { on_host: path.clone(), in_container: path, permissions: String::new() })
    };
    HostConfig {
        binds: settings.objects("Mounts").iter().filter_map(bind).collect(),
        devices: settings.objects("Devices").iter().filter_map(device).collect(),
        cap_add: config.object("Linux").texts("Capabilities"),
        network_mode: config.object("Network").text("Type"),
        pid_mode: host("PidHost"),
        ipc_mode: host("IpcHost"),
        ..HostConfig::default()
    }
}
