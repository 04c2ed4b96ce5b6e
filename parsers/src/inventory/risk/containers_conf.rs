//! Settings of Podman, Buildah and CRI-O that open the host, its images or every container.

use super::Class::{Escape, Note, Risk};
use super::Severity::{High, Low, Medium};
use super::engine::of_runtime;
use super::{Found, Risk as Told};
use crate::formats::engine_settings::EngineSettings;
use serde_json::Value;

/// Where the data lie unless somebody wants otherwise.
const OWN_ROOTS: &[&str] =
    &["/var/lib/containers/storage", "$HOME/.local/share/containers/storage"];
/// Where packages put runtimes and the programs that Podman calls.
const OWN_PROGRAMS: &[&str] = &["/usr/", "/bin/", "/sbin/"];
/// Where packages and administrators put hooks: `/etc` is where somebody puts one by hand.
const OWN_HOOKS: &[&str] = &["/usr/share/containers/oci/hooks.d", "/etc/containers/oci/hooks.d"];
/// Namespaces of the host that every container gets.
const NAMESPACES: &[(&str, &str)] = &[
    ("netns", "network-host"),
    ("pidns", "pid-host"),
    ("ipcns", "ipc-host"),
    ("utsns", "uts-host"),
    ("userns", "userns-host"),
    ("cgroupns", "cgroupns-host"),
];

/// The risks among the settings of `containers.conf`, `storage.conf`, `registries.conf`,
/// `policy.json`, `crio.conf`, and of `libpod.conf` before them.
#[must_use]
pub fn judge(settings: &EngineSettings, document: &Value) -> Vec<Told> {
    let mut found = Found::default();
    for (key, value) in settings.iter().filter(|(_, value)| !value.is_empty()) {
        let (above, name) = key.rsplit_once('.').unwrap_or(("", key));
        of_every_container((above, name), value, &mut found);
        of_programs((above, name), value, &mut found);
        of_images((key, name), value, &mut found);
    }
    lax_registries(document, &mut found);
    found.into_risks()
}

/// What every container of the host is given.
fn of_every_container((above, name): (&str, &str), value: &str, found: &mut Found) {
    let namespace = NAMESPACES.iter().find(|(setting, _)| *setting == name);
    match (name, value) {
        ("privileged", "true") => found.add(Escape, High, "privileged"),
        ("seccomp_profile" | "apparmor_profile", "unconfined") => {
            let what = name.trim_end_matches("_profile");
            found.add(Escape, Medium, &format!("security-opt:{what}=unconfined"));
        }
        ("label", "false") => found.add(Escape, Low, "security-opt:label=disable"),
        (_, "host") if namespace.is_some() => {
            let what = namespace.map_or("", |(_, what)| what);
            found.add(Escape, Medium, what);
        }
        ("default_capabilities" | "capabilities", "SYS_ADMIN" | "CAP_SYS_ADMIN" | "ALL") => {
            found.add(Escape, High, &format!("cap-add:{}", value.trim_start_matches("CAP_")));
        }
        ("devices" | "additional_devices", value) if above.starts_with("c") => {
            found.add(Escape, Medium, &format!("device:{value}"));
        }
        ("volumes" | "mounts", value) if above == "containers" => {
            let source = value.split(':').next().unwrap_or(value);
            found.add(Escape, Medium, &format!("host-mount:{source}"));
        }
        _ => {}
    }
}

/// Programs that run as root with each container or command.
fn of_programs((above, name): (&str, &str), value: &str, found: &mut Found) {
    let by_package = OWN_PROGRAMS.iter().any(|place| value.starts_with(place));
    let last = above.rsplit('.').next().unwrap_or_default();
    match name {
        "hooks_dir" if !OWN_HOOKS.contains(&value.trim_end_matches('/')) => {
            found.add(Risk, Medium, &format!("hooks:{value}"));
        }
        "conmon_path" | "conmon" | "pinns_path" | "helper_binaries_dir" if !by_package => {
            found.add_if(value.starts_with('/'), (Risk, Medium), &format!("program:{value}"));
        }
        "runtime_path" if !by_package => {
            found.add(Risk, of_runtime(last), &format!("runtime:{last}={value}"));
        }
        "stream_address" if !matches!(value, "127.0.0.1" | "::1" | "localhost") => {
            found.add(Risk, Medium, &format!("engine-api:{value}"));
        }
        _ if last == "runtimes" && !by_package && value.starts_with('/') => {
            found.add(Risk, of_runtime(name), &format!("runtime:{name}={value}"));
        }
        _ => {}
    }
}

