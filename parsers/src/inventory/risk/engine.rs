//! Settings of an engine that open the host, its containers or its images to others.
//!
//! What the engine does unless it is told otherwise is no risk: an API on a local socket, default
//! confinement, containers that may talk to each other (`icc`), no remapped users.

use super::Class::{self, Escape, Note, Risk};
use super::Severity::{self, High, Low, Medium};
use super::settings::{LOCAL_LOGS, OTHER_RUNTIMES, RUNTIMES};
use super::{Found, Risk as Told};
use crate::formats::engine_settings::EngineSettings;
use crate::formats::unit_file::Assignment;

/// Settings that are context when they have any value; the tag says the value.
const NOTED: &[&str] = &[
    "authorization-plugins",
    "bridge",
    "containerd",
    "containerd-namespace",
    "data-root",
    "dns",
    "graph",
    "proxies.http-proxy",
    "proxies.https-proxy",
    "userns-remap",
];
/// Programs that the engine runs as root in place of its own.
const PROGRAMS: &[&str] = &["init-path", "userland-proxy-path"];
/// Switches, with the value that is a risk and what it is.
const SWITCHES: &[(&str, bool, Class, Severity)] = &[
    ("experimental", true, Note, Low),
    ("ip6tables", false, Note, Low),
    ("iptables", false, Risk, Low),
    ("live-restore", true, Note, Low),
    ("allow-direct-routing", true, Risk, Low),
    ("builder.Entitlements.security-insecure", true, Risk, Medium),
    ("builder.entitlements.security-insecure", true, Risk, Medium),
    ("builder.Entitlements.network-host", true, Note, Low),
    ("builder.entitlements.network-host", true, Note, Low),
];

/// The risks among the settings of an engine. `authenticated`: whether another file asks clients of
/// the API for a certificate.
#[must_use]
pub fn judge(settings: &EngineSettings, authenticated: bool) -> Vec<Told> {
    let mut found = Found::default();
    interfaces(settings, authenticated, &mut found);
    registries(settings, &mut found);
    confinement(settings, &mut found);
    programs(settings, &mut found);
    for (key, value, class, severity) in SWITCHES {
        let set = settings.is(key, *value);
        found.add_if(set, (*class, *severity), &format!("{}:{value}", key.to_ascii_lowercase()));
    }
    for (key, value) in settings.iter().filter(|(key, _)| NOTED.contains(key)) {
        let hides = without_password(value);
        found.add_if(!value.is_empty(), (Note, Low), &format!("{key}:{hides}"));
    }
    found.into_risks()
}

/// Who may drive the engine.
fn interfaces(settings: &EngineSettings, authenticated: bool, found: &mut Found) {
    let authenticated = authenticated || settings.is("tlsverify", true);
    for host in settings.values("hosts").filter(|host| is_network(host)) {
        listener(host, authenticated, found);
    }
    if let Some(origin) = settings.text("api-cors-header") {
        let class = if origin == "*" { (Risk, Medium) } else { (Note, Low) };
        found.add(class.0, class.1, &format!("api-cors-header:{origin}"));
    }
    let metrics = settings.text("metrics-addr").filter(|address| !is_loopback(address));
    if let Some(address) = metrics {
        found.add(Note, Low, &format!("metrics-addr:{address}"));
    }
}

fn listener(address: &str, authenticated: bool, found: &mut Found) {
    let risk = match (authenticated, is_loopback(address)) {
        (true, _) => (Note, Low),
        (false, true) => (Risk, Medium),
        (false, false) => (Risk, High),
    };
    let how = if authenticated { "engine-api" } else { "engine-api-without-client-certificates" };
    found.add(risk.0, risk.1, &format!("{how}:{address}"));
}

/// Whether an address of the API is one of the network: `tcp://…`, or a bare `host:port`.
fn is_network(address: &str) -> bool {
    match address.split_once("://") {
        Some((scheme, _)) => !matches!(scheme, "unix" | "fd" | "npipe"),
        None => address.contains(':') || address.parse::<u16>().is_ok(),
    }
}

