//! Content of plugins: configurations, manifests and layers, written once and named by digest.

use super::{name_of, written};
use crate::formats::attributes::Attributes;
use crate::formats::plugin_config::PluginConfig;
use crate::{Artifact, ArtifactFile, Digest};
use dockline_timeline::{Findings, IssueKind, Meaning, Position};

/// Configurations and manifests are checked against their digest; layers can be large.
const CHECKED_LENGTH: u64 = 1024 * 1024;

pub(super) fn report(
    (artifact, file): (&Artifact, &ArtifactFile),
    plugins: &[&PluginConfig],
    findings: &mut dyn Findings,
) {
    let Some(digest) = file.capture("blob").and_then(Digest::from_hex) else { return };
    let Some(metadata) = artifact.metadata(file, findings) else { return };
    if metadata.size <= CHECKED_LENGTH
        && let Some(bytes) = artifact.read(file, findings)
        && Digest::of(&bytes) != digest
    {
        let what = "its content has another digest than its name: changed or damaged";
        findings.issue(file.issue(IssueKind::Malformed, Position::File, what));
    }
    findings.records(&file.origin, 1, metadata.size);
    let named = |other: &Option<String>| other.as_deref() == Some(digest.as_str());
    let mut found = plugins.iter().filter_map(|plugin| {
        let layer = || plugin.layers.iter().any(|layer| layer == digest.as_str());
        let part = match plugin {
            plugin if named(&plugin.config_digest) => "configuration",
            plugin if named(&plugin.manifest_digest) => "manifest",
            _ if layer() => "layer",
            _ => return None,
        };
        Some((*plugin, part))
    });
    let found = found.next();
    let text = match found {
        Some((plugin, part)) => format!("plugin {} installed: its {part} stored", name_of(plugin)),
        None => "content stored of a plugin that is gone, or was being installed".to_owned(),
    };
    let Some(modified) = metadata.modified else { return };
    let mut event = written(file, modified, &text);
    event.meaning = Meaning::Added;
    event.action = "install";
    event.size = Some(metadata.size);
    event.sha256_hash = Some(digest.hex());
    let mut all = Attributes::default();
    if let Some((plugin, _)) = found {
        all.text("plugin_identifier", plugin.id.as_deref());
        all.text("plugin_name", plugin.name.as_deref());
    } else {
        event.tags.push("orphan".into());
    }
    event.attributes = all.into_vec();
    findings.event(&event);
}
