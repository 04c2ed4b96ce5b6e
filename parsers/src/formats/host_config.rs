//! `hostconfig.json`: what a container was allowed to have of its host.
//!
//! moby `api/types/container/hostconfig.go`. It is written together with `config.v2.json`, holds no
//! time, and begins with `{"Binds":`.

mod attributes;

use super::config_v2::published_ports;
use super::json::{Fields, Flaw, Wrong};
use serde_json::Value;

/// What a container was allowed to have of its host; what is absent, null or of a wrong type is
/// `None`, empty or `false`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostConfig {
    /// `source:destination[:options]`.
    pub binds: Vec<String>,
    /// Mounts that were asked for with `--mount`.
    pub mounts: Vec<MountRequest>,
    /// Containers whose volumes it inherits: `id[:mode]`.
    pub volumes_from: Vec<String>,
    /// Temporary file systems, as `path=options`.
    pub tmpfs: Vec<String>,
    /// Log driver.
    pub log_driver: Option<String>,
    /// Options of the log driver, as `key=value`.
    pub log_options: Vec<String>,
    /// `default`, `bridge`, `host`, `none`, `container:<id>`, or a network.
    pub network_mode: Option<String>,
    /// Ports to publish: `127.0.0.1:8080->80/tcp`.
    pub port_bindings: Vec<String>,
    /// Whether all exposed ports are to be published.
    pub publish_all_ports: bool,
    /// `no`, `always`, `unless-stopped`, `on-failure`; empty as the classic builder leaves it.
    pub restart_policy: Option<String>,
    /// Restarts that `on-failure` allows.
    pub restart_limit: Option<i64>,
    /// Whether it is removed when it ends.
    pub auto_remove: bool,
    /// Whether it has all capabilities and devices, and no confinement.
    pub privileged: bool,
    /// Capabilities added.
    pub cap_add: Vec<String>,
    /// Capabilities dropped.
    pub cap_drop: Vec<String>,
    /// Devices of the host.
    pub devices: Vec<Device>,
    /// Rules of the device cgroup: `c 1:1 rwm`.
    pub device_cgroup_rules: Vec<String>,
    /// Devices asked for by kind, such as `gpu`.
    pub device_requests: Vec<String>,
    /// `seccomp=unconfined`, `label=disable`.
    pub security_options: Vec<String>,
    /// Process ids: `host`, `container:<id>`.
    pub pid_mode: Option<String>,
    /// Shared memory: `host`, `private`, `shareable`, `container:<id>`.
    pub ipc_mode: Option<String>,
    /// Host name: `host`.
    pub uts_mode: Option<String>,
    /// User ids: `host`.
    pub userns_mode: Option<String>,
    /// cgroups: `host`, `private`.
    pub cgroupns_mode: Option<String>,
    /// Parent cgroup.
    pub cgroup_parent: Option<String>,
    /// Paths of the kernel that are hidden; `None` when the file has no list.
    pub masked_paths: Option<Vec<String>>,
    /// Paths of the kernel that are read-only; `None` when the file has no list.
    pub readonly_paths: Option<Vec<String>>,
    /// Whether the root file system is read-only.
    pub readonly_root: bool,
    /// OCI runtime.
    pub runtime: Option<String>,
    /// Kernel settings, as `key=value`.
    pub sysctls: Vec<String>,
    /// Additional names: `name:address`.
    pub extra_hosts: Vec<String>,
    /// Name servers.
    pub dns: Vec<String>,
    /// Domains to search.
    pub dns_search: Vec<String>,
    /// Additional groups.
    pub groups: Vec<String>,
    /// Links to other containers.
    pub links: Vec<String>,
    /// Annotations for the runtime, as `key=value`.
    pub annotations: Vec<String>,
    /// Options of the storage driver, as `key=value`.
    pub storage_options: Vec<String>,
    /// Limits of processes: `nofile=123:456`.
    pub ulimits: Vec<String>,
    /// Limits of resources.
    pub resources: Resources,
}

