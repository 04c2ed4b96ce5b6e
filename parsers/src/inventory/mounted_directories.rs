//! The directories of a host that containers mount: volumes, and directories and files of the host
//! itself (bind mounts). Which there are, which containers see them, and where.
//!
//! A volume lies at `<data root>/volumes/<name>/_data`, of Docker and of containers/storage alike. A
//! volume with options is mounted there from elsewhere when a container uses it: of one that is a bind
//! mount itself (`o=bind`) the files lie in its `device`. A path of the host is looked up in the tree
//! that holds the data root, where the engine's own paths say that the root of the host is
//! (`mounted_directories/host_root.rs`). Volumes of pods lie in the kubelet's directory
//! (`mounted_directories/pods.rs`), those of nerdctl wherever the specification of a container says.
//!
//! Directories may hold one another: a volume in a bind mount, an engine's data root in a volume.
//! Each is then read by itself, and the walk over the outer one goes past it, so that each file is
//! read once; who sees the outer one sees the inner one, too.
//!
//! Never read as bind mounts, and named in the report: `/`, `/proc`, `/sys`, `/dev`, what is neither
//! a directory nor a regular file, and an engine's own data root. Named, too: a part of a volume of a pod
//! that is mounted alone. Not known here: volumes of nerdctl that no container mounts.

mod host_root;
mod mounts;
mod pods;

use super::Claim;
use super::stores::Stores;
use crate::ContainerId;
use crate::formats::host_config::VolumeOptions;
use dockline_evidence::{FileKind, Tree, TreePath};
use dockline_timeline::{Place, Position};
use mounts::{Engine, HostMount};
use pods::{OfPod, PodVolume, Pods};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// Containers that are told to see one directory; all events of its files name them.
const MOUNTS_LIMIT: usize = 64;
/// Mounts of a host that are named as not read.
const UNREAD_LIMIT: usize = 10_000;
/// Directories of a host that hold no files of it.
const NO_FILES: &[&[u8]] = &[b"proc", b"sys", b"dev"];

/// What a directory is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The volume's name; of a bind mount, its path on the host.
    pub text: String,
    /// Whether it is a volume.
    pub is_volume: bool,
}

/// How a container sees a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenBy {
    /// The container.
    pub container: ContainerId,
    /// The path in the container.
    pub path: Vec<u8>,
    /// Whether no directory that some container mounts is nearer.
    pub is_nearest: bool,
}

/// The mounted directories of one tree.
#[derive(Debug, Default)]
struct OfTree {
    /// Volumes and sources of bind mounts.
    names: BTreeMap<TreePath, Name>,
    /// Which containers mount it, and where.
    mounts: BTreeMap<TreePath, BTreeSet<(ContainerId, String)>>,
    /// Data roots of engines.
    engines: BTreeSet<TreePath>,
    /// Those whose files are told.
    read: BTreeSet<TreePath>,
}

/// The mounted directories of a host.
#[derive(Default)]
pub struct MountedDirectories {
    trees: Vec<(Arc<dyn Tree>, OfTree)>,
    /// Which mounts are not read: where it stands, and why.
    pub unread: Vec<(Place, String)>,
}

/// A directory, or a file, that is mounted.
pub struct MountedDirectory<'a> {
    of_tree: &'a OfTree,
    /// The volume or bind mount that it belongs to.
    pub name: &'a Name,
    /// Its place in that: the root, unless only part of a volume is mounted.
    pub inside: TreePath,
    /// Who sees it, the nearest mounts first.
    pub seen_by: Vec<SeenBy>,
    /// How many more see it.
    pub more: usize,
}

impl fmt::Debug for MountedDirectories {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.trees.iter().map(|(_, of_tree)| of_tree)).finish()
    }
}

impl MountedDirectories {
    /// Finds them among `claims`; volumes are read, and bind mounts if they are asked for.
    pub(super) fn read(
        claims: &[Claim],
        stores: &Stores<'_>,
        bind_mounts: bool,
    ) -> MountedDirectories {
        let engines = mounts::read(claims, stores);
        let pods = engines.iter().flat_map(|engine| engine.pods.clone()).collect();
        let mut search = Search { found: MountedDirectories::default(), bind_mounts, pods };
        engines.iter().for_each(|engine| search.add_volumes(engine));
        let volumes = pods::volumes(claims, &search.pods);
        volumes.into_iter().for_each(|volume| search.add_volume_of_pod(volume));
        engines.iter().for_each(|engine| search.add_mounts(engine));
        search.found
    }

