//! Documents: indexes, manifests and configurations of images, the contents that are read.

use super::Registry;
use super::known_contents::{Contents, key};
use crate::formats::image_config::{ConfigEvents, ImageConfig, Maker};
use crate::formats::json::{self, Wrong};
use crate::formats::oci::Document;
use crate::{ArtifactFile, Digest};
use dockline_evidence::ReadAt;
use dockline_evidence::read_at::read_up_to;
use dockline_timeline::{Attribute, Findings, IssueKind, Kind, Position, Subject, Value};
use std::borrow::Cow;

static CONFIGURATION: Kind = Kind {
    data_type: "registry:image:configuration",
    source_short: "REGISTRY",
    source_long: "Registry image configuration",
};
static HISTORY: Kind = Kind {
    data_type: "registry:image:history",
    source_short: "REGISTRY",
    source_long: "Registry image history",
};

/// A content that was read.
pub(super) struct Read {
    pub(super) file: ArtifactFile,
    pub(super) document: Document,
    /// What it says, when it is the configuration of an image.
    pub(super) config: Option<ImageConfig>,
    /// Whether it is what its name says.
    pub(super) genuine: bool,
}

/// Whose configuration it is.
pub(super) struct Owner<'a> {
    /// `lab/busybox:1.35`, as far as a name is left.
    pub(super) image_name: Option<String>,
    /// `lab/busybox@sha256:…`.
    pub(super) pinned: Option<&'a str>,
    pub(super) tags: &'a [&'static str],
}

impl Registry<'_> {
    /// Reads a content that ought to be a document; `None` when it is not there, or is none.
    pub(super) fn document(&self, digest: &Digest, findings: &mut dyn Findings) -> Option<Read> {
        let path = self.blob_path(digest).filter(|path| self.exists(path))?;
        let file = self.file(path);
        let source = self.artifact.open(&file, findings)?;
        let bytes = match read_document(&*source) {
            Ok(bytes) => bytes,
            Err((kind, what)) => {
                let issue = file.issue(kind, Position::File, what);
                findings.issue(issue.losing(1, source.len()));
                return None;
            }
        };
        let genuine = is_genuine((&file, digest), &bytes, findings);
        let document = match json::read(&bytes) {
            Ok(document) => document,
            Err(flaw) => {
                flaw.report_lost(&file, bytes.len(), findings);
                return None;
            }
        };
        findings.records(&file.origin, 1, document.length);
        let wrong = Wrong::default();
        let read = Document::read(&document.value, &wrong);
        let is_config = read == Document::ImageConfig;
        let config = is_config.then(|| ImageConfig::read(&document.value, &wrong));
        for flaw in document.flaws.iter().chain(&wrong.into_flaws()) {
            flaw.report(&file, findings);
        }
        for (key, what) in config.iter().flat_map(|config| &config.wrong_layers) {
            findings.issue(file.issue(IssueKind::Malformed, Position::Key(key), what.as_str()));
        }
        if read == Document::Schema1 {
            let what = "a manifest of schema 1, which is not read";
            findings.issue(file.issue(IssueKind::Unsupported, Position::File, what));
        }
        Some(Read { file, document: read, config, genuine })
    }

    /// The configuration of an image, once: when it was made, and each step.
    pub(super) fn configuration(
        &self,
        (digest, owner): (&Digest, &Owner<'_>),
        contents: &mut Contents,
        findings: &mut dyn Findings,
    ) {
        if !contents.configurations.insert(key(digest)) {
            return;
        }
        let Some(read) = self.document(digest, findings) else { return };
        contents.note(digest, &read);
        report_configuration((digest, &read), owner, findings);
    }
}

/// The events of a configuration that was read.
pub(super) fn report_configuration(
    (digest, read): (&Digest, &Read),
    owner: &Owner<'_>,
    findings: &mut dyn Findings,
) {
    let Some(config) = &read.config else { return };
    let subject = Subject {
        image_name: owner.image_name.clone(),
        image_identifier: Some(digest.to_string()),
        ..Subject::UNKNOWN
    };
    let mut made = subject.clone();
    if let Maker::Commit(container) = config.maker() {
        made.container_identifier = Some(container);
    }
    let mut tags = owner.tags.to_vec();
    tags.extend((!read.genuine).then_some("digest-mismatch"));
    let pinned = |pinned: &'_ str| Value::List(vec![Cow::from(pinned.to_owned())]);
    let attributes: Vec<Attribute<'_>> = owner
        .pinned
        .map(|text| Attribute { name: "image_digests", value: pinned(text) })
        .into_iter()
        .collect();
    ConfigEvents {
        origin: &read.file.origin,
        creation: &CONFIGURATION,
        history: &HISTORY,
        config,
        subject: &subject,
        made: &made,
        id: digest.short(),
        tags: &tags,
        creation_tags: &[],
        attributes: &attributes,
    }
    .report(findings);
}

fn is_genuine(
    (file, name): (&ArtifactFile, &Digest),
    bytes: &[u8],
    findings: &mut dyn Findings,
) -> bool {
    let digest = Digest::of(bytes);
    if digest != *name {
        let what = format!("the content has the digest {digest}, not that of its name: changed");
        findings.issue(file.issue(IssueKind::Malformed, Position::File, what));
    }
    digest == *name
}

/// Whether a content begins as a document does: of a layer no more than this is read.
pub(super) fn begins_as_document(source: &dyn ReadAt) -> bool {
    let mut first = [0];
    matches!(source.read_at(0, &mut first), Ok(1)) && first == *b"{"
}

fn read_document(source: &dyn ReadAt) -> Result<Vec<u8>, (IssueKind, String)> {
    let limit = u64::try_from(json::LENGTH_LIMIT).unwrap_or(u64::MAX);
    if source.len() > limit {
        let what = format!("{} bytes, larger than the {limit} that are read", source.len());
        return Err((IssueKind::LimitReached, what));
    }
    if !begins_as_document(source) {
        return Err((IssueKind::Malformed, "does not begin as a JSON text does".to_owned()));
    }
    let read = read_up_to(source, limit);
    read.map(|(bytes, _)| bytes).map_err(|error| (IssueKind::Unreadable, error.to_string()))
}
