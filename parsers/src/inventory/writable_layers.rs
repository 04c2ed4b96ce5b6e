//! The writable layer of each container: the directory that holds what the container changed, and
//! the directories below it, in whichever store and driver they lie.
//!
//! | store | writable layer | below it |
//! |---|---|---|
//! | Docker, graph driver | `layerdb/mounts/<container>/mount-id` | `init-id`, then `parent` and so on to `cache-id` |
//! | Docker, `layerdb` lost | `overlay2/<id>`, where `overlay2/<id>-init` is | the short names in its `lower` |
//! | containerd | the active snapshot that is named after the container | the snapshot's parents |
//! | containers/storage | `layer` in `containers.json` | `parent` in `layers.json` |

use super::podman::rows_of;
use super::stores::{LayerStores, Stores};
use super::{Claim, Snapshots};
use crate::formats::containers_storage::{StoredContainer, StoredLayer};
use crate::formats::layer_store::{LayerStore, MountFiles};
use crate::formats::snapshotter_db::SnapshotKind;
use crate::{Artifact, ChainId, ContainerId, ImageStore};
use dockline_evidence::{Tree, TreePath};
use dockline_timeline::{Issue, IssueKind, Position};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Layers may stand on so many others; engines allow fewer than 128.
const CHAIN_LIMIT: usize = 1_024;

/// How a directory of a driver says what a container changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// It holds differences; a character device 0:0 stands for what was deleted.
    Overlay,
    /// It holds differences; what was deleted may also be a file `.wh.<name>` (aufs, and
    /// fuse-overlayfs where it may make no devices).
    NamedWhiteouts,
    /// It holds all that the container sees.
    Whole,
}

/// A layer below a writable one, or of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerBelow {
    /// Its directory.
    pub directory: TreePath,
    /// What its store calls it: a chain id, or the name of a snapshot or of a directory.
    pub id: String,
    /// Whether it holds what the engine put into the container before it started.
    pub is_init: bool,
}

/// The writable layer of a container.
#[derive(Clone)]
pub struct WritableLayer {
    /// The tree that holds it and those below.
    pub tree: Arc<dyn Tree>,
    /// The container, where anything tells which.
    pub container: Option<ContainerId>,
    /// The storage driver or snapshotter.
    pub driver: String,
    /// How the directories of the driver are to be read.
    pub style: Style,
    /// The directory that holds the changes.
    pub directory: TreePath,
    /// The layers below, the nearest first, as far as they are known.
    pub below: Vec<LayerBelow>,
}

impl fmt::Debug for WritableLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {:?}", self.driver, self.directory, self.below)
    }
}

/// The writable layers of a host.
#[derive(Debug, Default)]
pub struct WritableLayers {
    /// Those whose directories are in the evidence.
    pub known: Vec<WritableLayer>,
    /// Those that lie in drivers that are not read.
    pub unsupported: Vec<Issue>,
}

/// How a driver of Docker or of containers/storage keeps layers in directories; `None` for one that
/// does not, or that is not read.
pub(super) fn style_of(driver: &str) -> Option<Style> {
    match driver {
        "overlay2" => Some(Style::Overlay),
        // containers/storage; Docker's own driver of this name is not read.
        "overlay" | "fuse-overlayfs" | "aufs" => Some(Style::NamedWhiteouts),
        "vfs" | "btrfs" => Some(Style::Whole),
        _ => None,
    }
}

/// How a snapshotter of containerd keeps them.
pub(super) fn style_of_snapshotter(snapshotter: &str) -> Style {
    match snapshotter {
        "native" | "btrfs" => Style::Whole,
        "fuse-overlayfs" => Style::NamedWhiteouts,
        _ => Style::Overlay,
    }
}

/// Where such a driver keeps a layer; `None` when that is no name.
pub(super) fn directory(root: &TreePath, driver: &str, name: &str) -> Option<TreePath> {
    match driver {
        "aufs" => root.below(b"aufs/diff")?.join(name.as_bytes()),
        "vfs" => root.below(b"vfs/dir")?.join(name.as_bytes()),
        "btrfs" => root.below(b"btrfs/subvolumes")?.join(name.as_bytes()),
        _ => root.join(driver.as_bytes())?.join(name.as_bytes())?.join(b"diff"),
    }
}

