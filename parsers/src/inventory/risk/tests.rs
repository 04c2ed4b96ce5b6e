//! Each row of the table: the risky values, and the harmless ones beside them.
#![cfg(test)]

use super::*;
use serde_json::{Value, json};

/// The risks of settings, in words.
fn risks_of(host: &Value, config: &Value) -> Vec<String> {
    let (config, _) = ConfigV2::from_json(config);
    let (host_config, _) = HostConfig::from_json(host);
    let risks = judge(&Case {
        config: &config,
        host_config: &host_config,
        remapped: false,
        cgroupns_private_elsewhere: false,
        volume_options: &|_| None,
    });
    risks.iter().map(ToString::to_string).collect()
}

fn risks(host: Value) -> Vec<String> {
    risks_of(&host, &json!({}))
}

const NONE: [&str; 0] = [];

#[test]
fn a_container_started_without_any_option_has_no_risk() {
    let by_engine = [
        // 20.10, 29, and an engine before 18.09 that had no list of paths.
        json!({"NetworkMode": "default", "IpcMode": "private", "Runtime": "runc",
            "LogConfig": {"Type": "json-file"}, "RestartPolicy": {"Name": "no"},
            "MaskedPaths": ["/proc/asound", "/proc/kcore"], "ReadonlyPaths": ["/proc/sys"]}),
        json!({"NetworkMode": "bridge", "CgroupnsMode": "private", "LogConfig": {"Type": "local"},
            "PidsLimit": null, "Memory": 0, "Runtime": "io.containerd.runc.v2"}),
        json!({"IpcMode": "shareable", "MaskedPaths": null, "ReadonlyPaths": null, "Runtime": ""}),
        json!({}),
    ];
    for host in by_engine {
        assert_eq!(risks(host), NONE);
    }
}

#[test]
fn privileged_is_one_risk_and_not_all_that_follows_from_it() {
    let host = json!({"Privileged": true, "SecurityOpt": ["label=disable"],
        "MaskedPaths": [], "ReadonlyPaths": []});
    let config = json!({"SeccompProfile": "unconfined", "AppArmorProfile": "unconfined"});
    assert_eq!(risks_of(&host, &config), ["high escape-risk:privileged"]);
}

#[test]
fn namespaces_of_the_host_are_ways_out_and_those_of_containers_are_context() {
    let host = json!({"PidMode": "host", "IpcMode": "host", "NetworkMode": "host",
        "UTSMode": "host", "UsernsMode": "host", "CgroupnsMode": "host",
        "SecurityOpt": ["label=disable"]});
    assert_eq!(
        risks(host),
        [
            "medium escape-risk:ipc-host",
            "medium escape-risk:network-host",
            "medium escape-risk:pid-host",
            "low escape-risk:userns-host",
            "low escape-risk:uts-host",
            "low note:cgroupns-host",
        ]
    );
    assert_eq!(risks(json!({"PidMode": "container:ab"})), ["low note:pid-container:ab"]);
    assert_eq!(risks(json!({"NetworkMode": "hostile_net"})), NONE);
}

#[test]
fn capabilities_count_in_any_spelling_and_the_engine_s_own_do_not() {
    let added = |names: Value| risks(json!({"CapAdd": names}));
    for spelling in ["SYS_ADMIN", "CAP_SYS_ADMIN", "cap_sys_admin", " Sys_Admin"] {
        assert_eq!(added(json!([spelling])), ["high escape-risk:cap-add:SYS_ADMIN"]);
    }
    assert_eq!(added(json!(["all"])), ["high escape-risk:cap-add:ALL"]);
    assert_eq!(added(json!(["DAC_READ_SEARCH"])), ["high escape-risk:cap-add:DAC_READ_SEARCH"]);
    assert_eq!(added(json!(["BPF"])), ["medium escape-risk:cap-add:BPF"]);
    assert_eq!(added(json!(["IPC_LOCK"])), ["low risk:cap-add:IPC_LOCK"]);
    assert_eq!(added(json!(["WAKE_ALARM"])), ["low risk:cap-add:WAKE_ALARM"]);
    assert_eq!(added(json!(["NET_BIND_SERVICE", "CAP_CHOWN", "net_raw"])), NONE);
    assert_eq!(risks(json!({"CapDrop": ["ALL"]})), NONE);
}