/// Where images come from and lie, and who checks them.
fn of_images((key, name): (&str, &str), value: &str, found: &mut Found) {
    match (key, name) {
        ("default.type", _) if value == "insecureAcceptAnything" => {
            found.add(Note, Low, "images-unchecked");
        }
        (_, "graphroot" | "static_dir") if !OWN_ROOTS.contains(&value) => {
            found.add_if(name == "graphroot", (Note, Low), &format!("storage-root:{value}"));
        }
        (_, "additionalimagestores") => {
            found.add(Note, Low, &format!("image-store:{value}"));
        }
        (_, "insecure_registries") | ("registries.insecure.registries", _) => {
            found.add(Risk, Medium, &format!("insecure-registry:{value}"));
        }
        _ => {}
    }
}

/// Registries, and mirrors of them, whose certificates nobody checks: `[[registry]]`.
fn lax_registries(document: &Value, found: &mut Found) {
    let list = |value: &Value, key: &str| -> Vec<Value> {
        value.get(key).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    for registry in list(document, "registry") {
        let name = text(&registry, "location").or_else(|| text(&registry, "prefix"));
        let own = name.clone().unwrap_or_default();
        for mirror in list(&registry, "mirror") {
            let at = text(&mirror, "location").unwrap_or_default();
            found.add_if(!at.is_empty(), (Note, Low), &format!("registry-mirror:{at}"));
            let lax = mirror.get("insecure") == Some(&Value::Bool(true));
            found.add_if(lax, (Risk, Medium), &format!("insecure-registry:{at}"));
        }
        let lax = registry.get("insecure") == Some(&Value::Bool(true));
        found.add_if(lax, (Risk, Medium), &format!("insecure-registry:{own}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(document: &Value) -> Vec<String> {
        judge(&EngineSettings::from_document(document), document)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn registries_without_certificates_are_a_risk_and_so_are_their_mirrors() {
        let document = json!({"unqualified-search-registries": ["docker.io"], "registry": [
            {"location": "r.example", "insecure": true,
             "mirror": [{"location": "m.example", "insecure": true}, {"location": "n.example"}]},
            {"location": "ok.example"}]});
        assert_eq!(
            told(&document),
            [
                "low note:registry-mirror:m.example",
                "low note:registry-mirror:n.example",
                "medium risk:insecure-registry:m.example",
                "medium risk:insecure-registry:r.example",
            ]
        );
    }

    #[test]
    fn what_every_container_gets_is_judged() {
        let document = json!({
            "containers": {"seccomp_profile": "unconfined", "pidns": "host", "label": false,
                "volumes": ["/:/host"], "default_capabilities": ["CHOWN", "SYS_ADMIN"],
                "log_driver": "journald"},
            "engine": {"hooks_dir": ["/opt/h", "/etc/containers/oci/hooks.d"],
                "runtimes": {"crun": ["/usr/bin/crun", "/tmp/crun"]}}});
        assert_eq!(
            told(&document),
            [
                "high escape-risk:cap-add:SYS_ADMIN",
                "medium escape-risk:host-mount:/",
                "medium escape-risk:pid-host",
                "low escape-risk:security-opt:label=disable",
                "medium escape-risk:security-opt:seccomp=unconfined",
                "medium risk:hooks:/opt/h",
                "low risk:runtime:crun=/tmp/crun",
            ]
        );
    }

    #[test]
    fn defaults_are_no_risk() {
        let policy = json!({"default": [{"type": "insecureAcceptAnything"}]});
        assert_eq!(told(&policy), ["low note:images-unchecked"]);
        let storage = json!({"storage": {"driver": "overlay",
            "graphroot": "/var/lib/containers/storage", "runroot": "/run/containers/storage"}});
        assert_eq!(told(&storage), [""; 0]);
    }
}
