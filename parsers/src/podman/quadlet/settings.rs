//! The settings of a quadlet, in the words of Docker's.

use crate::formats::config_v2::ConfigV2;
use crate::formats::host_config::{Device, HostConfig};
use crate::formats::shell::words;
use crate::formats::unit_file::Assignment;

/// Arguments of `podman run` that take no value; what follows them is the next argument.
const SWITCHES: &[&str] =
    &["privileged", "read-only", "rm", "init", "tty", "interactive", "t", "i"];

/// What a quadlet says of a container.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Settings {
    pub(super) config: ConfigV2,
    pub(super) host_config: HostConfig,
}

impl Settings {
    pub(super) fn read(assignments: &[Assignment]) -> Settings {
        let mut settings = Settings::default();
        for one in assignments.iter().filter(|one| !one.value.is_empty()) {
            match one.section.as_str() {
                "Container" | "Pod" | "Kube" => {
                    settings.identity(&one.key, &one.value);
                    settings.setting(&one.key, &one.value);
                }
                "Service" if one.key == "Restart" && one.value != "no" => {
                    settings.host_config.restart_policy = Some(one.value.clone());
                }
                _ => {}
            }
        }
        settings
    }

    fn identity(&mut self, key: &str, value: &str) {
        let config = &mut self.config;
        match key {
            "Image" | "Rootfs" => config.settings.image = Some(value.to_owned()),
            "ContainerName" | "PodName" => config.name = Some(value.to_owned()),
            "Exec" => {
                let mut words = words(value).into_iter();
                config.path = words.next();
                config.arguments = words.collect();
            }
            "Entrypoint" => config.settings.entrypoint = words(value),
            "User" => config.settings.user = Some(value.to_owned()),
            "HostName" => config.settings.hostname = Some(value.to_owned()),
            "WorkingDir" => config.settings.working_directory = Some(value.to_owned()),
            "Environment" => config.settings.environment.extend(words(value)),
            "Label" => config.settings.labels.extend(words(value)),
            "HealthCmd" => config.settings.health_check = words(value),
            _ => {}
        }
    }

    fn setting(&mut self, key: &str, value: &str) {
        let is_true = matches!(value, "true" | "yes" | "on" | "1");
        match key {
            "PodmanArgs" => self.arguments(&words(value)),
            "AddCapability" => self.all("cap-add", value),
            "DropCapability" => self.all("cap-drop", value),
            "Volume" => self.argument("volume", value),
            "Mount" => self.argument("mount", value),
            "AddDevice" => self.argument("device", value),
            "Network" => self.argument("network", value),
            "UserNS" => self.argument("userns", value),
            "PublishPort" => self.argument("publish", value),
            "Sysctl" => self.all("sysctl", value),
            "LogDriver" => self.argument("log-driver", value),
            "AddHost" => self.argument("add-host", value),
            "DNS" => self.argument("dns", value),
            "SeccompProfile" => self.argument("security-opt", &format!("seccomp={value}")),
            "Unmask" if value == "ALL" => self.argument("security-opt", "systempaths=unconfined"),
            "SecurityLabelDisable" if is_true => self.argument("security-opt", "label=disable"),
            "SecurityLabelType" => self.argument("security-opt", &format!("label=type:{value}")),
            "NoNewPrivileges" => self.config.confinement.no_new_privileges = is_true,
            "ReadOnly" => self.host_config.readonly_root = is_true,
            _ => {}
        }
    }

    /// One argument for each word.
    fn all(&mut self, name: &str, value: &str) {
        words(value).iter().for_each(|word| self.argument(name, word));
    }

