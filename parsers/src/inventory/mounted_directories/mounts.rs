//! What the containers of each data root mount, as their engines wrote it down.
//!
//! | engine | who mounts what | options of volumes |
//! |---|---|---|
//! | Docker | `MountPoints` of `config.v2.json` | `volumes/<name>/opts.json` |
//! | Podman | the container's configuration in libpod's database, else the runtime specification in `userdata/config.json` | the volume's configuration there |
//! | CRI-O | the runtime specification in `userdata/config.json` | |
//! | containerd | the runtime specification in `meta.db`, else what the kubelet asked for; of a container that Docker describes itself, Docker's word | |
//!
//! Of what the kubelet mounts into every container, only the volumes of its pod count.

use super::super::stores::{LibpodDatabase, Stores};
use super::super::{Claim, Silent};
use super::host_root::{above_container, above_sandbox, above_volume};
use super::pods::{OfPod, Pods};
use crate::formats::bolt::{self, Database};
use crate::formats::config_v2::{ConfigV2, MountPoint};
use crate::formats::container_directory as directory;
use crate::formats::containerd_db::{self, Class, Object, is_docker};
use crate::formats::host_config::VolumeOptions;
use crate::formats::json::{self, Fields, Wrong};
use crate::formats::libpod;
use crate::formats::libpod_database::{self as database, What};
use crate::formats::pod_labels;
use crate::formats::runtime_spec::RuntimeSpec;
use crate::{Artifact, ArtifactFile, ContainerId};
use dockline_evidence::TreePath;
use dockline_timeline::{Place, Position};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Parsers whose artifacts lie in a data root.
const OF_ENGINES: &[&str] = &[
    "containerd.metadata",
    "containerd.snapshots",
    "docker.container_config",
    "docker.layer",
    "docker.volumes",
    "podman.database",
    "podman.storage",
    "podman.userdata",
];

/// Something of the host in a container.
pub(super) struct HostMount {
    pub(super) container: ContainerId,
    pub(super) point: MountPoint,
    /// Where the engine wrote it down.
    pub(super) place: Place,
}

/// A data root.
pub(super) struct Engine {
    /// One of its artifacts.
    pub(super) artifact: Arc<Artifact>,
    /// What its containers mount.
    pub(super) mounts: Vec<HostMount>,
    /// Where it lay on the host, as its own files say.
    pub(super) own_paths: BTreeSet<String>,
    /// Whether volumes lie in it: containerd leaves them to its clients.
    pub(super) keeps_volumes: bool,
    /// Pods that its containers are of.
    pub(super) pods: Pods,
    /// Options of volumes that its database knows.
    volume_options: BTreeMap<String, VolumeOptions>,
    /// Containers whose mounts are known.
    containers: BTreeSet<ContainerId>,
}

/// The data roots among `claims`.
pub(super) fn read(claims: &[Claim], stores: &Stores<'_>) -> Vec<Engine> {
    let mut engines = Engines::default();
    for (parser, artifact) in claims.iter().filter(|(parser, _)| OF_ENGINES.contains(parser)) {
        let Some(engine) = engines.of(artifact) else { continue };
        engine.keeps_volumes |= !parser.starts_with("containerd.");
        if *parser == "docker.container_config" {
            engine.add_config(artifact);
        }
    }
    for database in &stores.libpod {
        let engine = engines.of(database.artifact);
        engine.into_iter().for_each(|engine| engine.add_database(database));
    }
    // Only of containers that no database knows.
    for (_, artifact) in claims.iter().filter(|(parser, _)| *parser == "podman.userdata") {
        engines.of(artifact).into_iter().for_each(|engine| engine.add_specification(artifact));
    }
    let described: BTreeSet<ContainerId> =
        engines.all.iter().flat_map(|engine| engine.containers.iter().cloned()).collect();
    for (_, artifact) in claims.iter().filter(|(parser, _)| *parser == "containerd.metadata") {
        let engine = engines.of(artifact);
        engine.into_iter().for_each(|engine| engine.add_metadata(artifact, &described));
    }
    engines.all
}

/// Data roots, found by tree and path.
#[derive(Default)]
struct Engines {
    all: Vec<Engine>,
    known: BTreeMap<TreePath, Vec<usize>>,
}

impl Engines {
    fn of(&mut self, artifact: &Arc<Artifact>) -> Option<&mut Engine> {
        let known = self.known.entry(artifact.root.clone()).or_default();
        let is_same = |index: &&usize| {
            let engine = self.all.get(**index);
            engine.is_some_and(|engine| Arc::ptr_eq(&engine.artifact.tree, &artifact.tree))
        };
        let index = match known.iter().find(is_same) {
            Some(index) => *index,
            None => {
                let index = self.all.len();
                known.push(index);
                self.all.push(Engine::new(artifact.clone()));
                index
            }
        };
        self.all.get_mut(index)
    }
}

impl Engine {
    fn new(artifact: Arc<Artifact>) -> Engine {
        Engine {
            artifact,
            mounts: Vec::new(),
            own_paths: BTreeSet::new(),
            keeps_volumes: false,
            pods: Pods::new(),
            volume_options: BTreeMap::new(),
            containers: BTreeSet::new(),
        }
    }

    /// Options of the volumes that have any.
    pub(super) fn options(&self) -> BTreeMap<String, VolumeOptions> {
        let mut options = self.volume_options.clone();
        let entries = self.artifact.root.join(b"volumes");
        let entries = entries.and_then(|volumes| self.artifact.tree.list(&volumes).ok());
        for entry in entries.unwrap_or_default() {
            let name = String::from_utf8_lossy(&entry.name).into_owned();
            let found = directory::volume_options(&self.artifact, &name);
            options.extend(found.map(|found| (name, found)));
        }
        options
    }

