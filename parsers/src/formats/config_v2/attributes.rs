//! What is known of the container as attributes of an event.

use super::{ConfigV2, MountPoint, Network};
use crate::formats::attributes::Attributes;
use crate::formats::compose;
use dockline_timeline::Attribute;

impl ConfigV2 {
    /// Everything that an investigator asks of a container.
    #[must_use]
    pub fn attributes(&self) -> Vec<Attribute<'_>> {
        let mut all = Attributes::default();
        self.identity(&mut all);
        self.process(&mut all);
        self.surroundings(&mut all);
        self.protection(&mut all);
        self.past(&mut all);
        let mut all = all.into_vec();
        all.extend(compose::attributes(&self.settings.labels));
        all
    }

    /// What a runtime is told: everything but names and what became of the container.
    #[must_use]
    pub fn runtime_attributes(&self) -> Vec<Attribute<'_>> {
        let mut all = Attributes::default();
        self.process(&mut all);
        self.surroundings(&mut all);
        self.protection(&mut all);
        all.into_vec()
    }

    /// The few that belong on every event of the container's life.
    #[must_use]
    pub fn summary(&self) -> Vec<Attribute<'_>> {
        let mut all = Attributes::default();
        compose::summary(&self.settings.labels, &mut all);
        self.past(&mut all);
        all.into_vec()
    }

    /// The command with its arguments, quoted as a shell would need it.
    #[must_use]
    pub fn command_line(&self) -> Option<String> {
        let words = self.path.iter().chain(&self.arguments);
        self.path.as_ref().map(|_| typed(words))
    }

    fn identity<'a>(&'a self, all: &mut Attributes<'a>) {
        all.text("image_reference", self.settings.image.as_deref());
        all.text("image_manifest_digest", self.image_manifest_digest.as_deref());
        all.text("storage_driver", self.driver.as_deref());
        all.flag("swarm_managed", self.managed);
        all.texts("swarm_secrets", &self.secrets);
        all.texts("swarm_configs", &self.configs);
    }

    fn process<'a>(&'a self, all: &mut Attributes<'a>) {
        let settings = &self.settings;
        all.texts("entrypoint", &settings.entrypoint);
        all.texts("command", &settings.command);
        all.text("working_directory", settings.working_directory.as_deref());
        all.text("container_hostname", settings.hostname.as_deref());
        all.text("container_domain", settings.domain_name.as_deref());
        all.texts("environment", &settings.environment);
        all.texts("health_check", &settings.health_check);
        all.text("stop_signal", settings.stop_signal.as_deref());
        all.flag("terminal", settings.terminal);
    }

    fn surroundings<'a>(&'a self, all: &mut Attributes<'a>) {
        all.texts("exposed_ports", &self.settings.exposed_ports);
        all.texts("published_ports", &self.published_ports);
        all.list("networks", self.networks.iter().map(Network::described).collect());
        all.text("mac_address", self.settings.mac_address.as_deref());
        all.list("mounts", self.mounts.iter().map(MountPoint::described).collect());
        all.text("log_path", self.log_path.as_deref());
    }

    fn protection<'a>(&'a self, all: &mut Attributes<'a>) {
        let confinement = &self.confinement;
        all.text("apparmor_profile", confinement.apparmor.as_deref());
        all.text("seccomp_profile", confinement.seccomp.as_deref());
        all.text("selinux_label", confinement.process_label.as_deref());
        all.flag("no_new_privileges", confinement.no_new_privileges);
        all.flag("writable_cgroups", confinement.writable_cgroups);
    }

    fn past<'a>(&'a self, all: &mut Attributes<'a>) {
        let state = &self.state;
        all.text("state", Some(self.state_name()));
        all.flag("oom_killed", state.oom_killed);
        all.text("error", state.error.as_deref());
        all.integer("restart_count", self.restart_count);
        all.flag("manually_stopped", self.manually_stopped.unwrap_or(false));
        all.text("health_status", state.health_status.as_deref());
        all.integer("failing_streak", state.failing_streak);
    }
}

impl Network {
    /// `app_net 172.31.77.10 mac=02:42:ac:1f:4d:0a aliases=frontend,web01 id=ddaf66b7…`.
    fn described(&self) -> String {
        let mut words = vec![self.name.clone()];
        words.extend(self.addresses.iter().cloned());
        words.extend(self.mac_address.iter().map(|mac| format!("mac={mac}")));
        if !self.aliases.is_empty() {
            words.push(format!("aliases={}", self.aliases.join(",")));
        }
        words.extend(self.id.iter().map(|id| format!("id={id}")));
        words.join(" ")
    }
}

impl MountPoint {
    /// `/srv/app:/etc/app:ro (bind)`, `pgdata:/data:rw (volume at /var/lib/docker/…)`.
    fn described(&self) -> String {
        let access = if self.writable { "rw" } else { "ro" };
        let source = self.source.as_deref().unwrap_or_default();
        let kind = self.kind.as_deref().unwrap_or("mount");
        match &self.volume {
            Some(volume) if source.is_empty() || source == volume => {
                format!("{volume}:{}:{access} (volume)", self.destination)
            }
            Some(volume) => {
                format!("{volume}:{}:{access} (volume at {source})", self.destination)
            }
            None => format!("{source}:{}:{access} ({kind})", self.destination),
        }
    }
}

/// Words as they would be typed into a shell.
pub fn typed<'w>(words: impl IntoIterator<Item = &'w String>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| quoted(word)).collect();
    quoted.join(" ")
}

/// A word as a shell would need it.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "%+,-./:=@_".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_pasted_into_a_shell() {
        let command = |words: &[&str]| {
            let mut words = words.iter().map(|word| (*word).to_owned());
            let path = words.next();
            ConfigV2 { path, arguments: words.collect(), ..ConfigV2::default() }.command_line()
        };
        assert_eq!(command(&["sleep", "5000"]).as_deref(), Some("sleep 5000"));
        assert_eq!(
            command(&["sh", "-c", "echo 'a' > $x", ""]).as_deref(),
            Some(r"sh -c 'echo '\''a'\'' > $x' ''")
        );
        assert_eq!(command(&[]), None);
    }
}
