//! What containerd's plugin for Kubernetes keeps of a container or of the sandbox of a pod, as the
//! kubelet asked for it: an extension of its record in `meta.db`.
//!
//! | extension | of | holds |
//! |---|---|---|
//! | `io.cri-containerd.container.metadata` | a container | the kubelet's `ContainerConfig`, the path of the log |
//! | `io.cri-containerd.sandbox.metadata` | the container that holds a pod's namespaces | the kubelet's `PodSandboxConfig`, the pod's addresses |
//! | `metadata` | a sandbox, since containerd 1.7 | the same |
//!
//! A protobuf `Any` with JSON: `{"Version":"v1","Metadata":{…}}`, keys of containerd in Go's names, those
//! of the kubelet in the names of `cri-api`. Written when the thing is made; a sandbox's again when its
//! network is up. containerd 1.0 to 2.3 `internal/cri/store/{container,sandbox}/metadata.go` (`pkg/store`,
//! `pkg/cri/store` before), cri-api 0.36 `pkg/apis/runtime/v1/api.proto`.
//!
//! Settings are read into the words of [`RuntimeSpec`], whose own source is the specification beside the
//! extension: that one tells what the container got, this one what was asked for. Values of the
//! environment stand as they are written, which is base64 since cri-api 0.36.
//!
//! Not supported: limits of resources, which the specification has, user namespaces, and Windows.

use super::attributes::Attributes;
use super::config_v2::{ConfigV2, MountPoint};
use super::host_config::{Device, HostConfig};
use super::json::{self, Fields, Flaw, Wrong};
use super::protobuf;
use super::runtime_spec::{RuntimeSpec, is_of_engine};
use dockline_timeline::{Attribute, IssueKind};

/// The version that is known.
const VERSION: &str = "v1";
/// How far mounts made later spread, by number.
const PROPAGATIONS: [&str; 3] = ["private", "rslave", "rshared"];
const PROTOCOLS: [&str; 3] = ["tcp", "udp", "sctp"];
/// The mode of a namespace that is the host's, and of one that is another container's.
const OF_NODE: i64 = 2;
const OF_TARGET: i64 = 3;
/// The kinds of a security profile that is none, and of one in a file of the host.
const UNCONFINED: i64 = 1;
const LOCALHOST: i64 = 2;

/// Whether an extension of this name is read.
#[must_use]
pub fn is_known(name: &str) -> bool {
    let known = ["io.cri-containerd.container.metadata", "io.cri-containerd.sandbox.metadata"];
    known.contains(&name) || name == "metadata"
}

/// What the plugin keeps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CriMetadata {
    /// The name by which the plugin knows it: names, ids and attempts, joined by `_`.
    pub name: Option<String>,
    /// Of a container, the sandbox that it is in.
    pub sandbox: Option<String>,
    /// The pod's name.
    pub pod_name: Option<String>,
    /// The pod's namespace in Kubernetes.
    pub pod_namespace: Option<String>,
    /// The pod's id in Kubernetes.
    pub pod_uid: Option<String>,
    /// The container's name in its pod.
    pub container_name: Option<String>,
    /// How often it, or the sandbox, was made before.
    pub attempt: Option<i64>,
    /// The image that was asked for, as the user wrote it where that is known.
    pub image: Option<String>,
    /// The path of its log on the host.
    pub log_path: Option<String>,
    /// The directory of the logs of the pod.
    pub log_directory: Option<String>,
    /// All that is mounted.
    pub mounts: Vec<MountPoint>,
    /// Addresses of the pod, if it has a network of its own.
    pub addresses: Vec<String>,
    /// Where the network namespace of the pod was.
    pub network_namespace: Option<String>,
    /// The runtime that the pod asked for.
    pub runtime_handler: Option<String>,
    /// Whether the pod has privileged containers.
    pub privileged_pod: bool,
    /// `key=value`.
    pub annotations: Vec<String>,
    /// The settings that were asked for.
    pub asked: RuntimeSpec,
}

