//! Layers of containerd: snapshots, and the archives in its content store from which they were made.

use super::super::snapshots::key as snapshot_key;
use super::super::writable_layers::style_of_snapshotter;
use super::super::{Inventory, Snapshot, TargetImage};
use super::stores::{StoreOfImages, StoredImage, StoredLayer};
use super::{ImageLayer, ImageLayers};
use crate::formats::snapshotter_db::SnapshotKind;
use crate::{Artifact, ArtifactFile, ChainId, Digest};
use dockline_evidence::{FileKind, TreePath};
use dockline_timeline::Subject;
use std::collections::{BTreeMap, BTreeSet};

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
            let layer = layer(artifact, inventory, (snapshotter, snapshot.key()));
            let directory = snapshot.directory.clone();
            layers.add(Some(ImageLayer { directory, ..layer }), &inventory.writable_layers);
        }
        layers.stores.extend(images_of((artifact, file), &here, inventory));
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

/// The images that are unpacked in one snapshotter: of one for several platforms the first that is.
///
/// Which layers an image has, its configuration says. The snapshots of an image that Docker
/// committed have more: it unpacks the new layer onto what the container stood on, which is what the
/// engine had put into that container (moby 29 `daemon/containerd/image_commit.go`, `applyDiffLayer`).
fn images_of(
    (artifact, file): (&Artifact, &ArtifactFile),
    snapshots: &[&Snapshot],
    inventory: &Inventory,
) -> Option<StoreOfImages> {
    let images = &inventory.target_images;
    let layer = |snapshot: &&Snapshot| {
        let chain = Digest::parse(snapshot.key()).map(ChainId)?;
        let parent = images.below.get(&chain).map(|below| below.0.to_string());
        let stands_on = snapshot.parent.as_deref().map(snapshot_key);
        let stands_on = stands_on.filter(|key| parent.as_deref() != Some(*key));
        let (directory, stands_on) = (snapshot.directory.clone(), stands_on.map(str::to_owned));
        Some((chain.0.to_string(), StoredLayer { directory, parent, stands_on }))
    };
    let committed = snapshots.iter().filter(|snapshot| snapshot.kind == SnapshotKind::Committed);
    let layers: BTreeMap<String, StoredLayer> = committed.filter_map(layer).collect();
    let image = |(id, image): (&String, &TargetImage)| {
        let top = image.chain_ids.iter().find(|chain| layers.contains_key(chain.0.as_str()))?;
        let names = image.tags.iter().chain(&image.digests).cloned().collect();
        Some(StoredImage { id: id.clone(), names, top: top.0.to_string() })
    };
    let snapshotter = file.capture("snapshotter").unwrap_or_default();
    Some(StoreOfImages {
        tree: artifact.tree.clone(),
        place: file.path.parent()?,
        driver: snapshotter.to_owned(),
        style: style_of_snapshotter(snapshotter),
        images: images.images.iter().filter_map(image).collect(),
        layers,
    })
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
        .map(|(chain, _)| layer(artifact, inventory, ("overlayfs", chain.0.as_str())))
        .collect();
    for layer in found {
        layers.add(Some(layer), &inventory.writable_layers);
    }
}

/// Where the content store has the archive from which a layer was unpacked.
fn archive(artifact: &Artifact, blob: &Digest) -> Option<TreePath> {
    let path = format!("io.containerd.content.v1.content/blobs/sha256/{}", blob.hex());
    artifact.root.below(path.as_bytes())
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
        archive: blob.and_then(|blob| archive(artifact, blob)),
        registry: source.map(|source| format!("known to a registry as {source}")),
    }
}
