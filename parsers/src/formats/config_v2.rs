//! `config.v2.json`: what an engine keeps of one container, beside `hostconfig.json`.
//!
//! moby `daemon/container/container.go` and `state.go` (`container/` before 29). Engines before
//! 1.10 wrote `config.json` with nearly the same keys. The file is written whole (temporary file,
//! then rename) at every change of state, and for every container at every start of the daemon.

mod attributes;

pub use attributes::{quoted, typed};

use super::json::{Fields, Flaw, Wrong};
use dockline_timeline::Instant;
use serde_json::Value;

/// What the engine keeps of one container; what is absent, null or of a wrong type is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfigV2 {
    /// The container's id.
    pub id: Option<String>,
    /// Its name, without the leading `/`.
    pub name: Option<String>,
    /// When it was created.
    pub created: Option<Instant>,
    /// Id of the image: digest of its config, or of its manifest with the containerd store; before
    /// 1.10 a random id.
    pub image_id: Option<String>,
    /// Digest of the manifest that was used, with the containerd store.
    pub image_manifest_digest: Option<String>,
    /// Storage driver or snapshotter.
    pub driver: Option<String>,
    /// Executable that the container runs.
    pub path: Option<String>,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Whether a Swarm task made it.
    pub managed: bool,
    /// Restarts by its restart policy since it was last started by hand.
    pub restart_count: Option<i64>,
    /// Whether it was last stopped on request: `docker stop`, `docker kill`, or a daemon start that
    /// found it running after a crash of the daemon.
    pub manually_stopped: Option<bool>,
    /// Whether it was ever started.
    pub started_before: Option<bool>,
    /// Its json-file log, as a path on the host.
    pub log_path: Option<String>,
    /// What it does, and what became of it.
    pub state: State,
    /// What its user asked for.
    pub settings: Settings,
    /// Networks that it is connected to, by name.
    pub networks: Vec<Network>,
    /// Ports that are published while it runs: `0.0.0.0:8443->443/udp`.
    pub published_ports: Vec<String>,
    /// What is mounted into it, by destination.
    pub mounts: Vec<MountPoint>,
    /// How it is confined.
    pub confinement: Confinement,
    /// Names of Swarm secrets that it was given.
    pub secrets: Vec<String>,
    /// Names of Swarm configs that it was given.
    pub configs: Vec<String>,
}

/// `State`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Whether it was running when this was written.
    pub running: bool,
    /// Whether it was paused.
    pub paused: bool,
    /// Whether it was waiting for a restart by its policy.
    pub restarting: bool,
    /// Whether the kernel killed it for want of memory.
    pub oom_killed: bool,
    /// Whether it was being removed.
    pub removing: bool,
    /// Whether its removal failed, or was about to be finished.
    pub dead: bool,
    /// Process id on the host; absent when it is not running.
    pub pid: Option<i64>,
    /// Exit code of the last run; the engine sets it to 0 when it starts the container.
    pub exit_code: Option<i64>,
    /// What the engine said when it could not start or stop the container.
    pub error: Option<String>,
    /// When it was last started.
    pub started: Option<Instant>,
    /// When it last ended; of the run before while it is running.
    pub finished: Option<Instant>,
    /// `healthy`, `unhealthy`, `starting`.
    pub health_status: Option<String>,
    /// Failed probes in a row.
    pub failing_streak: Option<i64>,
    /// The last probes, at most five.
    pub probes: Vec<Probe>,
}

/// One health probe.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Probe {
    /// When it began.
    pub start: Option<Instant>,
    /// When it ended.
    pub end: Option<Instant>,
    /// 0 healthy, -1 when it did not finish in time.
    pub exit_code: Option<i64>,
    /// What it wrote, up to 4,096 bytes.
    pub output: Option<String>,
}

