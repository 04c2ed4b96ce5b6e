//! Which directory of a snapshotter of containerd holds what, and whose it is.

use super::{Claim, Inventory, Silent};
use crate::ContainerId;
use crate::formats::bolt::{self, Database};
use crate::formats::snapshotter_db::{self, SnapshotKind};
use dockline_evidence::TreePath;
use std::collections::{BTreeMap, BTreeSet};

/// Snapshots may stand on so many others; images have fewer than 128 layers.
const CHAIN_LIMIT: usize = 1024;

/// A snapshot of one snapshotter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// containerd's root, which holds `io.containerd.snapshotter.v1.<snapshotter>`.
    pub root: TreePath,
    /// The snapshotter, such as `overlayfs`.
    pub snapshotter: String,
    /// `<namespace>/<number>/<key>`.
    pub name: String,
    /// What it is: the writable one of a container is active.
    pub kind: SnapshotKind,
    /// The directory that holds its files: the container's changes (overlayfs, where `work` lies
    /// beside it) or all that it sees (native); `None` where the snapshotter has no directories.
    pub directory: Option<TreePath>,
    /// Name of the snapshot below.
    pub parent: Option<String>,
    /// The container that it belongs to.
    pub container: Option<ContainerId>,
    /// Whether it holds what the engine puts into the container before it starts (`<id>-init`).
    pub is_init: bool,
}

impl Snapshot {
    /// The last part of its name: a chain id, the id of a container, or what a build calls it.
    pub(super) fn key(&self) -> &str {
        key(&self.name)
    }
}

/// The last part of a snapshot's name.
pub(super) fn key(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

/// The snapshots of all snapshotters of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshots {
    all: Vec<Snapshot>,
    /// Names of snapshots that `meta.db` of a root has.
    named: BTreeMap<TreePath, BTreeSet<String>>,
}

impl Snapshots {
    /// All of them, by root, snapshotter and name.
    pub fn iter(&self) -> impl Iterator<Item = &Snapshot> {
        self.all.iter()
    }

    /// The names that containerd itself has for the snapshots below its root; `None` when its
    /// database is not in the evidence.
    #[must_use]
    pub fn named_in(&self, root: &TreePath) -> Option<&BTreeSet<String>> {
        self.named.get(root)
    }

    /// The writable snapshot of a container.
    #[must_use]
    pub fn of_container(&self, id: &str) -> Option<&Snapshot> {
        self.all.iter().find(|snapshot| {
            let is_own = snapshot.container.as_ref().is_some_and(|own| own.as_str() == id);
            is_own && !snapshot.is_init && snapshot.kind == SnapshotKind::Active
        })
    }

    /// Those below a snapshot, the nearest first, as far as they are there.
    #[must_use]
    pub fn below(&self, snapshot: &Snapshot) -> Vec<&Snapshot> {
        let siblings: BTreeMap<&str, &Snapshot> = self
            .all
            .iter()
            .filter(|other| {
                (&other.root, &other.snapshotter) == (&snapshot.root, &snapshot.snapshotter)
            })
            .map(|other| (other.name.as_str(), other))
            .collect();
        let parent = |of: &&Snapshot| siblings.get(of.parent.as_deref()?).copied();
        let first = snapshot.parent.as_deref().and_then(|name| siblings.get(name).copied());
        std::iter::successors(first, parent).take(CHAIN_LIMIT).collect()
    }
}

/// Reads the databases of snapshotters among `claims`; `named` are the names that containerd itself
/// has for snapshots, by root.
pub(super) fn read(
    claims: &[Claim],
    containers: &BTreeSet<&str>,
    named: BTreeMap<TreePath, BTreeSet<String>>,
) -> Snapshots {
    let mut found = Vec::new();
    for (_, artifact) in claims.iter().filter(|(parser, _)| *parser == "containerd.snapshots") {
        for file in &artifact.files {
            let limit = bolt::FILE_LIMIT;
            let Some(bytes) = artifact.read_up_to(file, limit, &mut Silent) else { continue };
            let Ok(database) = Database::open(&bytes) else { continue };
            let snapshotter = file.capture("snapshotter").unwrap_or_default();
            for record in snapshotter_db::current(&database).unwrap_or_default() {
                let Some((_, key)) = record.namespace_and_key() else { continue };
                let owner = owner(key, &|id| containers.contains(id));
                let is_init = owner.as_ref().is_some_and(|(_, is_init)| *is_init);
                found.push(Snapshot {
                    root: artifact.root.clone(),
                    snapshotter: snapshotter.to_owned(),
                    kind: record.kind,
                    directory: file.path.parent().and_then(|base| {
                        directory(&base, snapshotter, (record.number?, record.kind))
                    }),
                    parent: record.parent.clone(),
                    container: owner.map(|(id, _)| id),
                    is_init,
                    name: record.name.clone().unwrap_or_default(),
                });
            }
        }
    }
    found.sort_by(|one, other| {
        let key = |snapshot: &Snapshot| {
            (snapshot.root.clone(), snapshot.snapshotter.clone(), snapshot.name.clone())
        };
        key(one).cmp(&key(other))
    });
    Snapshots { all: found, named }
}

