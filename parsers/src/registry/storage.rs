//! The storage of a registry: `docker/registry/v2/{repositories,blobs}`, as the distribution project's
//! filesystem driver lays it out (`registry:2`, `registry:3`, and what builds on them).
//!
//! A push first uploads each layer and the configuration (or mounts what another repository has),
//! then puts the manifest, by its digest or under a tag. Contents are files named by their digests;
//! repositories and tags are directories of links to them. Nothing of it but the begin of an upload
//! is a recorded time, but most files are written once, or at known moments:
//!
//! | instant | event |
//! |---|---|
//! | time of `tags/<tag>/index/…/link` | tag put on this manifest, the last time |
//! | time of `tags/<tag>/current/link` | tag last set |
//! | time of `_manifests/revisions/…/link` | manifest pushed to the repository, the last time |
//! | time of `_layers/…/link` | content uploaded to the repository or mounted there, the last time |
//! | time of `blobs/…/data` | content first pushed: it is never written again (a garbage collection may have removed it before) |
//! | `created`, `history[].created` of configurations | image made, by the clock of whoever made it |
//! | `_uploads/…/startedat` | upload begun that never ended |
//! | time of `_uploads/…/data` | its last data |
//! | time of a directory of a digest without `link` | manifest or layer deleted by the registry's interface |
//! | time of a directory, when later than those of all it holds | something was removed from it: a tag, or by a garbage collection |
//!
//! A content that no repository links to is what a deletion leaves until the garbage collection. Of
//! manifests and configurations the content is read and held against its digest; a layer is known
//! by its size and its time alone. After distribution 3.1 and 2.8 `registry/storage/{paths,
//! linkedblobstore,blobwriter,tagstore,vacuum,garbagecollect}.go`, `driver/filesystem/driver.go`.
//!
//! Not supported: digests of other algorithms than SHA-256, manifests of schema 1, storage in the
//! layout of an object store.

mod blobs;
mod deletions;
mod documents;
mod known_contents;
mod layers;
mod links;
mod manifests;
mod repositories;
mod tags;
mod uploads;

use crate::{Artifact, ArtifactFile, Digest, Gather, Inventory, Parser};
use dockline_evidence::{Entry, EvidenceError, Metadata, TreePath};
use dockline_timeline::{Findings, Instant, Origin, Position};
use known_contents::Contents;
use repositories::Repository;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "registry.storage",
    reads: &[
        "blobs/sha256/{prefix}/{blob:id}/data",
        "repositories/{repository**}/_manifests/tags/{tag}/current/link",
        "repositories/{repository**}/_manifests/tags/{tag}/index/sha256/{manifest:id}/link",
        "repositories/{repository**}/_manifests/revisions/sha256/{manifest:id}/link",
        "repositories/{repository**}/_layers/sha256/{blob:id}/link",
        "repositories/{repository**}/_uploads/{upload}/startedat",
    ],
    gather: Gather::FirstOfRoot,
    about: "storage of a registry: its repositories, tags, manifests, layers and uploads",
    yields: "what was pushed, under which names, what was deleted, unfinished uploads",
    references: &[
        "distribution 3.1.1 registry/storage/{paths,linkedblobstore,blobwriter,tagstore,vacuum}.go",
        "distribution 2.8.3 registry/storage/driver/filesystem/driver.go",
    ],
    parse,
};

/// The registry that is being read.
struct Registry<'a> {
    artifact: &'a Artifact,
    /// The file that stands for it.
    first: &'a ArtifactFile,
    /// What stands before paths of its tree, such as `/p4`.
    prefix: &'a str,
}

fn parse(artifact: &Arc<Artifact>, _inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    let Some(first) = artifact.files.first() else { return };
    findings.records(&first.origin, 0, 0);
    let registry = Registry { artifact, first, prefix: first.prefix() };
    let place = registry.file(artifact.root.clone()).origin.at(Position::File);
    let mut contents = Contents::new(place);
    for repository in registry.repositories(findings) {
        let tags = registry.tags(&repository, findings);
        registry.manifests((&repository, &tags), &mut contents, findings);
        registry.layers(&repository, &mut contents, findings);
        registry.uploads(&repository, findings);
    }
    contents.order();
    registry.blobs(&mut contents, findings);
}

impl<'a> Registry<'a> {
    /// A file of the registry, as a parser is given one.
    fn file(&self, path: TreePath) -> ArtifactFile {
        let known = &self.first.origin;
        let shown = Arc::from(format!("{}{path}", self.prefix));
        let place = (known.host.clone(), known.evidence.clone(), shown);
        let origin = Arc::new(Origin::new(place, known.parser, known.rank));
        ArtifactFile { path, origin, captures: Vec::new() }
    }

    /// What a directory holds; nothing when there is none.
    fn entries(&self, directory: &TreePath, findings: &mut dyn Findings) -> Vec<Entry> {
        match self.artifact.tree.list(directory) {
            Ok(entries) => entries,
            Err(EvidenceError::NotFound) => Vec::new(),
            Err(error) => {
                let file = self.file(directory.clone());
                findings.issue(crate::artifact::unreadable(&file, &error));
                Vec::new()
            }
        }
    }

    fn exists(&self, path: &TreePath) -> bool {
        !matches!(self.artifact.tree.metadata(path), Err(EvidenceError::NotFound))
    }

    fn modified(&self, path: &TreePath) -> Option<Instant> {
        self.artifact.tree.metadata(path).ok()?.modified
    }

    /// Where a content lies.
    fn blob_path(&self, digest: &Digest) -> Option<TreePath> {
        let hex = digest.hex();
        let relative = format!("blobs/sha256/{}/{hex}/data", hex.get(..2)?);
        self.artifact.root.below(relative.as_bytes())
    }

    /// What is known of a content that is there.
    fn blob(&self, digest: &Digest) -> Option<Metadata> {
        self.artifact.tree.metadata(&self.blob_path(digest)?).ok()
    }

    /// Whether the evidence has the contents: if not, nothing is known of which are left.
    fn has_contents(&self) -> bool {
        self.artifact.root.join(b"blobs").is_some_and(|path| self.exists(&path))
    }

    /// Says of a manifest that is linked to what is gone of it.
    fn what_is_missing(&self, repository: &Repository, manifest: &Digest) -> Option<&'static str> {
        let relative = format!("_manifests/revisions/sha256/{}/link", manifest.hex());
        let revision = repository.path.below(relative.as_bytes())?;
        if !self.exists(&revision) {
            return Some("; that manifest was deleted from the repository");
        }
        let is_gone = self.has_contents() && self.blob(manifest).is_none();
        is_gone.then_some("; that manifest is not in the registry any more")
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests;
