//! What a record of containerd says of what its runtime was told: the runtime configuration of OCI.
//!
//! Docker makes it anew at each start; CRI and nerdctl once. What is told is what stands there,
//! since no settings of a user are known beside it; [`super::runtime_spec`] reads the same into the
//! words of Docker's settings, for engines that keep those too. After OCI's runtime-spec 1.3
//! `config.md`, `config-linux.md`. Not supported: containers of Windows and virtual machines.

use super::attributes::Attributes;
use super::json::{Fields, Wrong};
use super::secrets::names_of_secrets;
use crate::ContainerId;
use crate::container_id::is_id;
use crate::formats::config_v2::quoted;
use crate::formats::host_config::HostConfig;
use dockline_timeline::Event;
use serde_json::Value;
use std::borrow::Cow;

/// Lists of one container are told up to so many items.
const ITEM_LIMIT: usize = 256;
/// Namespaces that a container has of its own unless somebody wants otherwise.
const OWN_NAMESPACES: [&str; 5] = ["pid", "network", "ipc", "uts", "mount"];

/// The runtime configuration of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuntimeSpec {
    /// The command with its arguments.
    pub arguments: Vec<String>,
    /// `NAME=value`.
    pub environment: Vec<String>,
    /// Working directory.
    pub working_directory: Option<String>,
    /// `uid:gid`.
    pub user: Option<String>,
    /// Whether it has a terminal.
    pub terminal: bool,
    /// Host name.
    pub hostname: Option<String>,
    /// The directory that is its root.
    pub root: Option<String>,
    /// Whether it can write to that.
    pub readonly_root: bool,
    /// Directories and files of the host in it: `source:destination:options`.
    pub binds: Vec<String>,
    /// What it may do, as `CAP_…`.
    pub capabilities: Vec<String>,
    /// Devices of the host.
    pub devices: Vec<String>,
    /// Namespaces of the host that it shares.
    pub host_namespaces: Vec<String>,
    /// Its cgroup.
    pub cgroup: Option<String>,
    /// Profile of AppArmor.
    pub apparmor_profile: Option<String>,
    /// Whether system calls are filtered.
    pub seccomp: bool,
    /// Whether paths of `/proc` and `/sys` are hidden.
    pub masked_paths: bool,
    /// `name=value`.
    pub annotations: Vec<String>,
}

impl RuntimeSpec {
    /// Reads the configuration; what is wrong in it costs only itself.
    #[must_use]
    pub fn read(document: &Value, wrong: &Wrong) -> RuntimeSpec {
        let fields = Fields::new(document, wrong);
        let (process, linux) = (fields.object("process"), fields.object("linux"));
        let (root, user) = (fields.object("root"), process.object("user"));
        let id = |key: &str| user.integer(key).unwrap_or_default();
        RuntimeSpec {
            arguments: process.texts("args"),
            environment: process.texts("env"),
            working_directory: process.text("cwd"),
            user: user.has("uid").then(|| format!("{}:{}", id("uid"), id("gid"))),
            terminal: process.boolean("terminal").unwrap_or(false),
            hostname: fields.text("hostname"),
            root: root.text("path"),
            readonly_root: root.boolean("readonly").unwrap_or(false),
            binds: fields.objects("mounts").iter().filter_map(bind).take(ITEM_LIMIT).collect(),
            capabilities: process.object("capabilities").texts("bounding"),
            devices: devices(&linux),
            host_namespaces: host_namespaces(&linux),
            cgroup: linux.text("cgroupsPath"),
            apparmor_profile: process.text("apparmorProfile"),
            seccomp: linux.has("seccomp"),
            masked_paths: !linux.texts("maskedPaths").is_empty(),
            annotations: fields.object("annotations").pairs(),
        }
    }

    /// Whether it was given everything: all that `--privileged` gives, however it came by it.
    #[must_use]
    pub fn is_privileged(&self) -> bool {
        let administrator = self.capabilities.iter().any(|name| name == "CAP_SYS_ADMIN");
        let modules = self.capabilities.iter().any(|name| name == "CAP_SYS_MODULE");
        administrator && modules && !self.seccomp && !self.masked_paths
    }

    /// The command, quoted as a shell would need it.
    #[must_use]
    pub fn command_line(&self) -> Option<String> {
        let words: Vec<String> = self.arguments.iter().map(|word| quoted(word)).collect();
        (!words.is_empty()).then(|| words.join(" "))
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

    /// The settings as an engine's user would have given them, for what judges their risks.
    #[must_use]
    pub fn as_host_config(&self) -> HostConfig {
        let host = |namespace: &str| {
            let shared = self.host_namespaces.iter().any(|name| name == namespace);
            shared.then(|| "host".to_owned())
        };
        HostConfig {
            privileged: self.is_privileged(),
            binds: self.binds.iter().filter(|bind| !is_of_engine(bind)).cloned().collect(),
            cap_add: if self.is_privileged() { Vec::new() } else { self.capabilities.clone() },
            pid_mode: host("pid"),
            network_mode: host("network"),
            ipc_mode: host("ipc"),
            uts_mode: host("uts"),
            readonly_root: self.readonly_root,
            ..HostConfig::default()
        }
    }

    /// Says what the container runs and what it may do.
    pub fn describe<'a>(&'a self, command_line: &'a Option<String>, event: &mut Event<'a>) {
        event.command_line = command_line.as_deref();
        event.user = self.user.as_deref();
        let secrets = names_of_secrets(&self.environment);
        event.tags.extend((!secrets.is_empty()).then_some(Cow::Borrowed("possible-secret")));
        let mut all = Attributes::default();
        all.texts("environment", &self.environment);
        all.list("possible_secrets", secrets);
        all.text("working_directory", self.working_directory.as_deref());
        all.flag("terminal", self.terminal);
        all.text("container_hostname", self.hostname.as_deref());
        all.texts("binds", &self.binds);
        all.flag("privileged", self.is_privileged());
        all.texts("capabilities", &self.capabilities);
        all.texts("devices", &self.devices);
        all.texts("host_namespaces", &self.host_namespaces);
        all.text("cgroup_path", self.cgroup.as_deref());
        all.text("apparmor_profile", self.apparmor_profile.as_deref());
        all.flag("readonly_root", self.readonly_root);
        all.texts("annotations", &self.annotations);
        event.attributes.extend(all.into_vec());
    }
}

