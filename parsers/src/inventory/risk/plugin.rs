//! What a plugin of the engine may have of the host.
//!
//! A plugin is a container of the engine's own: what is a way out of a container is one out of a
//! plugin. Every plugin also runs as root and answers the engine.

use super::Class::Escape;
use super::Severity::{High, Medium};
use super::{Found, Risk, capabilities, devices, mounts, settings};
use crate::formats::config_v2::ConfigV2;
use crate::formats::plugin_config::PluginConfig;

/// The risks of a plugin.
#[must_use]
pub fn judge(plugin: &PluginConfig) -> Vec<Risk> {
    let mut found = Found::default();
    let config = ConfigV2::default();
    let case = super::Case {
        config: &config,
        host_config: &plugin.host_config,
        remapped: false,
        cgroupns_private_elsewhere: false,
        volume_options: &|_| None,
    };
    settings::judge(&case, &mut found);
    capabilities::judge(&plugin.host_config, &mut found);
    devices::judge(&plugin.host_config, &mut found);
    mounts::judge(&case, &mut found);
    found.add_if(plugin.all_devices, (Escape, High), "all-devices");
    if let Some(directory) = &plugin.propagated_mount {
        found.add(Escape, Medium, &format!("propagated-mount:{directory}"));
    }
    found.into_risks()
}
