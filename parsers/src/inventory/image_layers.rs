//! The layers of images, each with all that is left of it: its directory, the list of the files with
//! which it came, and the archive that it came as.
//!
//! | store | directory | list | archive | came from a registry when |
//! |---|---|---|---|---|
//! | Docker, graph driver | `<driver>/<cache-id>/diff` | `layerdb/…/tar-split.json.gz` | | `v2metadata-by-diffid` says that it was pulled |
//! | containerd | `snapshots/<number>/fs` | | `blobs/sha256/<digest>` | a label `containerd.io/distribution.source.…` of the archive |
//! | containers/storage | `<driver>/<layer>/diff` | `<driver>-layers/<layer>.tar-split.gz` | | it came compressed |
//! | archive of images | | | `layer.tar`, `blobs/sha256/<digest>` | never known |
//!
//! A directory that belongs to no image and no container, such as a step of a build whose image is
//! gone, is a layer, too.

mod archives;
mod containers_storage;
mod graph_driver;
mod snapshotter;
mod stores;

pub use stores::{ImageFiles, Meant, StoreOfImages, StoredImage};

use super::stores::Stores;
use super::{Claim, Inventory, Style, WritableLayers};
use dockline_evidence::{FileKind, Tree, TreePath};
use dockline_timeline::Subject;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A layer of an image.
#[derive(Clone)]
pub struct ImageLayer {
    /// The tree that holds what is left of it.
    pub tree: Arc<dyn Tree>,
    /// Its chain id, or what its store calls it.
    pub id: String,
    /// The image; of several the first.
    pub subject: Subject,
    /// How its directory is to be read.
    pub style: Style,
    /// Its directory.
    pub directory: Option<TreePath>,
    /// The list of the files with which it came.
    pub list: Option<TreePath>,
    /// The archive as which it came.
    pub archive: Option<TreePath>,
    /// What says that it came from a registry.
    pub registry: Option<String>,
}

impl fmt::Debug for ImageLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {:?}", self.id, self.source())
    }
}

impl ImageLayer {
    /// From what it is read: the directory, else the list, else the archive.
    #[must_use]
    pub fn source(&self) -> Option<&TreePath> {
        self.directory.as_ref().or(self.list.as_ref()).or(self.archive.as_ref())
    }

    /// Forgets what is not in the evidence.
    fn left(mut self) -> ImageLayer {
        let is = |path: &Option<TreePath>, kind: FileKind| {
            let metadata = path.as_ref().map(|path| self.tree.metadata(path));
            metadata.is_some_and(|found| found.is_ok_and(|found| found.kind == kind))
        };
        let directory = is(&self.directory, FileKind::Directory);
        let list = is(&self.list, FileKind::Regular);
        let archive = is(&self.archive, FileKind::Regular);
        self.directory = self.directory.filter(|_| directory);
        self.list = self.list.filter(|_| list);
        self.archive = self.archive.filter(|_| archive);
        self
    }
}

/// The layers of the images of a host.
#[derive(Debug, Default)]
pub struct ImageLayers {
    /// Those of which something is in the evidence, each source once.
    pub known: Vec<ImageLayer>,
    /// The images whose layers are directories, by store.
    pub stores: Vec<StoreOfImages>,
    /// Where in `known` the layers with a source of this path stand: one for each tree.
    by_source: BTreeMap<TreePath, Vec<usize>>,
}

impl ImageLayers {
    /// Finds them among `claims` and in the stores of Docker; the rest of the inventory is known.
    pub(super) fn read(
        claims: &[Claim],
        stores: &Stores<'_>,
        inventory: &Inventory,
    ) -> ImageLayers {
        let mut layers = ImageLayers::default();
        stores.layers.iter().for_each(|of_root| graph_driver::add(of_root, inventory, &mut layers));
        for (parser, artifact) in claims {
            match *parser {
                "podman.storage" => containers_storage::add(artifact, inventory, &mut layers),
                "containerd.snapshots" => snapshotter::add(artifact, inventory, &mut layers),
                "archive.image" => archives::add(artifact, &mut layers),
                _ => {}
            }
        }
        for (_, artifact) in claims.iter().filter(|(parser, _)| *parser == "containerd.content") {
            snapshotter::add_archives(artifact, inventory, &mut layers);
        }
        layers
    }

    /// The one that is read from this path of this tree.
    #[must_use]
    pub fn at(&self, tree: &Arc<dyn Tree>, source: &TreePath) -> Option<&ImageLayer> {
        let found = self.by_source.get(source)?.iter().filter_map(|at| self.known.get(*at));
        found.into_iter().find(|layer| Arc::ptr_eq(&layer.tree, tree))
    }

    /// Adds a layer, unless nothing is left of it, it is known, or a container's.
    fn add(&mut self, layer: Option<ImageLayer>, writable: &WritableLayers) {
        let Some(layer) = layer.map(ImageLayer::left) else { return };
        let Some(source) = layer.source().cloned() else { return };
        let is_known = self.at(&layer.tree, &source).is_some();
        if !is_known && writable.at(&layer.tree, &source).is_none() {
            self.by_source.entry(source).or_default().push(self.known.len());
            self.known.push(layer);
        }
    }
}