impl WritableLayers {
    /// Finds them among `claims`, in the stores of Docker and the databases of containerd.
    pub(super) fn read(
        claims: &[Claim],
        stores: &Stores<'_>,
        snapshots: &Snapshots,
    ) -> WritableLayers {
        let mut layers = WritableLayers::default();
        stores.layers.iter().for_each(|of_root| layers.add_graph_driver(of_root));
        for (parser, artifact) in claims {
            match *parser {
                "podman.storage" => layers.add_containers_storage(artifact),
                "containerd.snapshots" => layers.add_snapshots(artifact, snapshots),
                _ => {}
            }
        }
        layers
    }

    /// The one whose changes lie in this directory of this tree.
    #[must_use]
    pub fn at(&self, tree: &Arc<dyn Tree>, directory: &TreePath) -> Option<&WritableLayer> {
        self.known
            .iter()
            .find(|layer| layer.directory == *directory && Arc::ptr_eq(&layer.tree, tree))
    }

    fn add(&mut self, layer: WritableLayer) {
        let is_there = layer.tree.metadata(&layer.directory).is_ok();
        if is_there && self.at(&layer.tree, &layer.directory).is_none() {
            self.known.push(layer);
        }
    }

    fn add_graph_driver(&mut self, LayerStores { artifact, stores }: &LayerStores<'_>) {
        for (store, files) in stores {
            for (container, mount) in &files.mounts {
                self.add_mount(artifact, (store, files), (container, mount));
            }
            if files.mounts.is_empty() {
                self.add_directories(artifact, (store, files));
            }
        }
    }

