//! The settings as attributes of an event. What is the engine's default is left out.

use super::{Device, HostConfig, MountRequest, VolumeOptions};
use crate::formats::attributes::Attributes;
use dockline_timeline::Attribute;

impl HostConfig {
    /// Everything that an investigator asks of the settings.
    #[must_use]
    pub fn attributes(&self) -> Vec<Attribute<'_>> {
        let mut all = Attributes::default();
        self.confinement(&mut all);
        self.mount_settings(&mut all);
        self.network_settings(&mut all);
        self.lifecycle(&mut all);
        self.limits(&mut all);
        all.into_vec()
    }

    /// The few that belong on every event of the container's life.
    #[must_use]
    pub fn summary(&self) -> Vec<Attribute<'_>> {
        let mut all = Attributes::default();
        all.flag("privileged", self.privileged);
        all.text("network_mode", self.network_mode.as_deref());
        all.owned_text("restart_policy", self.restart_policy_text());
        all.into_vec()
    }

    /// The restart policy as it is typed: `on-failure:5`; absent when there is none.
    #[must_use]
    pub fn restart_policy_text(&self) -> Option<String> {
        let policy = self.restart_policy.as_deref().filter(|policy| *policy != "no")?;
        Some(match self.restart_limit {
            Some(limit) => format!("{policy}:{limit}"),
            None => policy.to_owned(),
        })
    }

    fn confinement<'a>(&'a self, all: &mut Attributes<'a>) {
        all.flag("privileged", self.privileged);
        all.texts("cap_add", &self.cap_add);
        all.texts("cap_drop", &self.cap_drop);
        all.list("devices", self.devices.iter().map(Device::typed).collect());
        all.texts("device_cgroup_rules", &self.device_cgroup_rules);
        all.texts("device_requests", &self.device_requests);
        all.texts("security_options", &self.security_options);
        all.text("pid_mode", self.pid_mode.as_deref());
        all.text("ipc_mode", self.ipc_mode.as_deref());
        all.text("uts_mode", self.uts_mode.as_deref());
        all.text("userns_mode", self.userns_mode.as_deref());
        all.text("cgroupns_mode", self.cgroupns_mode.as_deref());
        all.text("cgroup_parent", self.cgroup_parent.as_deref());
        let emptied = |paths: &Option<Vec<String>>| paths.as_ref().is_some_and(Vec::is_empty);
        all.flag("masked_paths_emptied", emptied(&self.masked_paths));
        all.flag("readonly_paths_emptied", emptied(&self.readonly_paths));
        all.texts("additional_groups", &self.groups);
        all.texts("sysctls", &self.sysctls);
    }

    fn mount_settings<'a>(&'a self, all: &mut Attributes<'a>) {
        all.texts("binds", &self.binds);
        all.list("mount_requests", self.mounts.iter().map(MountRequest::described).collect());
        all.texts("volumes_from", &self.volumes_from);
        all.texts("tmpfs", &self.tmpfs);
        all.flag("readonly_root", self.readonly_root);
        all.texts("storage_options", &self.storage_options);
    }

    fn network_settings<'a>(&'a self, all: &mut Attributes<'a>) {
        all.text("network_mode", self.network_mode.as_deref());
        all.texts("port_bindings", &self.port_bindings);
        all.flag("publish_all_ports", self.publish_all_ports);
        all.texts("extra_hosts", &self.extra_hosts);
        all.texts("dns_servers", &self.dns);
        all.texts("dns_search", &self.dns_search);
        all.texts("links", &self.links);
    }

    fn lifecycle<'a>(&'a self, all: &mut Attributes<'a>) {
        all.owned_text("restart_policy", self.restart_policy_text());
        all.flag("auto_remove", self.auto_remove);
        all.text("log_driver", self.log_driver.as_deref());
        all.texts("log_options", &self.log_options);
        all.text("runtime", self.runtime.as_deref());
        all.texts("annotations", &self.annotations);
    }

    fn limits<'a>(&'a self, all: &mut Attributes<'a>) {
        let limits = &self.resources;
        all.integer("memory_limit", limits.memory);
        all.integer("memory_swap_limit", limits.memory_swap);
        all.integer("nano_cpus", limits.nano_cpus);
        all.integer("cpu_shares", limits.cpu_shares);
        all.integer("cpu_quota", limits.cpu_quota);
        all.text("cpuset_cpus", limits.cpuset.as_deref());
        all.integer("pids_limit", limits.pids);
        all.integer("oom_score_adjustment", limits.oom_score_adjustment);
        all.integer("shared_memory_size", limits.shared_memory);
        all.texts("ulimits", &self.ulimits);
    }
}

impl Device {
    /// As it is typed: `/dev/fuse:/dev/fuse:rwm`.
    fn typed(&self) -> String {
        format!("{}:{}:{}", self.on_host, self.in_container, self.permissions)
    }
}

impl MountRequest {
    /// `bind /srv:/data ro propagation=rshared o=bind device=/`.
    fn described(&self) -> String {
        let source = self.source.as_deref().unwrap_or_default();
        let mut text = format!("{} {source}:{}", self.kind, self.target);
        if self.read_only {
            text.push_str(" ro");
        }
        let VolumeOptions { kind, options, device } =
            self.volume_options.clone().unwrap_or_default();
        let details = [
            ("propagation", self.propagation.clone()),
            ("type", kind),
            ("o", options),
            ("device", device),
        ];
        for (name, value) in details {
            if let Some(value) = value {
                text.push_str(&format!(" {name}={value}"));
            }
        }
        text
    }
}