impl CriMetadata {
    /// Reads an extension; what is wrong in it costs only itself.
    ///
    /// # Errors
    /// In which way it cannot be read, in words.
    pub fn read(any: &[u8]) -> Result<(CriMetadata, Vec<Flaw>), (IssueKind, String)> {
        let value = protobuf::last(any, 2).and_then(protobuf::Value::bytes);
        let value = value
            .ok_or_else(|| (IssueKind::Malformed, "no protobuf Any with a value".to_owned()))?;
        let document = json::read(value).map_err(|flaw| (flaw.kind, flaw.what))?;
        let wrong = Wrong::default();
        let fields = Fields::new(&document.value, &wrong);
        let version = fields.text("Version");
        if version.as_deref() != Some(VERSION) {
            let what = format!("metadata of version {:?}", version.unwrap_or_default());
            return Err((IssueKind::Unsupported, what));
        }
        let found = CriMetadata::of(&fields.object("Metadata"));
        Ok((found, wrong.into_flaws()))
    }

    fn of(fields: &Fields<'_>) -> CriMetadata {
        let config = fields.object("Config");
        let is_container = fields.has("SandboxID") || config.has("image");
        let named = config.object("metadata");
        let mut found = CriMetadata {
            name: fields.text("Name"),
            attempt: named.integer("attempt"),
            annotations: config.object("annotations").pairs(),
            mounts: config.objects("mounts").iter().map(mount).collect(),
            ..CriMetadata::default()
        };
        let linux = config.object("linux");
        let security = linux.object("security_context");
        process(&config, &security, &mut found.asked.config);
        host(&config, &linux, &mut found.asked.host_config);
        let binds = found.mounts.iter().filter(|mount| mount.kind.as_deref() == Some("bind"));
        (found.asked.of_engine, found.asked.config.mounts) =
            binds.cloned().partition(|mount| mount.source.as_deref().is_some_and(is_of_engine));
        match is_container {
            true => found.add_container(fields, &config),
            false => found.add_sandbox(fields, &config),
        }
        found
    }

    fn add_container(&mut self, fields: &Fields<'_>, config: &Fields<'_>) {
        let image = config.object("image");
        self.sandbox = fields.text("SandboxID");
        self.container_name = config.object("metadata").text("name");
        self.image = image.text("user_specified_image").or_else(|| image.text("image"));
        self.log_path = fields.text("LogPath");
        self.asked.config.settings.stop_signal = fields.text("StopSignal");
    }

    fn add_sandbox(&mut self, fields: &Fields<'_>, config: &Fields<'_>) {
        let named = config.object("metadata");
        self.pod_name = named.text("name");
        self.pod_namespace = named.text("namespace");
        self.pod_uid = named.text("uid");
        self.log_directory = config.text("log_directory");
        self.addresses = fields.text("IP").into_iter().collect();
        self.addresses.extend(fields.texts("AdditionalIPs"));
        self.network_namespace = fields.text("NetNSPath");
        self.runtime_handler = fields.text("RuntimeHandler");
        // The sandbox itself is never privileged.
        self.privileged_pod = std::mem::take(&mut self.asked.host_config.privileged);
    }

    /// The specification with what it leaves to the sandbox: a container joins the namespaces of that
    /// one, which are the host's where the kubelet asked for these. Without one, what was asked for.
    #[must_use]
    pub fn completed(&self, spec: Option<RuntimeSpec>) -> RuntimeSpec {
        let Some(mut spec) = spec else { return self.asked.clone() };
        let (asked, own) = (&self.asked.host_config, &mut spec.host_config);
        let modes = [
            (&asked.network_mode, &mut own.network_mode),
            (&asked.pid_mode, &mut own.pid_mode),
            (&asked.ipc_mode, &mut own.ipc_mode),
        ];
        for (asked, own) in modes {
            if asked.as_deref() == Some("host") {
                own.clone_from(asked);
            }
        }
        spec
    }