    fn add_mount(
        &mut self,
        artifact: &Artifact,
        (store, files): (&ImageStore, &LayerStore<'_>),
        (container, mount): (&str, &MountFiles<'_>),
    ) {
        let Some(name) = mount.mount_id.as_deref() else { return };
        let Some(style) = style_of(&store.driver) else {
            if let Some(file) = mount.file {
                let what = format!("writable layer in the storage driver {}", store.driver);
                self.unsupported.push(file.issue(IssueKind::Unsupported, Position::File, what));
            }
            return;
        };
        let Some(directory) = directory(&store.root, &store.driver, name) else { return };
        self.add(WritableLayer {
            tree: artifact.tree.clone(),
            container: ContainerId::parse(container),
            driver: store.driver.clone(),
            style,
            directory,
            below: below_mount((store, files), mount),
        });
    }

    /// Directories that were writable layers, where `layerdb` is lost: each has one named after it
    /// with what the engine put into the container.
    fn add_directories(&mut self, artifact: &Artifact, store: (&ImageStore, &LayerStore<'_>)) {
        let (ImageStore { root, driver, .. }, files) = store;
        let Some(style) = style_of(driver) else { return };
        let by_link: BTreeMap<&str, &str> = files
            .directories
            .iter()
            .filter_map(|(name, files)| Some((files.link.as_deref()?, *name)))
            .collect();
        for (name, own) in &files.directories {
            if !files.directories.contains_key(format!("{name}-init").as_str()) {
                continue;
            }
            let Some(path) = directory(root, driver, name) else { continue };
            let lower = own.lower.as_deref().unwrap_or_default().split(':');
            let names = lower.filter_map(|link| by_link.get(link.strip_prefix("l/")?).copied());
            let below = names.take(CHAIN_LIMIT).filter_map(|name| {
                let directory = directory(root, driver, name)?;
                Some(LayerBelow {
                    directory,
                    id: name.to_owned(),
                    is_init: name.ends_with("-init"),
                })
            });
            self.add(WritableLayer {
                tree: artifact.tree.clone(),
                container: None,
                driver: driver.clone(),
                style,
                directory: path,
                below: below.collect(),
            });
        }
    }

    fn add_containers_storage(&mut self, artifact: &Artifact) {
        let parents = parents(artifact);
        for file in &artifact.files {
            let name = file.path.file_name();
            if name != Some(b"containers.json") && name != Some(b"volatile-containers.json") {
                continue;
            }
            let driver = file.capture("driver").unwrap_or_default();
            for row in rows_of(artifact, file, StoredContainer::read) {
                let Some(layer) = row.layer.as_deref() else { continue };
                let Some(style) = style_of(driver) else {
                    let what = format!("writable layer {layer} in the storage driver {driver}");
                    let issue = file.issue(IssueKind::Unsupported, Position::File, what);
                    self.unsupported.push(issue);
                    continue;
                };
                let Some(path) = directory(&artifact.root, driver, layer) else { continue };
                let first = parents.get(layer);
                let chain = std::iter::successors(first, |id| parents.get(id.as_str()));
                let below = chain.take(CHAIN_LIMIT).filter_map(|id| {
                    let directory = directory(&artifact.root, driver, id)?;
                    Some(LayerBelow { directory, id: id.clone(), is_init: false })
                });
                self.add(WritableLayer {
                    tree: artifact.tree.clone(),
                    container: row.id.as_deref().and_then(ContainerId::parse),
                    driver: driver.to_owned(),
                    style,
                    directory: path,
                    below: below.collect(),
                });
            }
        }
    }

    fn add_snapshots(&mut self, artifact: &Artifact, snapshots: &Snapshots) {
        for file in &artifact.files {
            let snapshotter = file.capture("snapshotter").unwrap_or_default();
            let here = snapshots.iter().filter(|snapshot| {
                snapshot.root == artifact.root
                    && snapshot.snapshotter == snapshotter
                    && snapshot.kind == SnapshotKind::Active
                    && !snapshot.is_init
            });
            for snapshot in here {
                let Some(container) = &snapshot.container else { continue };
                let Some(directory) = &snapshot.directory else {
                    let what = format!("writable layer in the snapshotter {snapshotter}");
                    let issue = file.issue(IssueKind::Unsupported, Position::File, what);
                    self.unsupported.push(issue);
                    continue;
                };
                let below = snapshots.below(snapshot).into_iter().filter_map(|below| {
                    let directory = below.directory.clone()?;
                    let id = below.key().to_owned();
                    Some(LayerBelow { directory, id, is_init: below.is_init })
                });
                self.add(WritableLayer {
                    tree: artifact.tree.clone(),
                    container: Some(container.clone()),
                    driver: snapshotter.to_owned(),
                    style: style_of_snapshotter(snapshotter),
                    directory: directory.clone(),
                    below: below.collect(),
                });
            }
        }
    }
}

/// What lies below a writable layer of Docker: what the engine put there, then the image.
fn below_mount(
    (store, files): (&ImageStore, &LayerStore<'_>),
    mount: &MountFiles<'_>,
) -> Vec<LayerBelow> {
    let below = |name: &str, id: String, is_init| {
        let directory = directory(&store.root, &store.driver, name)?;
        Some(LayerBelow { directory, id, is_init })
    };
    let init = mount.init_id.as_deref();
    let init = init.and_then(|name| below(name, name.to_owned(), true));
    let parent = |id: &&ChainId| files.layers.get(*id)?.parent.as_ref();
    let chain = std::iter::successors(mount.parent.as_ref(), parent).take(CHAIN_LIMIT);
    let layers = chain.filter_map(|id| {
        let name = files.layers.get(id)?.cache_id.as_deref()?;
        below(name, id.0.as_str().to_owned(), false)
    });
    init.into_iter().chain(layers).collect()
}

/// The layer below each layer of containers/storage.
fn parents(artifact: &Artifact) -> BTreeMap<String, String> {
    let named = artifact.files.iter().filter(|file| {
        let name = file.path.file_name();
        name == Some(b"layers.json") || name == Some(b"volatile-layers.json")
    });
    let rows = named.flat_map(|file| rows_of(artifact, file, StoredLayer::read));
    rows.filter_map(|row| Some((row.id?, row.parent?))).collect()
}
