//! The containers of a pod, in the words of a container's settings, so that the same rules judge
//! both.

use super::pod::{Object, is_true, items, plain, text, texts};
use crate::formats::config_v2::{ConfigV2, Settings};
use crate::formats::host_config::{HostConfig, MountRequest};
use crate::inventory::Risk;
use crate::inventory::risk::{Case, judge};
use serde_json::Value;

/// Containers of one pod that are told.
const CONTAINER_LIMIT: usize = 1_000;

/// A container of a pod.
pub(super) struct Container {
    pub(super) name: String,
    /// `containers[0]`, `initContainers[1]`.
    pub(super) place: String,
    pub(super) config: ConfigV2,
    pub(super) host_config: HostConfig,
    pub(super) command_line: Option<String>,
    pub(super) risks: Vec<Risk>,
}

/// The containers of an object's pod, those that run first and for debugging among them.
pub(super) fn containers(object: &Object<'_>) -> Vec<Container> {
    let Some(pod) = object.pod else { return Vec::new() };
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    let all = lists.into_iter().flat_map(|list| {
        let numbered = (0_usize..).zip(items(pod, list));
        numbered.map(move |(number, value)| (format!("{list}[{number}]"), value))
    });
    all.take(CONTAINER_LIMIT).map(|(place, value)| container(object, pod, (place, value))).collect()
}

fn container(object: &Object<'_>, pod: &Value, (place, value): (String, &Value)) -> Container {
    let name = text(value, "name").unwrap_or("?").to_owned();
    let host_config = host_config(object, pod, value);
    let mut words = texts(value, "command");
    words.extend(texts(value, "args"));
    let mut words = words.into_iter();
    let config = ConfigV2 {
        path: words.next(),
        arguments: words.collect(),
        settings: Settings {
            image: text(value, "image").map(str::to_owned),
            environment: items(value, "env").iter().map(variable).collect(),
            labels: object.labels.clone(),
            ..Settings::default()
        },
        ..ConfigV2::default()
    };
    let risks = judge(&Case {
        config: &config,
        host_config: &host_config,
        remapped: false,
        cgroupns_private_elsewhere: false,
        volume_options: &|_| None,
    });
    let command_line = config.command_line();
    Container { name, place, config, host_config, command_line, risks }
}

/// `NAME=value`; where the value comes from, if it is not in the manifest.
fn variable(value: &Value) -> String {
    let name = text(value, "name").unwrap_or("?");
    match (value.get("value"), value.get("valueFrom")) {
        (Some(value), _) => format!("{name}={}", plain(value)),
        (None, Some(from)) => format!("{name} from {from}"),
        (None, None) => format!("{name}="),
    }
}

fn host_config(object: &Object<'_>, pod: &Value, container: &Value) -> HostConfig {
    let host = |key| is_true(pod, key).then(|| "host".to_owned());
    let own = container.get("securityContext").unwrap_or(&Value::Null);
    let of_pod = pod.get("securityContext").unwrap_or(&Value::Null);
    let capabilities = own.get("capabilities").unwrap_or(&Value::Null);
    let is_unmasked = text(own, "procMount") == Some("Unmasked");
    HostConfig {
        privileged: is_true(own, "privileged"),
        pid_mode: host("hostPID"),
        ipc_mode: host("hostIPC"),
        network_mode: host("hostNetwork"),
        cap_add: texts(capabilities, "add"),
        cap_drop: texts(capabilities, "drop"),
        security_options: security_options(object, (of_pod, own), container),
        masked_paths: is_unmasked.then(Vec::new),
        readonly_paths: is_unmasked.then(Vec::new),
        readonly_root: is_true(own, "readOnlyRootFilesystem"),
        mounts: mounts(pod, container),
        port_bindings: items(container, "ports").iter().filter_map(port).collect(),
        sysctls: items(of_pod, "sysctls").iter().map(setting).collect(),
        dns: pod.get("dnsConfig").map(|dns| texts(dns, "nameservers")).unwrap_or_default(),
        ..HostConfig::default()
    }
}

/// What confines the container less or otherwise than the default; its own words go before the pod's.
fn security_options(
    object: &Object<'_>,
    (of_pod, own): (&Value, &Value),
    container: &Value,
) -> Vec<String> {
    let profile = |key: &str| {
        let profile = own.get(key).or_else(|| of_pod.get(key))?;
        match text(profile, "type")? {
            "Unconfined" => Some("unconfined"),
            "Localhost" => text(profile, "localhostProfile"),
            _ => None,
        }
    };
    let name = text(container, "name").unwrap_or_default();
    let annotation = format!("container.apparmor.security.beta.kubernetes.io/{name}");
    let annotated = || object.annotation(&annotation).filter(|value| *value == "unconfined");
    let selinux = own.get("seLinuxOptions").or_else(|| of_pod.get("seLinuxOptions"));
    let selinux_type = selinux.and_then(|options| text(options, "type"));
    let options = [
        profile("seccompProfile").map(|profile| format!("seccomp={profile}")),
        profile("appArmorProfile").or_else(annotated).map(|profile| format!("apparmor={profile}")),
        selinux_type.map(|kind| format!("label=type:{kind}")),
    ];
    options.into_iter().flatten().collect()
}

/// Volumes of the pod that the container mounts.
fn mounts(pod: &Value, container: &Value) -> Vec<MountRequest> {
    let mount = |mount: &Value| {
        let name = text(mount, "name").unwrap_or_default();
        let volume = items(pod, "volumes").iter().find(|volume| text(volume, "name") == Some(name));
        let host_path = volume.and_then(|volume| text(volume.get("hostPath")?, "path"));
        let propagation = match text(mount, "mountPropagation") {
            Some("Bidirectional") => Some("rshared".to_owned()),
            Some("HostToContainer") => Some("rslave".to_owned()),
            _ => None,
        };
        MountRequest {
            kind: if host_path.is_some() { "bind" } else { "volume" }.to_owned(),
            source: Some(host_path.unwrap_or(name).to_owned()),
            target: text(mount, "mountPath").unwrap_or_default().to_owned(),
            read_only: is_true(mount, "readOnly"),
            propagation,
            volume_options: None,
        }
    };
    items(container, "volumeMounts").iter().map(mount).collect()
}

/// `0.0.0.0:8080->80/tcp`, for a port of the host.
fn port(value: &Value) -> Option<String> {
    let number = |key| value.get(key).and_then(Value::as_u64);
    let address = text(value, "hostIP").filter(|address| !address.is_empty()).unwrap_or("0.0.0.0");
    let protocol = text(value, "protocol").unwrap_or("TCP").to_ascii_lowercase();
    let port = number("containerPort").unwrap_or_default();
    Some(format!("{address}:{}->{port}/{protocol}", number("hostPort")?))
}

fn setting(value: &Value) -> String {
    let part = |key| value.get(key).map(plain).unwrap_or_default();
    format!("{}={}", part("name"), part("value"))
}
