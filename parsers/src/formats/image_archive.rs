//! Images in an archive: what `docker save`, `podman save`, `skopeo copy` and `buildx build -o` write,
//! as a tar archive or as a directory.
//!
//! | written by | what lists the images | configuration | layers |
//! |---|---|---|---|
//! | `docker save` since Engine 1.10 (Docker image specification 1.2), `podman save` | `manifest.json` | `<digest>.json` | `<id>/layer.tar`, `<digest>.tar` |
//! | OCI image layout (image-spec 1.1 `image-layout.md`) | `index.json`, beside `oci-layout` | `blobs/sha256/<digest>` | `blobs/sha256/<digest>` |
//! | `docker save` since Engine 25 | both | `blobs/sha256/<digest>` | `blobs/sha256/<digest>` |
//!
//! After moby 20.10.27 `image/tarexport/{tarexport,save}.go`, containerd 2.1
//! `core/images/archive/exporter.go` (`manifest.json` beside `index.json`) and containers/image 5.24
//! `docker/internal/tarfile`. A layer that two images share may be a symbolic link to the layer of the
//! other one (`../<id>/layer.tar`); such a link is followed inside the archive, once.
//!
//! A configuration is held to the digest that is its name. `repositories` and `<id>/json` beside
//! `manifest.json` say the same for engines before 1.10; archives that have nothing else are not
//! supported.

mod lists;

use super::content_store::{self, Blob, Content};
use super::image_config::ImageConfig;
use super::json::{self, Wrong};
use crate::artifact::unreadable;
use crate::{Artifact, ArtifactFile, ChainId, Digest};
use dockline_evidence::{EvidenceError, FileKind, Tree, TreePath};
use dockline_timeline::{Findings, IssueKind, Position};
use lists::Listed;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Images of one archive that are read.
const IMAGE_LIMIT: usize = 10_000;

/// Steps from one content of an OCI layout to the next that are taken: indexes may lie in indexes.
const STEP_LIMIT: usize = 100_000;

/// An image of an archive.
#[derive(Debug)]
pub struct ArchivedImage {
    /// The file of its configuration.
    pub file: ArtifactFile,
    /// Its id: the digest of its configuration, as the file is named or else as it is.
    pub id: Option<Digest>,
    /// Whether the configuration has the digest that is its name; `true` without such a name.
    pub genuine: bool,
    /// Its configuration.
    pub config: ImageConfig,
    /// Size of the configuration in bytes.
    pub size: u64,
    /// Its names here, ordered; none of a configuration that no list names.
    pub names: Vec<String>,
    /// Its manifest.
    pub manifest: Option<Digest>,
    /// The files of its layers, the base first.
    pub layers: Vec<TreePath>,
}

/// An archive.
#[derive(Debug, Default)]
pub struct ImageArchive {
    /// Its images, by the paths of their configurations.
    pub images: Vec<ArchivedImage>,
    /// The list of images: `manifest.json`, or `index.json`.
    pub list: Option<ArtifactFile>,
}

impl ArchivedImage {
    /// The layers, the base first: the file of each with the chain up to it. Empty when the files
    /// are not as many as the layers of the configuration.
    #[must_use]
    pub fn chain(&self) -> Vec<(&TreePath, ChainId)> {
        if self.layers.len() != self.config.diff_ids.len() {
            return Vec::new();
        }
        self.layers.iter().zip(ChainId::of_layers(&self.config.diff_ids)).collect()
    }
}