/// Limits of resources; absent when there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Memory in bytes.
    pub memory: Option<i64>,
    /// Memory and swap in bytes; -1 is no limit.
    pub memory_swap: Option<i64>,
    /// Billionths of a processor.
    pub nano_cpus: Option<i64>,
    /// Weight among containers.
    pub cpu_shares: Option<i64>,
    /// Microseconds of processor time in a period.
    pub cpu_quota: Option<i64>,
    /// Processors that it may run on.
    pub cpuset: Option<String>,
    /// Number of processes; -1 is no limit.
    pub pids: Option<i64>,
    /// Added to its score when the kernel looks for somebody to kill.
    pub oom_score_adjustment: Option<i64>,
    /// Size of its shared memory in bytes.
    pub shared_memory: Option<i64>,
}

/// A mount that was asked for with `--mount`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MountRequest {
    /// `bind`, `volume`, `tmpfs`, `image`, `npipe`.
    pub kind: String,
    /// Path on the host, or name of a volume.
    pub source: Option<String>,
    /// Path in the container.
    pub target: String,
    /// Whether the container cannot write to it.
    pub read_only: bool,
    /// How mounts made below it spread.
    pub propagation: Option<String>,
    /// Options of the volume's driver.
    pub volume_options: Option<VolumeOptions>,
}

/// Options of a volume of the driver `local`: what is mounted where the volume is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeOptions {
    /// Type of the file system.
    pub kind: Option<String>,
    /// Options of the mount, joined by commas.
    pub options: Option<String>,
    /// What is mounted.
    pub device: Option<String>,
}

/// A device of the host in the container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Path on the host.
    pub on_host: String,
    /// Path in the container.
    pub in_container: String,
    /// What may be done with it: `rwm`.
    pub permissions: String,
}

impl HostConfig {
    /// Reads the fields of a document, and which of them hold something unexpected.
    #[must_use]
    pub fn from_json(document: &Value) -> (HostConfig, Vec<Flaw>) {
        let wrong = Wrong::default();
        let mut config = HostConfig::default();
        let fields = Fields::new(document, &wrong);
        config.read_mounts(&fields);
        config.read_network(&fields);
        config.read_lifecycle(&fields);
        config.read_privileges(&fields);
        config.read_namespaces(&fields);
        config.resources = resources(&fields);
        (config, wrong.into_flaws())
    }

    fn read_mounts(&mut self, fields: &Fields<'_>) {
        self.binds = fields.texts("Binds");
        self.mounts = fields.objects("Mounts").iter().map(mount_request).collect();
        self.volumes_from = fields.texts("VolumesFrom");
        self.tmpfs = fields.object("Tmpfs").pairs();
        self.readonly_root = flag(fields, "ReadonlyRootfs");
        self.storage_options = fields.object("StorageOpt").pairs();
    }

    fn read_network(&mut self, fields: &Fields<'_>) {
        self.network_mode = fields.text("NetworkMode");
        self.port_bindings = published_ports(&fields.object("PortBindings"));
        self.publish_all_ports = flag(fields, "PublishAllPorts");
        self.extra_hosts = fields.texts("ExtraHosts");
        self.dns = fields.texts("Dns");
        self.dns_search = fields.texts("DnsSearch");
        self.links = fields.texts("Links");
    }

    fn read_lifecycle(&mut self, fields: &Fields<'_>) {
        let policy = fields.object("RestartPolicy");
        self.restart_policy = policy.text("Name");
        self.restart_limit = policy.integer("MaximumRetryCount").filter(|limit| *limit != 0);
        self.auto_remove = flag(fields, "AutoRemove");
        let log = fields.object("LogConfig");
        self.log_driver = log.text("Type");
        self.log_options = log.object("Config").pairs();
        self.runtime = fields.text("Runtime");
        self.annotations = fields.object("Annotations").pairs();
    }

