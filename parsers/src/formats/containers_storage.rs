//! The tables of containers/storage: `<driver>-containers/containers.json`,
//! `<driver>-images/images.json` and `<driver>-layers/layers.json`.
//!
//! Podman, Buildah, Skopeo and CRI-O share this library and these files; each table is a JSON list
//! that is written whole (temporary file, then rename) at every change. `volatile-containers.json`
//! and `volatile-layers.json` beside them, since containers/storage 1.44, hold what need not survive
//! a crash: containers that were started with `--rm`.
//!
//! containers/storage 1.46 (Podman 4.3) to 1.59: `containers.go`, `images.go`, `layers.go`.

use super::json::{Fields, Wrong};
use dockline_timeline::Instant;
use serde_json::Value;
use std::collections::BTreeSet;

/// A row of `containers.json`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoredContainer {
    /// Id of the container.
    pub id: Option<String>,
    /// Its names, as it is called now.
    pub names: Vec<String>,
    /// Id of its image, without an algorithm.
    pub image: Option<String>,
    /// Id of its writable layer.
    pub layer: Option<String>,
    /// When its storage was made.
    pub created: Option<Instant>,
    /// What the program that made it keeps with it.
    pub metadata: ContainerMetadata,
    /// Names of the files that are kept with it.
    pub big_data: Vec<String>,
}

/// What Podman and CRI-O keep with a container, as it was when they made it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerMetadata {
    /// Name of the image, as it was resolved.
    pub image_name: Option<String>,
    /// Name that the container was made with; a later one stands in the table only.
    pub name: Option<String>,
    /// Name of the pod, of CRI-O.
    pub pod_name: Option<String>,
    /// Id of the pod, of CRI-O.
    pub pod_id: Option<String>,
    /// Namespace of the pod, of CRI-O.
    pub namespace: Option<String>,
    /// Whether CRI-O was asked for a privileged container.
    pub privileged: bool,
    /// The text, when it is not what Podman or CRI-O write.
    pub other: Option<String>,
}

/// A row of `images.json`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoredImage {
    /// Id: the digest of the configuration, without its algorithm; random for lists of manifests.
    pub id: Option<String>,
    /// Digest of the manifest: computed here when the image was made here.
    pub digest: Option<String>,
    /// Names that it has.
    pub names: Vec<String>,
    /// Names that it has or ever had, the newest first.
    pub names_history: Vec<String>,
    /// Id of its topmost layer.
    pub layer: Option<String>,
    /// The same layer for other mappings of user ids.
    pub mapped_layers: Vec<String>,
    /// The date of its configuration; when it was stored if that has none.
    pub created: Option<Instant>,
    /// Names of the files that are kept with it.
    pub big_data: Vec<String>,
}

/// A row of `layers.json`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoredLayer {
    /// Id: that of the chain for a layer of an image, random for a writable one.
    pub id: Option<String>,
    /// Names, such as `web-layer`.
    pub names: Vec<String>,
    /// Id of the layer below.
    pub parent: Option<String>,
    /// When it was made on this host.
    pub created: Option<Instant>,
    /// Digest of the blob that it came as.
    pub blob_digest: Option<String>,
    /// Digest of its tar archive.
    pub diff_digest: Option<String>,
    /// Size of its tar archive in bytes.
    pub size: Option<u64>,
    /// Whether it was being made, or removed, when this was written.
    pub incomplete: bool,
}

impl StoredContainer {
    /// Reads a row.
    #[must_use]
    pub fn read(fields: &Fields<'_>) -> StoredContainer {
        StoredContainer {
            id: fields.text("id"),
            names: fields.texts("names"),
            image: fields.text("image"),
            layer: fields.text("layer"),
            created: fields.instant("created"),
            metadata: ContainerMetadata::read(fields.text("metadata")),
            big_data: fields.texts("big-data-names"),
        }
    }
}

