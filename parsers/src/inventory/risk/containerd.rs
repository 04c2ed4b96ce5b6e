//! Settings of containerd that open the host or its images to others.

use super::Class::{Note, Risk};
use super::Severity::{High, Low, Medium};
use super::engine::of_runtime;
use super::{Found, Risk as Told};
use crate::formats::engine_settings::EngineSettings;

/// Where containerd keeps its data and state unless it is told otherwise.
const OWN_PLACES: &[&str] = &["/var/lib/containerd", "/run/containerd"];
/// Programs that containerd comes with.
const OWN_PROGRAMS: &[&str] = &["runc", "/usr/bin/runc", "/usr/sbin/runc", "/usr/local/sbin/runc"];

/// The risks among the settings of containerd.
#[must_use]
pub fn judge(settings: &EngineSettings) -> Vec<Told> {
    let mut found = Found::default();
    for (key, value) in settings.iter().filter(|(_, value)| !value.is_empty()) {
        let (above, name) = key.rsplit_once('.').unwrap_or(("", key));
        let last = above.rsplit('.').next().unwrap_or_default();
        match name {
            "tcp_address" => found.add(Risk, High, &format!("engine-api:{value}")),
            "insecure_skip_verify" if value == "true" => {
                let registry = registry_of(key).unwrap_or(last);
                found.add(Risk, Medium, &format!("insecure-registry:{registry}"));
            }
            "disable_apparmor" if value == "true" => {
                found.add(Risk, Medium, "disable_apparmor:true");
            }
            "endpoint" if value.starts_with("http://") => {
                found.add(Risk, Medium, &format!("registry-mirror:{value}"));
            }
            "BinaryName" if !OWN_PROGRAMS.contains(&value) => {
                let runtime = above.strip_suffix(".options").unwrap_or(above);
                let runtime = runtime.rsplit('.').next().unwrap_or_default();
                found.add(Risk, of_runtime(runtime), &format!("runtime:{runtime}={value}"));
            }
            "root" | "state" if above.is_empty() && !OWN_PLACES.contains(&value) => {
                found.add(Note, Low, &format!("containerd-{name}:{value}"));
            }
            _ => {}
        }
    }
    found.into_risks()
}

/// The registry in `…registry.configs.<registry>.tls.insecure_skip_verify`; its name has dots.
fn registry_of(key: &str) -> Option<&str> {
    key.split_once(".configs.")?.1.strip_suffix(".tls.insecure_skip_verify")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_open_api_a_lax_registry_and_a_strange_runtime_are_risks() {
        let settings = json!({"version": 2, "root": "/srv/c", "state": "/run/containerd",
            "grpc": {"tcp_address": "0.0.0.0:1", "address": "/run/containerd/containerd.sock"},
            "plugins": {"io.containerd.grpc.v1.cri": {
                "containerd": {"runtimes": {
                    "runc": {"options": {"BinaryName": "/usr/bin/runc"}},
                    "x": {"options": {"BinaryName": "/tmp/x"}}}},
                "registry": {
                    "configs": {"r.example:5000": {"tls": {"insecure_skip_verify": true}}},
                    "mirrors": {"docker.io": {"endpoint": ["http://m.example"]}}}}}});
        let risks = judge(&EngineSettings::from_document(&settings));
        let told: Vec<String> = risks.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "low note:containerd-root:/srv/c",
                "high risk:engine-api:0.0.0.0:1",
                "medium risk:insecure-registry:r.example:5000",
                "medium risk:registry-mirror:http://m.example",
                "medium risk:runtime:x=/tmp/x",
            ]
        );
    }
}