/// The directory below that of the database that holds the files of a snapshot.
fn directory(
    base: &TreePath,
    snapshotter: &str,
    (number, kind): (u64, SnapshotKind),
) -> Option<TreePath> {
    let path = match snapshotter {
        "native" => format!("snapshots/{number}"),
        "btrfs" if kind == SnapshotKind::Active => format!("active/{number}"),
        "btrfs" if kind == SnapshotKind::View => format!("view/{number}"),
        "btrfs" => format!("snapshots/{number}"),
        "devmapper" | "zfs" | "blockfile" => return None,
        _ => format!("snapshots/{number}/fs"),
    };
    base.below(path.as_bytes())
}

/// The container that the snapshot with this key belongs to, and whether it is the one under its
/// writable one: engines use the container's id, Docker also with `-init`.
fn owner(key: &str, is_container: &dyn Fn(&str) -> bool) -> Option<(ContainerId, bool)> {
    let known = |id: &str| {
        let own = ContainerId::of_containerd(id).filter(|id| is_container(id.as_str()));
        ContainerId::parse(id).or(own)
    };
    let init = || Some((known(key.strip_suffix("-init")?)?, true));
    known(key).map(|id| (id, false)).or_else(init)
}

/// The container that the snapshot with this key belongs to, and whether it is the one under its
/// writable one.
#[must_use]
pub fn snapshot_owner(inventory: &Inventory, key: &str) -> Option<(ContainerId, bool)> {
    owner(key, &|id| inventory.containers.get(id).is_some_and(|container| container.described))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "63022f3e033f38bdf0db5b1c32d242c8ab886f2b5f928a4bcd158dea9b311caa";

    #[test]
    fn a_snapshot_belongs_to_the_container_that_its_key_names() {
        let of = |key: &str| owner(key, &|id| id == "web").map(|(id, init)| (id.to_string(), init));
        assert_eq!(of(ID), Some((ID.to_owned(), false)));
        assert_eq!(of(&format!("{ID}-init")), Some((ID.to_owned(), true)));
        assert_eq!(of("web"), Some(("web".to_owned(), false)));
        assert_eq!(of("another"), None);
        assert_eq!(of(&format!("sha256:{ID}")), None);
        assert_eq!(of("qctptwfuvq3ufdx7wv5econed"), None, "of a build");
    }

    fn snapshot(name: &str, parent: Option<&str>, kind: SnapshotKind) -> Snapshot {
        Snapshot {
            root: TreePath::root(),
            snapshotter: "overlayfs".to_owned(),
            name: name.to_owned(),
            kind,
            directory: None,
            parent: parent.map(str::to_owned),
            container: name.rsplit('/').next().and_then(ContainerId::parse),
            is_init: false,
        }
    }

    #[test]
    fn what_is_below_a_container_is_found_and_a_circle_ends() {
        let own = format!("moby/3/{ID}");
        let (active, committed) = (SnapshotKind::Active, SnapshotKind::Committed);
        let all = vec![
            snapshot("moby/1/sha256:a", None, committed),
            snapshot("moby/2/sha256:b", Some("moby/1/sha256:a"), committed),
            snapshot(&own, Some("moby/2/sha256:b"), active),
            snapshot("moby/4/x", Some("moby/4/x"), committed),
        ];
        let all = Snapshots { all, ..Snapshots::default() };
        let container = all.of_container(ID).unwrap();
        let below: Vec<&str> =
            all.below(container).iter().map(|snapshot| snapshot.name.as_str()).collect();
        assert_eq!(below, ["moby/2/sha256:b", "moby/1/sha256:a"]);
        assert_eq!(all.below(&all.all[3]).len(), CHAIN_LIMIT);
        assert_eq!(all.of_container("another"), None);
    }

    #[test]
    fn each_snapshotter_has_its_own_directories() {
        let base = TreePath::parse(b"c/s").unwrap();
        let of = |name: &str, kind: SnapshotKind| {
            directory(&base, name, (7, kind)).map(|path| path.to_string())
        };
        assert_eq!(of("overlayfs", SnapshotKind::Active).as_deref(), Some("/c/s/snapshots/7/fs"));
        assert_eq!(of("native", SnapshotKind::Active).as_deref(), Some("/c/s/snapshots/7"));
        assert_eq!(of("btrfs", SnapshotKind::Active).as_deref(), Some("/c/s/active/7"));
        assert_eq!(of("devmapper", SnapshotKind::Active), None);
    }
}