    fn read_privileges(&mut self, fields: &Fields<'_>) {
        self.privileged = flag(fields, "Privileged");
        self.cap_add = fields.texts("CapAdd");
        self.cap_drop = fields.texts("CapDrop");
        self.devices = fields.objects("Devices").iter().map(device).collect();
        self.device_cgroup_rules = fields.texts("DeviceCgroupRules");
        self.device_requests =
            fields.objects("DeviceRequests").iter().map(device_request).collect();
        self.security_options = fields.texts("SecurityOpt");
        let paths = |key: &str| fields.has(key).then(|| fields.texts(key));
        self.masked_paths = paths("MaskedPaths");
        self.readonly_paths = paths("ReadonlyPaths");
        self.groups = fields.texts("GroupAdd");
        self.sysctls = fields.object("Sysctls").pairs();
        self.ulimits = fields.objects("Ulimits").iter().map(ulimit).collect();
    }

    fn read_namespaces(&mut self, fields: &Fields<'_>) {
        self.pid_mode = fields.text("PidMode");
        self.ipc_mode = fields.text("IpcMode");
        self.uts_mode = fields.text("UTSMode");
        self.userns_mode = fields.text("UsernsMode");
        self.cgroupns_mode = fields.text("CgroupnsMode");
        self.cgroup_parent = fields.text("CgroupParent");
    }
}

impl VolumeOptions {
    /// Reads `volumes/<name>/opts.json`, which the driver `local` writes when a volume has options.
    #[must_use]
    pub fn from_opts_json(document: &Value) -> VolumeOptions {
        let wrong = Wrong::default();
        let fields = Fields::new(document, &wrong);
        VolumeOptions {
            kind: fields.text("MountType"),
            options: fields.text("MountOpts"),
            device: fields.text("MountDevice"),
        }
    }
}

fn flag(fields: &Fields<'_>, key: &str) -> bool {
    fields.boolean(key).unwrap_or(false)
}

fn mount_request(fields: &Fields<'_>) -> MountRequest {
    let options = fields.object("VolumeOptions").object("DriverConfig").object("Options");
    let volume_options = VolumeOptions {
        kind: options.text("type"),
        options: options.text("o"),
        device: options.text("device"),
    };
    MountRequest {
        kind: fields.text("Type").unwrap_or_default(),
        source: fields.text("Source"),
        target: fields.text("Target").unwrap_or_default(),
        read_only: flag(fields, "ReadOnly"),
        propagation: fields.object("BindOptions").text("Propagation"),
        volume_options: (!options.is_empty()).then_some(volume_options),
    }
}

fn device(fields: &Fields<'_>) -> Device {
    Device {
        on_host: fields.text("PathOnHost").unwrap_or_default(),
        in_container: fields.text("PathInContainer").unwrap_or_default(),
        permissions: fields.text("CgroupPermissions").unwrap_or_default(),
    }
}

/// `nvidia count=-1 ids=0,1 capabilities=gpu`.
fn device_request(fields: &Fields<'_>) -> String {
    let mut words: Vec<String> = fields.text("Driver").into_iter().collect();
    words.extend(fields.integer("Count").map(|count| format!("count={count}")));
    let ids = fields.texts("DeviceIDs");
    words.extend((!ids.is_empty()).then(|| format!("ids={}", ids.join(","))));
    words.extend(fields.text_lists("Capabilities").into_iter().map(|all| {
        let all = all.join(",");
        format!("capabilities={all}")
    }));
    words.join(" ")
}

fn ulimit(fields: &Fields<'_>) -> String {
    let limit = |key: &str| fields.integer(key).unwrap_or_default();
    let name = fields.text("Name").unwrap_or_default();
    format!("{name}={}:{}", limit("Soft"), limit("Hard"))
}

fn resources(fields: &Fields<'_>) -> Resources {
    let limit = |key: &str| fields.integer(key).filter(|limit| *limit != 0);
    Resources {
        memory: limit("Memory"),
        memory_swap: limit("MemorySwap"),
        nano_cpus: limit("NanoCpus"),
        cpu_shares: limit("CpuShares"),
        cpu_quota: limit("CpuQuota"),
        cpuset: fields.text("CpusetCpus"),
        pids: limit("PidsLimit"),
        oom_score_adjustment: limit("OomScoreAdj"),
        shared_memory: limit("ShmSize"),
    }
}
