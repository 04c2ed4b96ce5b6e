//! What libpod, the library of Podman, keeps of containers, pods and volumes: the JSON texts in its
//! database, whichever database that is.
//!
//! podman 4.3 and 5.8 `libpod/{container_config,container,pod,volume}.go`. A container has two texts:
//! its configuration, written when it is made (and when it is renamed or updated), and its state,
//! written at each change. The configuration holds the command that was typed to make it.

use super::config_v2::{ConfigV2, MountPoint, Network, State};
use super::host_config::HostConfig;
use super::json::{Fields, Flaw, Wrong};
use super::runtime_spec::RuntimeSpec;
use dockline_timeline::Instant;
use serde_json::Value;

/// A container's configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Container {
    /// What it runs, in Docker's words; without its state.
    pub config: ConfigV2,
    /// What it has of its host, in Docker's words.
    pub host_config: HostConfig,
    /// The command that was typed to make it, word by word; absent when an API made it.
    pub create_command: Vec<String>,
    /// Id of its pod.
    pub pod: Option<String>,
    /// Whether it holds the namespaces of a pod.
    pub is_infra: bool,
    /// Names of secrets that it was given.
    pub secrets: Vec<String>,
}

/// A container's state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerState {
    /// The state in Docker's words.
    pub state: State,
    /// libpod's own word for it.
    pub name: Option<&'static str>,
    /// The id of the container that the paths in the text name.
    pub container: Option<String>,
    /// Process that watches the container.
    pub monitor_pid: Option<i64>,
    /// Whether `podman stop` or `podman kill` ended it.
    pub stopped_by_user: bool,
    /// Restarts by its restart policy.
    pub restart_count: Option<i64>,
    /// When it was checkpointed.
    pub checkpointed: Option<Instant>,
    /// When it was restored from a checkpoint.
    pub restored: Option<Instant>,
    /// Networks it is connected to while it runs.
    pub networks: Vec<Network>,
    /// Sessions of `podman exec`, in words.
    pub exec_sessions: Vec<String>,
}

/// A pod's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pod {
    /// Id.
    pub id: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// When it was made.
    pub created: Option<Instant>,
    /// Labels as `key=value`.
    pub labels: Vec<String>,
    /// The command that was typed to make it.
    pub create_command: Vec<String>,
}

/// A volume's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    /// Name.
    pub name: Option<String>,
    /// When it was made.
    pub created: Option<Instant>,
    /// Driver.
    pub driver: Option<String>,
    /// Where its data lie on the host.
    pub mount_point: Option<String>,
    /// Labels as `key=value`.
    pub labels: Vec<String>,
    /// Options of the driver as `key=value`.
    pub options: Vec<String>,
    /// Whether nobody named it.
    pub anonymous: bool,
}

/// libpod's `define.ContainerStatus`.
const STATES: &[&str] = &[
    "unknown",
    "configured",
    "created",
    "running",
    "stopped",
    "paused",
    "exited",
    "removing",
    "stopping",
];

impl Container {
    /// Reads a configuration.
    #[must_use]
    pub fn read(document: &Value) -> (Container, Vec<Flaw>) {
        let wrong = Wrong::default();
        let container = Container::of(&Fields::new(document, &wrong));
        (container, wrong.into_flaws())
    }

    fn of(fields: &Fields<'_>) -> Container {
        let privileged = fields.boolean("privileged").unwrap_or(false);
        let spec = RuntimeSpec::read(&fields.object("spec"), privileged);
        let (mut config, mut host_config) = (spec.config, spec.host_config);
        identity(fields, &mut config);
        process(fields, &mut config);
        surroundings(fields, &mut config, &mut host_config);
        Container {
            config,
            host_config,
            create_command: fields.texts("CreateCommand"),
            pod: fields.text("pod"),
            is_infra: fields.boolean("pause").unwrap_or(false),
            secrets: fields.objects("secrets").iter().filter_map(|one| one.text("name")).collect(),
        }
    }
}

fn identity(fields: &Fields<'_>, config: &mut ConfigV2) {
    config.id = fields.text("id");
    config.name = fields.text("name");
    config.created = fields.instant("createdTime");
    config.image_id = fields.text("rootfsImageID");
    config.settings.image = fields.text("rootfsImageName").or_else(|| fields.text("RawImageName"));
    config.settings.labels = fields.object("labels").pairs();
    config.log_path = fields.text("logPath");
}

fn process(fields: &Fields<'_>, config: &mut ConfigV2) {
    let settings = &mut config.settings;
    settings.entrypoint = fields.texts("entrypoint");
    settings.command = fields.texts("command");
    settings.user = fields.text("user").or(settings.user.take());
    settings.health_check = fields.object("healthcheck").texts("Test");
}

