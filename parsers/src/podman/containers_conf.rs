//! Settings of Podman, Buildah, Skopeo and CRI-O: of the host in `/etc/containers`, of a user in
//! `~/.config/containers`, of packages in `/usr/share/containers`.
//!
//! | file | what it decides |
//! |---|---|
//! | `registries.conf`, `registries.conf.d/*.conf` | where images come from, and whether certificates are checked |
//! | `policy.json` | whose signatures an image needs |
//! | `storage.conf` | where containers and images lie |
//! | `containers.conf`, `containers.conf.d/*.conf`, before 2.0 `libpod.conf` | what every container gets, which programs run it |
//! | `mounts.conf` | directories of the host that every container gets |
//! | `certs.d/<registry>/*` | certificates and keys for a registry |
//! | `oci/hooks.d/*.json` | programs that run as root, outside of the container, at stages of its life |
//!
//! | instant | event |
//! |---|---|
//! | time of the file (`filesystem`) | settings last written, with their risks |
//!
//! After containers/common 0.60 `pkg/config`, `pkg/hooks/1.0.0/hook.go`, `pkg/subscriptions`.
//! Not supported: `registries.d/*.yaml`, where signatures are kept: only that it was written.

use crate::formats::attributes::Attributes;
use crate::formats::config_v2::quoted;
use crate::formats::containers_conf::SettingsFile;
use crate::formats::json::{self, Fields, Wrong};
use crate::inventory::Risk;
use crate::inventory::risk::told;
use crate::written_file::WrittenFile;
use crate::{Artifact, Gather, Inventory, Parser};
use dockline_timeline::{Findings, Kind};
use std::borrow::Cow;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "podman.containers_conf",
    reads: &[
        "containers/registries.conf",
        "containers/registries.conf.d/{part}.conf",
        "containers/policy.json",
        "containers/storage.conf",
        "containers/containers.conf",
        "containers/containers.conf.d/{part}.conf",
        "containers/libpod.conf",
        "containers/mounts.conf",
        "containers/registries.d/{signatures}.yaml",
        "containers/certs.d/{registry}/{certificate}",
        "containers/oci/hooks.d/{hook}.json",
    ],
    gather: Gather::File,
    about: "settings of Podman, Buildah and CRI-O: registries, signatures, storage, hooks",
    yields: "settings last written with their risks, hooks that run with each container, keys",
    references: &[
        "containers/common 0.60 pkg/config/config.go, pkg/hooks/1.0.0/hook.go",
        "containers/image 5.36 docs/containers-registries.conf.5.md, containers-policy.json.5.md",
        "containers/storage 1.59 docs/containers-storage.conf.5.md",
    ],
    parse,
};

static SETTINGS: Kind =
    Kind { data_type: "podman:settings", source_short: "PODMAN", source_long: "Podman settings" };

fn parse(artifact: &Arc<Artifact>, _: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let written = WrittenFile::of(artifact, file, findings);
        let is = |name: &str| file.capture(name).is_some();
        match file.path.file_name().unwrap_or_default() {
            _ if is("hook") => hook(&written, findings),
            _ if is("certificate") => certificate(&written, findings),
            _ if is("signatures") => signatures(&written, findings),
            b"mounts.conf" => mounts(&written, findings),
            _ => settings(&written, findings),
        }
    }
}

fn name<'a>(written: &WrittenFile<'a>) -> Cow<'a, str> {
    String::from_utf8_lossy(written.file.path.file_name().unwrap_or_default())
}

/// Tells an event of the file's time; a whole file was read.
fn tell(written: &WrittenFile<'_>, text: &str, findings: &mut dyn Findings) {
    findings.records(&written.file.origin, 1, 0);
    if let Some(event) = written.event(&SETTINGS, text) {
        findings.event(&event);
    }
}

fn settings(written: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let name = name(written);
    let what = format!("settings of Podman, Buildah and CRI-O, {name}, last written");
    let Some(settings) = SettingsFile::read(written.artifact, written.file, findings) else {
        let text = format!("{what}; the content cannot be read");
        written.event(&SETTINGS, &text).iter().for_each(|event| findings.event(event));
        return;
    };
    let text = told(&what, &settings.risks);
    let Some(mut event) = written.event(&SETTINGS, &text) else { return };
    settings.describe(&mut event);
    findings.event(&event);
}

fn signatures(written: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let text = format!("where signatures are kept, {}, last written; not read", name(written));
    tell(written, &text, findings);
}

fn certificate(written: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let registry = written.file.capture("registry").unwrap_or_default();
    let name = name(written);
    let is_key = name.ends_with(".key");
    let what = if is_key { "key" } else { "certificate" };
    let text = format!("{what} for the registry {registry}, {name}, last written");
    findings.records(&written.file.origin, 1, 0);
    let Some(mut event) = written.event(&SETTINGS, &text) else { return };
    event.tags.extend(is_key.then_some(Cow::Borrowed("possible-secret")));
    let mut all = Attributes::default();
    all.text("registry", Some(registry));
    event.attributes = all.into_vec();
    findings.event(&event);
}