    /// Those whose files are told.
    pub fn all(&self) -> impl Iterator<Item = (&Arc<dyn Tree>, &TreePath)> {
        self.trees.iter().flat_map(|(tree, of)| of.read.iter().map(move |path| (tree, path)))
    }

    /// The one at this place.
    #[must_use]
    pub fn at(&self, tree: &Arc<dyn Tree>, path: &TreePath) -> Option<MountedDirectory<'_>> {
        let (_, of_tree) = self.trees.iter().find(|(known, _)| Arc::ptr_eq(known, tree))?;
        of_tree.read.contains(path).then(|| of_tree.at(path))?
    }

    fn name_unread(&mut self, place: Place, why: String) {
        match self.unread.len().cmp(&UNREAD_LIMIT) {
            Ordering::Less => self.unread.push((place, why)),
            Ordering::Equal => self.unread.push((place, "this mount and more are not read".into())),
            Ordering::Greater => {}
        }
    }

    fn of_tree(&mut self, tree: &Arc<dyn Tree>) -> Option<&mut OfTree> {
        let known = self.trees.iter().position(|(known, _)| Arc::ptr_eq(known, tree));
        if known.is_none() {
            self.trees.push((tree.clone(), OfTree::default()));
        }
        let (_, of_tree) = match known {
            Some(index) => self.trees.get_mut(index)?,
            None => self.trees.last_mut()?,
        };
        Some(of_tree)
    }
}

impl MountedDirectory<'_> {
    /// Whether a node below is a mounted directory of its own.
    #[must_use]
    pub fn is_read_apart(&self, path: &TreePath) -> bool {
        self.of_tree.read.contains(path)
    }

    /// Whether a directory below is the data root of an engine, which its own parsers read. What an
    /// engine keeps in a volume is the volume's.
    #[must_use]
    pub fn is_engine(&self, path: &TreePath) -> bool {
        !self.name.is_volume && self.of_tree.engines.contains(path)
    }
}

/// A path and all above it, the nearest first.
fn upwards(path: &TreePath) -> impl Iterator<Item = TreePath> + use<> {
    std::iter::successors(Some(path.clone()), TreePath::parent)
}

/// What follows `above` in `path`: empty, or with a leading `/`.
fn rest<'p>(path: &'p TreePath, above: &TreePath) -> &'p [u8] {
    let rest = path.as_bytes().get(above.as_bytes().len()..).unwrap_or_default();
    rest.strip_prefix(b"/").unwrap_or(rest)
}

/// A path of a container, and one below it.
fn joined(destination: &str, rest: &[u8]) -> Vec<u8> {
    if rest.is_empty() {
        return destination.as_bytes().to_vec();
    }
    [destination.trim_end_matches('/').as_bytes(), b"/", rest].concat()
}

impl OfTree {
    /// The volume or bind mount that a path belongs to: a volume, if it lies in one.
    fn named(&self, path: &TreePath) -> Option<(&Name, TreePath)> {
        let known = |above: TreePath| {
            let name = self.names.get(&above)?;
            Some((name, above))
        };
        let mut all = upwards(path).filter_map(known);
        let nearest = all.next()?;
        let volume = std::iter::once(nearest.clone()).chain(all).find(|(name, _)| name.is_volume);
        Some(volume.unwrap_or(nearest))
    }

    fn at(&self, path: &TreePath) -> Option<MountedDirectory<'_>> {
        let (name, above) = self.named(path)?;
        let inside = TreePath::parse(rest(path, &above))?;
        let (mut seen_by, mut more) = (Vec::new(), 0_usize);
        let mut is_nearest = true;
        for above in upwards(path) {
            let Some(mounts) = self.mounts.get(&above) else { continue };
            for (container, destination) in mounts {
                if seen_by.len() >= MOUNTS_LIMIT {
                    more = more.saturating_add(1);
                    continue;
                }
                let path = joined(destination, rest(path, &above));
                seen_by.push(SeenBy { container: container.clone(), path, is_nearest });
            }
            is_nearest = false;
        }
        Some(MountedDirectory { of_tree: self, name, inside, seen_by, more })
    }

    /// Names a directory of the host, unless a volume holds it or lies there.
    fn add_name(&mut self, path: &TreePath, name: Name) {
        if !self.named(path).is_some_and(|(name, _)| name.is_volume) {
            self.names.insert(path.clone(), name);
        }
    }

    fn is_of_engine(&self, path: &TreePath) -> bool {
        let in_volume = self.named(path).is_some_and(|(name, _)| name.is_volume);
        !in_volume && upwards(path).any(|above| self.engines.contains(&above))
    }
}

/// Finds the mounted directories.
struct Search {
    found: MountedDirectories,
    bind_mounts: bool,
    pods: Pods,
}

