//! What is known of each image.

use super::{Claim, Silent};
use crate::formats::image_config::ImageConfig;
use crate::formats::{json, repositories};
use crate::{Artifact, ArtifactFile, ChainId, DiffId, Digest, ImageReference, ImageStore};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of an image of a graph-driver store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// `name:tag`, ordered.
    pub tags: Vec<String>,
    /// `name@sha256:…`, ordered: proof that it was pulled from or pushed to a registry.
    pub digests: Vec<String>,
    /// Uncompressed layers, the base first.
    pub diff_ids: Vec<DiffId>,
    /// The same layers, each with all below it.
    pub chain_ids: Vec<ChainId>,
    /// Id of the image that it was made from here.
    pub parent: Option<String>,
    /// Whether a builder of this engine made it.
    pub built_locally: bool,
    /// The stores that hold its configuration; none when only a name of it is left.
    pub stores: BTreeSet<ImageStore>,
}

/// Reads the images and their tags among `claims`.
pub(super) fn read(claims: &[Claim]) -> BTreeMap<String, Image> {
    let mut images: BTreeMap<String, Image> = BTreeMap::new();
    for (parser, artifact) in claims {
        for file in &artifact.files {
            match *parser {
                "docker.image_config" => configuration(artifact, file, &mut images),
                "docker.image_repositories" => names(artifact, file, &mut images),
                _ => {}
            }
        }
    }
    for image in images.values_mut() {
        for names in [&mut image.tags, &mut image.digests] {
            names.sort();
            names.dedup();
        }
    }
    images
}

fn configuration(artifact: &Artifact, file: &ArtifactFile, images: &mut BTreeMap<String, Image>) {
    let Some(id) = file.capture("image").and_then(Digest::from_hex) else { return };
    let image = images.entry(id.to_string()).or_default();
    image.stores.insert(ImageStore::of(artifact, file));
    let Some(bytes) = artifact.read(file, &mut Silent) else { return };
    if let Ok(document) = json::read(&bytes) {
        let config = ImageConfig::read(&document.value, &json::Wrong::default());
        image.chain_ids = ChainId::of_layers(&config.diff_ids);
        image.diff_ids = config.diff_ids;
    }
}

fn names(artifact: &Artifact, file: &ArtifactFile, images: &mut BTreeMap<String, Image>) {
    // A temporary table is one that never came to be.
    if file.capture("version").is_some() {
        return;
    }
    let Some(bytes) = artifact.read(file, &mut Silent) else { return };
    let Some(id) = file.capture("image").and_then(Digest::from_hex) else {
        return table(&bytes, images);
    };
    let image = images.entry(id.to_string()).or_default();
    match file.path.file_name().unwrap_or_default() {
        b"parent" => {
            let parent = std::str::from_utf8(&bytes).ok().and_then(Digest::parse);
            image.parent = parent.map(|id| id.to_string());
        }
        b"builtLocally" => image.built_locally = true,
        _ => {}
    }
}

fn table(bytes: &[u8], images: &mut BTreeMap<String, Image>) {
    let Ok(document) = json::read(bytes) else { return };
    for row in repositories::read(&document.value, &json::Wrong::default()).rows {
        let image = images.entry(row.image.to_string()).or_default();
        match row.reference {
            ImageReference::Tag(name) => image.tags.push(name),
            ImageReference::Registry(name) => image.digests.push(name),
        }
    }
}
