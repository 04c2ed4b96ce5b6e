//! How a node belongs to its cluster: settings of the kubelet, and credentials.
//!
//! | file | what |
//! |---|---|
//! | `/var/lib/kubelet/config.yaml` | settings of the kubelet: who may ask it, from where static pods come |
//! | `/var/lib/kubelet/kubeadm-flags.env` | arguments of the kubelet, by kubeadm |
//! | `/etc/kubernetes/*.conf` | kubeconfigs: of the kubelet, of the components of a control plane, of `admin.conf` with all rights |
//! | `/var/lib/kubelet/pki/*`, `/etc/kubernetes/pki/…` | keys and certificates; of a control plane that of the cluster's own authority |
//! | `/var/lib/kubelet/checkpoints/*.tar` | a container, frozen with its memory, on demand of who has rights on the kubelet |
//!
//! | instant | event |
//! |---|---|
//! | time of the file (`filesystem`) | last written; with the settings and their risks, the servers of a kubeconfig, never a credential |
//!
//! After kubernetes 1.34 `staging/src/k8s.io/kubelet/config/v1beta1/types.go`, `cmd/kubeadm`. Not
//! supported: the content of keys, certificates and checkpoints.

use crate::formats::attributes::Attributes;
use crate::formats::engine_settings::EngineSettings;
use crate::formats::unit_file::shell_assignments;
use crate::formats::yaml;
use crate::inventory::Risk;
use crate::inventory::risk::{judge_kubelet, told};
use crate::written_file::WrittenFile;
use crate::{Artifact, Gather, Inventory, Parser};
use dockline_timeline::{Findings, IssueKind, Kind, Position};
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "kubernetes.node_settings",
    reads: &[
        "kubelet/config.yaml",
        "kubelet/kubeadm-flags.env",
        "kubelet/pki/{key}",
        "kubelet/checkpoints/{checkpoint}.tar",
        "etc/kubernetes/{kubeconfig}.conf",
        "etc/kubernetes/pki/{key**}",
    ],
    gather: Gather::File,
    about: "how a node belongs to its cluster: settings of the kubelet, kubeconfigs, keys",
    yields: "settings last written with their risks, credentials written, containers checkpointed",
    references: &[
        "kubernetes 1.34 staging/src/k8s.io/kubelet/config/v1beta1/types.go",
        "kubernetes 1.34 cmd/kubeadm/app/phases/{kubelet,kubeconfig,certs}",
    ],
    parse,
};

static SETTINGS: Kind = Kind {
    data_type: "kubernetes:node:settings",
    source_short: "K8S",
    source_long: "Kubernetes node settings",
};

fn parse(artifact: &Arc<Artifact>, _: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        let written = WrittenFile::of(artifact, file, findings);
        let is = |name: &str| file.capture(name).is_some();
        if is("key") || is("checkpoint") {
            by_name(&written, findings);
        } else if is("kubeconfig") {
            kubeconfig(&written, findings);
        } else if file.path.file_name() == Some(b"config.yaml") {
            kubelet(&written, findings);
        } else {
            arguments(&written, findings);
        }
    }
}

/// What is told by its name alone.
fn by_name(written: &WrittenFile<'_>, findings: &mut dyn Findings) {
    findings.records(&written.file.origin, 1, 0);
    let (text, is_secret) = match (written.file.capture("checkpoint"), written.file.capture("key"))
    {
        (Some(name), _) => (format!("container frozen into {name}.tar, with its memory"), true),
        (None, name) => {
            let name = name.unwrap_or_default();
            // The kubelet keeps a key and its certificate in one file.
            let is_key = !name.ends_with(".crt") && !name.ends_with(".pub");
            let what = if is_key { "key" } else { "certificate" };
            (format!("{what} of the node or of its cluster, {name}, last written"), is_key)
        }
    };
    let Some(mut event) = written.event(&SETTINGS, &text) else { return };
    event.tags.extend(is_secret.then_some(Cow::Borrowed("possible-secret")));
    findings.event(&event);
}

/// The document of a file in YAML; `None` where there is none.
fn document(written: &WrittenFile<'_>, findings: &mut dyn Findings) -> Option<Value> {
    let bytes = written.artifact.read(written.file, findings)?;
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let Ok(text) = std::str::from_utf8(&bytes) else {
        let what = "no YAML: bytes that are not UTF-8";
        let issue = written.file.issue(IssueKind::Malformed, Position::File, what);
        findings.issue(issue.losing(1, length));
        return None;
    };
    let (documents, problem) = yaml::documents(text);
    let lost = problem.as_ref().map_or(0, |_| length);
    findings.records(&written.file.origin, 1, length.saturating_sub(lost));
    if let Some(problem) = problem {
        let at = Position::Line(problem.line);
        findings.issue(written.file.issue(problem.kind, at, problem.what).losing(0, lost));
    }
    documents.into_iter().next().map(|document| document.value)
}