    /// What only the plugin knows, as attributes.
    #[must_use]
    pub fn attributes(&self) -> Vec<Attribute<'_>> {
        let mut all = Attributes::default();
        all.text("cri_name", self.name.as_deref());
        all.text("sandbox_identifier", self.sandbox.as_deref());
        all.text("pod_name", self.pod_name.as_deref());
        all.text("pod_namespace", self.pod_namespace.as_deref());
        all.text("pod_uid", self.pod_uid.as_deref());
        all.text("pod_container", self.container_name.as_deref());
        all.integer("attempt", self.attempt);
        all.text("image_requested", self.image.as_deref());
        all.text("log_path", self.log_path.as_deref());
        all.text("log_directory", self.log_directory.as_deref());
        all.list("pod_mounts", self.mounts.iter().map(described).collect());
        all.texts("pod_addresses", &self.addresses);
        all.text("network_namespace", self.network_namespace.as_deref());
        all.text("runtime_handler", self.runtime_handler.as_deref());
        all.flag("privileged_pod", self.privileged_pod);
        all.texts("pod_annotations", &self.annotations);
        all.into_vec()
    }

    /// The settings that were asked for, as attributes.
    #[must_use]
    pub fn settings(&self) -> Vec<Attribute<'_>> {
        let mut all = self.asked.config.runtime_attributes();
        all.extend(self.asked.host_config.attributes());
        all
    }
}

fn process(config: &Fields<'_>, security: &Fields<'_>, asked: &mut ConfigV2) {
    let settings = &mut asked.settings;
    settings.entrypoint = config.texts("command");
    settings.command = config.texts("args");
    settings.working_directory = config.text("working_dir");
    settings.hostname = config.text("hostname");
    settings.terminal = config.boolean("tty").unwrap_or(false);
    let pair = |env: &Fields<'_>| {
        let value = env.text("value").unwrap_or_default();
        Some(format!("{}={value}", env.text("key")?))
    };
    settings.environment = config.objects("envs").iter().filter_map(pair).collect();
    settings.user = user(security);
    // Without a command of the pod's the image has one, which is not told here.
    let mut words = settings.entrypoint.iter().chain(&settings.command).cloned();
    if !settings.entrypoint.is_empty() {
        asked.path = words.next();
        asked.arguments = words.collect();
    }
    let confinement = &mut asked.confinement;
    confinement.no_new_privileges = security.boolean("no_new_privs").unwrap_or(false);
    confinement.seccomp = profile(security, ("seccomp", "seccomp_profile_path"));
    confinement.apparmor = profile(security, ("apparmor", "apparmor_profile"));
}

/// The user, and perhaps the group, that was asked for.
fn user(security: &Fields<'_>) -> Option<String> {
    let id = |key: &str| {
        let id = security.object(key);
        // Zero is left out, as every zero is.
        security.has(key).then(|| id.integer("value").unwrap_or(0).to_string())
    };
    let user = security.text("run_as_username").or_else(|| id("run_as_user"))?;
    Some(match id("run_as_group") {
        Some(group) => format!("{user}:{group}"),
        None => user,
    })
}

/// A profile that is not the runtime's own, with the key that it had before kubelets of 1.19.
fn profile(security: &Fields<'_>, (key, before): (&str, &str)) -> Option<String> {
    let profile = security.object(key);
    match profile.integer("profile_type") {
        Some(UNCONFINED) => Some("unconfined".to_owned()),
        Some(LOCALHOST) => profile.text("localhost_ref"),
        _ => security.text(before).filter(|name| name != "runtime/default"),
    }
}

