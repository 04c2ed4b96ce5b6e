//! Contents: `blobs/<algorithm>/<first two digits>/<digest>/data`, shared by all repositories.
//!
//! The file of a layer or configuration is the data of its upload, renamed: its time is that of the
//! last data. A manifest is written when it is put. Neither is written again while it is there.

use super::Registry;
use super::documents::{Owner, Read, begins_as_document, report_configuration};
use super::known_contents::{Contents, Nature, key};
use super::links::Changes;
use super::manifests::told;
use crate::formats::oci::Document;
use crate::{ArtifactFile, Digest};
use dockline_evidence::{FileKind, TreePath};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, IssueKind, Kind, Meaning, Position, Subject, Value,
};
use std::borrow::Cow;

static BLOB: Kind =
    Kind { data_type: "registry:blob", source_short: "REGISTRY", source_long: "Registry content" };

impl Registry<'_> {
    pub(super) fn blobs(&self, contents: &mut Contents, findings: &mut dyn Findings) {
        let Some(blobs) = self.artifact.root.join(b"blobs") else { return };
        let mut removals: Vec<Instant> = Vec::new();
        for algorithm in self.entries(&blobs, findings) {
            let Some(path) = blobs.join(&algorithm.name) else { continue };
            if algorithm.name != b"sha256" {
                let name = super::lossy(&algorithm.name);
                let what = format!("contents with digests of {name} are not supported");
                let file = self.file(path);
                findings.issue(file.issue(IssueKind::Unsupported, Position::File, what));
                continue;
            }
            for prefix in self.entries(&path, findings) {
                let Some(path) = path.join(&prefix.name) else { continue };
                if prefix.kind == FileKind::Directory {
                    let changes = self.blobs_in(&path, contents, findings);
                    removals.extend(changes.removal());
                }
            }
        }
        self.garbage_collection(&blobs, &removals, findings);
    }

    fn blobs_in(
        &self,
        directory: &TreePath,
        contents: &mut Contents,
        findings: &mut dyn Findings,
    ) -> Changes {
        self.digests_of(directory, findings, &mut |digest, path, findings| {
            let Some(path) = path.join(b"data") else { return };
            let blob = Blob { registry: self, digest, file: self.file(path) };
            blob.report(contents, findings);
        })
    }

    /// Whether the evidence has the repositories: if not, nothing is known of who links to what.
    fn has_repositories(&self) -> bool {
        self.artifact.root.join(b"repositories").is_some_and(|path| self.exists(&path))
    }

    fn garbage_collection(
        &self,
        blobs: &TreePath,
        removals: &[Instant],
        findings: &mut dyn Findings,
    ) {
        let Some(last) = removals.iter().max() else { return };
        let file = self.file(blobs.clone());
        let text = format!(
            "contents were removed by a garbage collection, the last time: {} of the directories \
             of contents changed after all that is left in them",
            removals.len()
        );
        let at = (*last, Meaning::Deletion);
        let mut event = Event::new(&file.origin, &BLOB, &Subject::UNKNOWN, at);
        event.confidence = Confidence::Inferred;
        event.action = "delete";
        event.text = (&text).into();
        event.tags.push(Cow::from("orphan"));
        findings.event(&event);
    }
}

/// One content.
struct Blob<'a> {
    registry: &'a Registry<'a>,
    digest: Digest,
    file: ArtifactFile,
}

impl Blob<'_> {
    fn report(&self, contents: &mut Contents, findings: &mut dyn Findings) {
        let Some(metadata) = self.registry.artifact.metadata(&self.file, findings) else { return };
        let (holders, count) = contents.holders(&self.digest);
        let is_orphan = count == 0 && contents.is_whole() && self.registry.has_repositories();
        let whose = whose(&holders, count, is_orphan);
        let nature = contents.nature(&self.digest);
        let read = if is_orphan { self.read_orphan(contents, findings) } else { None };
        if read.is_none() && matches!(nature, Nature::Other) {
            findings.records(&self.file.origin, 1, 0);
        }
        let Some(stored) = metadata.modified else { return };
        let (what, genuine) = match (&read, nature) {
            (Some(read), _) => (told(&read.document), Some(read.genuine)),
            (None, Nature::Manifest(genuine)) => ("manifest".to_owned(), genuine),
            (None, Nature::Configuration(genuine)) => ("image configuration".to_owned(), genuine),
            (None, Nature::Other) => ("content".to_owned(), None),
        };
        let text = format!("{what} {} first pushed{whose}", self.digest.short());
        let at = (stored, Meaning::Added);
        let mut event = Event::new(&self.file.origin, &BLOB, &Subject::UNKNOWN, at);
        event.confidence = Confidence::Filesystem;
        event.action = "store";
        event.text = (&text).into();
        event.size = Some(metadata.size);
        event.sha256_hash = (genuine == Some(true)).then(|| self.digest.hex());
        event.tags.extend(is_orphan.then_some(Cow::Borrowed("orphan")));
        event.tags.extend((genuine == Some(false)).then_some(Cow::Borrowed("digest-mismatch")));
        event.attribute("blob_digest", Some(Value::Text(self.digest.as_str().into())));
        findings.event(&event);
    }

    /// Reads what no repository links to, if it is a document: it tells what was deleted.
    fn read_orphan(&self, contents: &mut Contents, findings: &mut dyn Findings) -> Option<Read> {
        let source = self.registry.artifact.tree.open(&self.file.path).ok()?;
        if !begins_as_document(&*source) {
            return None;
        }
        let read = self.registry.document(&self.digest, findings)?;
        let owner = Owner { image_name: None, pinned: None, tags: &["orphan"] };
        if let Document::Manifest(manifest) = &read.document
            && let Some(config) = &manifest.config.digest
        {
            self.registry.configuration((config, &owner), contents, findings);
        }
        if read.config.is_some() && contents.configurations.insert(key(&self.digest)) {
            report_configuration((&self.digest, &read), &owner, findings);
        }
        Some(read)
    }
}

fn whose(holders: &[&str], count: usize, is_orphan: bool) -> String {
    let named = holders.join(", ");
    match count.saturating_sub(holders.len()) {
        0 if is_orphan => {
            "; no repository links to it: deleted there, or its push did not end".to_owned()
        }
        0 if holders.is_empty() => String::new(),
        0 => format!("; now of {named}"),
        more => format!("; now of {named} and {more} other repositories"),
    }
}