/// `source:destination` lines: what is copied into every container.
fn mounts(written: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let Some(bytes) = written.artifact.read(written.file, findings) else { return };
    findings.records(&written.file.origin, 1, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().map(str::trim);
    let mounts: Vec<String> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    let what = "directories of the host that every container gets last written";
    let Some(mut event) = written.event(&SETTINGS, what) else { return };
    let mut all = Attributes::default();
    all.texts("settings", &mounts);
    event.attributes = all.into_vec();
    findings.event(&event);
}

fn hook(written: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let Some(bytes) = written.artifact.read(written.file, findings) else { return };
    let document = match json::read(&bytes) {
        Ok(document) => document,
        Err(flaw) => return flaw.report_lost(written.file, bytes.len(), findings),
    };
    findings.records(&written.file.origin, 1, document.length);
    let wrong = Wrong::default();
    let fields = Fields::new(&document.value, &wrong);
    let hook = Hook::read(&fields);
    hook.report(written, findings);
    let flaws = wrong.into_flaws();
    document.flaws.iter().chain(&flaws).for_each(|flaw| flaw.report(written.file, findings));
}

/// A program that runs at stages of a container's life.
struct Hook {
    path: Option<String>,
    /// With the name of the program first, as `exec` takes them.
    arguments: Vec<String>,
    environment: Vec<String>,
    stages: Vec<String>,
    /// For which containers.
    when: Vec<String>,
}

impl Hook {
    fn read(fields: &Fields<'_>) -> Hook {
        let (hook, when) = (fields.object("hook"), fields.object("when"));
        Hook {
            path: hook.text("path"),
            arguments: hook.texts("args"),
            environment: hook.texts("env"),
            stages: fields.texts("stages"),
            when: when.keys(),
        }
    }

    fn report(&self, written: &WrittenFile<'_>, findings: &mut dyn Findings) {
        let path = self.path.as_deref().unwrap_or("nothing");
        let words = std::iter::once(path).chain(self.arguments.iter().skip(1).map(String::as_str));
        let command = words.map(quoted).collect::<Vec<String>>().join(" ");
        let stages = self.stages.join(", ");
        let text =
            format!("hook last written: {path} runs on the host for containers, at: {stages}");
        let Some(mut event) = written.event(&SETTINGS, &text) else { return };
        let by_package = path.starts_with("/usr/");
        let severity = match by_package {
            true => crate::inventory::Severity::Low,
            false => crate::inventory::Severity::Medium,
        };
        let risk = Risk { name: format!("risk:hook:{path}"), severity };
        event.command_line = Some(&command);
        event.tags.push(Cow::Borrowed(risk.name.as_str()));
        let mut all = Attributes::default();
        all.list("risks", vec![risk.to_string()]);
        all.texts("environment", &self.environment);
        all.texts("hook_conditions", &self.when);
        event.attributes = all.into_vec();
        findings.event(&event);
    }
}

#[cfg(test)]
mod tests {
    use crate::case::Case;

    #[test]
    fn settings_are_told_with_their_risks() {
        let conf = "[engine]\nhooks_dir = [\"/opt/hooks\"]\nenv = [\"HTTP_PASSWORD=x\"]\n";
        let found = Case::default()
            .with("etc/containers/containers.conf", conf)
            .with(
                "home/u/.config/containers/registries.conf",
                "[[registry]]\nlocation = \"r\"\ninsecure = true\n",
            )
            .read("podman.containers_conf");
        let [host, user] = found.events.as_slice() else { panic!("{found:?}") };
        assert_eq!(host["tag"].as_array().unwrap().len(), 2, "{host}");
        assert_eq!(host["settings"][1], "engine.hooks_dir=/opt/hooks");
        assert_eq!(user["tag"][0], "risk:insecure-registry:r");
        assert_eq!((found.issues.len(), found.records), (0, 2));
    }

    #[test]
    fn a_hook_is_a_program_that_runs_with_each_container() {
        let hook = r#"{"version": "1.0.0", "hook": {"path": "/opt/.x/run", "args": ["run", "a b"]},
            "when": {"always": true}, "stages": ["prestart"]}"#;
        let found = Case::default()
            .with("etc/containers/oci/hooks.d/x.json", hook)
            .read("podman.containers_conf");
        let event = found.only("write");
        assert_eq!(event["command_line"], "/opt/.x/run 'a b'");
        assert_eq!(event["risks"][0], "medium risk:hook:/opt/.x/run");
    }

    #[test]
    fn what_cannot_be_read_is_still_dated() {
        let found = Case::default()
            .with("etc/containers/storage.conf", "[storage")
            .read("podman.containers_conf");
        assert!(found.only("write")["message"].as_str().unwrap().contains("cannot be read"));
        assert!(found.issues[0].contains("no TOML"), "{:?}", found.issues);
    }

    #[test]
    fn keys_are_told_and_not_read() {
        let found = Case::default()
            .with("etc/containers/certs.d/r.example/client.key", "hush")
            .with("etc/containers/mounts.conf", "# c\n/srv:/run/secrets\n")
            .with("etc/containers/registries.d/default.yaml", "x: 1\n")
            .read("podman.containers_conf");
        assert_eq!(found.events.len(), 3);
        assert_eq!(found.events[0]["tag"][0], "possible-secret");
        assert_eq!(found.events[1]["settings"][0], "/srv:/run/secrets");
        assert!(!format!("{:?}", found.events).contains("hush"));
    }
}
