//! Layers of containers/storage: Podman, Buildah, CRI-O.

use super::super::Inventory;
use super::super::podman::rows_of;
use super::super::writable_layers::{directory, style_of};
use super::stores::{self, StoreOfImages};
use super::{ImageLayer, ImageLayers};
use crate::Artifact;
use crate::formats::containers_storage::{
    StoredContainer, StoredImage, StoredLayer, image_identifier,
};
use std::collections::{BTreeMap, BTreeSet};

/// Images may have so many layers.
const CHAIN_LIMIT: usize = 1_024;

/// Adds the layers of one root.
pub(super) fn add(artifact: &Artifact, inventory: &Inventory, layers: &mut ImageLayers) {
    let writable: BTreeSet<String> = rows(artifact, "containers.json", StoredContainer::read)
        .filter_map(|(_, row)| row.layer)
        .collect();
    let all: Vec<(String, StoredLayer)> =
        rows(artifact, "layers.json", StoredLayer::read).collect();
    let all_images: Vec<(String, StoredImage)> =
        rows(artifact, "images.json", StoredImage::read).collect();
    layers.stores.extend(images_of(artifact, &all, &all_images));
    let images = first_images(&all, all_images);
    for (driver, row) in all {
        let Some(id) = row.id.filter(|id| !writable.contains(id)) else { continue };
        let Some(style) = style_of(&driver) else { continue };
        let came_compressed = row.blob_digest.is_some() && row.blob_digest != row.diff_digest;
        let list = format!("{driver}-layers/{id}.tar-split.gz");
        let image = images.get(&id).map(|image| inventory.image_subject(image));
        let layer = ImageLayer {
            tree: artifact.tree.clone(),
            subject: image.unwrap_or_default(),
            style,
            directory: directory(&artifact.root, &driver, &id),
            list: artifact.root.below(list.as_bytes()),
            archive: None,
            registry: came_compressed.then(|| "came compressed, as from a registry".to_owned()),
            id,
        };
        layers.add(Some(layer), &inventory.writable_layers);
    }
}

/// The rows of a table, and of the one beside it of what need not survive a crash, with the driver.
fn rows<Row>(
    artifact: &Artifact,
    table: &str,
    read: fn(&crate::formats::json::Fields<'_>) -> Row,
) -> impl Iterator<Item = (String, Row)> {
    let volatile = format!("volatile-{table}");
    let files = artifact.files.iter().filter(move |file| {
        let name = file.path.file_name().unwrap_or_default();
        name == table.as_bytes() || name == volatile.as_bytes()
    });
    files.flat_map(move |file| {
        let driver = file.capture("driver").unwrap_or_default().to_owned();
        rows_of(artifact, file, read).into_iter().map(move |row| (driver.clone(), row))
    })
}

/// The images of each driver.
fn images_of(
    artifact: &Artifact,
    layers: &[(String, StoredLayer)],
    images: &[(String, StoredImage)],
) -> Vec<StoreOfImages> {
    let mut stores: BTreeMap<&str, StoreOfImages> = BTreeMap::new();
    for (driver, image) in images {
        let (Some(id), Some(top)) = (image.id.as_deref(), image.layer.clone()) else { continue };
        let Some((place, style)) = artifact.root.join(driver.as_bytes()).zip(style_of(driver))
        else {
            continue;
        };
        let store = stores.entry(driver).or_insert_with(|| StoreOfImages {
            tree: artifact.tree.clone(),
            place,
            driver: driver.clone(),
            style,
            images: Vec::new(),
            layers: BTreeMap::new(),
        });
        let names = if image.names.is_empty() { &image.names_history } else { &image.names };
        let (id, names) = (image_identifier(id), names.clone());
        store.images.push(stores::StoredImage { id, names, top });
    }
    for (driver, layer) in layers {
        let (Some(store), Some(id)) = (stores.get_mut(driver.as_str()), &layer.id) else {
            continue;
        };
        let (directory, parent) = (directory(&artifact.root, driver, id), layer.parent.clone());
        let layer = stores::StoredLayer { directory, parent, stands_on: None };
        store.layers.insert(id.clone(), layer);
    }
    stores.into_values().collect()
}

/// The first image that each layer belongs to, of those with a name before the others.
fn first_images(
    layers: &[(String, StoredLayer)],
    images: Vec<(String, StoredImage)>,
) -> BTreeMap<String, String> {
    let parents: BTreeMap<&str, &str> = layers
        .iter()
        .filter_map(|(_, row)| Some((row.id.as_deref()?, row.parent.as_deref()?)))
        .collect();
    let mut first = BTreeMap::new();
    let (named, unnamed): (Vec<_>, Vec<_>) =
        images.into_iter().partition(|(_, row)| !row.names.is_empty());
    for (_, image) in named.into_iter().chain(unnamed) {
        let Some(id) = image.id.as_deref().map(image_identifier) else { continue };
        for top in image.layer.iter().chain(&image.mapped_layers) {
            let below = |id: &&str| parents.get(id).copied();
            for layer in std::iter::successors(Some(top.as_str()), below).take(CHAIN_LIMIT) {
                first.entry(layer.to_owned()).or_insert_with(|| id.clone());
            }
        }
    }
    first
}