#[test]
fn two_settings_together_give_more_than_each() {
    let ptrace = json!({"CapAdd": ["SYS_PTRACE"], "PidMode": "host"});
    assert_eq!(risks(ptrace), ["high escape-risk:cap-add:SYS_PTRACE", "high escape-risk:pid-host"]);
    let network = json!({"CapAdd": ["NET_ADMIN"], "NetworkMode": "host"});
    assert_eq!(risks(network)[0], "medium escape-risk:cap-add:NET_ADMIN");
    assert_eq!(risks(json!({"CapAdd": ["NET_ADMIN"]})), ["low escape-risk:cap-add:NET_ADMIN"]);
}

#[test]
fn devices_count_by_what_they_are() {
    let device = |path: &str| risks(json!({"Devices": [{"PathOnHost": path}]}));
    assert_eq!(device("/dev/../dev//sda1"), ["high escape-risk:device:/dev/sda1"]);
    assert_eq!(device("/dev/nvme0n1p2"), ["high escape-risk:device:/dev/nvme0n1p2"]);
    assert_eq!(device("/dev/mem"), ["high escape-risk:device:/dev/mem"]);
    assert_eq!(device("/dev/"), ["high escape-risk:device:/dev"]);
    assert_eq!(device("/dev/kmsg"), ["medium escape-risk:device:/dev/kmsg"]);
    assert_eq!(device("/dev/fuse"), ["low escape-risk:device:/dev/fuse"]);
    assert_eq!(device("/dev/net/tun"), ["low escape-risk:device:/dev/net/tun"]);
    assert_eq!(device("/dev/snd"), ["low note:device:/dev/snd"]);
    assert_eq!(device("/dev/null"), NONE);
    let request = json!({"DeviceRequests": [{"Count": -1, "Capabilities": [["gpu"]]}]});
    assert_eq!(risks(request), ["low note:device-request:count=-1 capabilities=gpu"]);
}

#[test]
fn rules_of_devices_count_by_what_they_let_in() {
    let rule = |rule: &str| risks(json!({"DeviceCgroupRules": [rule]}));
    for all in ["a *:* rwm", "b *:* r", "b 8:0 rwm", "c 1:1 rwm", "c *:1 rwm"] {
        assert_eq!(rule(all), [format!("high escape-risk:device-cgroup-rule:{all}")]);
    }
    assert_eq!(rule("c 189:* rmw"), ["low escape-risk:device-cgroup-rule:c 189:* rmw"]);
}

fn bind(text: &str) -> Vec<String> {
    risks(json!({"Binds": [text]}))
}

#[test]
fn paths_of_the_host_are_recognised_however_they_are_written() {
    for root in ["/:/host", "//:/host", "/srv/..:/host", "/./:/host:rslave"] {
        assert_eq!(bind(root), ["high escape-risk:host-mount:/"], "{root}");
    }
    assert_eq!(bind("/etc/../etc/:/e:ro"), ["medium escape-risk:host-mount:/etc"]);
    assert_eq!(
        bind("/var/lib/docker/overlay2/x/diff:/x"),
        ["high escape-risk:host-mount:/var/lib/docker/overlay2/x/diff"]
    );
    assert_eq!(bind("/home/bob/.ssh:/k:z,ro"), ["medium escape-risk:host-mount:/home/bob/.ssh"]);
    assert_eq!(bind("/root:/r"), ["high escape-risk:host-mount:/root"]);
    assert_eq!(bind("/dev/sda:/disk:ro"), ["high escape-risk:host-mount:/dev/sda"]);
    assert_eq!(bind("/proc:/host/proc:ro"), ["medium escape-risk:host-mount:/proc"]);
}