/// Reads the archive whose directory is the artifact's root; what is wrong with it is told.
pub fn read(artifact: &Artifact, findings: &mut dyn Findings) -> ImageArchive {
    let Some(first) = artifact.files.first() else { return ImageArchive::default() };
    let mut archive = Reader { artifact, first, findings };
    let mut blobs = archive.blobs();
    let mut listed = archive.lists(&blobs);
    listed.extend(unlisted(&blobs, &listed));
    if listed.len() > IMAGE_LIMIT {
        let what = format!("{} images, of which {IMAGE_LIMIT} are read", listed.len());
        let lost = listed.len().saturating_sub(IMAGE_LIMIT);
        let issue = first.issue(IssueKind::LimitReached, Position::File, what);
        archive.findings.issue(issue.losing(u64::try_from(lost).unwrap_or(u64::MAX), 0));
        listed.truncate(IMAGE_LIMIT);
    }
    let list = archive.file(b"manifest.json").or_else(|| archive.file(b"index.json"));
    if list.is_none() {
        let what = "images without manifest.json or index.json, as engines before 1.10 save them";
        archive.findings.issue(first.issue(IssueKind::Unsupported, Position::File, what));
    }
    let images = listed.into_iter().filter_map(|listed| archive.image(listed, &mut blobs));
    ImageArchive { images: images.collect(), list }
}

/// Configurations that no list leads to.
fn unlisted(blobs: &Blobs, listed: &[Listed]) -> Vec<Listed> {
    let known: BTreeSet<&TreePath> = listed.iter().map(|listed| &listed.config).collect();
    let configs = blobs.values().filter(|blob| matches!(blob.content, Content::ImageConfig(_)));
    let paths = configs.map(|blob| &blob.file.path).filter(|path| !known.contains(path));
    paths.map(|path| Listed::alone(path.clone())).collect()
}

/// A content of an OCI layout.
struct Stored {
    file: ArtifactFile,
    size: u64,
    genuine: bool,
    content: Content,
}

type Blobs = BTreeMap<Digest, Stored>;

/// An archive that is being read.
struct Reader<'a> {
    artifact: &'a Artifact,
    /// The file by which it was found.
    first: &'a ArtifactFile,
    findings: &'a mut dyn Findings,
}

