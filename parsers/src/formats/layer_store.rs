//! The files that describe layers: `layerdb`, `distribution` and the storage driver's directories.
//!
//! Each holds one short text without a line end (moby `layer/filestore.go`, `distribution/metadata`,
//! `daemon/graphdriver/overlay2`). A store has thousands of them and each means something only
//! beside the others, so they are read together.

use crate::{Artifact, ArtifactFile, ChainId, DiffId, Digest, ImageStore};
use dockline_timeline::{Findings, IssueKind, Position};
use std::collections::BTreeMap;

/// Longest text that is kept; the engine's longest, `lower`, must fit into a page of 4,096 bytes.
const TEXT_LIMIT: usize = 8_192;

/// A read-only layer: `layerdb/sha256/<chain id>/`.
#[derive(Debug, Default)]
pub struct LayerFiles<'a> {
    /// The file whose time is that of the layer: `diff`, or what is left.
    pub file: Option<&'a ArtifactFile>,
    /// `diff`.
    pub diff: Option<DiffId>,
    /// `parent`.
    pub parent: Option<ChainId>,
    /// Whether there is a `parent`, be it readable or not.
    pub has_parent: bool,
    /// `cache-id`: the directory under the storage driver.
    pub cache_id: Option<String>,
    /// `size`, uncompressed.
    pub size: Option<u64>,
}

/// A writable layer: `layerdb/mounts/<container>/`.
#[derive(Debug, Default)]
pub struct MountFiles<'a> {
    /// The file whose time is that of the layer: `mount-id`, or what is left.
    pub file: Option<&'a ArtifactFile>,
    /// `mount-id`: the directory under the storage driver.
    pub mount_id: Option<String>,
    /// `init-id`: the directory between that one and the image.
    pub init_id: Option<String>,
    /// `parent`: the layers of the image.
    pub parent: Option<ChainId>,
}

/// A directory under the storage driver: `overlay2/<name>/`.
#[derive(Debug, Default)]
pub struct DirectoryFiles<'a> {
    /// `link`.
    pub link_file: Option<&'a ArtifactFile>,
    /// `lower`.
    pub lower_file: Option<&'a ArtifactFile>,
    /// `committed`.
    pub committed_file: Option<&'a ArtifactFile>,
    /// The short name by which directories above it call this one.
    pub link: Option<String>,
    /// The short names of those below it, the nearest first: `l/ABC:l/DEF`.
    pub lower: Option<String>,
}

/// All that is known of the layers of one image store.
#[derive(Debug, Default)]
pub struct LayerStore<'a> {
    /// Read-only layers by chain id.
    pub layers: BTreeMap<ChainId, LayerFiles<'a>>,
    /// Read-only layers whose removal was not finished, by the name of their directory.
    pub removing: BTreeMap<&'a str, LayerFiles<'a>>,
    /// Writable layers by container id.
    pub mounts: BTreeMap<&'a str, MountFiles<'a>>,
    /// Directories of the storage driver by name.
    pub directories: BTreeMap<&'a str, DirectoryFiles<'a>>,
    /// `diffid-by-digest`: the compressed layer in a registry, and the layer that it is here.
    pub blobs: Vec<(&'a ArtifactFile, Digest, Option<DiffId>)>,
    /// `v2metadata-by-diffid`: where a layer came from and went to.
    pub sources: Vec<(&'a ArtifactFile, DiffId)>,
}

/// Reads the layer stores of one data root.
pub fn read<'a>(
    artifact: &'a Artifact,
    findings: &mut dyn Findings,
) -> BTreeMap<ImageStore, LayerStore<'a>> {
    let mut stores: BTreeMap<ImageStore, LayerStore<'a>> = BTreeMap::new();
    for file in &artifact.files {
        let mut reader = Reader { artifact, file, findings };
        if let Some(directory) = file.capture("directory") {
            let store = stores.entry(driver_store(artifact, file)).or_default();
            reader.directory(store.directories.entry(directory).or_default());
            continue;
        }
        let store = stores.entry(ImageStore::of(artifact, file)).or_default();
        reader.metadata(store);
    }
    stores
}

/// The store that a directory under a storage driver belongs to: `<root>/<driver>/<name>/link`.
fn driver_store(artifact: &Artifact, file: &ArtifactFile) -> ImageStore {
    let driver = file.path.components().rev().nth(2).unwrap_or_default();
    ImageStore::of_driver(&artifact.root, &String::from_utf8_lossy(driver))
}

