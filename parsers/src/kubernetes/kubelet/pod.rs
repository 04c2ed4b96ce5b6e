//! The directory of a pod.

use super::{Attributes, Findings, Instant, IssueKind, Meaning, Position, Reading, Subject};
use crate::formats::log_text;
use dockline_evidence::{FileKind, TreePath};
use dockline_timeline::Confidence;
use std::borrow::Cow;

/// So many bytes of a last message the kubelet shows.
const MESSAGE_LENGTH: usize = 4096;
/// Plugins whose volumes hold what must not be printed.
const SECRET: &[&str] = &["kubernetes.io~secret", "kubernetes.io~projected"];
/// Plugins that write their files into a directory named after the time.
const DATED: &[(&str, &str)] = &[
    ("kubernetes.io~configmap", "ConfigMap"),
    ("kubernetes.io~downward-api", "downward API"),
    ("kubernetes.io~projected", "projected"),
    ("kubernetes.io~secret", "Secret"),
];

/// The file that the kubelet makes at each start of a container.
pub(super) fn container_run(
    reading: &Reading<'_>,
    (uid, run): (&str, &str),
    findings: &mut dyn Findings,
) {
    if run.len() != 8 || !run.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let what =
            "not named by 8 hexadecimal digits, as the kubelet names what a container leaves";
        findings.issue(reading.file.issue(IssueKind::Unsupported, Position::File, what));
        return;
    }
    reading.count(findings);
    let Some(modified) = reading.modified else { return };
    let container = reading.file.capture("container").unwrap_or_default();
    let subject = Subject { container_name: Some(container.to_owned()), ..Subject::UNKNOWN };
    let shown = reading.bytes.get(..MESSAGE_LENGTH).unwrap_or(reading.bytes);
    let mut buffer = String::new();
    let (message, has_escaped_bytes) = log_text::shown(shown, &mut buffer);
    let text = match message {
        "" => format!("container of pod {uid} started"),
        message => format!("container of pod {uid} left as its last message: {message}"),
    };
    let (meaning, action) = match message {
        "" => (Meaning::Start, "start"),
        _ => (Meaning::ContentModification, "write"),
    };
    let mut event = reading.event(&subject, (modified, meaning), &text);
    event.action = action;
    event.size = u64::try_from(reading.bytes.len()).ok();
    let mut all = Attributes::default();
    all.text("pod_uid", Some(uid));
    all.flag("escaped_bytes", has_escaped_bytes);
    event.attributes = all.into_vec();
    findings.event(&event);
}

/// What `etc-hosts` and the directory around it say.
pub(super) fn directory(reading: &Reading<'_>, uid: &str, findings: &mut dyn Findings) {
    reading.count(findings);
    let Some(pod) = reading.file.path.parent() else { return };
    let volumes = volumes(reading, &pod);
    let names: Vec<String> =
        volumes.iter().map(|volume| format!("{}/{}", volume.plugin, volume.name)).collect();
    let is_secret = |volume: &&Volume| SECRET.contains(&volume.plugin.as_str());
    let secrets: Vec<String> =
        volumes.iter().filter(is_secret).map(|volume| volume.name.clone()).collect();
    let born = reading.artifact.tree.metadata(&pod).ok().and_then(|metadata| metadata.born);
    let address = address(reading.bytes).map(|host| format!(" as {host}")).unwrap_or_default();
    let started = format!("a container of pod {uid} last started{address}");
    let came = format!("pod {uid} came to this node");
    let times = [
        (reading.modified, Meaning::Start, "start", started),
        (born, Meaning::Creation, "create", came),
    ];
    for (time, meaning, action, text) in &times {
        let Some(time) = *time else { continue };
        let mut event = reading.event(&Subject::UNKNOWN, (time, *meaning), text);
        event.action = action;
        event.tags.extend((!secrets.is_empty()).then_some(Cow::Borrowed("possible-secret")));
        let mut all = Attributes::default();
        all.text("pod_uid", Some(uid));
        all.texts("volumes", &names);
        all.texts("possible_secrets", &secrets);
        event.attributes = all.into_vec();
        findings.event(&event);
    }
    for volume in &volumes {
        volume.report(reading, uid, findings);
    }
}