/// `Config`: what the user asked for, and the image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// The image as the user named it.
    pub image: Option<String>,
    /// Host name inside the container.
    pub hostname: Option<String>,
    /// Domain name inside the container.
    pub domain_name: Option<String>,
    /// User, and perhaps group, that it runs as.
    pub user: Option<String>,
    /// Working directory.
    pub working_directory: Option<String>,
    /// Entry point.
    pub entrypoint: Vec<String>,
    /// Command, or arguments of the entry point.
    pub command: Vec<String>,
    /// Environment, as `NAME=value`.
    pub environment: Vec<String>,
    /// Labels, as `key=value`.
    pub labels: Vec<String>,
    /// Ports that the image or the user exposes: `80/tcp`.
    pub exposed_ports: Vec<String>,
    /// Command of the health probe.
    pub health_check: Vec<String>,
    /// Whether it has a terminal.
    pub terminal: bool,
    /// Signal that stops it.
    pub stop_signal: Option<String>,
    /// MAC address that the user asked for, up to 28.
    pub mac_address: Option<String>,
}

/// A network that the container is connected to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    /// Name.
    pub name: String,
    /// Id.
    pub id: Option<String>,
    /// Addresses: of the running container, else those that the user asked for.
    pub addresses: Vec<String>,
    /// MAC address.
    pub mac_address: Option<String>,
    /// Names by which others on the network find it.
    pub aliases: Vec<String>,
}

/// Something mounted into the container.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MountPoint {
    /// `bind`, `volume`, `tmpfs`, `image`, `npipe`; absent before 1.13.
    pub kind: Option<String>,
    /// Path on the host.
    pub source: Option<String>,
    /// Path in the container.
    pub destination: String,
    /// Whether the container can write to it.
    pub writable: bool,
    /// Name of the volume.
    pub volume: Option<String>,
    /// The directory of the volume that is mounted; absent when it is the whole volume.
    pub subpath: Option<String>,
    /// Driver of the volume.
    pub driver: Option<String>,
    /// How mounts made below it spread.
    pub propagation: Option<String>,
}

/// How the container is confined.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Confinement {
    /// AppArmor profile.
    pub apparmor: Option<String>,
    /// seccomp profile: `unconfined`, or a profile's text.
    pub seccomp: Option<String>,
    /// SELinux label of its processes.
    pub process_label: Option<String>,
    /// Whether its processes cannot gain privileges.
    pub no_new_privileges: bool,
    /// Whether it can write to its cgroups.
    pub writable_cgroups: bool,
}

impl ConfigV2 {
    /// Reads the fields of a document, and which of them hold something unexpected.
    #[must_use]
    pub fn from_json(document: &Value) -> (ConfigV2, Vec<Flaw>) {
        let wrong = Wrong::default();
        let config = ConfigV2::from_fields(&Fields::new(document, &wrong));
        (config, wrong.into_flaws())
    }

    fn from_fields(fields: &Fields<'_>) -> ConfigV2 {
        let network = fields.object("NetworkSettings");
        ConfigV2 {
            id: fields.text("ID"),
            name: fields.text("Name").map(without_slash),
            created: fields.instant("Created"),
            image_id: fields.text("Image"),
            image_manifest_digest: fields.object("ImageManifest").text("digest"),
            driver: fields.text("Driver"),
            path: fields.text("Path"),
            arguments: fields.texts("Args"),
            managed: flag(fields, "Managed"),
            restart_count: fields.integer("RestartCount"),
            manually_stopped: fields.boolean("HasBeenManuallyStopped"),
            started_before: fields.boolean("HasBeenStartedBefore"),
            log_path: fields.text("LogPath"),
            state: state(&fields.object("State")),
            settings: settings(&fields.object("Config")),
            networks: networks(&network),
            published_ports: published_ports(&network.object("Ports")),
            mounts: mounts(fields),
            confinement: confinement(fields),
            secrets: references(fields, "SecretReferences", "SecretName"),
            configs: references(fields, "ConfigReferences", "ConfigName"),
        }
    }

    /// The state in the engine's own word, as `docker ps` shows it.
    #[must_use]
    pub fn state_name(&self) -> &'static str {
        let state = &self.state;
        match state {
            State { running: true, paused: true, .. } => "paused",
            State { restarting: true, .. } => "restarting",
            State { running: true, .. } => "running",
            State { removing: true, .. } => "removing",
            State { dead: true, .. } => "dead",
            State { started: None, .. } => "created",
            _ => "exited",
        }
    }
}

fn flag(fields: &Fields<'_>, key: &str) -> bool {
    fields.boolean(key).unwrap_or(false)
}