fn is_loopback(address: &str) -> bool {
    let host = address.split_once("://").map_or(address, |(_, host)| host);
    ["127.", "localhost", "[::1]"].iter().any(|name| host.starts_with(name))
}

fn registries(settings: &EngineSettings, found: &mut Found) {
    for registry in settings.values("insecure-registries") {
        // Every engine trusts registries of 127.0.0.0/8 without TLS.
        let risk = if is_loopback(registry) { (Note, Low) } else { (Risk, Medium) };
        found.add(risk.0, risk.1, &format!("insecure-registry:{registry}"));
    }
    for mirror in settings.values("registry-mirrors") {
        let plain = mirror.starts_with("http://") && !is_loopback(mirror);
        let risk = if plain { (Risk, Medium) } else { (Note, Low) };
        found.add(risk.0, risk.1, &format!("registry-mirror:{}", without_password(mirror)));
    }
}

fn confinement(settings: &EngineSettings, found: &mut Found) {
    match settings.text("seccomp-profile") {
        Some("unconfined") => found.add(Escape, Medium, "engine-seccomp-profile:unconfined"),
        Some("builtin") | None => {}
        Some(path) => found.add(Note, Low, &format!("engine-seccomp-profile:{path}")),
    }
    let cgroupns = settings.text("default-cgroupns-mode");
    found.add_if(cgroupns == Some("host"), (Note, Low), "default-cgroupns-mode:host");
    let parent = settings.text("cgroup-parent").is_some();
    found.add_if(parent, (Note, Low), "cgroup-parent");
    match settings.text("log-driver") {
        Some("none") => found.add(Risk, Medium, "log-driver:none"),
        Some(driver) if !LOCAL_LOGS.contains(&driver) => {
            found.add(Note, Low, &format!("log-driver:{driver}"));
        }
        _ => {}
    }
}

/// What runs as root in place of the engine's own programs.
fn programs(settings: &EngineSettings, found: &mut Found) {
    for (key, value) in settings.iter() {
        if PROGRAMS.contains(&key) && !value.is_empty() {
            found.add(Risk, Medium, &format!("{key}:{value}"));
        }
        let runtime = key.strip_prefix("runtimes.").filter(|_| !value.is_empty());
        let runtime = runtime.and_then(|rest| rest.rsplit_once('.'));
        if let Some((name, "path" | "runtimeType")) = runtime {
            found.add(Risk, of_runtime(name), &format!("runtime:{name}={value}"));
        }
    }
    let default = settings.text("default-runtime").filter(|name| !RUNTIMES.contains(name));
    if let Some(name) = default {
        found.add(Risk, of_runtime(name), &format!("default-runtime:{name}"));
    }
}

/// How much a runtime that is not the engine's own gives away; a name proves nothing.
pub(super) fn of_runtime(name: &str) -> Severity {
    if OTHER_RUNTIMES.contains(&name) || RUNTIMES.contains(&name) { Low } else { Medium }
}

/// An address without the password in it: a tag is what is searched for, the setting itself says
/// the whole.
pub(super) fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{host}")
}