    /// Arguments as for `podman run`: `--name=value`, `--name value`, `-v value`.
    fn arguments(&mut self, words: &[String]) {
        let mut words = words.iter().peekable();
        while let Some(word) = words.next() {
            let Some(name) = word.strip_prefix('-') else { continue };
            let name = name.strip_prefix('-').unwrap_or(name);
            let (name, value) = match name.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (name, None),
            };
            let is_switch = SWITCHES.contains(&name);
            let next =
                words.next_if(|next| value.is_none() && !is_switch && !next.starts_with('-'));
            let value = value.or(next.map(String::as_str)).unwrap_or("true");
            self.argument(name, value);
        }
    }

    fn argument(&mut self, name: &str, value: &str) {
        let host = &mut self.host_config;
        let text = || Some(value.to_owned());
        match name {
            "privileged" => host.privileged = value == "true",
            "cap-add" => host.cap_add.push(value.to_owned()),
            "cap-drop" => host.cap_drop.push(value.to_owned()),
            "volume" | "v" => host.binds.extend(bind(value)),
            "mount" => host.binds.extend(mount(value)),
            "device" => host.devices.push(device(value)),
            "network" | "net" => host.network_mode = text(),
            "pid" => host.pid_mode = text(),
            "ipc" => host.ipc_mode = text(),
            "uts" => host.uts_mode = text(),
            "userns" => host.userns_mode = text(),
            "cgroupns" => host.cgroupns_mode = text(),
            "security-opt" => host.security_options.push(value.to_owned()),
            "publish" | "p" => host.port_bindings.push(published(value)),
            "sysctl" => host.sysctls.push(value.to_owned()),
            "log-driver" => host.log_driver = text(),
            "add-host" => host.extra_hosts.push(value.to_owned()),
            "dns" => host.dns.push(value.to_owned()),
            "runtime" => host.runtime = text(),
            _ => {}
        }
    }
}

/// A path of the host; else the first part is the name of a volume.
fn bind(value: &str) -> Option<String> {
    let of_host = value.starts_with(['/', '.', '%', '~']) && value.contains(':');
    of_host.then(|| value.to_owned())
}

/// `type=bind,source=/a,destination=/b`.
fn mount(value: &str) -> Option<String> {
    let part = |names: &[&str]| {
        let pairs = value.split(',').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(name, _)| names.contains(name)).map(|(_, value)| value)
    };
    let source = part(&["source", "src"]).filter(|_| part(&["type"]) == Some("bind"))?;
    let destination = part(&["destination", "dst", "target"]).unwrap_or_default();
    let read_only = value.split(',').any(|word| matches!(word, "ro" | "readonly" | "ro=true"));
    Some(format!("{source}:{destination}:{}", if read_only { "ro" } else { "rw" }))
}

/// `/dev/a:/dev/b:rw`; a `-` in front lets it be absent.
fn device(value: &str) -> Device {
    let mut parts = value.trim_start_matches('-').split(':');
    let on_host = parts.next().unwrap_or_default().to_owned();
    let in_container = parts.next().map_or_else(|| on_host.clone(), str::to_owned);
    let permissions = parts.next().unwrap_or("rwm").to_owned();
    Device { on_host, in_container, permissions }
}

/// `127.0.0.1:8080:80/tcp` in the words of the settings.
fn published(value: &str) -> String {
    match value.rsplit_once(':') {
        Some((outside, inside)) if outside.contains(':') => format!("{outside}->{inside}"),
        Some((outside, inside)) => format!("0.0.0.0:{outside}->{inside}"),
        None => format!("0.0.0.0:->{value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[(&str, &str)]) -> Settings {
        let assignment = |(key, value): &(&str, &str)| Assignment {
            section: "Container".to_owned(),
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            line: 1,
        };
        Settings::read(&lines.iter().map(assignment).collect::<Vec<_>>())
    }

    #[test]
    fn keys_and_arguments_of_podman_say_the_same() {
        let keys = read(&[
            ("Volume", "/:/host"),
            ("Network", "host"),
            ("AddCapability", "SYS_ADMIN NET_RAW"),
            ("SecurityLabelDisable", "true"),
            ("PublishPort", "8080:80"),
        ]);
        let arguments = read(&[(
            "PodmanArgs",
            "-v /:/host --network=host --cap-add SYS_ADMIN --cap-add=NET_RAW --security-opt \
             label=disable -p 8080:80",
        )]);
        assert_eq!(keys, arguments);
        assert!(read(&[("PodmanArgs", "--privileged --pid=host")]).host_config.privileged);
    }

    #[test]
    fn a_volume_with_a_name_is_no_path_of_the_host() {
        let settings = read(&[
            ("Volume", "data.volume:/data"),
            ("Volume", "/data"),
            ("Mount", "type=bind,source=/etc,destination=/e,ro"),
            ("Mount", "type=tmpfs,destination=/t"),
        ]);
        assert_eq!(settings.host_config.binds, ["/etc:/e:ro"]);
    }
}
