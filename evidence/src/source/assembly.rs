//! What only all evidence together tells: logical volumes that lie on several disks, and file
//! systems that hosts mount into one another.
//!
//! The disks of one host may come as several pieces of evidence, and those of several hosts may be
//! clones with the same UUIDs. So what belongs together is first looked for in one evidence, and
//! then only among those that miss something.

use super::fstab::{self, Mount};
use super::{Identity, PhysicalVolume, Source, SourceTree};
use crate::file_system::Flaw;
use crate::mounted::{Beneath, MountedTree};
use crate::volume::lvm2;
use crate::{EvidenceError, Tree, TreePath};
use dockline_timeline::IssueKind;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Finds the logical volumes of all sources, and mounts their file systems into one another as the
/// `/etc/fstab` of each root says.
pub fn assemble(sources: &mut [Source]) {
    add_logical_volumes(sources);
    let places = places(sources);
    let mut mounted: BTreeSet<Place> = BTreeSet::new();
    let mut hosts: Vec<(Place, Found)> = Vec::new();
    let mut damaged: Vec<(Place, Vec<EvidenceError>)> = Vec::new();
    for place in &places {
        let Some(root) = tree_at(sources, *place) else { continue };
        // A directory or an archive of a host holds what was mounted.
        let is_disk = root.identity != Identity::default();
        if !is_disk || mounted.contains(place) {
            continue;
        }
        let (mounts, damage) = fstab::read(&*root.tree);
        damaged.push((*place, damage));
        if mounts.is_empty() {
            continue;
        }
        let mut found = Finder { sources: &*sources, places: &places, root: *place }.find(mounts);
        // Two roots that mount each other: the first is the host.
        found.volumes.retain(|_, volume| hosts.iter().all(|(host, _)| host != volume));
        mounted.extend(found.volumes.values());
        hosts.push((*place, found));
    }
    for (place, errors) in damaged {
        tell_damage(sources, place, &errors);
    }
    for (place, found) in hosts {
        mount(sources, place, found);
    }
    for (number, source) in sources.iter_mut().enumerate() {
        let mut index = 0_usize;
        source.trees.retain(|_| {
            let is_mounted = mounted.contains(&(number, index));
            index = index.saturating_add(1);
            !is_mounted
        });
        source.trees.append(&mut source.beneath);
    }
}

fn add_logical_volumes(sources: &mut [Source]) {
    let mut parts: Vec<(usize, Vec<PhysicalVolume>)> = Vec::new();
    for (number, source) in sources.iter_mut().enumerate() {
        let physical = std::mem::take(&mut source.physical_volumes);
        if physical.is_empty() {
            continue;
        }
        let part = |(name, _): &PhysicalVolume| {
            if name.is_empty() { String::new() } else { format!("/{name}") }
        };
        source.lvm_parts = physical.iter().map(part).collect();
        let assembled = lvm2::assemble(physical.clone());
        if assembled.is_incomplete {
            parts.push((number, physical));
        } else {
            source.add_assembled(assembled);
        }
    }
    // Volume groups of which each of these holds a part.
    let Some((first, _)) = parts.first() else { return };
    let Some(source) = sources.get_mut(*first) else { return };
    let physical = parts.into_iter().flat_map(|(_, physical)| physical).collect();
    source.add_assembled(lvm2::assemble(physical));
}

impl Source {
    fn add_assembled(&mut self, assembled: lvm2::Assembled) {
        self.tell_flaws("", assembled.flaws);
        self.add_volumes(assembled.volumes);
    }
}

/// A tree: number of its source, and its number there.
type Place = (usize, usize);

fn places(sources: &[Source]) -> Vec<Place> {
    let of_source = |(number, source): (usize, &Source)| {
        (0..source.trees.len()).map(move |index| (number, index)).collect::<Vec<_>>()
    };
    sources.iter().enumerate().flat_map(of_source).collect()
}

fn tree_at(sources: &[Source], (number, index): Place) -> Option<&SourceTree> {
    sources.get(number)?.trees.get(index)
}

/// What a host mounts.
#[derive(Default)]
struct Found {
    volumes: BTreeMap<TreePath, Place>,
    /// File systems that the evidence does not hold.
    missing: Vec<Mount>,
}

/// Finds the file systems that one root mounts.
struct Finder<'a> {
    sources: &'a [Source],
    places: &'a [Place],
    root: Place,
}

