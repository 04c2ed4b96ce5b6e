//! What images are made of in registries and content stores: indexes, manifests, configurations.
//!
//! An *index* lists manifests, one for each platform; a *manifest* lists layers, the base first, and
//! names the configuration; each names the others by a *descriptor*: media type, digest, size. All
//! are JSON texts that are named by their SHA-256. After OCI's image-spec 1.1 (`image-index.md`,
//! `manifest.md`, `descriptor.md`) and, with the same fields, Docker's distribution manifest version
//! 2 schema 2 (`manifest.v2`, `manifest.list.v2`).
//!
//! Which of them a text is, is told from what it holds: `mediaType` is optional in OCI's, and says
//! what its writer likes. Not supported: schema 1 of Docker's manifests (`fsLayers`), which is
//! recognised.

use super::json::{Fields, Wrong};
use crate::Digest;
use serde_json::Value;

/// Descriptors of one document that are read; images have fewer than 128 layers.
const DESCRIPTOR_LIMIT: usize = 10_000;

/// What is known of a content before it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// What it is, as a media type.
    pub media_type: Option<String>,
    /// SHA-256 of the content.
    pub digest: Option<Digest>,
    /// Length of the content in bytes.
    pub size: Option<u64>,
    /// `linux/amd64`, in an index.
    pub platform: Option<String>,
    /// What it is for, when it is no image.
    pub artifact_type: Option<String>,
    /// `name=value`.
    pub annotations: Vec<String>,
}

/// A list of manifests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// As the text itself says.
    pub media_type: Option<String>,
    /// The manifests.
    pub manifests: Vec<Descriptor>,
    /// `name=value`.
    pub annotations: Vec<String>,
}

/// An image for one platform, or another artifact that is stored as if it were one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// As the text itself says.
    pub media_type: Option<String>,
    /// The configuration.
    pub config: Descriptor,
    /// The layers, the base first.
    pub layers: Vec<Descriptor>,
    /// The manifest that this one is about, such as that of the image which it attests.
    pub subject: Option<Digest>,
    /// What it is, when it is no image.
    pub artifact_type: Option<String>,
    /// `name=value`.
    pub annotations: Vec<String>,
}

/// What a JSON text of a content store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// An index, or a manifest list.
    Index(Index),
    /// A manifest.
    Manifest(Manifest),
    /// The configuration of an image; [`ImageConfig`](super::image_config::ImageConfig) reads it.
    ImageConfig,
    /// A manifest of Docker's schema 1, which is not read.
    Schema1,
    /// What somebody attests of an image, such as how it was built (in-toto).
    Attestation,
    /// Something else.
    Other,
}

impl Document {
    /// Tells what a text is, and reads it; what is wrong in it costs only itself.
    #[must_use]
    pub fn read(value: &Value, wrong: &Wrong) -> Document {
        let Value::Object(object) = value else { return Document::Other };
        let has = |key: &str| object.get(key).is_some_and(|value| !value.is_null());
        let fields = Fields::new(value, wrong);
        if has("fsLayers") {
            Document::Schema1
        } else if has("config") && has("layers") {
            Document::Manifest(Manifest::read(&fields))
        } else if has("manifests") {
            Document::Index(Index::read(&fields))
        } else if has("rootfs") && (has("os") || has("architecture") || has("history")) {
            Document::ImageConfig
        } else if has("predicateType") && has("subject") {
            Document::Attestation
        } else {
            Document::Other
        }
    }
}

impl Index {
    fn read(fields: &Fields<'_>) -> Index {
        Index {
            media_type: fields.text("mediaType"),
            manifests: descriptors(fields, "manifests"),
            annotations: fields.object("annotations").pairs(),
        }
    }
}

impl Manifest {
    fn read(fields: &Fields<'_>) -> Manifest {
        Manifest {
            media_type: fields.text("mediaType"),
            config: Descriptor::read(&fields.object("config")),
            layers: descriptors(fields, "layers"),
            subject: Descriptor::read(&fields.object("subject")).digest,
            artifact_type: fields.text("artifactType"),
            annotations: fields.object("annotations").pairs(),
        }
    }
}

fn descriptors(fields: &Fields<'_>, key: &str) -> Vec<Descriptor> {
    fields.objects(key).iter().take(DESCRIPTOR_LIMIT).map(Descriptor::read).collect()
}