/// One file that is being read.
struct Reader<'a, 'f> {
    artifact: &'a Artifact,
    file: &'a ArtifactFile,
    findings: &'f mut dyn Findings,
}

impl<'a> Reader<'a, '_> {
    fn metadata(&mut self, store: &mut LayerStore<'a>) {
        let file = self.file;
        if let Some(chain) = file.capture("chain").and_then(Digest::from_hex) {
            self.layer(store.layers.entry(ChainId(chain)).or_default());
        } else if let Some(name) = file.capture("removing") {
            self.layer(store.removing.entry(name).or_default());
        } else if let Some(container) = file.capture("container") {
            self.mount(store.mounts.entry(container).or_default());
        } else if let Some(digest) = file.capture("digest").and_then(Digest::from_hex) {
            let diff = self.digest().map(DiffId);
            store.blobs.push((file, digest, diff));
        } else if let Some(diff) = file.capture("diff").and_then(Digest::from_hex) {
            store.sources.push((file, DiffId(diff)));
        }
    }

    fn layer(&mut self, layer: &mut LayerFiles<'a>) {
        let name = self.file.path.file_name().unwrap_or_default();
        if layer.file.is_none() || name == b"diff" {
            layer.file = Some(self.file);
        }
        match name {
            b"diff" => layer.diff = self.digest().map(DiffId),
            b"parent" => {
                layer.has_parent = true;
                layer.parent = self.digest().map(ChainId);
            }
            b"cache-id" => layer.cache_id = self.name(),
            b"size" => layer.size = self.number(),
            // `descriptor.json` is there for layers of Windows only, and holds no time.
            _ => drop(self.text()),
        }
    }

    fn mount(&mut self, mount: &mut MountFiles<'a>) {
        let name = self.file.path.file_name().unwrap_or_default();
        if mount.file.is_none() || name == b"mount-id" {
            mount.file = Some(self.file);
        }
        match name {
            b"mount-id" => mount.mount_id = self.name(),
            b"init-id" => mount.init_id = self.name(),
            _ => mount.parent = self.digest().map(ChainId),
        }
    }

    fn directory(&mut self, directory: &mut DirectoryFiles<'a>) {
        let text = self.text();
        match self.file.path.file_name().unwrap_or_default() {
            b"link" => (directory.link_file, directory.link) = (Some(self.file), text),
            b"lower" => (directory.lower_file, directory.lower) = (Some(self.file), text),
            _ => directory.committed_file = Some(self.file),
        }
    }

    fn text(&mut self) -> Option<String> {
        let bytes = self.artifact.read(self.file, self.findings)?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if bytes.len() > TEXT_LIMIT {
            let what = format!("{length} bytes, longer than the {TEXT_LIMIT} that are read of it");
            let issue = self.file.issue(IssueKind::LimitReached, Position::File, what);
            self.findings.issue(issue.losing(1, length));
            return None;
        }
        self.findings.records(&self.file.origin, 1, length);
        match String::from_utf8(bytes) {
            Ok(text) => Some(text.trim_end_matches('\n').to_owned()),
            Err(error) => {
                let at = u64::try_from(error.utf8_error().valid_up_to()).unwrap_or(u64::MAX);
                let (kind, what) = (IssueKind::Malformed, "bytes that are not UTF-8");
                self.findings.issue(self.file.issue(kind, Position::Offset(at), what));
                None
            }
        }
    }

    fn parsed<T>(&mut self, wanted: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text()?;
        let parsed = parse(&text);
        if parsed.is_none() {
            let shown: String = text.chars().take(80).collect();
            let what = format!("{shown:?} is no {wanted}");
            self.findings.issue(self.file.issue(IssueKind::Malformed, Position::File, what));
        }
        parsed
    }

    fn digest(&mut self) -> Option<Digest> {
        self.parsed("digest", Digest::parse)
    }

    fn number(&mut self) -> Option<u64> {
        self.parsed("number of bytes", |text| text.parse().ok())
    }

    /// The name of a directory under the storage driver.
    fn name(&mut self) -> Option<String> {
        let is_name = |text: &str| {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            let stem = text.strip_suffix("-init").unwrap_or(text);
            (!stem.is_empty() && stem.bytes().all(plain)).then(|| text.to_owned())
        };
        self.parsed("name of a layer's directory", is_name)
    }
}
