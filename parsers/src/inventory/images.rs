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

#[cfg(test)]
mod tests {
    use crate::plan::{Plan, Reading, Subtree, plan};
    use crate::{ChainId, DiffId, Digest};
    use dockline_evidence::MemoryTree;
    use std::sync::Arc;

    fn planned(tree: MemoryTree) -> Plan {
        let subtree = Subtree {
            evidence: Arc::from("e"),
            host: Some(Arc::from("h")),
            fallback_host: Arc::from("h"),
            prefix: Arc::from(""),
            depth: 0,
            tree: Arc::new(tree),
        };
        plan(&[subtree], &|_| true, &Reading::default())
    }

    #[test]
    fn an_image_has_the_names_layers_and_stores_of_all_its_files() {
        let layer = Digest::of(b"layer");
        let config = format!(r#"{{"rootfs":{{"diff_ids":["{layer}"]}}}}"#);
        let id = Digest::of(config.as_bytes());
        let table = format!(
            r#"{{"Repositories":{{"b":{{"b:1":"{id}","b@{layer}":"{id}"}},"a":{{"a:1":"{id}"}}}}}}"#
        );
        let unused = format!(r#"{{"Repositories":{{"c":{{"c:1":"{id}"}}}}}}"#);
        let metadata = format!("d/image/overlay2/imagedb/metadata/sha256/{}", id.hex());
        let content =
            |driver: &str| format!("d/image/{driver}/imagedb/content/sha256/{}", id.hex());
        let tree = MemoryTree::new()
            .with_file(&content("overlay2"), config.as_str(), None)
            .with_file(&content("btrfs"), config.as_str(), None)
            .with_file("d/image/overlay2/repositories.json", table, None)
            .with_file("d/image/overlay2/.tmp-repositories.json7", unused, None)
            .with_file(&format!("{metadata}/parent"), layer.as_str(), None)
            .with_file(&format!("{metadata}/builtLocally"), [1], None);
        let plan = planned(tree);
        let image = &plan.planned[0].inventory.images[id.as_str()];
        assert_eq!(image.tags, ["a:1", "b:1"]);
        assert_eq!(image.digests, [format!("b@{layer}")]);
        assert_eq!(image.diff_ids, [DiffId(layer.clone())]);
        assert_eq!(image.chain_ids, [ChainId(layer.clone())]);
        assert_eq!((image.parent.as_deref(), image.built_locally), (Some(layer.as_str()), true));
        let drivers: Vec<&str> = image.stores.iter().map(|store| store.driver.as_str()).collect();
        assert_eq!(drivers, ["btrfs", "overlay2"]);
        let subject = plan.planned[0].inventory.image_subject(id.as_str());
        assert_eq!(subject.image_name.as_deref(), Some("a:1"));
    }

    #[test]
    fn an_image_of_which_only_a_name_is_left_is_in_no_store() {
        let id = Digest::of(b"gone");
        let table = format!(r#"{{"Repositories":{{"a":{{"a:1":"{id}"}}}}}}"#);
        let tree = MemoryTree::new().with_file("d/image/vfs/repositories.json", table, None);
        let plan = planned(tree);
        assert!(plan.planned[0].inventory.images[id.as_str()].stores.is_empty());
    }
}