fn surroundings(fields: &Fields<'_>, config: &mut ConfigV2, host: &mut HostConfig) {
    let own_namespace = |key: &str| fields.text(key).map(|id| format!("container:{id}"));
    let network = fields.text("networkMode");
    host.network_mode = own_namespace("netNsCtr").or_else(|| host.network_mode.take().or(network));
    host.pid_mode = own_namespace("pidNsCtr").or_else(|| host.pid_mode.take());
    host.ipc_mode = own_namespace("ipcNsCtr").or_else(|| host.ipc_mode.take());
    host.restart_policy = fields.text("restart_policy");
    host.restart_limit = fields.integer("restart_retries").filter(|limit| *limit != 0);
    host.log_driver = fields.text("logDriver");
    host.runtime = fields.text("runtime");
    host.extra_hosts = fields.texts("hostAdd");
    host.dns = fields.texts("dnsServer");
    host.port_bindings = fields.objects("newPortMappings").iter().filter_map(port).collect();
    config.mounts.extend(fields.objects("namedVolumes").iter().map(named_volume));
}

/// `127.0.0.1:8081->80/tcp`.
fn port(fields: &Fields<'_>) -> Option<String> {
    let (inside, outside) = (fields.integer("container_port")?, fields.integer("host_port")?);
    let address = fields.text("host_ip").unwrap_or_else(|| "0.0.0.0".to_owned());
    let address = if address.contains(':') { format!("[{address}]") } else { address };
    let protocol = fields.text("protocol").unwrap_or_else(|| "tcp".to_owned());
    let range = fields.integer("range").filter(|range| *range > 1);
    let to = |port: i64| match range {
        Some(range) => format!("{port}-{}", port.saturating_add(range).saturating_sub(1)),
        None => port.to_string(),
    };
    Some(format!("{address}:{}->{}/{protocol}", to(outside), to(inside)))
}

fn named_volume(fields: &Fields<'_>) -> MountPoint {
    MountPoint {
        kind: Some("volume".to_owned()),
        source: None,
        destination: fields.text("dest").unwrap_or_default(),
        writable: !fields.texts("options").iter().any(|option| option == "ro"),
        volume: fields.text("volumeName"),
        subpath: fields.text("subPath"),
        driver: None,
        propagation: None,
    }
}

impl ContainerState {
    /// Reads a state.
    #[must_use]
    pub fn read(document: &Value) -> (ContainerState, Vec<Flaw>) {
        let wrong = Wrong::default();
        let state = ContainerState::of(&Fields::new(document, &wrong));
        (state, wrong.into_flaws())
    }

    fn of(fields: &Fields<'_>) -> ContainerState {
        let number = fields.integer("state");
        let name = number
            .and_then(|number| usize::try_from(number).ok())
            .and_then(|number| STATES.get(number).copied());
        let flag = |key: &str| fields.boolean(key).unwrap_or(false);
        let pid = |key: &str| fields.integer(key).filter(|pid| *pid != 0);
        // Go leaves out a zero.
        let exit_code = || flag("exited").then_some(0);
        ContainerState {
            state: State {
                running: matches!(name, Some("running" | "paused" | "stopping")),
                paused: name == Some("paused"),
                removing: name == Some("removing"),
                oom_killed: flag("oomKilled"),
                pid: pid("pid"),
                exit_code: fields.integer("exitCode").or_else(exit_code),
                error: fields.text("error"),
                started: fields.instant("startedTime"),
                finished: fields.instant("finishedTime"),
                ..State::default()
            },
            name,
            container: ["configPath", "runDir"].iter().find_map(|key| id_in(&fields.text(key)?)),
            monitor_pid: pid("conmonPid"),
            stopped_by_user: flag("stoppedByUser"),
            restart_count: fields.integer("restartCount").filter(|count| *count != 0),
            checkpointed: fields.instant("checkpointedTime"),
            restored: fields.instant("restoredTime"),
            networks: networks(fields),
            exec_sessions: exec_sessions(fields),
        }
    }
}

/// The component of a path that is an id.
fn id_in(path: &str) -> Option<String> {
    path.split('/').find(|part| crate::container_id::is_id(part.as_bytes())).map(str::to_owned)
}

/// The addresses that each network gave.
fn networks(fields: &Fields<'_>) -> Vec<Network> {
    let network = |(name, status): (&str, Fields<'_>)| {
        let interfaces = status.object("interfaces").members();
        let subnets = interfaces.iter().flat_map(|(_, interface)| interface.objects("subnets"));
        Network {
            name: name.to_owned(),
            addresses: subnets.filter_map(|subnet| subnet.text("ipnet")).collect(),
            mac_address: interfaces.iter().find_map(|(_, one)| one.text("mac_address")),
            ..Network::default()
        }
    };
    fields.object("networkStatus").members().into_iter().map(network).collect()
}

/// `1b2c…: sh -c id (user root, privileged)`: libpod keeps no time of a session.
fn exec_sessions(fields: &Fields<'_>) -> Vec<String> {
    let session = |(id, session): (&str, Fields<'_>)| {
        let config = session.object("config");
        let mut words = vec![format!("{id}: {}", config.texts("command").join(" "))];
        words.extend(config.text("user").map(|user| format!("user={user}")));
        words.extend(session.integer("exitCode").map(|code| format!("exit={code}")));
        if config.boolean("privileged").unwrap_or(false) {
            words.push("privileged".to_owned());
        }
        words.join(" ")
    };
    fields.object("newExecSessions").members().into_iter().map(session).collect()
}