/// A volume of a pod.
struct Volume {
    plugin: String,
    name: String,
    path: TreePath,
}

impl Volume {
    /// Tells when its files were written, if its directory says so.
    fn report(&self, reading: &Reading<'_>, uid: &str, findings: &mut dyn Findings) {
        let Some((_, kind)) = DATED.iter().find(|(plugin, _)| *plugin == self.plugin) else {
            return;
        };
        for name in names_in(reading, &self.path) {
            let Some(written) = written(&name) else { continue };
            let text = format!("{kind} volume {} written into pod {uid}", self.name);
            let when = (written, Meaning::ContentModification);
            let key = format!("{}/{}/{name}", self.plugin, self.name);
            let mut event = reading.event(&Subject::UNKNOWN, when, &text);
            event.confidence = Confidence::Recorded;
            event.position = Position::Key(&key);
            event.action = "write";
            event.volume_name = Some(&self.name);
            let mut all = Attributes::default();
            all.text("pod_uid", Some(uid));
            event.attributes = all.into_vec();
            findings.event(&event);
        }
    }
}

/// The volumes of a pod, by plugin and name.
fn volumes(reading: &Reading<'_>, pod: &TreePath) -> Vec<Volume> {
    let Some(root) = pod.join(b"volumes") else { return Vec::new() };
    let mut found = Vec::new();
    for plugin in names_in(reading, &root) {
        let Some(directory) = root.join(plugin.as_bytes()) else { continue };
        for name in names_in(reading, &directory) {
            let Some(path) = directory.join(name.as_bytes()) else { continue };
            found.push(Volume { plugin: plugin.clone(), name, path });
        }
    }
    found
}

/// Names of the directories in a directory; whoever walks the tree tells what cannot be listed.
fn names_in(reading: &Reading<'_>, path: &TreePath) -> Vec<String> {
    let entries = reading.artifact.tree.list(path).unwrap_or_default();
    let directories = entries.into_iter().filter(|entry| entry.kind == FileKind::Directory);
    directories.filter_map(|entry| String::from_utf8(entry.name).ok()).collect()
}

/// The time in `..2024_05_01_12_00_00.123456789`.
fn written(name: &str) -> Option<Instant> {
    let (stamp, _) = name.strip_prefix("..")?.split_once('.')?;
    let numbers: Vec<&str> = stamp.split('_').collect();
    let [year, month, day, hour, minute, second] = numbers.as_slice() else { return None };
    let time = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z");
    Instant::parse_rfc3339(&time).ok()?
}

/// The line of the pod itself in a hosts file that the kubelet made: `10.0.0.7 web-0`.
fn address(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut own = text.strip_prefix("# Kubernetes-managed hosts file.")?.lines();
    let is_own = |line: &&str| {
        let standard = ["127.", "::1", "fe00::", "#"];
        !line.is_empty() && !standard.iter().any(|start| line.starts_with(start))
    };
    let words: Vec<&str> = own.find(is_own)?.split_whitespace().collect();
    Some(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_directory_says_when_it_was_written() {
        let time = |name: &str| written(name).map(|time| time.to_string());
        let expected = Some("2024-05-01T12:00:00.000000000Z".to_owned());
        assert_eq!(time("..2024_05_01_12_00_00.123456789"), expected);
        for name in
            ["..data", "..2024_05_01_12_00.1", "2024_05_01_12_00_00.1", "..2024_13_01_12_00_00.1"]
        {
            assert_eq!(time(name), None, "{name}");
        }
    }

    #[test]
    fn a_pods_own_line_is_found_in_its_hosts_file() {
        let hosts = "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\nfe00::0\tip6-localnet\n\
                     10.0.0.7\tweb-0\n\n# Entries added by HostAliases.\n1.2.3.4\tx\n";
        assert_eq!(address(hosts.as_bytes()).as_deref(), Some("10.0.0.7 web-0"));
        assert_eq!(
            address(b"# Kubernetes-managed hosts file (host network).\n1.2.3.4 host\n"),
            None
        );
    }
}
