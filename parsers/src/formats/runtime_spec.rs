//! The OCI runtime specification of a container: what the runtime was told to run.
//!
//! opencontainers/runtime-spec 1.0 to 1.3 `config.md`, `config-linux.md`. libpod keeps one in its
//! database with each container, as it was made, and writes another to `userdata/config.json` each
//! time that the container is started; CRI-O likewise. containerd keeps one in the record of each
//! container and puts it into the bundle of each task; Docker makes it anew at each start.
//!
//! It is read into the words of Docker's [`ConfigV2`] and [`HostConfig`], so that the settings have
//! the same names, and the same risks, whatever the engine. What a specification does not say the
//! way that Docker does is concluded: a namespace that is not listed is the host's; paths that are
//! not hidden were asked for, and so was the want of a seccomp profile, but for Kubernetes, which
//! gives none unless a pod wants one. A container without any of these that may load modules is
//! privileged; it lists all capabilities and devices of the host, which say nothing more.
//!
//! Not supported: containers of Windows and virtual machines.

use super::attributes::Attributes;
use super::config_v2::{ConfigV2, MountPoint};
use super::host_config::{Device, HostConfig, Resources};
use super::json::Fields;
use super::secrets::names_of_secrets;
use crate::ContainerId;
use crate::container_id::is_id;
use dockline_timeline::Event;
use std::borrow::Cow;

/// What engines give every container: Docker, containerd and Podman the same
/// (`default_capabilities` of containers.conf, up to 4.3 with three more).
const DEFAULT_CAPABILITIES: &[&str] = &[
    "CAP_AUDIT_WRITE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_MKNOD",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];
/// What only a privileged container may do all of.
const PRIVILEGED_CAPABILITIES: [&str; 2] = ["CAP_SYS_ADMIN", "CAP_SYS_MODULE"];
/// Devices that every container may use: null, zero, full, random, urandom, tty, console, ptmx and
/// what it makes below `pts`.
const DEFAULT_DEVICES: &[&str] = &["1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:1", "5:2", "136:*"];
/// How a mount says how those made below it spread.
const PROPAGATIONS: &[&str] = &["private", "rprivate", "shared", "rshared", "slave", "rslave"];
const PRIVILEGED: &str = "io.podman.annotations.privileged=TRUE";
const AUTO_REMOVE: &str = "io.podman.annotations.autoremove=TRUE";
const PUBLISH_ALL: &str = "io.podman.annotations.publish-all=TRUE";
/// What the annotations of containers of Kubernetes begin with, be it with CRI-O or containerd.
const KUBERNETES: &str = "io.kubernetes.";

/// A specification, in the words of Docker's settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuntimeSpec {
    /// What the container runs, and how it is confined.
    pub config: ConfigV2,
    /// What it has of its host.
    pub host_config: HostConfig,
    /// `key=value`.
    pub annotations: Vec<String>,
    /// What of the host its engine, or the kubelet, mounts into it by itself.
    pub of_engine: Vec<MountPoint>,
    /// Secrets and configs of Swarm that it was given: `id:destination`.
    pub secrets: Vec<String>,
    /// Its cgroup.
    pub cgroup: Option<String>,
    /// The directory that is its root.
    pub root: Option<String>,
}

impl RuntimeSpec {
    /// Reads a specification; `privileged` says whether other sources call the container so. What
    /// is wrong in it costs only itself.
    #[must_use]
    pub fn read(spec: &Fields<'_>, privileged: bool) -> RuntimeSpec {
        let annotations = spec.object("annotations").pairs();
        let has = |wanted: &str| annotations.iter().any(|annotation| annotation == wanted);
        let (root, settings) = (spec.object("root"), spec.object("linux"));
        let mut host = HostConfig {
            privileged: privileged || has(PRIVILEGED) || has_everything(spec, &settings),
            auto_remove: has(AUTO_REMOVE),
            publish_all_ports: has(PUBLISH_ALL),
            readonly_root: root.boolean("readonly").unwrap_or(false),
            ..HostConfig::default()
        };
        let mut config = ConfigV2::default();
        process(&spec.object("process"), &mut config, &mut host);
        config.settings.hostname = spec.text("hostname");
        let mounts = spec.objects("mounts");
        let of_engine;
        (of_engine, config.mounts) = mounts
            .iter()
            .filter_map(mount)
            .partition(|point| point.source.as_deref().is_some_and(is_of_engine));
        linux(&settings, &mut config, &mut host);
        if annotations.iter().any(|annotation| annotation.starts_with(KUBERNETES)) {
            config.confinement.seccomp = None;
        }
        RuntimeSpec {
            config,
            host_config: host,
            annotations,
            of_engine,
            secrets: mounts.iter().filter_map(secret).collect(),
            cgroup: settings.text("cgroupsPath"),
            root: root.text("path"),
        }
    }

