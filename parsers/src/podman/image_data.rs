//! What containers/storage keeps with an image: `<driver>-images/<id>/…`, a file for each item.
//!
//! The name of a file is the name of the item, or `=` and its base64 when it has other characters
//! than `.`, digits and lower-case letters (containers/storage `pkg/stringutils`, `images.go`).
//!
//! | item | what |
//! |---|---|
//! | `sha256:<id>` | the configuration of the image, whose digest is its id: creation and history |
//! | `manifest`, `manifest-sha256:<digest>` | the manifest that it came with, or that was made here |
//! | `signature-<digest>` | simple signatures of that manifest; usually empty |
//!
//! | instant | event |
//! |---|---|
//! | `created` of the configuration | image created: by the clock of whoever made it |
//! | `history[].created` | each step, as `podman history` lists it |
//! | time of the file of the configuration | image arrived on this host: files are written once |
//! | time of the file of a manifest | manifest stored, with its layers and annotations |
//!
//! The comment of a step made by Buildah names the image that it was made on (`FROM …`): so a build
//! shows also where its layers do not. A step without a time has no event of its own: it is listed
//! with the arrival. Dates of reproducible builds are tagged `not-wall-clock`.
//!
//! Not supported: the content of signatures; lists of manifests, of which the entries are not told.

mod configuration;
mod manifest;

use crate::formats::base64;
use crate::{Artifact, ArtifactFile, Gather, Inventory, Parser};
use dockline_timeline::{Findings, IssueKind, Position};
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "podman.image_data",
    reads: &["{driver}-images/{image:id}/{item}"],
    gather: Gather::File,
    about: "configuration and manifest of an image in containers/storage: how it was built",
    yields: "image created, each step of its history, its arrival on this host, its manifest stored",
    references: &[
        "containers/storage 1.46.0 and 1.59.0 images.go, utils.go",
        "OCI image-spec 1.1 config.md, manifest.md",
    ],
    parse,
};

/// An item of an image.
#[derive(Debug, PartialEq, Eq)]
enum Item {
    Configuration,
    Manifest,
    /// `manifest` beside `manifest-sha256:…`: the same bytes again.
    ManifestAgain,
    Signature,
    Other(String),
}

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    for file in &artifact.files {
        match item(artifact, file) {
            Item::Configuration => configuration::parse((artifact, file), inventory, findings),
            Item::Manifest => manifest::parse((artifact, file), inventory, findings),
            Item::ManifestAgain => {}
            Item::Signature => signature(artifact, file, findings),
            Item::Other(name) => {
                let shown: String = name.chars().take(80).collect();
                let what = format!("an item {shown:?} of an image is not supported");
                findings.issue(file.issue(IssueKind::Unsupported, Position::File, what));
            }
        }
    }
}

/// A signature with content is told; images without one have an empty file.
fn signature(artifact: &Artifact, file: &ArtifactFile, findings: &mut dyn Findings) {
    if artifact.metadata(file, findings).is_some_and(|metadata| metadata.size > 0) {
        let what = "signatures of images are not supported";
        findings.issue(file.issue(IssueKind::Unsupported, Position::File, what));
    }
}

fn item(artifact: &Artifact, file: &ArtifactFile) -> Item {
    let name = file.capture("item").unwrap_or_default();
    let hidden = name.strip_prefix('=').and_then(decoded);
    let name = hidden.as_deref().unwrap_or(name);
    if name == "manifest" {
        return if has_named_manifest(artifact, file) {
            Item::ManifestAgain
        } else {
            Item::Manifest
        };
    }
    match name.split_once(['-', ':']) {
        Some(("sha256", _)) => Item::Configuration,
        Some(("manifest", _)) => Item::Manifest,
        Some(("signature", _)) => Item::Signature,
        _ => Item::Other(name.to_owned()),
    }
}

/// Whether the directory holds a manifest under its digest too.
fn has_named_manifest(artifact: &Artifact, file: &ArtifactFile) -> bool {
    let entries = file.path.parent().and_then(|directory| artifact.tree.list(&directory).ok());
    let named = |name: &[u8]| {
        let name = std::str::from_utf8(name).ok().and_then(|name| name.strip_prefix('='));
        name.and_then(decoded).is_some_and(|name| name.starts_with("manifest-"))
    };
    entries.is_some_and(|entries| entries.iter().any(|entry| named(&entry.name)))
}

/// The name of an item in that of its file.
fn decoded(text: &str) -> Option<String> {
    String::from_utf8(base64::decode(text)?).ok()
}