fn without_slash(name: String) -> String {
    name.strip_prefix('/').map_or_else(|| name.clone(), str::to_owned)
}

fn state(fields: &Fields<'_>) -> State {
    let health = fields.object("Health");
    let probe = |fields: &Fields<'_>| Probe {
        start: fields.instant("Start"),
        end: fields.instant("End"),
        exit_code: fields.integer("ExitCode"),
        output: fields.text("Output"),
    };
    State {
        running: flag(fields, "Running"),
        paused: flag(fields, "Paused"),
        restarting: flag(fields, "Restarting"),
        oom_killed: flag(fields, "OOMKilled"),
        removing: flag(fields, "RemovalInProgress"),
        dead: flag(fields, "Dead"),
        pid: fields.integer("Pid").filter(|pid| *pid != 0),
        exit_code: fields.integer("ExitCode"),
        error: fields.text("Error"),
        started: fields.instant("StartedAt"),
        finished: fields.instant("FinishedAt"),
        health_status: health.text("Status"),
        failing_streak: health.integer("FailingStreak"),
        probes: health.objects("Log").iter().map(probe).collect(),
    }
}

fn settings(fields: &Fields<'_>) -> Settings {
    Settings {
        image: fields.text("Image"),
        hostname: fields.text("Hostname"),
        domain_name: fields.text("Domainname"),
        user: fields.text("User"),
        working_directory: fields.text("WorkingDir"),
        entrypoint: fields.texts("Entrypoint"),
        command: fields.texts("Cmd"),
        environment: fields.texts("Env"),
        labels: fields.object("Labels").pairs(),
        exposed_ports: fields.object("ExposedPorts").keys(),
        health_check: fields.object("Healthcheck").texts("Test"),
        terminal: flag(fields, "Tty"),
        stop_signal: fields.text("StopSignal"),
        mac_address: fields.text("MacAddress"),
    }
}

fn networks(settings: &Fields<'_>) -> Vec<Network> {
    let named = settings.object("Networks").members();
    let mut networks: Vec<Network> =
        named.iter().map(|(name, fields)| network(name, fields)).collect();
    // Before networks had names there was one, and its fields stood here.
    if networks.is_empty() && settings.has("IPAddress") {
        let bridge = network("bridge", settings);
        networks.extend(Some(bridge).filter(|network| !network.addresses.is_empty()));
    }
    networks
}

fn network(name: &str, fields: &Fields<'_>) -> Network {
    let asked = fields.object("IPAMConfig");
    let addresses = |from: &Fields<'_>, keys: [&str; 2]| -> Vec<String> {
        let texts = keys.iter().filter_map(|key| from.text(key));
        // An empty address was written as "invalid IP" by some versions.
        texts.filter(|text| text.parse::<std::net::IpAddr>().is_ok()).collect()
    };
    let given = addresses(fields, ["IPAddress", "GlobalIPv6Address"]);
    Network {
        name: name.to_owned(),
        id: fields.text("NetworkID"),
        addresses: if given.is_empty() {
            addresses(&asked, ["IPv4Address", "IPv6Address"])
        } else {
            given
        },
        mac_address: fields.text("MacAddress").or_else(|| fields.text("DesiredMacAddress")),
        aliases: fields.texts("Aliases"),
    }
}

/// The ports of a map `80/tcp` to host addresses, as `docker ps` writes them.
pub(super) fn published_ports(map: &Fields<'_>) -> Vec<String> {
    let mut ports = Vec::new();
    for port in map.keys() {
        for binding in map.objects(&port) {
            let address = binding.text("HostIp").unwrap_or_else(|| "0.0.0.0".to_owned());
            let host_port = binding.text("HostPort").unwrap_or_default();
            let address = if address.contains(':') { format!("[{address}]") } else { address };
            ports.push(format!("{address}:{host_port}->{port}"));
        }
    }
    ports
}

