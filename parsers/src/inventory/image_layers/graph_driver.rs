//! Layers of Docker's graph drivers.

use super::super::stores::LayerStores;
use super::super::writable_layers::{directory, style_of};
use super::super::{Inventory, Silent};
use super::stores::{StoreOfImages, StoredImage, StoredLayer};
use super::{ImageLayer, ImageLayers};
use crate::formats::json::{self, Wrong};
use crate::formats::layer_source::{self, Transfer};
use crate::formats::layer_store::{LayerFiles, LayerStore};
use crate::{Artifact, ArtifactFile, ChainId, DiffId, ImageStore};
use dockline_timeline::Subject;
use std::collections::{BTreeMap, BTreeSet};

/// Adds the layers of the stores of one data root.
pub(super) fn add(
    LayerStores { artifact, stores }: &LayerStores<'_>,
    inventory: &Inventory,
    layers: &mut ImageLayers,
) {
    let images = images(inventory);
    for (store, files) in stores {
        let pulled = pulled(artifact, files);
        for (chain, found) in &files.layers {
            let registry = found.diff.as_ref().and_then(|diff| pulled.get(diff)).cloned();
            let subject = images.get(chain).map(|image| inventory.image_subject(image));
            let layer = layer((artifact, store), found, (chain.0.as_str(), chain.0.hex()));
            let subject = subject.unwrap_or_default();
            let layer = layer.map(|layer| ImageLayer { subject, registry, ..layer });
            layers.add(layer, &inventory.writable_layers);
        }
        for (name, found) in &files.removing {
            let at = format!("{name}-removing");
            layers.add(layer((artifact, store), found, (name, &at)), &inventory.writable_layers);
        }
        for name in ownerless(files) {
            let found = LayerFiles { cache_id: Some(name.to_owned()), ..LayerFiles::default() };
            layers.add(layer((artifact, store), &found, (name, "")), &inventory.writable_layers);
        }
        layers.stores.extend(images_of((artifact, store), files, inventory));
    }
}

/// The images of one store.
fn images_of(
    (artifact, store): (&Artifact, &ImageStore),
    files: &LayerStore<'_>,
    inventory: &Inventory,
) -> Option<StoreOfImages> {
    let style = style_of(&store.driver)?;
    let mut layers: BTreeMap<String, StoredLayer> = BTreeMap::new();
    for (chain, found) in &files.layers {
        let name = found.cache_id.as_deref();
        let directory = name.and_then(|name| directory(&store.root, &store.driver, name));
        let layer = StoredLayer { directory, ..StoredLayer::default() };
        layers.insert(chain.0.to_string(), layer);
    }
    let mut images = Vec::new();
    for (id, image) in inventory.images.iter().filter(|(_, image)| image.stores.contains(store)) {
        // A chain id is a digest of all below it: of each there is one parent.
        for (parent, chain) in image.chain_ids.iter().zip(image.chain_ids.iter().skip(1)) {
            layers.entry(chain.0.to_string()).or_default().parent = Some(parent.0.to_string());
        }
        let Some(top) = image.chain_ids.last() else { continue };
        images.push(StoredImage {
            id: id.clone(),
            names: image.tags.iter().chain(&image.digests).cloned().collect(),
            top: top.0.to_string(),
        });
    }
    let (tree, driver) = (artifact.tree.clone(), store.driver.clone());
    let place = store.root.join(driver.as_bytes())?;
    Some(StoreOfImages { tree, place, driver, style, images, layers })
}

/// The first image that each layer belongs to, of those with a tag before the others.
fn images(inventory: &Inventory) -> BTreeMap<&ChainId, &str> {
    let mut first = BTreeMap::new();
    let (tagged, untagged): (Vec<_>, Vec<_>) =
        inventory.images.iter().partition(|(_, image)| !image.tags.is_empty());
    for (id, image) in tagged.into_iter().chain(untagged) {
        for chain in &image.chain_ids {
            first.entry(chain).or_insert(id.as_str());
        }
    }
    first
}

/// A layer whose files lie in that directory of `layerdb/sha256`.
fn layer(
    (artifact, store): (&Artifact, &ImageStore),
    files: &LayerFiles<'_>,
    (id, entry): (&str, &str),
) -> Option<ImageLayer> {
    let name = files.cache_id.as_deref();
    let list = format!("layerdb/sha256/{entry}/tar-split.json.gz");
    Some(ImageLayer {
        tree: artifact.tree.clone(),
        id: id.to_owned(),
        subject: Subject::UNKNOWN,
        style: style_of(&store.driver)?,
        directory: name.and_then(|name| directory(&store.root, &store.driver, name)),
        list: store.base.below(list.as_bytes()),
        archive: None,
        registry: None,
    })
}

/// Directories of the driver that no layer and no container has.
fn ownerless<'a>(files: &'a LayerStore<'_>) -> Vec<&'a str> {
    let layers = files.layers.values().chain(files.removing.values());
    let mut owned: BTreeSet<&str> = layers.filter_map(|layer| layer.cache_id.as_deref()).collect();
    for mount in files.mounts.values() {
        owned.extend(mount.mount_id.as_deref().into_iter().chain(mount.init_id.as_deref()));
    }
    let names = files.directories.keys().copied();
    names.filter(|name| !owned.contains(name) && !name.ends_with("-init")).collect()
}

/// The registry from which each layer was pulled.
fn pulled(artifact: &Artifact, files: &LayerStore<'_>) -> BTreeMap<DiffId, String> {
    let from = |file: &ArtifactFile| {
        let bytes = artifact.read(file, &mut Silent)?;
        let document = json::read(&bytes).ok()?;
        let (sources, _) = layer_source::read(&document.value, &Wrong::default());
        let pulled = sources.into_iter().rfind(|source| source.transfer == Transfer::Pulled);
        pulled.map(|source| format!("pulled from {}", source.repository))
    };
    let found = files.sources.iter();
    found.filter_map(|(file, diff)| Some((diff.clone(), from(file)?))).collect()
}