impl ContainerMetadata {
    /// A JSON text in a JSON text; whoever uses the library may put anything there.
    fn read(text: Option<String>) -> ContainerMetadata {
        let document = text.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let Some(document) = document.filter(Value::is_object) else {
            return ContainerMetadata { other: text, ..ContainerMetadata::default() };
        };
        let wrong = Wrong::default();
        let fields = Fields::new(&document, &wrong);
        ContainerMetadata {
            image_name: fields.text("image-name"),
            name: fields.text("name"),
            pod_name: fields.text("pod-name"),
            pod_id: fields.text("pod-id"),
            namespace: fields.text("namespace"),
            privileged: fields.boolean("privileged").unwrap_or(false),
            other: None,
        }
    }
}

impl StoredImage {
    /// Reads a row.
    #[must_use]
    pub fn read(fields: &Fields<'_>) -> StoredImage {
        StoredImage {
            id: fields.text("id"),
            digest: fields.text("digest"),
            names: fields.texts("names"),
            names_history: fields.texts("names-history"),
            layer: fields.text("layer"),
            mapped_layers: fields.texts("mapped-layers"),
            created: fields.instant("created"),
            big_data: fields.texts("big-data-names"),
        }
    }

    /// Names that it had and has no longer, the newest first.
    #[must_use]
    pub fn former_names(&self) -> Vec<&String> {
        let names: BTreeSet<&String> = self.names.iter().collect();
        self.names_history.iter().filter(|name| !names.contains(name)).collect()
    }
}

impl StoredLayer {
    /// Reads a row.
    #[must_use]
    pub fn read(fields: &Fields<'_>) -> StoredLayer {
        let incomplete = fields.object("flags").boolean("incomplete");
        StoredLayer {
            id: fields.text("id"),
            names: fields.texts("names"),
            parent: fields.text("parent"),
            created: fields.instant("created"),
            blob_digest: fields.text("compressed-diff-digest"),
            diff_digest: fields.text("diff-digest"),
            size: fields.integer("diff-size").and_then(|size| u64::try_from(size).ok()),
            incomplete: incomplete.unwrap_or(false),
        }
    }
}

/// The id of an image as other stores write it: `sha256:` and 64 digits; unchanged when it has
/// another form.
#[must_use]
pub fn image_identifier(id: &str) -> String {
    crate::Digest::from_hex(id).map_or_else(|| id.to_owned(), |digest| digest.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_container_keeps_the_name_that_it_was_made_with() {
        let row = json!([{
            "id": "6115", "names": ["exited3"], "image": "2854", "layer": "ad20",
            "metadata": r#"{"image-name":"localhost/lab/busybox:1.35","name":"exit3"}"#,
            "created": "2026-11-21T21:57:03.74021804Z",
        }]);
        let wrong = Wrong::default();
        let rows = Fields::of_list(&row, &wrong);
        let container = StoredContainer::read(&rows[0]);
        assert_eq!(rows[0].path(), "[0]");
        assert_eq!(container.names, ["exited3"]);
        assert_eq!(container.metadata.name.as_deref(), Some("exit3"));
        assert_eq!(container.created.unwrap().to_string(), "2026-11-21T21:57:03.740218040Z");
        assert_eq!(wrong.into_flaws(), []);
    }

    #[test]
    fn metadata_that_is_no_object_is_kept_as_its_text() {
        let metadata = |text: &str| ContainerMetadata::read(Some(text.to_owned()));
        assert_eq!(metadata("of my own").other.as_deref(), Some("of my own"));
        assert_eq!(metadata("[1]").other.as_deref(), Some("[1]"));
        assert_eq!(metadata("{}"), ContainerMetadata::default());
        assert_eq!(ContainerMetadata::read(None), ContainerMetadata::default());
    }

    #[test]
    fn a_former_name_is_one_that_the_image_has_no_longer() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let image = StoredImage {
            names: names(&["busybox:1"]),
            names_history: names(&["busybox:1", "doomed:1"]),
            ..StoredImage::default()
        };
        assert_eq!(image.former_names(), ["doomed:1"]);
    }
}
