//! Events of `layerdb/sha256`: read-only layers.

use super::standing::Ids;
use super::{LAYER, Store};
use crate::formats::layer_store::LayerFiles;
use crate::{ArtifactFile, ChainId};
use dockline_evidence::FileKind;
use dockline_timeline::{
    Confidence, Event, Findings, IssueKind, Meaning, Position, Subject, Value,
};
use std::borrow::Cow;

impl Store<'_> {
    pub(super) fn registered(&self, findings: &mut dyn Findings) {
        for (chain, layer) in &self.files.layers {
            let Some(file) = layer.file else { continue };
            let sound = chain_is_sound(chain, layer, file, findings);
            self.arrived((chain, layer), (file, sound), findings);
        }
    }

    fn arrived(
        &self,
        (chain, layer): (&ChainId, &LayerFiles<'_>),
        (file, sound): (&ArtifactFile, bool),
        findings: &mut dyn Findings,
    ) {
        let Some(modified) = self.modified(file, findings) else { return };
        let images = self.standing.images.get(chain);
        let containers = self.standing.containers.get(chain);
        let mut text = text(chain, layer);
        if self.images_are_known() {
            let count = images.map_or(0, |ids| ids.count);
            text.push_str(&format!("; held by {}", plural(count, "image")));
        }
        if let Some(containers) = containers {
            text.push_str(&format!("; under {}", plural(containers.count, "container")));
        }
        let subject = self.subject_of(chain);
        let at = (modified, Meaning::Added);
        let mut event = Event::new(&file.origin, &LAYER, &subject, at);
        event.confidence = Confidence::Filesystem;
        event.action = "store";
        event.text = (&text).into();
        event.size = layer.size;
        event.layer_identifier = Some(chain.0.as_str());
        if !sound {
            event.tags.push(Cow::from("chain-mismatch"));
        }
        self.add_layer(&mut event, layer, file);
        if let Some(images) = images {
            images.tell(&mut event, "images_on_layer", "image_identifiers");
        }
        if let Some(containers) = containers {
            containers.tell(&mut event, "containers_on_layer", "container_identifiers");
        }
        findings.event(&event);
    }

    fn add_layer<'a>(
        &'a self,
        event: &mut Event<'a>,
        layer: &'a LayerFiles<'_>,
        file: &ArtifactFile,
    ) {
        self.add_driver(event);
        let diff = layer.diff.as_ref();
        event.attribute("diff_id", diff.map(|diff| Value::Text(diff.0.as_str().into())));
        let parent = layer.parent.as_ref();
        event.attribute("parent_layer", parent.map(|id| Value::Text(id.0.as_str().into())));
        let cache = layer.cache_id.as_deref();
        event.attribute("layer_directory", cache.map(|name| Value::Text(name.into())));
        let sources = diff.and_then(|diff| self.sources.get(diff));
        let sources = sources.map(|sources| sources.iter().map(Cow::from).collect());
        event.attribute("layer_sources", sources.map(Value::List));
        let beside = file.path.parent().and_then(|path| path.join(b"tar-split.json.gz"));
        let kind = beside.and_then(|path| Some(self.artifact.tree.metadata(&path).ok()?.kind));
        let listed = kind == Some(FileKind::Regular);
        event.attribute("has_tar_split", Some(Value::Boolean(listed)));
    }

    /// The image, when just one holds the layer.
    pub(super) fn subject_of(&self, chain: &ChainId) -> Subject {
        let holder = self.standing.images.get(chain).and_then(Ids::only);
        holder.map_or(Subject::UNKNOWN, |image| self.inventory.image_subject(image))
    }
}

fn chain_is_sound(
    chain: &ChainId,
    layer: &LayerFiles<'_>,
    file: &ArtifactFile,
    findings: &mut dyn Findings,
) -> bool {
    // What cannot be read was told where it was read, and leaves nothing to compare.
    let Some(diff) = &layer.diff else { return true };
    if layer.has_parent && layer.parent.is_none() {
        return true;
    }
    let computed = ChainId::on(layer.parent.as_ref(), diff);
    if computed != *chain {
        let what =
            format!("diff and parent give the chain id {}, not that of the name", computed.0);
        findings.issue(file.issue(IssueKind::Malformed, Position::File, what));
    }
    computed == *chain
}

fn text(chain: &ChainId, layer: &LayerFiles<'_>) -> String {
    let size = layer.size.map(|size| format!(" of {size} bytes")).unwrap_or_default();
    let below = match &layer.parent {
        Some(parent) => format!("on layer {}", parent.0.short()),
        None if layer.has_parent => "on a layer that cannot be read".to_owned(),
        None => "at the base of a chain".to_owned(),
    };
    format!("layer {}{size} arrived {below}", chain.0.short())
}

/// A number of things, in words.
pub(super) fn plural(count: u64, one: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {one}{ending}")
}
