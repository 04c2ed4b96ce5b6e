//! Layers of containerd: snapshots, and the archives in its content store from which they were made.

use super::super::writable_layers::style_of_snapshotter;
use super::super::{Inventory, Snapshot};
use super::{ImageLayer, ImageLayers};
use crate::{Artifact, ChainId, Digest};
use dockline_evidence::{FileKind, TreePath};
use dockline_timeline::Subject;
use std::collections::BTreeSet;

/// Adds the snapshots that are no container's.
pub(super) fn add(artifact: &Artifact, inventory: &Inventory, layers: &mut ImageLayers) {
    for file in &artifact.files {
        let snapshotter = file.capture("snapshotter").unwrap_or_default();
        let here = inventory.snapshots.iter().filter(|snapshot| {
            snapshot.root == artifact.root && snapshot.snapshotter == snapshotter
        });
        let here: Vec<&Snapshot> = here.collect();
        let known: BTreeSet<&TreePath> =
            here.iter().filter_map(|snapshot| snapshot.directory.as_ref()).collect();
        for snapshot in here.iter().filter(|snapshot| snapshot.container.is_none()) {
            let key = snapshot.name.rsplit('/').next().unwrap_or_default();
            let layer = layer(artifact, inventory, (snapshotter, key));
            let directory = snapshot.directory.clone();
            layers.add(Some(ImageLayer { directory, ..layer }), &inventory.writable_layers);
        }
        let base = file.path.parent().and_then(|base| base.below(b"snapshots"));
        for (name, directory) in base.map_or(Vec::new(), |base| directories(artifact, &base)) {
            if !known.contains(&directory) {
                let id = format!("snapshots/{name}");
                let layer = layer(artifact, inventory, (snapshotter, &id));
                let directory = Some(directory);
                layers.add(Some(ImageLayer { id, directory, ..layer }), &inventory.writable_layers);
            }
        }
    }
}

/// Directories that hold the files of snapshots, known or not.
fn directories(artifact: &Artifact, base: &TreePath) -> Vec<(String, TreePath)> {
    let entries = artifact.tree.list(base).unwrap_or_default();
    let entries = entries.into_iter().filter(|entry| entry.kind == FileKind::Directory);
    let named = entries.filter_map(|entry| {
        let name = String::from_utf8(entry.name).ok()?;
        let directory = base.below(format!("{name}/fs").as_bytes())?;
        Some((name, directory))
    });
    named.collect()
}

/// Adds the layers of which only the archive is there.
pub(super) fn add_archives(artifact: &Artifact, inventory: &Inventory, layers: &mut ImageLayers) {
    let unpacked: BTreeSet<&str> = layers.known.iter().map(|layer| layer.id.as_str()).collect();
    let chains = inventory.target_images.layers.iter();
    let chains = chains.filter(|(chain, _)| !unpacked.contains(chain.0.as_str()));
    let found: Vec<ImageLayer> = chains
        .map(|(chain, blob)| {
            let path = format!("io.containerd.content.v1.content/blobs/sha256/{}", blob.hex());
            let archive = artifact.root.below(path.as_bytes());
            let layer = layer(artifact, inventory, ("overlayfs", chain.0.as_str()));
            ImageLayer { archive, ..layer }
        })
        .collect();
    for layer in found {
        layers.add(Some(layer), &inventory.writable_layers);
    }
}

/// A layer by its key: a chain id, or what a build calls it.
fn layer(
    artifact: &Artifact,
    inventory: &Inventory,
    (snapshotter, key): (&str, &str),
) -> ImageLayer {
    let images = &inventory.target_images;
    let chain = Digest::parse(key).map(ChainId);
    let blob = chain.and_then(|chain| images.layers.get(&chain));
    let targets = blob.map(|blob| images.of(blob)).unwrap_or_default();
    let is_tagged =
        |target: &&String| images.images.get(*target).is_some_and(|image| !image.tags.is_empty());
    let image = targets.iter().find(is_tagged).or(targets.first());
    let source = blob.and_then(|blob| images.sources.get(blob));
    ImageLayer {
        tree: artifact.tree.clone(),
        id: key.to_owned(),
        subject: image.map_or(Subject::UNKNOWN, |image| inventory.image_subject(image)),
        style: style_of_snapshotter(snapshotter),
        directory: None,
        list: None,
        archive: None,
        registry: source.map(|source| format!("known to a registry as {source}")),
    }
}
