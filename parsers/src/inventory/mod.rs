//! What ids mean on a host: built once from the small files, before any parser runs.
//!
//! A log knows only the id of its container; the container's name and image stand in another file,
//! the image's tags in a third. The inventory reads these few and gives every parser the names, also
//! of containers of which only a log or a mount is left. It reads leniently and says nothing of what
//! it cannot read: the parser that claims the file does.

mod containerd;
mod containers;
mod image_layers;
mod images;
mod layers;
mod mounted_directories;
mod podman;
mod removed;
pub mod risk;
mod snapshots;
mod stores;
mod targets;
mod writable_layers;
mod zone;

pub use containers::Container;
pub use image_layers::{ImageFiles, ImageLayer, ImageLayers, Meant, StoreOfImages, StoredImage};
pub use images::Image;
pub use layers::{Layer, Mount};
pub use mounted_directories::{MountedDirectories, MountedDirectory, SeenBy};
pub use podman::{PodmanImage, runtime_risks};
pub use removed::REMOVED_CONTAINER;
pub use risk::{Risk, Severity};
pub use snapshots::{Snapshot, Snapshots, snapshot_owner};
pub use targets::{TargetImage, TargetImages};
pub use writable_layers::{LayerBelow, Style, WritableLayer, WritableLayers};

use crate::formats::windows_zone::WindowsZone;
use crate::{Artifact, Asked, ContainerId};
use dockline_timeline::{Event, Findings, Issue, Job, Origin, Strand, Subject};
use std::collections::BTreeMap;
use std::sync::Arc;
use stores::Stores;

/// An artifact and the name of the parser that claims it.
pub type Claim = (&'static str, Arc<Artifact>);

/// Takes findings and says nothing: the inventory reads what a parser reads again, aloud.
pub(crate) struct Silent;

impl Findings for Silent {
    fn event(&mut self, _event: &Event<'_>) {}
    fn issue(&mut self, _issue: Issue) {}
    fn records(&mut self, _origin: &Origin, _records: u64, _bytes: u64) {}
    fn job(&mut self, _job: Job) {}
    fn strand(&mut self, _strand: Box<dyn Strand>) {}
}

/// What ids mean on one host.
#[derive(Debug, Default)]
pub struct Inventory {
    /// Containers by id, of whatever is left of them.
    pub containers: BTreeMap<ContainerId, Container>,
    /// Whether a primary store of containers is in the evidence: then one that no store describes
    /// was removed.
    pub describes_containers: bool,
    /// Images of graph-driver stores by id (`sha256:…`, the digest of the image's config).
    pub images: BTreeMap<String, Image>,
    /// Images of containers/storage by id (`sha256:…`, the digest of the image's config).
    pub podman_images: BTreeMap<String, PodmanImage>,
    /// Images of containerd stores by the digest of their target, an index or a manifest.
    pub target_images: TargetImages,
    /// Snapshots of containerd: which directory holds the changes of which container.
    pub snapshots: Snapshots,
    /// Read-only layers of each data root and driver, by chain id.
    pub layers: Vec<Layer>,
    /// Writable layers of containers.
    pub mounts: Vec<Mount>,
    /// Which directories hold what containers changed.
    pub writable_layers: WritableLayers,
    /// Layers of images, with what is left of each, and the images that they make.
    pub image_layers: ImageLayers,
    /// Which directories of the host containers mount.
    pub mounted_directories: MountedDirectories,
    zone: Option<WindowsZone>,
}

impl Inventory {
    /// Reads the files among `claims` that give ids their names.
    #[must_use]
    pub fn build(claims: &[Claim], asked: &Asked) -> Inventory {
        let stores = Stores::read(claims);
        let images = images::read(claims);
        let (layers, mounts) = layers::read(&stores);
        let mut known = containerd::read(claims);
        let target_images = targets::read(claims, &known.names, std::mem::take(&mut known.sources));
        let mut containers = containers::read(claims, &images, &mounts);
        podman::add_containers(claims, &stores, &mut containers);
        known.add_containers(&mut containers, &target_images);
        let describes_containers = removed::has_primary_store(claims, &containers, &known.running);
        let ids = containers.keys().map(ContainerId::as_str).collect();
        let snapshots = snapshots::read(claims, &ids, known.snapshots);
        let podman_images = podman::images(claims);
        let writable_layers = WritableLayers::read(claims, &stores, &snapshots);
        let mounted_directories = MountedDirectories::read(claims, &stores, asked.bind_mounts);
        let mut inventory = Inventory {
            containers,
            describes_containers,
            images,
            podman_images,
            target_images,
            snapshots,
            layers,
            mounts,
            writable_layers,
            mounted_directories,
            image_layers: ImageLayers::default(),
            zone: zone::read(claims),
        };
        inventory.image_layers = ImageLayers::read(claims, &stores, &inventory);
        inventory
    }

    /// Takes what `other` knows of containers and images and this does not.
    pub(crate) fn learn_names(&mut self, other: &Inventory) {
        for (id, container) in &other.containers {
            self.containers.entry(id.clone()).or_insert_with(|| container.clone());
        }
        for (id, image) in &other.images {
            self.images.entry(id.clone()).or_insert_with(|| image.clone());
        }
        for (id, image) in &other.podman_images {
            self.podman_images.entry(id.clone()).or_insert_with(|| image.clone());
        }
        for (id, image) in &other.target_images.images {
            let images = &mut self.target_images.images;
            images.entry(id.clone()).or_insert_with(|| image.clone());
        }
        self.describes_containers |= other.describes_containers;
    }

    /// The time zone of a Windows host, where its registry is in the evidence.
    #[must_use]
    pub fn zone(&self) -> Option<&WindowsZone> {
        self.zone.as_ref()
    }

    /// The subject of an event about a container: whatever is known of it, at least its id.
    #[must_use]
    pub fn container_subject(&self, id: &str) -> Subject {
        let known = self.containers.get(id);
        Subject {
            container_identifier: Some(id.to_owned()),
            container_name: known.and_then(|container| container.name.clone()),
            image_name: known.and_then(|container| container.image_name.clone()),
            image_identifier: known.and_then(|container| container.image_id.clone()),
        }
    }

    /// The first tag of an image, by the id that its own store has for it.
    fn image_name(&self, id: &str) -> Option<&String> {
        let graph = || self.images.get(id)?.tags.first();
        let target = || self.target_images.images.get(id)?.tags.first();
        let podman = || self.podman_images.get(id)?.names.first();
        graph().or_else(target).or_else(podman)
    }

    /// The subject of an event about an image: whatever is known of it, at least its id
    /// (`sha256:…`, as its own store has it). The name is the first of its tags.
    #[must_use]
    pub fn image_subject(&self, id: &str) -> Subject {
        Subject {
            image_name: self.image_name(id).cloned(),
            image_identifier: Some(id.to_owned()),
            ..Subject::UNKNOWN
        }
    }
}