fn mounts(fields: &Fields<'_>) -> Vec<MountPoint> {
    let mut mounts: Vec<MountPoint> = Vec::new();
    for (destination, mount) in fields.object("MountPoints").members() {
        mounts.push(MountPoint {
            kind: mount.text("Type"),
            source: mount.text("Source").or_else(|| mount.object("Spec").text("Source")),
            destination: destination.to_owned(),
            writable: mount.boolean("RW").unwrap_or(true),
            volume: mount.text("Name"),
            subpath: mount.object("Spec").object("VolumeOptions").text("Subpath"),
            driver: mount.text("Driver"),
            propagation: mount.text("Propagation"),
        });
    }
    mounts.extend(early_mounts(fields).into_iter().filter(|early| {
        let known = fields.object("MountPoints").keys();
        !known.contains(&early.destination)
    }));
    mounts
}

/// `Volumes` and `VolumesRW`, as engines before 1.7 kept mounts.
fn early_mounts(fields: &Fields<'_>) -> Vec<MountPoint> {
    let (volumes, writable) = (fields.object("Volumes"), fields.object("VolumesRW"));
    let mount = |destination: String| MountPoint {
        source: volumes.text(&destination),
        writable: writable.boolean(&destination).unwrap_or(true),
        destination,
        ..MountPoint::default()
    };
    volumes.keys().into_iter().map(mount).collect()
}

fn confinement(fields: &Fields<'_>) -> Confinement {
    Confinement {
        apparmor: fields.text("AppArmorProfile"),
        seccomp: fields.text("SeccompProfile"),
        process_label: fields.text("ProcessLabel"),
        no_new_privileges: flag(fields, "NoNewPrivileges"),
        writable_cgroups: flag(fields, "WritableCgroups"),
    }
}

fn references(fields: &Fields<'_>, list: &str, name: &str) -> Vec<String> {
    fields.objects(list).iter().filter_map(|reference| reference.text(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(document: &Value) -> ConfigV2 {
        let (config, flaws) = ConfigV2::from_json(document);
        assert_eq!(flaws, []);
        config
    }

    #[test]
    fn the_keys_of_old_engines_are_read_and_unknown_ones_are_no_flaw() {
        let config = read(&json!({
            "Config": {"PortSpecs": null, "MacAddress": "02:42:ac:11:00:02", "Entrypoint": "sh"},
            "NetworkSettings": {"Bridge": "docker0", "IPAddress": "172.17.0.2", "Ports": null},
            "State": {"RemovalInProgress": true},
            "Volumes": {"/data": "/srv/data"}, "VolumesRW": {"/data": false}, "Future": [{}],
        }));
        assert_eq!(config.settings.entrypoint, ["sh"]);
        assert_eq!(config.networks[0].addresses, ["172.17.0.2"]);
        assert_eq!(config.state_name(), "removing");
        assert_eq!(config.mounts[0].source.as_deref(), Some("/srv/data"));
        assert!(!config.mounts[0].writable);
    }

    #[test]
    fn an_address_that_is_none_is_absent_and_the_asked_one_stands_in() {
        let config = read(&json!({"NetworkSettings": {"Networks": {
            "app": {"IPAddress": "invalid IP", "IPAMConfig": {"IPv4Address": "172.31.77.10"}},
            "old": null,
        }}}));
        assert_eq!(config.networks[0].addresses, ["172.31.77.10"]);
        assert_eq!(
            (config.networks[1].name.as_str(), config.networks[1].addresses.len()),
            ("old", 0)
        );
    }

    #[test]
    fn the_leading_slash_of_the_name_is_dropped_once() {
        let name = |text: &str| read(&json!({"Name": text})).name.unwrap();
        assert_eq!(
            (name("/web"), name("web"), name("//x")),
            ("web".into(), "web".into(), "/x".into())
        );
    }

    #[test]
    fn the_state_has_the_name_that_the_engine_gives_it() {
        let state = |value: Value| read(&json!({"State": value})).state_name();
        assert_eq!(state(json!({"Running": true, "Paused": true})), "paused");
        assert_eq!(state(json!({"Running": true, "Restarting": true})), "restarting");
        assert_eq!(state(json!({"Running": true})), "running");
        assert_eq!(state(json!({"Dead": true})), "dead");
        assert_eq!(state(json!({"StartedAt": "0001-01-01T00:00:00Z"})), "created");
        assert_eq!(state(json!({"StartedAt": "2026-01-01T00:00:00Z"})), "exited");
    }
}