fn host(config: &Fields<'_>, linux: &Fields<'_>, asked: &mut HostConfig) {
    let security = linux.object("security_context");
    asked.privileged = security.boolean("privileged").unwrap_or(false);
    asked.readonly_root = security.boolean("readonly_rootfs").unwrap_or(false);
    let capabilities = security.object("capabilities");
    asked.cap_add = capabilities.texts("add_capabilities");
    asked.cap_drop = capabilities.texts("drop_capabilities");
    let namespaces = security.object("namespace_options");
    let mode = |key: &str| match namespaces.integer(key) {
        Some(OF_NODE) => Some("host".to_owned()),
        Some(OF_TARGET) => Some(format!("container:{}", namespaces.text("target_id")?)),
        _ => None,
    };
    asked.network_mode = mode("network");
    asked.pid_mode = mode("pid");
    asked.ipc_mode = mode("ipc");
    asked.cgroup_parent = linux.text("cgroup_parent");
    asked.sysctls = linux.object("sysctls").pairs();
    let device = |fields: &Fields<'_>| Device {
        on_host: fields.text("host_path").unwrap_or_default(),
        in_container: fields.text("container_path").unwrap_or_default(),
        permissions: fields.text("permissions").unwrap_or_default(),
    };
    asked.devices = config.objects("devices").iter().map(device).collect();
    let dns = config.object("dns_config");
    asked.dns = dns.texts("servers");
    asked.dns_search = dns.texts("searches");
    asked.port_bindings = config.objects("port_mappings").iter().filter_map(port).collect();
}

/// A port of the host that leads to one of the pod: `127.0.0.1:8080->80/tcp`.
fn port(fields: &Fields<'_>) -> Option<String> {
    let on_host = fields.integer("host_port").filter(|port| *port != 0)?;
    let address = fields.text("host_ip").unwrap_or_else(|| "0.0.0.0".to_owned());
    let protocol = name_of(&PROTOCOLS, fields.integer("protocol"));
    let port = fields.integer("container_port").unwrap_or_default();
    Some(format!("{address}:{on_host}->{port}/{protocol}"))
}

fn mount(fields: &Fields<'_>) -> MountPoint {
    let image = fields.object("image").text("image");
    let propagation = fields.integer("propagation").filter(|number| *number != 0);
    MountPoint {
        kind: Some(if image.is_some() { "image" } else { "bind" }.to_owned()),
        source: fields.text("host_path").or(image),
        destination: fields.text("container_path").unwrap_or_default(),
        writable: !fields.boolean("readonly").unwrap_or(false),
        propagation: propagation.map(|number| name_of(&PROPAGATIONS, Some(number))),
        ..MountPoint::default()
    }
}

/// The name of a number, which is the first when it is left out.
fn name_of(names: &[&str], number: Option<i64>) -> String {
    let at = usize::try_from(number.unwrap_or(0)).ok();
    let name = at.and_then(|at| names.get(at)).map(|name| (*name).to_owned());
    name.unwrap_or_else(|| number.unwrap_or(0).to_string())
}