impl Search {
    /// The volumes of a data root, before any mount, which may lie in one.
    fn add_volumes(&mut self, engine: &Engine) {
        let (tree, root) = (&engine.artifact.tree, &engine.artifact.root);
        let Some(of_tree) = self.found.of_tree(tree) else { return };
        of_tree.engines.insert(root.clone());
        let Some(volumes) = root.join(b"volumes") else { return };
        for entry in tree.list(&volumes).unwrap_or_default() {
            let text = String::from_utf8_lossy(&entry.name).into_owned();
            let path = volumes.join(&entry.name).and_then(|path| path.join(b"_data"));
            let Some(path) = path.filter(|path| is_directory(&**tree, path)) else { continue };
            let name = Name { text, is_volume: true };
            of_tree.names.insert(path.clone(), name);
            of_tree.read.insert(path);
        }
    }

    fn add_volume_of_pod(&mut self, volume: PodVolume) {
        if let Some(of_tree) = self.found.of_tree(&volume.tree) {
            of_tree.names.insert(volume.path.clone(), volume.name);
            of_tree.read.insert(volume.path);
        }
    }

    fn add_mounts(&mut self, engine: &Engine) {
        let mut elsewhere = BTreeMap::new();
        for (volume, options) in engine.options() {
            let source = self.elsewhere(engine, &volume, &options);
            elsewhere.extend(source.map(|source| (volume, source)));
        }
        for mount in &engine.mounts {
            let source = mount.point.source.as_deref().unwrap_or_default();
            match (&mount.point.volume, OfPod::of(source)) {
                (Some(volume), _) if engine.keeps_volumes => {
                    self.add_volume_mount(engine, (mount, volume), elsewhere.get(volume));
                }
                (Some(volume), _) => {
                    let name = Name { text: volume.clone(), is_volume: true };
                    self.add_volume_at(engine, (mount, source), name);
                }
                (None, Some(OfPod::Volume { uid, volume })) => {
                    let name = pods::name((uid, volume), &self.pods);
                    self.add_volume_at(engine, (mount, source), name);
                }
                (None, Some(OfPod::Part { volume })) => {
                    let why = format!(
                        "a part of volume {volume} of its pod is mounted at {}: which one, the disk does not say",
                        mount.point.destination
                    );
                    self.found.name_unread(mount.place.clone(), why);
                }
                (None, None) => self.add_bind_mount(engine, mount),
            }
        }
    }

    /// The directory that holds the files of a volume that is mounted from elsewhere; a volume that
    /// is not in the evidence is named.
    fn elsewhere(
        &mut self,
        engine: &Engine,
        volume: &str,
        options: &VolumeOptions,
    ) -> Option<TreePath> {
        let device = options.device.as_deref().filter(|device| !device.is_empty())?;
        let place = engine.place_of_volume(volume);
        let words = options.options.as_deref().unwrap_or_default();
        let is_bind = words.split(',').any(|word| matches!(word.trim(), "bind" | "rbind"));
        if !is_bind {
            let kind = options.kind.as_deref().unwrap_or("a file system");
            let why = format!(
                "the files of volume {volume} lie on {device} ({kind}), which is mounted when it is used"
            );
            self.found.name_unread(place, why);
            return None;
        }
        let what = format!("the files of volume {volume} lie in {device} of the host");
        let name = Name { text: volume.to_owned(), is_volume: true };
        self.add_source(engine, (device, name), (place, &what))
    }

    fn add_volume_mount(
        &mut self,
        engine: &Engine,
        (mount, volume): (&HostMount, &str),
        elsewhere: Option<&TreePath>,
    ) {
        let directory = engine.volume(volume);
        let known = directory.filter(|path| is_directory(&*engine.artifact.tree, path));
        if known.is_none() && elsewhere.is_none() {
            let driver = mount.point.driver.as_deref().unwrap_or("local");
            let why = format!("volume {volume} of the driver {driver} is not in the data root");
            self.found.name_unread(mount.place.clone(), why);
        }
        for directory in known.iter().chain(elsewhere) {
            let subpath = mount.point.subpath.as_deref().unwrap_or_default();
            let part = TreePath::parse(subpath.as_bytes());
            let part = part.and_then(|part| {
                part.components().try_fold(directory.clone(), |path, name| path.join(name))
            });
            let Some(part) = part else { continue };
            let Some(of_tree) = self.found.of_tree(&engine.artifact.tree) else { continue };
            let is_apart = part != *directory && of_tree.read.contains(directory);
            if is_apart && engine.artifact.tree.metadata(&part).is_ok() {
                of_tree.read.insert(part.clone());
            }
            mount.add_to(of_tree, part);
        }
    }