/// Of a file without readable content, the time at which it was written.
fn unreadable(written: &WrittenFile<'_>, what: &str, findings: &mut dyn Findings) {
    let text = format!("{what} last written; the content cannot be read");
    written.event(&SETTINGS, &text).iter().for_each(|event| findings.event(event));
}

fn kubelet(written: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let what = "settings of the kubelet";
    let Some(document) = document(written, findings) else {
        return unreadable(written, what, findings);
    };
    let settings = EngineSettings::from_document(&document);
    if settings.cut {
        let what = format!("more than {} settings, the rest is not read", settings.pairs.len());
        findings.issue(written.file.issue(IssueKind::LimitReached, Position::File, what));
    }
    let risks = judge_kubelet(&settings);
    let text = told(&format!("{what} last written"), &risks);
    let Some(mut event) = written.event(&SETTINGS, &text) else { return };
    event.tags.extend(risks.iter().map(|risk| Cow::Borrowed(risk.name.as_str())));
    let mut all = Attributes::default();
    all.list("risks", risks.iter().map(Risk::to_string).collect());
    all.texts("settings", &settings.pairs);
    event.attributes = all.into_vec();
    findings.event(&event);
}

/// The servers and the names of users of a kubeconfig.
fn kubeconfig(written: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let name = written.file.capture("kubeconfig").unwrap_or_default();
    let Some(document) = document(written, findings) else {
        return unreadable(written, &format!("kubeconfig {name}.conf"), findings);
    };
    let list = |name: &str| document.get(name).and_then(Value::as_array).into_iter().flatten();
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let server = |one: &Value| text(one.get("cluster").and_then(|it| it.get("server")));
    let servers: Vec<String> = list("clusters").filter_map(server).collect();
    let users: Vec<String> = list("users").filter_map(|one| text(one.get("name"))).collect();
    let text = format!(
        "kubeconfig {name}.conf last written: credentials of {} for {}",
        if users.is_empty() { "nobody".to_owned() } else { users.join(", ") },
        if servers.is_empty() { "no cluster".to_owned() } else { servers.join(", ") },
    );
    let Some(mut event) = written.event(&SETTINGS, &text) else { return };
    event.tags.extend((!users.is_empty()).then_some(Cow::Borrowed("stored-credentials")));
    let mut all = Attributes::default();
    all.texts("endpoints", &servers);
    event.attributes = all.into_vec();
    findings.event(&event);
}

fn arguments(written: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let Some(bytes) = written.artifact.read(written.file, findings) else { return };
    findings.records(&written.file.origin, 1, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    let (pairs, cut) = shell_assignments(&String::from_utf8_lossy(&bytes));
    if cut {
        let what = format!("more than {} variables, the rest is not read", pairs.len());
        findings.issue(written.file.issue(IssueKind::LimitReached, Position::File, what));
    }
    let text = "arguments of the kubelet last written, by kubeadm";
    let Some(mut event) = written.event(&SETTINGS, text) else { return };
    let mut all = Attributes::default();
    all.texts("settings", &pairs);
    event.attributes = all.into_vec();
    findings.event(&event);
}

#[cfg(test)]
mod tests {
    use crate::case::Case;

    #[test]
    fn a_kubeconfig_tells_whose_credentials_it_holds_and_never_what_they_are() {
        let text = "apiVersion: v1\nclusters:\n- cluster:\n    server: https://10.0.0.1:6443\n  name: k\n\
                    users:\n- name: kubernetes-admin\n  user:\n    client-key-data: aHVzaA==\n";
        let found = Case::default()
            .with("etc/kubernetes/admin.conf", text)
            .read("kubernetes.node_settings");
        let event = found.only("write");
        assert_eq!(event["endpoints"][0], "https://10.0.0.1:6443");
        assert_eq!(event["tag"][0], "stored-credentials");
        assert!(!event.to_string().contains("aHVzaA"), "{event}");
        assert!(found.issues.is_empty());
    }

    #[test]
    fn settings_keys_and_checkpoints_are_told() {
        let found = Case::default()
            .with(
                "var/lib/kubelet/config.yaml",
                "authentication:\n  anonymous:\n    enabled: true\n",
            )
            .with("var/lib/kubelet/kubeadm-flags.env", "KUBELET_KUBEADM_ARGS=\"--x=y\"\n")
            .with("var/lib/kubelet/pki/kubelet.crt", "x")
            .with(
                "var/lib/kubelet/checkpoints/checkpoint-web_default-app-2024-05-01T12:00:00Z.tar",
                "x",
            )
            .with("etc/kubernetes/pki/etcd/ca.key", "x")
            .read("kubernetes.node_settings");
        assert_eq!((found.events.len(), found.issues.len()), (5, 0));
        let tagged = |tag: &str| {
            found.events.iter().filter(|event| event["tag"].to_string().contains(tag)).count()
        };
        assert_eq!((tagged("risk:kubelet-anonymous"), tagged("possible-secret")), (1, 2));
    }
}