impl Reader<'_> {
    /// The contents of `blobs/sha256`.
    fn blobs(&mut self) -> Blobs {
        let Some(directory) = self.artifact.root.below(b"blobs/sha256") else {
            return Blobs::new();
        };
        let entries = match self.artifact.tree.list(&directory) {
            Ok(entries) => entries,
            Err(EvidenceError::NotFound) => return Blobs::new(),
            Err(error) => {
                self.findings.issue(unreadable(&self.file_at(directory), &error));
                return Blobs::new();
            }
        };
        let files = entries.into_iter().filter(|entry| entry.kind == FileKind::Regular);
        let files = files.filter_map(|entry| {
            let digest = Digest::from_hex(std::str::from_utf8(&entry.name).ok()?)?;
            let mut file = self.file_at(directory.join(&entry.name)?);
            file.captures = vec![("blob", digest.hex().to_owned())];
            Some(file)
        });
        let files = files.collect();
        let (tree, root) = (self.artifact.tree.clone(), self.artifact.root.clone());
        let store = Artifact {
            tree,
            root,
            files,
            spool: self.artifact.spool.clone(),
            asked: self.artifact.asked.clone(),
        };
        let read = content_store::read(&store, self.findings);
        read.into_iter().map(|(digest, blob)| (digest, Stored::of(blob))).collect()
    }

    /// A file of the archive.
    fn file_at(&self, path: TreePath) -> ArtifactFile {
        let origin = Arc::new(self.first.origin_of(&path));
        ArtifactFile { path, origin, captures: Vec::new() }
    }

    /// A regular file of the archive, if it is there.
    fn file(&self, relative: &[u8]) -> Option<ArtifactFile> {
        let path = self.artifact.root.below(relative)?;
        let metadata = self.artifact.tree.metadata(&path).ok()?;
        (metadata.kind == FileKind::Regular).then(|| self.file_at(path))
    }

    /// The value that a JSON file of the archive holds.
    fn json(&mut self, file: &ArtifactFile) -> Option<serde_json::Value> {
        let bytes = self.artifact.read(file, self.findings)?;
        match json::read(&bytes) {
            Ok(document) => {
                self.findings.records(&file.origin, 1, document.length);
                document.flaws.iter().for_each(|flaw| flaw.report(file, self.findings));
                Some(document.value)
            }
            Err(flaw) => {
                flaw.report_lost(file, bytes.len(), self.findings);
                None
            }
        }
    }

    fn wrong(&mut self, file: &ArtifactFile, at: Position<'_>, what: impl Into<String>) {
        self.findings.issue(file.issue(IssueKind::Malformed, at, what));
    }

    /// An image with its configuration; `None` when that is not in the archive.
    fn image(&mut self, listed: Listed, blobs: &mut Blobs) -> Option<ArchivedImage> {
        let Listed { config, names, manifest, layers } = listed;
        let id = digest_of_name(&config);
        let layers = layers.into_iter().map(|path| resolved(&*self.artifact.tree, path)).collect();
        let blob =
            id.as_ref().filter(|id| blobs.get(id).is_some_and(|blob| blob.file.path == config));
        if let Some(stored) = blob.and_then(|id| blobs.remove(id)) {
            let Stored { file, size, genuine, content } = stored;
            let Content::ImageConfig(config) = content else {
                self.wrong(&file, Position::File, "is no configuration of an image, as listed");
                return None;
            };
            let config = *config;
            return Some(ArchivedImage {
                file,
                id,
                genuine,
                config,
                size,
                names,
                manifest,
                layers,
            });
        }
        let file = self.file_at(config);
        let bytes = self.artifact.read(&file, self.findings)?;
        let digest = Digest::of(&bytes);
        let genuine = id.as_ref().is_none_or(|id| *id == digest);
        if !genuine {
            let what =
                format!("the content has the digest {digest}, not that of its name: changed");
            self.wrong(&file, Position::File, what);
        }
        let config = self.config(&file, &bytes);
        let (id, size) = (id.or(Some(digest)), u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Some(ArchivedImage { file, id, genuine, config, size, names, manifest, layers })
    }

    /// The configuration in a file of its own; empty when it holds none.
    fn config(&mut self, file: &ArtifactFile, bytes: &[u8]) -> ImageConfig {
        let document = match json::read(bytes) {
            Ok(document) => document,
            Err(flaw) => {
                flaw.report_lost(file, bytes.len(), self.findings);
                return ImageConfig::default();
            }
        };
        self.findings.records(&file.origin, 1, document.length);
        let wrong = Wrong::default();
        let config = ImageConfig::read(&document.value, &wrong);
        for flaw in document.flaws.iter().chain(&wrong.into_flaws()) {
            flaw.report(file, self.findings);
        }
        for (key, what) in &config.wrong_layers {
            self.wrong(file, Position::Key(key), what.as_str());
        }
        config
    }
}

impl Stored {
    fn of(blob: Blob<'_>) -> Stored {
        let size = blob.size.unwrap_or_default();
        let genuine = blob.genuine.unwrap_or(false);
        Stored { file: blob.file.clone(), size, genuine, content: blob.content }
    }
}

/// The digest that a configuration is named by: `<digest>.json`, `<digest>` or `sha256:<digest>`.
fn digest_of_name(path: &TreePath) -> Option<Digest> {
    let name = std::str::from_utf8(path.file_name()?).ok()?;
    let name = name.strip_suffix(".json").unwrap_or(name);
    Digest::from_hex(name.strip_prefix("sha256:").unwrap_or(name))
}

/// The file that a layer is: itself, or what it links to in the archive.
fn resolved(tree: &dyn Tree, path: TreePath) -> TreePath {
    let Ok(target) = tree.link_target(&path) else { return path };
    let Some(relative) = target.strip_prefix(b"../") else { return path };
    let above = path.parent().and_then(|directory| directory.parent());
    above.and_then(|above| above.below(relative)).unwrap_or(path)
}