    /// The container, by the end of its cgroup's path, else by its root's.
    #[must_use]
    pub fn container_id(&self) -> Option<ContainerId> {
        let last = |path: &String| {
            let id = path.split(['/', ':', '-', '.']).rev().find(|part| is_id(part.as_bytes()))?;
            ContainerId::parse(id)
        };
        self.cgroup.as_ref().and_then(last).or_else(|| self.root.as_ref().and_then(last))
    }

    /// Says what the container runs and what it may do.
    pub fn describe<'a>(&'a self, command_line: &'a Option<String>, event: &mut Event<'a>) {
        event.command_line = command_line.as_deref();
        event.user = self.config.settings.user.as_deref();
        event.attributes.extend(self.config.runtime_attributes());
        event.attributes.extend(self.host_config.attributes());
        let secrets = names_of_secrets(&self.config.settings.environment);
        event.tags.extend((!secrets.is_empty()).then_some(Cow::Borrowed("possible-secret")));
        let mut all = Attributes::default();
        all.list("possible_secrets", secrets);
        all.texts("swarm_secrets", &self.secrets);
        all.text("cgroup_path", self.cgroup.as_deref());
        all.texts("annotations", &self.annotations);
        event.attributes.extend(all.into_vec());
    }
}

/// Whether it was given everything: all that `--privileged` gives, however it came by it.
fn has_everything(spec: &Fields<'_>, linux: &Fields<'_>) -> bool {
    let bounding = spec.object("process").object("capabilities").texts("bounding");
    let may_all = PRIVILEGED_CAPABILITIES.iter().all(|name| bounding.iter().any(|it| it == name));
    may_all && !linux.has("seccomp") && linux.texts("maskedPaths").is_empty()
}

fn process(process: &Fields<'_>, config: &mut ConfigV2, host: &mut HostConfig) {
    let mut words = process.texts("args").into_iter();
    config.path = words.next();
    config.arguments = words.collect();
    config.settings.environment = process.texts("env");
    config.settings.working_directory = process.text("cwd");
    config.settings.terminal = process.boolean("terminal").unwrap_or(false);
    let user = process.object("user");
    let id = |key: &str| user.integer(key).unwrap_or(0);
    let is_root = id("uid") == 0 && id("gid") == 0;
    config.settings.user = (!is_root).then(|| format!("{}:{}", id("uid"), id("gid")));
    config.confinement.no_new_privileges = process.boolean("noNewPrivileges").unwrap_or(false);
    config.confinement.apparmor = process.text("apparmorProfile");
    config.confinement.process_label = process.text("selinuxLabel");
    host.resources.oom_score_adjustment =
        process.integer("oomScoreAdj").filter(|score| *score != 0);
    if !host.privileged {
        let bounding = process.object("capabilities").texts("bounding");
        host.cap_add = bounding
            .into_iter()
            .filter(|name| !DEFAULT_CAPABILITIES.contains(&name.as_str()))
            .collect();
    }
}

/// What of the host is mounted.
fn mount(fields: &Fields<'_>) -> Option<MountPoint> {
    let (kind, source) = (fields.text("type"), fields.text("source")?);
    let options = fields.texts("options");
    let is_bind = kind.as_deref() == Some("bind")
        || options.iter().any(|option| matches!(option.as_str(), "bind" | "rbind"));
    if !is_bind {
        return None;
    }
    let volume = volume_of(&source);
    Some(MountPoint {
        kind: Some(if volume.is_some() { "volume" } else { "bind" }.to_owned()),
        destination: fields.text("destination").unwrap_or_default(),
        writable: !options.iter().any(|option| option == "ro"),
        volume,
        source: Some(source),
        subpath: None,
        driver: None,
        propagation: options
            .into_iter()
            .find(|option| PROPAGATIONS.contains(&option.as_str()))
            .filter(|option| option != "rprivate"),
    })
}

/// A secret or a config of Swarm: Docker mounts them from `containers/<id>/mounts/secrets/<secret>`.
fn secret(fields: &Fields<'_>) -> Option<String> {
    let source = fields.text("source")?;
    let (above, id) = source.rsplit_once('/')?;
    let destination = fields.text("destination").unwrap_or_default();
    above.ends_with("/mounts/secrets").then(|| format!("{id}:{destination}"))
}