    fn add_config(&mut self, artifact: &Artifact) {
        let Some(file) = artifact.files.first() else { return };
        if artifact.capture("leftover").is_some() {
            return;
        }
        let Some(config) = directory::config_of(artifact, &file.path) else { return };
        let Some(id) = directory::container_id(file, &config) else { return };
        self.add_container(id, &config, &|destination| {
            file.origin.at(Position::Key(&format!("MountPoints.{destination}")))
        });
    }

    fn add_database(&mut self, LibpodDatabase { artifact, records }: &LibpodDatabase<'_>) {
        let Some(file) = database::main_file(artifact) else { return };
        for record in records.iter().filter(|record| record.recovered_from.is_none()) {
            if let What::Root(root) = &record.what {
                self.own_paths.insert(root.clone());
                continue;
            }
            let Ok(document) = json::read(&record.json) else { continue };
            match record.what {
                What::Container => {
                    let config = libpod::Container::read(&document.value).0.config;
                    let id = config.id.as_deref().and_then(ContainerId::parse);
                    let place = |_: &str| file.origin.at(Position::Key(&record.key));
                    id.into_iter().for_each(|id| self.add_container(id, &config, &place));
                }
                What::Volume => {
                    let volume = libpod::Volume::read(&document.value).0;
                    let name = volume.name.clone().filter(|_| !volume.options.is_empty());
                    let options = options_of(&volume);
                    self.volume_options.extend(name.map(|name| (name, options)));
                }
                _ => {}
            }
        }
    }

    fn add_specification(&mut self, artifact: &Artifact) {
        let is_specification =
            |file: &&ArtifactFile| file.path.file_name() == Some(b"config.json".as_slice());
        for file in artifact.files.iter().filter(is_specification) {
            let id = file.capture("container").and_then(ContainerId::parse);
            let Some(id) = id.filter(|id| !self.containers.contains(id)) else { continue };
            let bytes = artifact.read_beside(&file.path);
            let Some(document) = bytes.and_then(|bytes| json::read(&bytes).ok()) else { continue };
            let wrong = Wrong::default();
            let spec = RuntimeSpec::read(&Fields::new(&document.value, &wrong), false);
            self.pods.extend(pod_labels::pod(&spec.annotations));
            let config = self.with_volumes_of_pod(spec);
            self.add_container(id, &config, &|_| file.origin.at(Position::Key("mounts")));
        }
    }

    /// The containers of containerd, but for those that Docker describes.
    fn add_metadata(&mut self, artifact: &Artifact, described: &BTreeSet<ContainerId>) {
        for file in &artifact.files {
            let bytes = artifact.read_up_to(file, bolt::FILE_LIMIT, &mut Silent);
            let Some(bytes) = bytes else { continue };
            let Ok(database) = Database::open(&bytes) else { continue };
            let current = containerd_db::current(&database);
            let objects = current.iter().flat_map(|current| &current.objects);
            for object in objects.filter(|object| object.class == Class::Container) {
                let id = object.name.as_deref().and_then(ContainerId::of_containerd);
                let of_docker = object.namespace.as_deref().is_some_and(is_docker);
                let id = id.filter(|id| !of_docker || !described.contains(id));
                id.into_iter().for_each(|id| self.add_object(id, object, file));
            }
        }
    }

    fn add_object(&mut self, id: ContainerId, object: &Object<'_, '_>, file: &ArtifactFile) {
        let namespace = object.namespace.as_deref().unwrap_or_default();
        let key = format!("container/{namespace}/{id}/spec");
        self.pods.extend(pod_labels::pod(&object.pairs("labels")));
        let spec = object.spec().ok().flatten();
        let spec = spec.or_else(|| Some(object.cri_metadata()?.asked));
        let config = self.with_volumes_of_pod(spec.unwrap_or_default());
        // Two namespaces may have containers of one name.
        self.add_mounts(&id, &config, &|_| file.origin.at(Position::Key(&key)));
    }

    /// The settings, with the volumes that the kubelet mounts among their mounts.
    fn with_volumes_of_pod(&mut self, spec: RuntimeSpec) -> ConfigV2 {
        let RuntimeSpec { mut config, of_engine, .. } = spec;
        for point in of_engine {
            let source = point.source.as_deref().unwrap_or_default();
            self.own_paths.extend(above_sandbox(source));
            if OfPod::of(source).is_some() {
                config.mounts.push(point);
            }
        }
        config
    }

    fn add_container(&mut self, id: ContainerId, config: &ConfigV2, place: &dyn Fn(&str) -> Place) {
        if !self.containers.insert(id.clone()) {
            return;
        }
        self.add_mounts(&id, config, place);
    }

    fn add_mounts(&mut self, id: &ContainerId, config: &ConfigV2, place: &dyn Fn(&str) -> Place) {
        let log = config.log_path.as_deref();
        self.own_paths.extend(log.and_then(|path| above_container(path, id.as_str())));
        for point in &config.mounts {
            let volume = point.volume.as_deref().filter(|_| self.keeps_volumes);
            let volume = point.source.as_deref().zip(volume);
            self.own_paths.extend(volume.and_then(|(path, volume)| above_volume(path, volume)));
            let (container, place) = (id.clone(), place(&point.destination));
            self.mounts.push(HostMount { container, point: point.clone(), place });
        }
    }
}

/// The options of a volume of Podman, which have the names that they have for Docker.
fn options_of(volume: &libpod::Volume) -> VolumeOptions {
    let option = |name: &str| {
        let pairs = volume.options.iter().filter_map(|pair| pair.split_once('='));
        let mut found = pairs.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.to_owned())
    };
    VolumeOptions { kind: option("type"), options: option("o"), device: option("device") }
}
