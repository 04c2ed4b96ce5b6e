//! Everything that is one word of the settings: privileges, namespaces, confinement, life.

use super::Class::{Escape, Note, Risk};
use super::Severity::{High, Low, Medium};
use super::{Case, Found, capabilities};
use crate::formats::host_config::HostConfig;

/// Kernel settings that belong to the container's own namespaces.
const OWN_SYSCTLS: &[&str] = &["kernel.msg", "kernel.sem", "kernel.shm", "kernel.domainname"];
/// Runtimes that engines come with.
pub(super) const RUNTIMES: &[&str] =
    &["runc", "io.containerd.runc.v1", "io.containerd.runc.v2", "io.containerd.runtime.v1.linux"];
/// Well-known other runtimes; a name proves nothing, `daemon.json` says what is behind it.
pub(super) const OTHER_RUNTIMES: &[&str] =
    &["crun", "youki", "nvidia", "runsc", "kata-runtime", "kata"];
/// Log drivers that keep the log on the host, as far as the engine is concerned.
pub(super) const LOCAL_LOGS: &[&str] =
    &["json-file", "local", "none", "journald", "db", "k8s-file", "passthrough", ""];
/// What the lists of kernel paths hold unless somebody asked for them to be emptied.
const MASKED: &str = "/proc/kcore";
const READ_ONLY: &str = "/proc/sys";

pub(super) fn judge(case: &Case<'_>, found: &mut Found) {
    let host = case.host_config;
    found.add_if(host.privileged, (Escape, High), "privileged");
    namespaces(case, found);
    host.security_options.iter().for_each(|option| security_option(option, host, found));
    confinement(case, found);
    life(case, found);
    network(host, found);
}

fn namespaces(case: &Case<'_>, found: &mut Found) {
    let host = case.host_config;
    let pid = if capabilities::may_trace(host) { High } else { Medium };
    let userns = if case.remapped { Medium } else { Low };
    let modes = [
        ("pid", &host.pid_mode, pid),
        ("ipc", &host.ipc_mode, Medium),
        ("network", &host.network_mode, Medium),
        ("uts", &host.uts_mode, Low),
        ("userns", &host.userns_mode, userns),
    ];
    for (name, mode, severity) in modes {
        let mode = mode.as_deref().unwrap_or_default();
        found.add_if(mode == "host", (Escape, severity), &format!("{name}-host"));
        let shared = mode.starts_with("container:");
        found.add_if(shared, (Note, Low), &format!("{name}-{mode}"));
    }
    let class = if case.cgroupns_private_elsewhere { Escape } else { Note };
    let cgroupns = host.cgroupns_mode.as_deref() == Some("host");
    found.add_if(cgroupns, (class, Low), "cgroupns-host");
}

fn security_option(option: &str, host: &HostConfig, found: &mut Found) {
    // Old versions separate by a colon. A profile may be a whole JSON text.
    let (key, value) = option.split_once(['=', ':']).unwrap_or((option, ""));
    let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
    let host_mode = |mode: &Option<String>| mode.as_deref() == Some("host");
    let by_engine = host.privileged || host_mode(&host.pid_mode) || host_mode(&host.ipc_mode);
    let risk = match (key.as_str(), value) {
        ("seccomp" | "apparmor" | "systempaths", "unconfined") => (Escape, Medium),
        ("label", "disable") if by_engine => return,
        ("label", "disable") => (Escape, Low),
        ("label", value) if value.ends_with("spc_t") => (Escape, Medium),
        ("writable-cgroups", "true" | "1" | "") => (Escape, Medium),
        ("seccomp", "builtin" | "default" | "") => return,
        ("seccomp", _) => return found.add(Risk, Low, "security-opt:seccomp=custom"),
        ("apparmor", "docker-default" | "") => return,
        ("apparmor", _) => (Note, Low),
        _ => return,
    };
    found.add(risk.0, risk.1, &format!("security-opt:{key}={value}"));
}

/// What `config.v2.json` says of the confinement, and the kernel's paths. Without meaning for a
/// privileged container, which has none of it.
fn confinement(case: &Case<'_>, found: &mut Found) {
    let (host, confinement) = (case.host_config, &case.config.confinement);
    if host.privileged {
        return;
    }
    let unconfined = |profile: &Option<String>| profile.as_deref() == Some("unconfined");
    let medium = (Escape, Medium);
    found.add_if(unconfined(&confinement.seccomp), medium, "security-opt:seccomp=unconfined");
    found.add_if(unconfined(&confinement.apparmor), medium, "security-opt:apparmor=unconfined");
    found.add_if(confinement.writable_cgroups, medium, "security-opt:writable-cgroups=true");
    let left_out = |paths: &Option<Vec<String>>, path: &str| {
        paths.as_ref().is_some_and(|paths| !paths.iter().any(|listed| listed == path))
    };
    found.add_if(left_out(&host.masked_paths, MASKED), medium, "masked-paths-emptied");
    found.add_if(left_out(&host.readonly_paths, READ_ONLY), medium, "readonly-paths-emptied");
}

fn life(case: &Case<'_>, found: &mut Found) {
    let host = case.host_config;
    let policy = host.restart_policy.as_deref();
    if let Some(policy @ ("always" | "unless-stopped")) = policy {
        found.add(Note, Low, &format!("restart-policy:{policy}"));
    }
    found.add_if(host.auto_remove, (Note, Low), "auto-remove");
    let driver = host.log_driver.as_deref().unwrap_or_default();
    let image = case.config.settings.image.as_deref().unwrap_or_default();
    let silent = if image.starts_with("sha256:") { (Note, Low) } else { (Risk, Medium) };
    found.add_if(driver == "none", silent, "log-driver:none");
    let remote = !LOCAL_LOGS.contains(&driver);
    found.add_if(remote, (Note, Low), &format!("log-driver:{driver}"));
    let runtime = host.runtime.as_deref().unwrap_or_default();
    let severity = if OTHER_RUNTIMES.contains(&runtime) { Low } else { Medium };
    let custom = !runtime.is_empty() && !RUNTIMES.contains(&runtime);
    found.add_if(custom, (Risk, severity), &format!("runtime:{runtime}"));
    for sysctl in host.sysctls.iter().filter(|sysctl| sysctl.starts_with("kernel.")) {
        let own = OWN_SYSCTLS.iter().any(|own| sysctl.starts_with(own));
        let risk = if own { (Note, Low) } else { (Risk, Medium) };
        found.add(risk.0, risk.1, &format!("sysctl:{sysctl}"));
    }
    found.add_if(host.cgroup_parent.is_some(), (Note, Low), "cgroup-parent");
    let score = host.resources.oom_score_adjustment.unwrap_or_default();
    found.add_if(score < 0, (Note, Low), "oom-score-adjustment");
    found.add_if(!host.annotations.is_empty(), (Note, Low), "annotations");
}

fn network(host: &HostConfig, found: &mut Found) {
    for port in &host.port_bindings {
        let exposed = port.starts_with("0.0.0.0:") || port.starts_with("[::]:");
        found.add_if(exposed, (Note, Low), &format!("port-exposed:{port}"));
    }
    found.add_if(host.publish_all_ports, (Note, Low), "publish-all-ports");
    found.add_if(!host.extra_hosts.is_empty(), (Note, Low), "extra-hosts");
    found.add_if(!host.dns.is_empty(), (Note, Low), "dns-servers");
}