#[test]
fn a_socket_of_an_engine_is_a_way_out_even_read_only() {
    for (socket, shown) in [
        ("/var/run/docker.sock", "/run/docker.sock"),
        ("/run//containerd/containerd.sock", "/run/containerd/containerd.sock"),
        ("/run/user/1000/podman/podman.sock", "/run/user/1000/podman/podman.sock"),
        ("/var/run/dbus", "/run/dbus"),
    ] {
        assert_eq!(
            bind(&format!("{socket}:/s:ro")),
            [format!("high escape-risk:host-mount:{shown}")]
        );
    }
    let pipe = json!({"Mounts": [{"Type": "npipe", "Source": "\\\\.\\pipe\\docker_engine"}]});
    assert!(risks(pipe)[0].starts_with("high escape-risk:host-mount:"));
}

#[test]
fn paths_that_harmless_containers_share_are_no_risk() {
    for harmless in [
        "/etc/localtime:/etc/localtime:ro",
        "/etc/timezone:/etc/timezone",
        "/etc/passwd:/etc/passwd:ro",
        "/etcetera:/e",
        "/srv/app:/etc/app:ro",
        "/home/bob/project:/src",
        "/usr/share/fonts:/fonts:ro",
        "/var/log/nginx:/var/log/nginx",
        "/var/lib/docker/volumes/pgdata/_data:/backup:ro",
        "/dev/shm:/dev/shm",
        "/dev/snd:/dev/snd",
        "/run/systemd/resolve/resolv.conf:/etc/resolv.conf:ro",
        "pgdata:/data",
    ] {
        assert_eq!(bind(harmless), NONE, "{harmless}");
    }
}

#[test]
fn a_mount_is_found_in_each_of_the_three_places_that_name_it_and_told_once() {
    let expected = ["high escape-risk:host-mount:/etc"];
    let mount = json!({"Type": "bind", "Source": "/etc", "Target": "/e"});
    let point = json!({"MountPoints": {"/e": {"Type": "bind", "Source": "/etc", "RW": true}}});
    assert_eq!(risks(json!({"Mounts": [mount]})), expected);
    assert_eq!(risks_of(&json!({}), &point), expected);
    let all = json!({"Binds": ["/etc:/e:ro"], "Mounts": [mount]});
    assert_eq!(risks_of(&all, &point), expected);
    let early = json!({"Volumes": {"/e": "/etc"}, "VolumesRW": {"/e": true}});
    assert_eq!(risks_of(&json!({}), &early), expected);
}

#[test]
fn a_volume_made_with_the_mount_itself_can_hide_the_root() {
    let mount = json!({"Type": "volume", "Source": "v", "Target": "/v", "VolumeOptions":
        {"DriverConfig": {"Name": "local", "Options": {"o": "bind", "device": "/", "type": "none"}}}});
    assert_eq!(risks(json!({"Mounts": [mount]})), ["high escape-risk:host-mount:/"]);
}

#[test]
fn mounts_that_spread_and_inherited_ones_are_told() {
    let shared = ["medium risk:mount-propagation:/m"];
    assert_eq!(bind("/srv:/m:rshared"), shared);
    let point =
        json!({"MountPoints": {"/m": {"Type": "bind", "Source": "/srv", "Propagation": "shared"}}});
    assert_eq!(risks_of(&json!({}), &point), shared);
    assert_eq!(bind("/srv:/m:rslave"), NONE);
    assert_eq!(risks(json!({"VolumesFrom": ["ab:ro"]})), ["low escape-risk:volumes-from:ab:ro"]);
    assert_eq!(risks(json!({"Tmpfs": {"/run": ""}})), ["low note:tmpfs"]);
    assert_eq!(bind("/opt/x:/usr/bin/xmrig:ro"), ["low risk:program-of-host:/usr/bin/xmrig"]);
}