    /// A volume, or a directory in one, that lies where its source says.
    fn add_volume_at(&mut self, engine: &Engine, (mount, source): (&HostMount, &str), name: Name) {
        match engine.resolve(source) {
            Ok(path) => {
                let Some(of_tree) = self.found.of_tree(&engine.artifact.tree) else { return };
                of_tree.add_name(&path, name);
                of_tree.read.insert(path.clone());
                mount.add_to(of_tree, path);
            }
            Err(why) => {
                let what = format!("{source} of the host, volume {}", name.text);
                self.found.name_unread(mount.place.clone(), format!("{what}: {why}"));
            }
        }
    }

    fn add_bind_mount(&mut self, engine: &Engine, mount: &HostMount) {
        let is_bind = matches!(mount.point.kind.as_deref(), None | Some("bind"));
        let Some(source) = mount.point.source.as_deref().filter(|_| is_bind) else { return };
        let what = format!("{source} of the host is mounted at {}", mount.point.destination);
        let text = TreePath::parse(source.as_bytes()).map(|path| path.to_string());
        let name = Name { text: text.unwrap_or_default(), is_volume: false };
        let source = self.add_source(engine, (source, name), (mount.place.clone(), &what));
        if let (Some(source), Some(of_tree)) = (source, self.found.of_tree(&engine.artifact.tree)) {
            mount.add_to(of_tree, source);
        }
    }

    /// Where a path of the host lies in the tree; what of it is not read is named.
    fn add_source(
        &mut self,
        engine: &Engine,
        (source, name): (&str, Name),
        (place, what): (Place, &str),
    ) -> Option<TreePath> {
        let (found, bind_mounts) = (engine.resolve(source), self.bind_mounts);
        let of_tree = self.found.of_tree(&engine.artifact.tree)?;
        let found = match found {
            Ok(path) if of_tree.is_of_engine(&path) => Err("of the engine, which is read as that"),
            found => found,
        };
        let why = match &found {
            Err(why) => Some(*why),
            Ok(path) => {
                of_tree.add_name(path, name);
                if bind_mounts {
                    of_tree.read.insert(path.clone());
                }
                (!of_tree.read.contains(path)).then_some("--bind-mounts reads it")
            }
        };
        why.into_iter()
            .for_each(|why| self.found.name_unread(place.clone(), format!("{what}: {why}")));
        found.ok()
    }
}

impl HostMount {
    fn add_to(&self, of_tree: &mut OfTree, source: TreePath) {
        let seen = (self.container.clone(), self.point.destination.clone());
        of_tree.mounts.entry(source).or_default().insert(seen);
    }
}

impl Engine {
    /// The directory of a volume.
    fn volume(&self, name: &str) -> Option<TreePath> {
        self.artifact.root.join(b"volumes")?.join(name.as_bytes())?.join(b"_data")
    }

    fn place_of_volume(&self, name: &str) -> Place {
        let path = self.volume(name).and_then(|path| path.parent());
        let path = path.unwrap_or_else(|| self.artifact.root.clone());
        match self.artifact.files.first() {
            Some(file) => file.origin_of(&path).at(Position::File),
            None => Place::file(&Arc::from(""), &path.to_string()),
        }
    }

    /// Where a path of the host lies in the tree, if it may be read; else why not.
    fn resolve(&self, source: &str) -> Result<TreePath, &'static str> {
        let known = TreePath::parse(source.as_bytes()).filter(|_| source.starts_with('/'));
        let path = known.ok_or("no path of the host")?;
        match path.components().next() {
            None => return Err("the whole host, which is not read as a mount"),
            Some(first) if NO_FILES.contains(&first) => return Err("not of a disk"),
            _ => {}
        }
        let root = self.host_root().ok_or("nothing tells where in the evidence that is")?;
        let path = path.components().try_fold(root, |path, name| path.join(name));
        let path = path.ok_or("no path of the host")?;
        match self.artifact.tree.metadata(&path).map(|metadata| metadata.kind) {
            Ok(FileKind::Directory | FileKind::Regular) => Ok(path),
            Ok(FileKind::SymbolicLink) => Err("a symbolic link, which is not followed"),
            Ok(_) => Err("neither a directory nor a regular file"),
            Err(_) => Err("not in the evidence"),
        }
    }
}

fn is_directory(tree: &dyn Tree, path: &TreePath) -> bool {
    tree.metadata(path).is_ok_and(|metadata| metadata.kind == FileKind::Directory)
}
