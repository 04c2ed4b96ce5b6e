//! containerd's content store, `io.containerd.content.v1.content`: `blobs/sha256/<digest>` holds
//! each content under the SHA-256 of its bytes, `ingest/<id>/` what is being written.
//!
//! A content is an index, a manifest, a configuration (small JSON texts) or a layer, which may have
//! gigabytes. Contents of up to [`READ_WHOLE`] bytes are read whole and held to their names; so are
//! larger ones that begin as a JSON text does, up to the limit of JSON. Of the rest only the name
//! is known: nobody has verified it. After containerd 2.1 `plugins/content/local/store.go`.

use super::image_config::ImageConfig;
use super::json::{self, Wrong};
use super::oci::{Document, Index, Manifest};
use crate::{Artifact, ArtifactFile, Digest};
use dockline_evidence::ReadAt;
use dockline_evidence::read_at::read_up_to;
use dockline_timeline::{Findings, IssueKind, Position};
use std::collections::BTreeMap;

/// Contents of up to so many bytes are read whole.
pub const READ_WHOLE: u64 = 1024 * 1024;

/// One content of a store.
#[derive(Debug)]
pub struct Blob<'a> {
    /// Its file.
    pub file: &'a ArtifactFile,
    /// Its length in bytes, as far as that is known.
    pub size: Option<u64>,
    /// Whether its bytes have the digest that its name says; `None` when they were not read.
    pub genuine: Option<bool>,
    /// What it holds.
    pub content: Content,
}

/// What a content is.
#[derive(Debug)]
pub enum Content {
    /// An index, or a manifest list.
    Index(Index),
    /// A manifest.
    Manifest(Manifest),
    /// The configuration of an image.
    ImageConfig(Box<ImageConfig>),
    /// A statement of somebody about an image (in-toto).
    Attestation,
    /// Something else, or something that was not read: mostly a layer.
    Other,
}

/// The contents among the files of an artifact, by digest.
pub fn read<'a>(artifact: &'a Artifact, findings: &mut dyn Findings) -> BTreeMap<Digest, Blob<'a>> {
    let mut blobs = BTreeMap::new();
    for file in &artifact.files {
        if let Some(digest) = file.capture("blob").and_then(Digest::from_hex) {
            let blob = blob(artifact, file, &digest, findings);
            blobs.insert(digest, blob);
        }
    }
    blobs
}

fn blob<'a>(
    artifact: &Artifact,
    file: &'a ArtifactFile,
    digest: &Digest,
    findings: &mut dyn Findings,
) -> Blob<'a> {
    let unread = |size| Blob { file, size, genuine: None, content: Content::Other };
    let Some(source) = artifact.open(file, findings) else { return unread(None) };
    let size = Some(source.len());
    if !is_read_whole(&*source) {
        findings.records(&file.origin, 1, 0);
        return unread(size);
    }
    let Ok((bytes, _)) = read_up_to(&*source, source.len()) else {
        let what = "the content cannot be read";
        findings
            .issue(file.issue(IssueKind::Unreadable, Position::File, what).losing(1, source.len()));
        return unread(size);
    };
    findings.records(&file.origin, 1, source.len());
    let genuine = is_genuine(file, (digest, &bytes), findings);
    Blob { file, size, genuine: Some(genuine), content: content(file, (&bytes, genuine), findings) }
}

fn is_read_whole(source: &dyn ReadAt) -> bool {
    let limit = u64::try_from(json::LENGTH_LIMIT).unwrap_or(u64::MAX);
    let begins_as_json = || {
        let mut first = [0];
        matches!(source.read_at(0, &mut first), Ok(1)) && first == *b"{"
    };
    source.len() <= READ_WHOLE || (source.len() <= limit && begins_as_json())
}

fn is_genuine(
    file: &ArtifactFile,
    (name, bytes): (&Digest, &[u8]),
    findings: &mut dyn Findings,
) -> bool {
    let digest = Digest::of(bytes);
    if digest != *name {
        let what = format!("the content has the digest {digest}, not that of its name: changed");
        findings.issue(file.issue(IssueKind::Malformed, Position::File, what));
    }
    digest == *name
}

/// What a content holds. One that is what its name says may be anything, such as a log of lines in
/// JSON, and nothing is wrong with it.
fn content(
    file: &ArtifactFile,
    (bytes, genuine): (&[u8], bool),
    findings: &mut dyn Findings,
) -> Content {
    if bytes.first() != Some(&b'{') {
        return Content::Other;
    }
    let document = match json::read(bytes) {
        Ok(document) if document.flaws.is_empty() || !genuine => document,
        Ok(_) => return Content::Other,
        Err(flaw) => {
            if !genuine {
                flaw.report(file, findings);
            }
            return Content::Other;
        }
    };
    let wrong = Wrong::default();
    let content = match Document::read(&document.value, &wrong) {
        Document::Index(index) => Content::Index(index),
        Document::Manifest(manifest) => Content::Manifest(manifest),
        Document::ImageConfig => {
            let config = ImageConfig::read(&document.value, &wrong);
            for (key, what) in &config.wrong_layers {
                let at = Position::Key(key);
                findings.issue(file.issue(IssueKind::Malformed, at, what.as_str()));
            }
            Content::ImageConfig(Box::new(config))
        }
        Document::Schema1 => {
            let what = "a manifest of schema 1, which is not read";
            findings.issue(file.issue(IssueKind::Unsupported, Position::File, what));
            Content::Other
        }
        Document::Attestation => Content::Attestation,
        Document::Other => return Content::Other,
    };
    for flaw in document.flaws.iter().chain(&wrong.into_flaws()) {
        flaw.report(file, findings);
    }
    content
}