impl Finder<'_> {
    fn find(&self, mounts: Vec<Mount>) -> Found {
        let mut found = Found::default();
        for mount in mounts {
            match self.volume(&mount) {
                Some(place) if place == self.root => {}
                Some(place) => {
                    found.volumes.entry(mount.directory).or_insert(place);
                }
                None => found.missing.push(mount),
            }
        }
        found
    }

    /// The file system that is mounted: on the same disk, else in the same evidence, else in one
    /// that has no root of its own. The number of a partition says nothing of other disks.
    fn volume(&self, mount: &Mount) -> Option<Place> {
        let is_it = |place: &&Place| {
            tree_at(self.sources, **place).is_some_and(|tree| mount.names(&tree.identity))
        };
        let disk = self.disk(&self.root);
        let mut near = self.places.iter().filter(|place| self.disk(place) == disk);
        if let Some(found) = near.find(is_it) {
            return Some(*found);
        }
        if mount.is_by_number() {
            return None;
        }
        let mut own = self.places.iter().filter(|place| place.0 == self.root.0);
        let mut others = self.places.iter().filter(|place| !self.has_root(place.0));
        own.find(is_it).or_else(|| others.find(is_it)).copied()
    }

    /// The disk that a tree lies on: that of its evidence, or a volume of it that is the disk of a
    /// virtual machine.
    fn disk(&self, place: &Place) -> Option<(usize, &str)> {
        let prefix = &tree_at(self.sources, *place)?.prefix;
        Some((place.0, prefix.rsplit_once('/').map_or("", |(disk, _)| disk)))
    }

    fn has_root(&self, number: usize) -> bool {
        let trees = self.sources.get(number).map(|source| source.trees.as_slice());
        trees.unwrap_or_default().iter().any(|tree| fstab::is_root(&*tree.tree))
    }
}

/// Tells what is wrong with the table of a tree.
fn tell_damage(sources: &mut [Source], (number, index): Place, errors: &[EvidenceError]) {
    let Some(source) = sources.get_mut(number) else { return };
    let Some(root) = source.trees.get(index) else { return };
    let prefix = format!("{}/etc/fstab", root.prefix);
    errors.iter().for_each(|error| source.tell_volume(&prefix, error));
}