/// Whether the source of a mount is what engines mount themselves: `hosts` and `resolv.conf` in the
/// directory of the container or of its sandbox, secrets of Swarm, files of the kubelet for a pod.
pub(super) fn is_of_engine(source: &str) -> bool {
    if source.contains("-containers/") && source.contains("/userdata/") {
        return true;
    }
    let parts: Vec<&str> = source.split('/').collect();
    let holder = |pair: &[&str]| match pair {
        ["containers" | "sandboxes", id] => is_id(id.as_bytes()),
        ["kubelet", "pods"] => true,
        _ => false,
    };
    parts.windows(2).any(holder)
}

/// The name of the volume that lies at `<data root>/volumes/<name>/_data`, of nerdctl at
/// `<data root>/<hash>/volumes/<namespace>/<name>/_data`.
fn volume_of(source: &str) -> Option<String> {
    let (above, name) = source.strip_suffix("/_data")?.rsplit_once('/')?;
    let namespace = || above.rsplit_once('/').is_some_and(|(above, _)| above.ends_with("/volumes"));
    (above.ends_with("/volumes") || namespace()).then(|| name.to_owned())
}

fn linux(linux: &Fields<'_>, config: &mut ConfigV2, host: &mut HostConfig) {
    if linux.is_empty() {
        return;
    }
    namespaces(linux, host);
    let resources = linux.object("resources");
    host.resources = limits(&resources, host.resources.oom_score_adjustment);
    host.sysctls = linux.object("sysctl").pairs();
    if host.privileged {
        return;
    }
    host.masked_paths = Some(linux.texts("maskedPaths"));
    host.readonly_paths = Some(linux.texts("readonlyPaths"));
    if !linux.has("seccomp") {
        config.confinement.seccomp = Some("unconfined".to_owned());
    }
    devices(linux, &resources, host);
}

/// The namespaces that are the host's are those that the list does not name.
fn namespaces(linux: &Fields<'_>, host: &mut HostConfig) {
    let listed = linux.objects("namespaces");
    if listed.is_empty() {
        return;
    }
    let mode = |kind: &str| {
        let found = listed.iter().find(|fields| fields.text("type").as_deref() == Some(kind));
        let Some(found) = found else { return Some("host".to_owned()) };
        let path = found.text("path").filter(|path| path.starts_with("/proc/"));
        path.map(|path| format!("ns:{path}"))
    };
    host.pid_mode = mode("pid");
    host.ipc_mode = mode("ipc");
    host.uts_mode = mode("uts");
    host.network_mode = mode("network");
    host.cgroupns_mode = mode("cgroup");
}

fn limits(resources: &Fields<'_>, oom_score_adjustment: Option<i64>) -> Resources {
    let (memory, cpu) = (resources.object("memory"), resources.object("cpu"));
    let limit = |from: &Fields<'_>, key: &str| from.integer(key).filter(|limit| *limit != 0);
    Resources {
        memory: limit(&memory, "limit"),
        memory_swap: limit(&memory, "swap"),
        cpu_shares: limit(&cpu, "shares"),
        cpu_quota: limit(&cpu, "quota"),
        cpuset: cpu.text("cpus"),
        pids: limit(&resources.object("pids"), "limit"),
        oom_score_adjustment,
        ..Resources::default()
    }
}