#[test]
fn security_options_count_with_either_separator() {
    let option = |option: &str| risks(json!({"SecurityOpt": [option]}));
    for separator in ['=', ':'] {
        let told = |key: &str, value: &str, severity: &str| {
            let expected = format!("{severity} escape-risk:security-opt:{key}={value}");
            assert_eq!(option(&format!("{key}{separator}{value}")), [expected]);
        };
        told("seccomp", "unconfined", "medium");
        told("apparmor", "unconfined", "medium");
        told("label", "disable", "low");
        told("label", "type:spc_t", "medium");
        told("writable-cgroups", "true", "medium");
    }
    assert_eq!(
        option("seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\"}"),
        ["low risk:security-opt:seccomp=custom"]
    );
    for harmless in
        ["no-new-privileges", "seccomp=builtin", "apparmor=docker-default", "label=user:u"]
    {
        assert_eq!(option(harmless), NONE, "{harmless}");
    }
}

#[test]
fn kernel_paths_count_when_the_list_leaves_out_what_the_engine_hides() {
    let emptied = json!({"MaskedPaths": [], "ReadonlyPaths": []});
    let told =
        ["medium escape-risk:masked-paths-emptied", "medium escape-risk:readonly-paths-emptied"];
    assert_eq!(risks(emptied), told);
    let shortened = json!({"MaskedPaths": ["/proc/acpi"], "ReadonlyPaths": ["/proc/bus"]});
    assert_eq!(risks(shortened), told);
}

#[test]
fn the_log_driver_none_hides_a_container_unless_it_is_the_builder_s() {
    let host = json!({"LogConfig": {"Type": "none"}});
    assert_eq!(risks(host.clone()), ["medium risk:log-driver:none"]);
    let builder = json!({"Config": {"Image": "sha256:3a4c"}});
    assert_eq!(risks_of(&host, &builder), ["low note:log-driver:none"]);
}

#[test]
fn what_harmless_containers_share_is_a_note() {
    let host = json!({"RestartPolicy": {"Name": "always"}, "AutoRemove": true,
        "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "80"}, {"HostIp": "::", "HostPort": "80"}],
            "81/tcp": [{"HostIp": "127.0.0.1", "HostPort": "81"}]},
        "ExtraHosts": ["a:1.2.3.4"], "Dns": ["1.1.1.1"], "LogConfig": {"Type": "syslog"},
        "Sysctls": {"kernel.shmmax": "1", "net.ipv4.ip_forward": "0"}, "OomScoreAdj": -500,
        "CgroupParent": "/x", "Annotations": {"a": "b"}, "PublishAllPorts": true});
    let told = risks(host);
    assert!(told.iter().all(|risk| risk.starts_with("low note:")), "{told:?}");
    assert_eq!(told.len(), 12);
}

#[test]
fn a_runtime_of_the_user_and_settings_of_the_kernel_are_risks() {
    assert_eq!(risks(json!({"Runtime": "evil"})), ["medium risk:runtime:evil"]);
    assert_eq!(risks(json!({"Runtime": "nvidia"})), ["low risk:runtime:nvidia"]);
    let pattern = json!({"Sysctls": {"kernel.core_pattern": "|/x"}});
    assert_eq!(risks(pattern), ["medium risk:sysctl:kernel.core_pattern=|/x"]);
}

#[test]
fn risks_without_end_are_cut_from_the_lowest() {
    let rules: Vec<String> = (0..1_000).map(|n| format!("c {n}:0 {}", "r".repeat(999))).collect();
    let told = risks(json!({"DeviceCgroupRules": rules, "Privileged": true}));
    assert_eq!(told.len(), RISK_LIMIT);
    assert!(told.contains(&"high escape-risk:privileged".to_owned()));
    assert!(told.iter().all(|risk| risk.len() < 300));
}