/// Mounts what was found into the tree at `place`.
fn mount(sources: &mut [Source], place: Place, found: Found) {
    let Some(root) = tree_at(sources, place) else { return };
    let name = sources.get(place.0).map(|source| source.name.clone()).unwrap_or_default();
    let shown = format!("{name}:{}", root.prefix);
    let mut mounts: Vec<(TreePath, Arc<dyn Tree>)> = Vec::new();
    for (directory, volume) in found.volumes {
        let Some(tree) = tree_at(sources, volume) else { continue };
        let (prefix, tree) = (tree.prefix.clone(), tree.tree.clone());
        let mounted_at = format!("{shown}{directory}");
        if let Some(source) = sources.get_mut(volume.0) {
            let mut known = source.file_systems.iter_mut();
            if let Some(known) = known.find(|known| known.prefix == prefix) {
                known.mounted_at = Some(mounted_at);
            }
        }
        mounts.push((directory, tree));
    }
    let Some(source) = sources.get_mut(place.0) else { return };
    let Some(root) = source.trees.get_mut(place.1) else { return };
    let prefix = root.prefix.clone();
    let hidden: Vec<TreePath> = mounts
        .iter()
        .map(|(directory, _)| directory.clone())
        .filter(|directory| root.tree.list(directory).is_ok_and(|entries| !entries.is_empty()))
        .collect();
    let beneath = (!hidden.is_empty()).then(|| SourceTree {
        prefix: format!("{prefix}/(beneath mounts)"),
        tree: Arc::new(Beneath::new(root.tree.clone(), hidden)),
        identity: Identity::default(),
    });
    if !mounts.is_empty() {
        root.tree = Arc::new(MountedTree::new(root.tree.clone(), mounts));
    }
    source.beneath.extend(beneath);
    for Mount { device, directory, .. } in found.missing {
        let what =
            format!("its /etc/fstab mounts {device} at {directory}, which is not in the evidence");
        source.tell_flaws(&prefix, vec![Flaw { kind: IssueKind::Unreadable, what }]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FileKind, MemoryTree};

    fn disk(name: &str, volumes: &[(&str, &str, MemoryTree)]) -> Source {
        let tree = |(prefix, uuid, tree): &(&str, &str, MemoryTree)| SourceTree {
            prefix: (*prefix).to_owned(),
            tree: Arc::new(tree.clone()),
            identity: Identity { uuid: Some((*uuid).to_owned()), ..Identity::default() },
        };
        Source { trees: volumes.iter().map(tree).collect(), ..Source::empty(name) }
    }

    fn host(table: &str) -> MemoryTree {
        MemoryTree::new().with_file("etc/fstab", table, None).with_node(
            "var",
            FileKind::Directory,
            b"",
        )
    }

    fn data(file: &str) -> MemoryTree {
        MemoryTree::new().with_file(file, "content", None)
    }

    /// Every regular file of all sources, as it would be shown.
    fn files(sources: &[Source]) -> Vec<String> {
        let mut files = Vec::new();
        for source in sources {
            for tree in &source.trees {
                let mut visit = |path: &TreePath, entry: &crate::Entry| {
                    if entry.kind == FileKind::Regular {
                        files.push(format!("{}:{}{path}", source.name, tree.prefix));
                    }
                    crate::Descend::Into
                };
                crate::walk(&*tree.tree, &mut visit, &mut |path, error| panic!("{path}: {error}"));
            }
        }
        files
    }

    const TABLE: &str = "UUID=root / ext4 defaults 0 1\nUUID=var /var xfs defaults 0 2\n";

    #[test]
    fn a_volume_is_seen_where_its_host_mounted_it_and_only_there() {
        let mut sources =
            [disk("d", &[("/p1", "var", data("lib/log")), ("/p2", "root", host(TABLE))])];
        assemble(&mut sources);
        assert_eq!(files(&sources), ["d:/p2/etc/fstab", "d:/p2/var/lib/log"]);
        assert!(sources[0].issues.is_empty());
    }

    #[test]
    fn a_damaged_table_is_followed_and_told() {
        let root = host(TABLE).with_damage("etc/fstab");
        let mut sources = [disk("d", &[("/p1", "root", root), ("/p2", "var", data("lib/log"))])];
        assemble(&mut sources);
        assert_eq!(files(&sources), ["d:/p1/etc/fstab", "d:/p1/var/lib/log"]);
        let told: Vec<String> = sources[0].issues.iter().map(ToString::to_string).collect();
        let what = "inode at byte 0: need the right checksum, have another (malformed)";
        assert_eq!(told, [format!("d:/p1/etc/fstab: {what}")]);
    }

    #[test]
    fn what_a_mount_hides_is_still_evidence() {
        let root = host(TABLE).with_file("var/lib/old", "before the disk was added", None);
        let mut sources = [disk("d", &[("/p1", "root", root), ("/p2", "var", data("lib/log"))])];
        assemble(&mut sources);
        let expected =
            ["d:/p1/etc/fstab", "d:/p1/var/lib/log", "d:/p1/(beneath mounts)/var/lib/old"];
        assert_eq!(files(&sources), expected);
    }

    #[test]
    fn a_second_disk_is_found_and_a_clone_of_the_host_is_left_alone() {
        let own = || disk("a", &[("/p1", "root", host(TABLE))]);
        let mut sources = [own(), disk("b", &[("", "var", data("lib/log"))])];
        assemble(&mut sources);
        assert_eq!(files(&sources), ["a:/p1/etc/fstab", "a:/p1/var/lib/log"]);
        let whole =
            || disk("b", &[("/p1", "root", host(TABLE)), ("/p2", "var", data("lib/other"))]);
        let mut sources = [own(), whole()];
        assemble(&mut sources);
        let expected = ["a:/p1/etc/fstab", "b:/p1/etc/fstab", "b:/p1/var/lib/other"];
        assert_eq!(files(&sources), expected);
        let issues: Vec<String> = sources[0].issues.iter().map(ToString::to_string).collect();
        assert!(issues[0].contains("mounts UUID=var at /var"), "{issues:?}");
    }

    /// A disk with partitions of which only the numbers are known.
    fn numbered(name: &str, partitions: &[(&str, &str, MemoryTree)]) -> Source {
        let mut disk = disk(name, partitions);
        for (tree, (_, number, _)) in disk.trees.iter_mut().zip(partitions) {
            let device_names = vec![(*number).to_owned()];
            tree.identity = Identity { device_names, ..Identity::default() };
        }
        disk
    }

    #[test]
    fn the_number_of_a_partition_names_none_of_another_disk() {
        let root = || host("/dev/sda1 / ext4 defaults\n/dev/sda2 /var ext4 defaults\n");
        let mut sources = [numbered("d", &[("/p1", "1", root()), ("/p2", "2", data("lib/log"))])];
        assemble(&mut sources);
        assert_eq!(files(&sources), ["d:/p1/etc/fstab", "d:/p1/var/lib/log"]);
        let other = numbered("e", &[("/p2", "2", data("lib/other"))]);
        let mut sources = [numbered("d", &[("/p1", "1", root())]), other];
        assemble(&mut sources);
        assert_eq!(files(&sources), ["d:/p1/etc/fstab", "e:/p2/lib/other"]);
        assert!(sources[0].issues[0].what.contains("mounts /dev/sda2 at /var"));
        let of_host = ("/p2", "2", data("lib/other"));
        let of_machine = [("/vg-vm/p1", "1", root()), ("/vg-vm/p2", "2", data("lib/log"))];
        let [one, two] = of_machine;
        let mut sources = [numbered("d", &[of_host, one, two])];
        assemble(&mut sources);
        let expected = ["d:/p2/lib/other", "d:/vg-vm/p1/etc/fstab", "d:/vg-vm/p1/var/lib/log"];
        assert_eq!(files(&sources), expected);
    }

    #[test]
    fn two_roots_that_mount_each_other_are_both_read_once() {
        let one = host("UUID=two /var ext4 defaults 0 0");
        let two = host("UUID=one /var ext4 defaults 0 0");
        let mut sources = [disk("d", &[("/p1", "one", one), ("/p2", "two", two)])];
        assemble(&mut sources);
        assert_eq!(files(&sources), ["d:/p1/etc/fstab", "d:/p1/var/etc/fstab"]);
    }
}
