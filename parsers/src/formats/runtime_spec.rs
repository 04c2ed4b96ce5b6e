//! The OCI runtime specification of a container: what the runtime was told to run.
//!
//! opencontainers/runtime-spec 1.0 to 1.2 `config.md`, `config-linux.md`. libpod keeps one in its
//! database with each container, as it was made, and writes another to `userdata/config.json` each
//! time that the container is started; CRI-O likewise.
//!
//! It is read into the words of Docker's [`ConfigV2`] and [`HostConfig`], so that the settings have
//! the same names, and the same risks, whatever the engine. What a specification does not say the
//! way that Docker does is concluded: a namespace that is not listed is the host's; paths that are
//! not hidden were asked for, and so was the want of a seccomp profile. A privileged container lists
//! all capabilities and devices of the host: they say nothing more.

use super::config_v2::{ConfigV2, MountPoint};
use super::host_config::{Device, HostConfig, Resources};
use super::json::Fields;

/// What Podman gives every container (`default_capabilities` of containers.conf, up to 4.3 with
/// three more).
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
/// How a mount says how those made below it spread.
const PROPAGATIONS: &[&str] = &["private", "rprivate", "shared", "rshared", "slave", "rslave"];
const PRIVILEGED: &str = "io.podman.annotations.privileged=TRUE";
const AUTO_REMOVE: &str = "io.podman.annotations.autoremove=TRUE";
const PUBLISH_ALL: &str = "io.podman.annotations.publish-all=TRUE";

/// Reads a specification; `privileged` says whether other sources call the container so.
#[must_use]
pub fn read(spec: &Fields<'_>, privileged: bool) -> (ConfigV2, HostConfig) {
    let annotations = spec.object("annotations").pairs();
    let has = |wanted: &str| annotations.iter().any(|annotation| annotation == wanted);
    let mut host = HostConfig {
        privileged: privileged || has(PRIVILEGED),
        auto_remove: has(AUTO_REMOVE),
        publish_all_ports: has(PUBLISH_ALL),
        ..HostConfig::default()
    };
    let mut config = ConfigV2::default();
    process(&spec.object("process"), &mut config, &mut host);
    config.settings.hostname = spec.text("hostname");
    config.mounts = spec.objects("mounts").iter().filter_map(mount).collect();
    host.readonly_root = spec.object("root").boolean("readonly").unwrap_or(false);
    linux(&spec.object("linux"), &mut config, &mut host);
    (config, host)
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

/// What of the host is mounted; not what the engine itself mounts into every container.
fn mount(fields: &Fields<'_>) -> Option<MountPoint> {
    let (kind, source) = (fields.text("type"), fields.text("source")?);
    let options = fields.texts("options");
    let is_bind = kind.as_deref() == Some("bind")
        || options.iter().any(|option| matches!(option.as_str(), "bind" | "rbind"));
    let own = source.contains("-containers/") && source.contains("/userdata/");
    if !is_bind || own {
        return None;
    }
    let volume = volume_of(&source);
    Some(MountPoint {
        kind: Some(if volume.is_some() { "volume" } else { "bind" }.to_owned()),
        destination: fields.text("destination").unwrap_or_default(),
        writable: !options.iter().any(|option| option == "ro"),
        volume,
        source: Some(source),
        driver: None,
        propagation: options
            .into_iter()
            .find(|option| PROPAGATIONS.contains(&option.as_str()))
            .filter(|option| option != "rprivate"),
    })
}

/// The name of the volume that lies at `<data root>/volumes/<name>/_data`.
fn volume_of(source: &str) -> Option<String> {
    let (above, name) = source.strip_suffix("/_data")?.rsplit_once('/')?;
    above.ends_with("/volumes").then(|| name.to_owned())
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
    host.device_cgroup_rules = allowed
        .filter(|rule| !named.contains(&numbers(rule)))
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

    fn read_json(spec: &Value) -> (ConfigV2, HostConfig) {
        read(&Fields::new(spec, &Wrong::default()), false)
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
        ]});
        let (config, _) = read_json(&spec);
        let [root, data] = config.mounts.as_slice() else { panic!("{:?}", config.mounts) };
        assert_eq!((root.source.as_deref(), root.writable), (Some("/"), false));
        assert_eq!(root.propagation.as_deref(), Some("rshared"));
        assert_eq!((data.volume.as_deref(), data.writable), (Some("pgdata"), true));
    }
}