/// The devices, and rules that allow others than these.
fn devices(linux: &Fields<'_>, resources: &Fields<'_>, host: &mut HostConfig) {
    let listed = linux.objects("devices");
    let number = |fields: &Fields<'_>, key: &str| {
        fields.integer(key).map_or_else(|| "*".to_owned(), |number| number.to_string())
    };
    let numbers =
        |fields: &Fields<'_>| format!("{}:{}", number(fields, "major"), number(fields, "minor"));
    host.devices = listed
        .iter()
        .filter_map(|fields| fields.text("path"))
        .map(|path| Device {
            on_host: path.clone(),
            in_container: path,
            permissions: "rwm".to_owned(),
        })
        .collect();
    let named: std::collections::BTreeSet<String> = listed.iter().map(numbers).collect();
    let rules = resources.objects("devices");
    let allowed = rules.iter().filter(|rule| rule.boolean("allow") == Some(true));
    let is_told = |rule: &&Fields<'_>| {
        let numbers = numbers(rule);
        let by_default = DEFAULT_DEVICES.contains(&numbers.as_str());
        // Every container may make device nodes, which is not to use them.
        let only_made = rule.text("access").as_deref() == Some("m");
        !named.contains(&numbers) && !by_default && !only_made
    };
    host.device_cgroup_rules = allowed
        .filter(is_told)
        .map(|rule| {
            let kind = rule.text("type").unwrap_or_else(|| "a".to_owned());
            let access = rule.text("access").unwrap_or_default();
            format!("{kind} {} {access}", numbers(rule))
        })
        .collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::json::Wrong;
    use serde_json::{Value, json};

    fn spec_of(spec: &Value) -> RuntimeSpec {
        RuntimeSpec::read(&Fields::new(spec, &Wrong::default()), false)
    }

    fn read_json(spec: &Value) -> (ConfigV2, HostConfig) {
        let spec = spec_of(spec);
        (spec.config, spec.host_config)
    }

    fn plain() -> Value {
        json!({
            "process": {
                "user": {"uid": 0, "gid": 0}, "args": ["sleep", "5"], "cwd": "/",
                "capabilities": {"bounding": ["CAP_CHOWN", "CAP_NET_RAW"]},
            },
            "annotations": {"io.podman.annotations.privileged": "FALSE"},
            "linux": {
                "namespaces": [{"type": "pid"}, {"type": "network", "path": "/run/netns/x"},
                    {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "cgroup"}],
                "resources": {"devices": [{"allow": false, "access": "rwm"}]},
                "maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"],
                "seccomp": {"defaultAction": "SCMP_ACT_ERRNO"},
            },
        })
    }

    #[test]
    fn a_container_without_options_has_nothing_of_the_host() {
        let (config, host) = read_json(&plain());
        assert_eq!(config.command_line().as_deref(), Some("sleep 5"));
        assert_eq!(config.confinement.seccomp, None);
        let expected = HostConfig {
            masked_paths: Some(vec!["/proc/kcore".to_owned()]),
            readonly_paths: Some(vec!["/proc/sys".to_owned()]),
            ..HostConfig::default()
        };
        assert_eq!(host, expected);
    }

    #[test]
    fn what_is_not_listed_is_of_the_host() {
        let mut spec = plain();
        spec["linux"] =
            json!({"namespaces": [{"type": "mount"}, {"type": "ipc", "path": "/proc/7/ns/ipc"}]});
        let (config, host) = read_json(&spec);
        let host_mode = Some("host".to_owned());
        assert_eq!((&host.pid_mode, &host.network_mode), (&host_mode, &host_mode));
        assert_eq!(host.ipc_mode.as_deref(), Some("ns:/proc/7/ns/ipc"));
        assert_eq!(host.masked_paths, Some(vec![]));
        assert_eq!(config.confinement.seccomp.as_deref(), Some("unconfined"));
        assert_eq!(read_json(&json!({})), (ConfigV2::default(), HostConfig::default()));
    }

    #[test]
    fn devices_and_capabilities_are_those_that_were_asked_for() {
        let mut spec = plain();
        spec["process"]["capabilities"]["bounding"] = json!(["CAP_CHOWN", "CAP_SYS_ADMIN"]);
        spec["linux"]["devices"] =
            json!([{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229}]);
        spec["linux"]["resources"]["devices"] = json!([
            {"allow": false, "access": "rwm"},
            {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rwm"},
            {"allow": true, "type": "b", "access": "r"},
        ]);
        let (_, host) = read_json(&spec);
        assert_eq!(host.cap_add, ["CAP_SYS_ADMIN"]);
        assert_eq!(host.devices[0].on_host, "/dev/fuse");
        assert_eq!(host.device_cgroup_rules, ["b *:* r"]);
        spec["annotations"]["io.podman.annotations.privileged"] = json!("TRUE");
        let (_, host) = read_json(&spec);
        assert!(host.privileged && host.cap_add.is_empty() && host.devices.is_empty());
        assert_eq!(host.masked_paths, None);
    }

    #[test]
    fn mounts_are_those_of_the_user() {
        let own = "/run/containers/storage/overlay-containers/1/userdata/hosts";
        let spec = json!({"mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/etc/hosts", "type": "bind", "source": own, "options": ["bind"]},
            {"destination": "/host", "type": "bind", "source": "/", "options": ["ro", "rbind", "rshared"]},
            {"destination": "/data", "type": "bind", "source": "/s/volumes/pgdata/_data", "options": ["rbind"]},
            {"destination": "/n", "type": "bind", "source": "/n/1935db59/volumes/default/logs/_data", "options": ["rbind"]},
        ]});
        let (config, _) = read_json(&spec);
        let [root, data, logs] = config.mounts.as_slice() else { panic!("{:?}", config.mounts) };
        assert_eq!((root.source.as_deref(), root.writable), (Some("/"), false));
        assert_eq!(root.propagation.as_deref(), Some("rshared"));
        assert_eq!((data.volume.as_deref(), data.writable), (Some("pgdata"), true));
        assert_eq!(logs.volume.as_deref(), Some("logs"));
    }

    #[test]
    fn the_container_is_told_from_its_cgroup_or_its_root() {
        let id = "63022f3e033f38bdf0db5b1c32d242c8ab886f2b5f928a4bcd158dea9b311caa";
        let of = |value: Value| spec_of(&value).container_id().map(|id| id.to_string());
        let cgroup = |path: String| json!({"linux": {"cgroupsPath": path}});
        assert_eq!(of(cgroup(format!("/docker/{id}"))).as_deref(), Some(id));
        assert_eq!(of(cgroup(format!("system.slice:docker:{id}"))).as_deref(), Some(id));
        let pod = format!("kubepods-burstable-pod1.slice:cri-containerd:{id}");
        assert_eq!(of(cgroup(pod)).as_deref(), Some(id));
        let root = json!({"root": {"path": format!("/var/lib/docker/rootfs/overlayfs/{id}")}});
        assert_eq!(of(root).as_deref(), Some(id));
        assert_eq!(of(json!({"linux": {"cgroupsPath": "/default/web"}})), None);
    }

    #[test]
    fn privileges_are_what_is_there_and_what_is_missing() {
        let privileged = |capabilities: &[&str], linux: Value| {
            let process = json!({"capabilities": {"bounding": capabilities}});
            read_json(&json!({"process": process, "linux": linux})).1.privileged
        };
        let all = ["CAP_SYS_ADMIN", "CAP_SYS_MODULE"];
        assert!(privileged(&all, json!({})));
        assert!(!privileged(&all, json!({"seccomp": {}})));
        assert!(!privileged(&all, json!({"maskedPaths": ["/proc/kcore"]})));
        assert!(!privileged(&["CAP_CHOWN"], json!({})));
    }

    #[test]
    fn what_every_container_of_an_engine_has_is_not_told() {
        let mut spec = plain();
        spec["linux"]["resources"]["devices"] = json!([
            {"allow": false, "access": "rwm"},
            {"allow": true, "type": "c", "major": 1, "minor": 3, "access": "rwm"},
            {"allow": true, "type": "c", "major": 136, "access": "rwm"},
            {"allow": true, "type": "c", "access": "m"},
        ]);
        let id = "63022f3e033f38bdf0db5b1c32d242c8ab886f2b5f928a4bcd158dea9b311caa";
        let own = format!("/var/lib/docker/containers/{id}/hosts");
        let bind = |source: &str| json!({"destination": "/x", "type": "bind", "source": source, "options": ["rbind"]});
        let pod = "/var/lib/kubelet/pods/1/etc-hosts";
        let all = "/var/lib/docker/containers";
        let secret = format!("/var/lib/docker/containers/{id}/mounts/secrets/s1");
        spec["mounts"] = json!([bind(&own), bind(pod), bind(all), bind(&secret)]);
        assert_eq!(spec_of(&spec).secrets, ["s1:/x"]);
        let (config, host) = read_json(&spec);
        assert_eq!(host.device_cgroup_rules, [""; 0]);
        let mounts: Vec<_> = config.mounts.into_iter().map(|mount| mount.source).collect();
        assert_eq!(mounts, [Some(all.to_owned())]);
        let of_engine = spec_of(&spec).of_engine.into_iter().filter_map(|mount| mount.source);
        assert_eq!(of_engine.collect::<Vec<_>>(), [own.as_str(), pod, secret.as_str()]);
    }

    #[test]
    fn kubernetes_gives_no_seccomp_profile_unless_it_is_wanted() {
        let mut spec = plain();
        spec["linux"].as_object_mut().unwrap().remove("seccomp");
        assert_eq!(read_json(&spec).0.confinement.seccomp.as_deref(), Some("unconfined"));
        spec["annotations"]["io.kubernetes.cri.container-type"] = json!("container");
        assert_eq!(read_json(&spec).0.confinement.seccomp, None);
    }
}