impl Pod {
    /// Reads a configuration.
    #[must_use]
    pub fn read(document: &Value) -> (Pod, Vec<Flaw>) {
        let wrong = Wrong::default();
        let fields = Fields::new(document, &wrong);
        let pod = Pod {
            id: fields.text("id"),
            name: fields.text("name"),
            created: fields.instant("created"),
            labels: fields.object("labels").pairs(),
            create_command: fields.texts("CreateCommand"),
        };
        (pod, wrong.into_flaws())
    }
}

impl Volume {
    /// Reads a configuration.
    #[must_use]
    pub fn read(document: &Value) -> (Volume, Vec<Flaw>) {
        let wrong = Wrong::default();
        let fields = Fields::new(document, &wrong);
        let volume = Volume {
            name: fields.text("name"),
            created: fields.instant("createdAt"),
            driver: fields.text("volumeDriver"),
            mount_point: fields.text("mountPoint"),
            labels: fields.object("labels").pairs(),
            options: fields.object("volumeOptions").pairs(),
            anonymous: fields.boolean("isAnon").unwrap_or(false),
        };
        (volume, wrong.into_flaws())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_configuration_is_read_with_the_command_that_was_typed() {
        let document = json!({
            "spec": {"process": {"args": ["sh", "-c", "ls"], "cwd": "/"}},
            "id": "9a6a", "name": "web", "pod": "24e8",
            "CreateCommand": ["podman", "run", "-d", "busybox", "sh", "-c", "ls"],
            "rootfsImageID": "2854", "rootfsImageName": "localhost/lab/busybox:1.35",
            "createdTime": "2026-11-21T22:57:01.5+01:00", "privileged": true, "user": "app",
            "labels": {"tier": "front"}, "restart_policy": "always", "logDriver": "k8s-file",
            "networkMode": "bridge", "netNsCtr": "aaaa",
            "newPortMappings": [
                {"host_ip": "127.0.0.1", "container_port": 80, "host_port": 8081, "range": 1, "protocol": "tcp"},
                {"host_ip": "::1", "container_port": 53, "host_port": 5353, "range": 3, "protocol": "udp"},
            ],
            "namedVolumes": [{"volumeName": "pgdata", "dest": "/data", "options": ["ro"]}],
            "secrets": [{"name": "dbpw"}], "healthcheck": null,
        });
        let (container, flaws) = Container::read(&document);
        assert_eq!(flaws, []);
        let config = &container.config;
        assert_eq!(config.created.unwrap().to_string(), "2026-11-21T21:57:01.500000000Z");
        assert_eq!(config.settings.user.as_deref(), Some("app"));
        assert_eq!(container.create_command.len(), 7);
        let host = &container.host_config;
        assert!(host.privileged);
        assert_eq!(host.network_mode.as_deref(), Some("container:aaaa"));
        assert_eq!(host.port_bindings, ["127.0.0.1:8081->80/tcp", "[::1]:5353-5355->53-55/udp"]);
        assert!(!config.mounts[0].writable);
        assert_eq!(
            (container.pod.as_deref(), container.secrets),
            (Some("24e8"), vec!["dbpw".to_owned()])
        );
    }

    #[test]
    fn an_exit_code_that_go_left_out_is_zero_only_when_the_container_ended() {
        let id = "9a6ae0c517aa3afe86a732e45c8359b28944298e31478e0007139e325a2fd23e";
        let path = format!("/s/overlay-containers/{id}/userdata/config.json");
        let ended = json!({"state": 6, "exited": true, "configPath": path,
            "startedTime": "2026-11-21T21:57:01Z", "finishedTime": "2026-11-21T21:57:02Z"});
        let (state, flaws) = ContainerState::read(&ended);
        assert_eq!((state.state.exit_code, state.name, flaws), (Some(0), Some("exited"), vec![]));
        assert_eq!(state.container.as_deref(), Some(id));
        let running = json!({"state": 3, "pid": 326, "finishedTime": "0001-01-01T00:00:00Z"});
        let (state, _) = ContainerState::read(&running);
        assert_eq!((state.state.exit_code, state.state.running), (None, true));
        assert_eq!(state.state.finished, None);
        let (state, _) = ContainerState::read(&json!({"state": 99}));
        assert_eq!(state.name, None);
    }

    #[test]
    fn a_session_is_told_with_its_command() {
        let document = json!({"newExecSessions": {"1b": {"exitCode": 1, "config": {
            "command": ["sh", "-c", "id"], "user": "root", "privileged": true}}}});
        let (state, _) = ContainerState::read(&document);
        assert_eq!(state.exec_sessions, ["1b: sh -c id user=root exit=1 privileged"]);
    }
}