/// `/srv/shop:/var/spool/shop:rw rslave`.
fn described(mount: &MountPoint) -> String {
    let access = if mount.writable { "rw" } else { "ro" };
    let source = mount.source.as_deref().unwrap_or_default();
    let spread = mount.propagation.as_ref().map(|words| format!(" {words}"));
    format!("{source}:{}:{access}{}", mount.destination, spread.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// An `Any` as protobuf writes it.
    fn any(value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(value.len()).unwrap();
        let (low, high) = ((length & 127) as u8 | 128, (length >> 7) as u8);
        [b"\x0a\x01x\x12".as_slice(), &[low, high], value].concat()
    }

    fn read(metadata: &Value) -> CriMetadata {
        let text = json!({"Version": "v1", "Metadata": metadata}).to_string();
        let (found, flaws) = CriMetadata::read(&any(text.as_bytes())).unwrap();
        assert_eq!(flaws, []);
        found
    }

    fn container(security: &Value) -> CriMetadata {
        let linux = json!({"security_context": security});
        read(&json!({"SandboxID": "s", "Config": {"linux": linux}}))
    }

    #[test]
    fn a_security_context_is_read_into_the_words_of_the_settings() {
        let found = container(&json!({
            "privileged": true, "readonly_rootfs": true, "no_new_privs": true,
            "capabilities": {"add_capabilities": ["NET_ADMIN"], "drop_capabilities": ["ALL"]},
            "namespace_options": {"network": 2, "pid": 3, "ipc": 1, "target_id": "abc"},
            "seccomp": {"profile_type": 1},
            "apparmor": {"profile_type": 2, "localhost_ref": "mine"},
        }));
        let (config, host) = (found.asked.config, found.asked.host_config);
        assert!(host.privileged && host.readonly_root && config.confinement.no_new_privileges);
        assert_eq!((host.cap_add, host.cap_drop), (vec!["NET_ADMIN".into()], vec!["ALL".into()]));
        assert_eq!(host.network_mode.as_deref(), Some("host"));
        assert_eq!((host.pid_mode.as_deref(), host.ipc_mode), (Some("container:abc"), None));
        assert_eq!(config.confinement.seccomp.as_deref(), Some("unconfined"));
        assert_eq!(config.confinement.apparmor.as_deref(), Some("mine"));
    }

    #[test]
    fn a_container_in_the_namespaces_of_its_sandbox_is_in_those_of_the_host() {
        let found = container(&json!({"namespace_options": {"network": 2, "pid": 1}}));
        let mut spec = RuntimeSpec::default();
        spec.host_config.network_mode = Some("ns:/proc/7/ns/net".to_owned());
        spec.host_config.pid_mode = Some("ns:/proc/7/ns/pid".to_owned());
        let host = found.completed(Some(spec.clone())).host_config;
        assert_eq!(host.network_mode.as_deref(), Some("host"));
        assert_eq!(host.pid_mode, spec.host_config.pid_mode);
        assert_eq!(found.completed(None), found.asked);
    }

    #[test]
    fn a_user_is_a_name_or_a_number_and_zero_is_left_out() {
        let user = |security: Value| container(&security).asked.config.settings.user;
        assert_eq!(user(json!({"run_as_user": {}})).as_deref(), Some("0"));
        let both = json!({"run_as_user": {"value": 7}, "run_as_group": {"value": 8}});
        assert_eq!(user(both).as_deref(), Some("7:8"));
        assert_eq!(user(json!({"run_as_username": "web"})).as_deref(), Some("web"));
        assert_eq!(user(json!({"run_as_group": {"value": 8}})), None);
    }

    #[test]
    fn all_mounts_are_told_and_those_of_the_host_are_settings() {
        let found = read(&json!({"SandboxID": "s", "Config": {"mounts": [
            {"container_path": "/a", "host_path": "/srv/a", "readonly": true, "propagation": 2},
            {"container_path": "/b", "host_path": "/var/lib/kubelet/pods/1/volumes/p/b"},
            {"container_path": "/c", "image": {"image": "tools:1"}},
        ]}}));
        let told: Vec<String> = found.mounts.iter().map(described).collect();
        let kubelet = "/var/lib/kubelet/pods/1/volumes/p/b:/b:rw";
        assert_eq!(told, ["/srv/a:/a:ro rshared", kubelet, "tools:1:/c:rw"]);
        assert_eq!(found.asked.config.mounts, found.mounts.get(..1).unwrap());
    }

    #[test]
    fn ports_of_the_host_are_told_with_their_protocol() {
        let found = read(&json!({"Config": {"port_mappings": [
            {"container_port": 53, "host_port": 5353, "protocol": 1, "host_ip": "10.0.0.1"},
            {"container_port": 80},
        ]}}));
        assert_eq!(found.asked.host_config.port_bindings, ["10.0.0.1:5353->53/udp"]);
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        let wrong = |value: &[u8]| CriMetadata::read(value).unwrap_err();
        let (kind, what) = wrong(&any(br#"{"Version":"v2","Metadata":{}}"#));
        assert_eq!((kind, what.as_str()), (IssueKind::Unsupported, r#"metadata of version "v2""#));
        assert_eq!(wrong(b"").0, IssueKind::Malformed);
        assert_eq!(wrong(&any(b"\x0a\x00")).0, IssueKind::Malformed);
        let value = any(br#"{"Version":"v1","Metadata":{"LogPath":{},"Config":[]}}"#);
        assert_eq!(CriMetadata::read(&value).unwrap().1.len(), 1, "only what is asked for");
    }
}