/// A mount of something of the host: runtimes mount `proc`, `tmpfs` and the like as well.
fn bind(mount: &Fields<'_>) -> Option<String> {
    let options = mount.texts("options");
    let is_bind = mount.text("type").as_deref() == Some("bind")
        || options.iter().any(|option| option == "bind" || option == "rbind");
    let (source, destination) = (mount.text("source")?, mount.text("destination")?);
    is_bind.then(|| format!("{source}:{destination}:{}", options.join(",")))
}

/// Whether a bind is one that engines make themselves: `hosts` and `resolv.conf` in the directory of
/// the container or of its sandbox, secrets of Swarm, files of the kubelet for a pod.
fn is_of_engine(bind: &str) -> bool {
    let source = bind.split(':').next().unwrap_or(bind);
    let parts: Vec<&str> = source.split('/').collect();
    let holder = |pair: &[&str]| match pair {
        ["containers" | "sandboxes", id] => is_id(id.as_bytes()),
        ["kubelet", "pods"] => true,
        _ => false,
    };
    parts.windows(2).any(holder)
}

fn devices(linux: &Fields<'_>) -> Vec<String> {
    let devices = linux.objects("devices");
    devices.iter().filter_map(|device| device.text("path")).take(ITEM_LIMIT).collect()
}

/// Namespaces that are not listed, or are those of somebody else by path. A configuration without
/// any list is not one of Linux.
fn host_namespaces(linux: &Fields<'_>) -> Vec<String> {
    let own: Vec<String> =
        linux.objects("namespaces").iter().filter_map(|one| one.text("type")).collect();
    if own.is_empty() {
        return Vec::new();
    }
    let shared = OWN_NAMESPACES.iter().filter(|name| !own.iter().any(|own| own == *name));
    shared.map(|name| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &Value) -> RuntimeSpec {
        RuntimeSpec::read(value, &Wrong::default())
    }

    #[test]
    fn the_container_is_told_from_its_cgroup_or_its_root() {
        let id = "63022f3e033f38bdf0db5b1c32d242c8ab886f2b5f928a4bcd158dea9b311caa";
        let of = |value: Value| read(&value).container_id().map(|id| id.to_string());
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
        let spec = |capabilities: &[&str], linux: Value| {
            let process = json!({"capabilities": {"bounding": capabilities}});
            read(&json!({"process": process, "linux": linux}))
        };
        let all = ["CAP_SYS_ADMIN", "CAP_SYS_MODULE"];
        assert!(spec(&all, json!({})).is_privileged());
        assert!(!spec(&all, json!({"seccomp": {}})).is_privileged());
        assert!(!spec(&all, json!({"maskedPaths": ["/proc/kcore"]})).is_privileged());
        assert!(!spec(&["CAP_CHOWN"], json!({})).is_privileged());
        let namespaces = json!({"namespaces": [{"type": "mount"}, {"type": "ipc"}]});
        assert_eq!(spec(&[], namespaces).host_namespaces, ["pid", "network", "uts"]);
        assert_eq!(spec(&[], json!({})).host_namespaces, [""; 0]);
    }

    #[test]
    fn what_the_engine_mounts_itself_is_no_risk() {
        let id = "63022f3e033f38bdf0db5b1c32d242c8ab886f2b5f928a4bcd158dea9b311caa";
        let own = format!("/var/lib/docker/containers/{id}/hosts:/etc/hosts:rbind");
        let pod = "/var/lib/kubelet/pods/1/etc-hosts:/etc/hosts:rbind".to_owned();
        let all = "/var/lib/docker/containers:/c:rbind".to_owned();
        let spec = RuntimeSpec { binds: vec![own, pod, all.clone()], ..RuntimeSpec::default() };
        assert_eq!(spec.as_host_config().binds, [all]);
    }

    #[test]
    fn only_what_is_of_the_host_is_a_bind() {
        let mounts = json!([
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/data", "type": "bind", "source": "/srv", "options": ["rbind", "ro"]},
            {"destination": "/x", "source": "/y", "options": ["rbind"]},
        ]);
        let spec = read(&json!({"mounts": mounts}));
        assert_eq!(spec.binds, ["/srv:/data:rbind,ro", "/y:/x:rbind"]);
    }
}
