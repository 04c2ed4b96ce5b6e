//! Capabilities that a container was given beyond the engine's own list.

use super::Class::{Escape, Risk};
use super::Severity::{High, Low, Medium};
use super::{Class, Found, Severity};
use crate::formats::host_config::HostConfig;

/// What every container has: adding it gives nothing.
const DEFAULT: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// What others give. `SYS_PTRACE` and `NET_ADMIN` give more together with the host's namespace.
const GIVEN: &[(&str, Class, Severity)] = &[
    ("ALL", Escape, High),
    ("SYS_ADMIN", Escape, High),
    ("SYS_MODULE", Escape, High),
    ("SYS_RAWIO", Escape, High),
    ("DAC_READ_SEARCH", Escape, High),
    ("SYS_PTRACE", Escape, Medium),
    ("SYS_BOOT", Escape, Medium),
    ("SYSLOG", Escape, Medium),
    ("BPF", Escape, Medium),
    ("PERFMON", Escape, Medium),
    ("CHECKPOINT_RESTORE", Escape, Medium),
    ("MAC_ADMIN", Escape, Medium),
    ("MAC_OVERRIDE", Escape, Medium),
    ("SYS_TIME", Escape, Medium),
    ("NET_ADMIN", Escape, Low),
    ("LINUX_IMMUTABLE", Risk, Low),
    ("IPC_LOCK", Risk, Low),
    ("AUDIT_CONTROL", Risk, Low),
];

pub(super) fn judge(host: &HostConfig, found: &mut Found) {
    let is_host = |mode: &Option<String>| mode.as_deref() == Some("host");
    for capability in &host.cap_add {
        let name = plain_name(capability);
        if DEFAULT.contains(&name.as_str()) {
            continue;
        }
        let known = GIVEN.iter().find(|(given, ..)| *given == name);
        let (class, severity) =
            known.map_or((Risk, Low), |(_, class, severity)| (*class, *severity));
        let severity = match name.as_str() {
            "SYS_PTRACE" if is_host(&host.pid_mode) => High,
            "NET_ADMIN" if is_host(&host.network_mode) => Medium,
            _ => severity,
        };
        found.add(class, severity, &format!("cap-add:{name}"));
    }
}

/// Whether the container may trace any process that it sees.
pub(super) fn may_trace(host: &HostConfig) -> bool {
    let names = ["ALL", "SYS_PTRACE"];
    let added = host.cap_add.iter().any(|name| names.contains(&plain_name(name).as_str()));
    host.privileged || added
}

/// In upper case and without `CAP_`, which only some versions write.
fn plain_name(capability: &str) -> String {
    let name = capability.trim().to_ascii_uppercase();
    name.strip_prefix("CAP_").map_or_else(|| name.clone(), str::to_owned)
}
