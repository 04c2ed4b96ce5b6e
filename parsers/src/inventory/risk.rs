//! Risky settings of a container, an engine and its plugins: which there are, and how much each
//! gives away.
//!
//! The data stand in the tables of this module and the ones below it; the rules are the smallest
//! functions that apply them. A risk has one of three classes, which is the beginning of its tag:
//!
//! - `escape-risk:` a way out of the container that practice in container forensics names:
//!   `--privileged`, capabilities, devices and device rules, namespaces of the host, mounts of the
//!   host's own files and sockets, `--security-opt`, `--volumes-from`.
//! - `risk:` a setting that an attacker likes, and that is no way out by itself.
//! - `note:` context that many harmless containers share: restart policies, exposed ports.
//!
//! What the engine sets by itself is no risk, so that a container which was started without any
//! option has none:
//!
//! - `MaskedPaths` and `ReadonlyPaths` that are null or missing: engines before 18.09 did not
//!   write them, and later ones then apply their own list. Only a list that leaves out what the
//!   engine hides counts.
//! - `cgroupns=host` is the default on hosts with cgroup v1. It counts as a way out only where
//!   another container of the same data root has `private`, the default of cgroup v2; else it is
//!   a note.
//! - `label=disable` that came with `--privileged`, `--pid=host` or `--ipc=host`.
//! - `ipc=shareable`: the default before 20.10. Namespaces of other containers (`container:<id>`)
//!   are how pods work: notes.
//! - Capabilities that every container has; adding them after `--cap-drop=ALL` is hardening.
//! - The log driver `none` of a container that names its image by digest is how the classic
//!   builder makes its containers: a note.
//! - No limit of memory or processes, and a writable root: defaults, to be seen in the attributes.
//!
//! Source: moby `api/types/container/hostconfig.go`, `daemon/daemon_unix.go`, `oci/defaults.go`
//! (20.10 to 29).

mod capabilities;
mod containerd;
mod containers_conf;
mod desktop;
mod devices;
mod engine;
mod kubelet;
mod mounts;
mod plugin;
mod settings;

pub use containerd::judge as judge_containerd;
pub use containers_conf::judge as judge_containers_conf;
pub use desktop::judge as judge_desktop;
pub use engine::{judge as judge_engine, judge_unit};
pub use kubelet::judge as judge_kubelet;
pub use plugin::judge as judge_plugin;

use crate::formats::config_v2::ConfigV2;
use crate::formats::host_config::{HostConfig, VolumeOptions};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

/// Risks of one container that are told, the highest first; more do not tell more.
const RISK_LIMIT: usize = 64;
/// Characters of a setting that its tag shows.
const SHOWN_LENGTH: usize = 200;

/// How much a risky setting gives away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Hardening removed.
    Low,
    /// A big step towards the host.
    Medium,
    /// The host can be taken over directly.
    High,
}

impl Severity {
    /// In a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
        }
    }
}

/// A risky setting of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// What it is, as tagged: `escape-risk:privileged`, `escape-risk:host-mount:/etc`.
    pub name: String,
    /// How much it gives away.
    pub severity: Severity,
}

impl Risk {
    /// Whether it is only context.
    #[must_use]
    pub fn is_note(&self) -> bool {
        self.name.starts_with(Class::Note.prefix())
    }
}

impl fmt::Display for Risk {
    /// `high escape-risk:privileged`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.severity.name(), self.name)
    }
}

/// How a risk is meant; the beginning of its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Escape,
    Risk,
    Note,
}

impl Class {
    fn prefix(self) -> &'static str {
        match self {
            Class::Escape => "escape-risk:",
            Class::Risk => "risk:",
            Class::Note => "note:",
        }
    }
}

/// What is known of a container and of the engine that ran it.
pub struct Case<'a> {
    /// `config.v2.json`.
    pub config: &'a ConfigV2,
    /// `hostconfig.json`.
    pub host_config: &'a HostConfig,
    /// Whether the data root is that of an engine with remapped user ids.
    pub remapped: bool,
    /// Whether another container of the data root has its own cgroup namespace.
    pub cgroupns_private_elsewhere: bool,
    /// Options of the volume of this name, if it has any.
    pub volume_options: &'a dyn Fn(&str) -> Option<VolumeOptions>,
}

/// The risky settings of a container, ordered by name.
#[must_use]
pub fn judge(case: &Case<'_>) -> Vec<Risk> {
    let mut found = Found::default();
    settings::judge(case, &mut found);
    capabilities::judge(case.host_config, &mut found);
    devices::judge(case.host_config, &mut found);
    mounts::judge(case, &mut found);
    found.into_risks()
}

/// What is told of risky settings, after `what` was written: all but notes.
#[must_use]
pub fn told(what: &str, risks: &[Risk]) -> String {
    let told: Vec<String> =
        risks.iter().filter(|risk| !risk.is_note()).map(Risk::to_string).collect();
    match told.as_slice() {
        [] => format!("{what}; no risky setting"),
        risks => format!("{what}; {}", risks.join(", ")),
    }
}

/// Risks by name; the same one found twice has the higher severity.
#[derive(Default)]
struct Found(BTreeMap<String, Severity>);

impl Found {
    /// Ordered by name; where there are too many, the highest.
    fn into_risks(self) -> Vec<Risk> {
        let mut risks: Vec<Risk> =
            self.0.into_iter().map(|(name, severity)| Risk { name, severity }).collect();
        risks.sort_by_key(|risk| Reverse(risk.severity));
        risks.truncate(RISK_LIMIT);
        risks.sort_by(|one, other| one.name.cmp(&other.name));
        risks
    }

    fn add(&mut self, class: Class, severity: Severity, what: &str) {
        let shown = what.chars().take(SHOWN_LENGTH);
        let name: String = class.prefix().chars().chain(shown).collect();
        let known = self.0.entry(name).or_insert(severity);
        *known = severity.max(*known);
    }

    fn add_if(&mut self, condition: bool, (class, severity): (Class, Severity), what: &str) {
        if condition {
            self.add(class, severity, what);
        }
    }
}

#[cfg(test)]
mod tests;