/// The risks of a unit itself: what else it runs, and whom its socket lets in.
#[must_use]
pub fn judge_unit(assignments: &[Assignment]) -> Vec<Told> {
    let mut found = Found::default();
    for assignment in assignments {
        let value = assignment.value.as_str();
        match assignment.key.as_str() {
            "ExecStartPre" | "ExecStartPost" | "ExecStop" | "ExecStopPost" => {
                // The unit that containerd comes with.
                let own = value.trim_start_matches('-') == "/sbin/modprobe overlay";
                let told = !own && !value.is_empty();
                let what = format!("unit-command:{}={value}", assignment.key);
                found.add_if(told, (Risk, Medium), &what);
            }
            "ListenStream" if is_network(value) => listener(value, false, &mut found),
            "SocketMode" => {
                let others = value.chars().last().and_then(|digit| digit.to_digit(8));
                let open = others.is_some_and(|bits| bits & 2 != 0);
                found.add_if(open, (Risk, High), &format!("engine-socket-mode:{value}"));
            }
            _ => {}
        }
    }
    found.into_risks()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::unit_file;
    use serde_json::{Value, json};

    fn risks(settings: Value) -> Vec<String> {
        let settings = EngineSettings::from_document(&settings);
        judge(&settings, false).iter().map(ToString::to_string).collect()
    }

    const NONE: [&str; 0] = [];

    #[test]
    fn what_an_engine_does_by_itself_is_no_risk() {
        let harmless = json!({"hosts": ["fd://", "unix:///var/run/docker.sock"], "icc": true,
            "log-driver": "json-file", "log-opts": {"max-size": "1m"}, "default-runtime": "runc",
            "seccomp-profile": "builtin", "live-restore": false, "userns-remap": "",
            "features": {"buildkit": true}, "iptables": true, "storage-driver": "overlay2"});
        assert_eq!(risks(harmless), NONE);
    }

    #[test]
    fn an_api_on_the_network_without_client_certificates_gives_the_host_away() {
        let hosts = json!(["tcp://0.0.0.0:2375", "127.0.0.1:2375", "fd://"]);
        assert_eq!(
            risks(json!({"hosts": hosts, "tls": true})),
            [
                "medium risk:engine-api-without-client-certificates:127.0.0.1:2375",
                "high risk:engine-api-without-client-certificates:tcp://0.0.0.0:2375",
            ]
        );
        let verified = risks(json!({"hosts": ["tcp://0.0.0.0:2376"], "tlsverify": true}));
        assert_eq!(verified, ["low note:engine-api:tcp://0.0.0.0:2376"]);
        let settings = EngineSettings::from_document(&json!({"hosts": ["tcp://h:1"]}));
        assert_eq!(judge(&settings, true)[0].to_string(), "low note:engine-api:tcp://h:1");
    }

    #[test]
    fn registries_without_tls_are_a_risk_unless_they_are_on_this_host() {
        let settings = json!({"insecure-registries": ["127.0.0.1:5000", "evil.example:5000"],
            "registry-mirrors": ["http://m.example", "https://u:p@m.example"]});
        assert_eq!(
            risks(settings),
            [
                "low note:insecure-registry:127.0.0.1:5000",
                "low note:registry-mirror:https://m.example",
                "medium risk:insecure-registry:evil.example:5000",
                "medium risk:registry-mirror:http://m.example",
            ]
        );
    }

    #[test]
    fn confinement_and_programs_of_others_are_risks() {
        let settings = json!({"seccomp-profile": "unconfined", "log-driver": "none",
            "live-restore": true, "userns-remap": "default", "iptables": false,
            "default-runtime": "x", "runtimes": {"x": {"path": "/tmp/x", "runtimeArgs": ["-v"]}},
            "init-path": "/tmp/i", "proxies": {"http-proxy": "http://u:p@proxy:1"}});
        assert_eq!(
            risks(settings),
            [
                "medium escape-risk:engine-seccomp-profile:unconfined",
                "low note:live-restore:true",
                "low note:proxies.http-proxy:http://proxy:1",
                "low note:userns-remap:default",
                "medium risk:default-runtime:x",
                "medium risk:init-path:/tmp/i",
                "low risk:iptables:false",
                "medium risk:log-driver:none",
                "medium risk:runtime:x=/tmp/x",
            ]
        );
    }

    #[test]
    fn a_unit_that_runs_more_or_opens_its_socket_is_a_risk() {
        let unit = "[Service]\nExecStartPre=-/sbin/modprobe overlay\nExecStartPost=/tmp/x\n\
                    [Socket]\nListenStream=/run/docker.sock\nListenStream=2375\nSocketMode=0666\n";
        let (assignments, _) = unit_file::read(unit);
        let told: Vec<String> = judge_unit(&assignments).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "high risk:engine-api-without-client-certificates:2375",
                "high risk:engine-socket-mode:0666",
                "medium risk:unit-command:ExecStartPost=/tmp/x",
            ]
        );
    }
}