impl Descriptor {
    /// Reads a descriptor; one that is absent has nothing.
    #[must_use]
    pub fn read(fields: &Fields<'_>) -> Descriptor {
        let digest = fields.text("digest");
        Descriptor {
            media_type: fields.text("mediaType"),
            digest: digest.as_deref().and_then(Digest::parse),
            size: fields.integer("size").and_then(|size| u64::try_from(size).ok()),
            platform: platform(&fields.object("platform")),
            artifact_type: fields.text("artifactType"),
            annotations: fields.object("annotations").pairs(),
        }
    }

    /// Whether it stands in an index beside the images only to say something of one of them.
    #[must_use]
    pub fn is_attestation(&self) -> bool {
        let mark = "vnd.docker.reference.type=attestation-manifest";
        self.annotations.iter().any(|annotation| annotation == mark)
    }
}

/// `linux/arm/v7`; `None` when neither system nor architecture is given.
fn platform(fields: &Fields<'_>) -> Option<String> {
    let parts = ["os", "architecture", "variant"].map(|key| fields.text(key));
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &Value) -> Document {
        Document::read(value, &Wrong::default())
    }

    fn digest(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    #[test]
    fn a_manifest_names_its_configuration_and_its_layers_in_order() {
        let layer = |text: &str| json!({"mediaType": "l", "digest": digest(text).as_str()});
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "c", "digest": digest("config").as_str(), "size": 7},
            "layers": [layer("base"), layer("top")],
            "annotations": {"a": "b"},
        });
        let Document::Manifest(manifest) = read(&manifest) else { panic!("no manifest") };
        assert_eq!(manifest.config.digest, Some(digest("config")));
        assert_eq!(
            (manifest.config.media_type.as_deref(), manifest.config.size),
            (Some("c"), Some(7))
        );
        let layers: Vec<Option<Digest>> =
            manifest.layers.into_iter().map(|layer| layer.digest).collect();
        assert_eq!(layers, [Some(digest("base")), Some(digest("top"))]);
        assert_eq!(manifest.annotations, ["a=b"]);
        assert_eq!(manifest.subject, None);
    }

    #[test]
    fn an_index_tells_platforms_and_attestations() {
        let mark = json!({"vnd.docker.reference.type": "attestation-manifest"});
        let index = json!({"manifests": [
            {"digest": digest("a").as_str(),
                "platform": {"os": "linux", "architecture": "arm", "variant": "v7"}},
            {"digest": digest("b").as_str(), "annotations": mark,
                "platform": {"os": "unknown", "architecture": "unknown"}},
        ]});
        let Document::Index(index) = read(&index) else { panic!("no index") };
        let platforms: Vec<Option<&str>> =
            index.manifests.iter().map(|one| one.platform.as_deref()).collect();
        assert_eq!(platforms, [Some("linux/arm/v7"), Some("unknown/unknown")]);
        let attestations: Vec<bool> =
            index.manifests.iter().map(Descriptor::is_attestation).collect();
        assert_eq!(attestations, [false, true]);
    }

    #[test]
    fn a_text_is_what_it_holds_and_not_what_its_media_type_says() {
        let config = json!({"architecture": "amd64", "rootfs": {"diff_ids": []},
            "mediaType": "application/vnd.oci.image.index.v1+json"});
        assert_eq!(read(&config), Document::ImageConfig);
        assert_eq!(read(&json!({"schemaVersion": 1, "fsLayers": []})), Document::Schema1);
        assert_eq!(read(&json!({"predicateType": "p", "subject": []})), Document::Attestation);
        assert_eq!(read(&json!({})), Document::Other);
        assert_eq!(read(&json!([1])), Document::Other);
    }

    #[test]
    fn a_digest_that_is_none_is_absent() {
        let manifest = json!({"config": {"digest": "../../etc/passwd"}, "layers": [{}, 3]});
        let wrong = Wrong::default();
        let Document::Manifest(manifest) = Document::read(&manifest, &wrong) else {
            panic!("no manifest")
        };
        assert_eq!((manifest.config.digest, manifest.layers.len()), (None, 1));
        assert_eq!(wrong.into_flaws().len(), 1, "the layer that is a number");
    }
}
