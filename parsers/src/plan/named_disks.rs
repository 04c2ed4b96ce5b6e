//! Virtual disks whose places a Windows volume names: in the registry, where each distribution of WSL
//! has its directory, and in the settings of Docker Desktop, when its user moved the disk.
//!
//! A disk with one of the names of [`virtual_disks`](super::virtual_disks) is found wherever it lies;
//! here are those that the registry gives another name, and, for the report, those that are named and
//! are not in the evidence. Which volume has which drive letter is not read: a path is looked for on
//! the volume that names it, and then on the others of the evidence.

use super::{Subtree, Unclaimed};
use crate::formats::windows_host::{in_any_case, open_hive};
use dockline_evidence::read_at::read_up_to;
use dockline_evidence::{FileKind, Tree, TreePath};
use dockline_timeline::Place;
use std::collections::BTreeSet;

/// Profiles that are looked into on one volume.
const PROFILE_LIMIT: usize = 1_000;
/// Folders of collected volumes that are looked into.
const FOLDER_LIMIT: usize = 64;
/// Larger settings are not read here; Docker Desktop writes a few kilobytes.
const SETTINGS_LIMIT: u64 = 1024 * 1024;
/// Where the registry says where distributions lie, from the top of a user's hive.
const LXSS: &str = r"Software\Microsoft\Windows\CurrentVersion\Lxss";
/// Settings, from a profile, and the names of the places in them.
const SETTINGS: [[&str; 4]; 2] = [
    ["AppData", "Roaming", "Docker", "settings.json"],
    ["AppData", "Roaming", "Docker", "settings-store.json"],
];
const PLACES: [&str; 4] = ["customWslDistroDir", "CustomWslDistroDir", "dataFolder", "DataFolder"];

/// What volumes name.
#[derive(Default)]
pub(super) struct NamedDisks {
    /// Those that are there: which subtree, and the path in it.
    pub(super) found: BTreeSet<(usize, TreePath)>,
    /// Those that are not, with who names them.
    pub(super) missing: Vec<Unclaimed>,
}

/// A volume of Windows.
struct Volume<'a> {
    subtrees: &'a [Subtree],
    index: usize,
    subtree: &'a Subtree,
    /// The directory that holds `Users`.
    root: TreePath,
}

/// The disks that the volumes among `subtrees` name.
pub(super) fn find(subtrees: &[Subtree]) -> NamedDisks {
    let mut named = NamedDisks::default();
    for (index, subtree) in subtrees.iter().enumerate() {
        for root in roots(&*subtree.tree) {
            let volume = Volume { subtrees, index, subtree, root };
            volume.profiles().iter().for_each(|profile| volume.read(profile, &mut named));
        }
    }
    named
}

/// Where volumes of Windows begin: at the root of the tree, or in a folder of collected files.
fn roots(tree: &dyn Tree) -> Vec<TreePath> {
    let root = TreePath::root();
    let folders = tree.list(&root).unwrap_or_default();
    let folders = folders.iter().filter(|entry| entry.kind == FileKind::Directory);
    let below: Vec<TreePath> =
        folders.take(FOLDER_LIMIT).filter_map(|entry| root.join(&entry.name)).collect();
    let has_users = |root: &TreePath| in_any_case(tree, root, &["Users"]).is_some();
    std::iter::once(root).chain(below).filter(has_users).collect()
}

impl Volume<'_> {
    fn profiles(&self) -> Vec<TreePath> {
        let Some(users) = in_any_case(&*self.subtree.tree, &self.root, &["Users"]) else {
            return Vec::new();
        };
        let entries = self.subtree.tree.list(&users).unwrap_or_default();
        let profiles = entries.iter().filter(|entry| entry.kind == FileKind::Directory);
        profiles.take(PROFILE_LIMIT).filter_map(|entry| users.join(&entry.name)).collect()
    }

    fn read(&self, profile: &TreePath, named: &mut NamedDisks) {
        if let Some(hive) = in_any_case(&*self.subtree.tree, profile, &["NTUSER.DAT"]) {
            self.read_hive(&hive, named);
        }
        for settings in SETTINGS {
            if let Some(path) = in_any_case(&*self.subtree.tree, profile, &settings) {
                self.read_settings(&path, named);
            }
        }
    }

    /// What is wrong with the hive is told by who claims it.
    fn read_hive(&self, path: &TreePath, named: &mut NamedDisks) {
        let Ok(hive) = open_hive(&*self.subtree.tree, path) else { return };
        let Some(lxss) = hive.key(LXSS) else { return };
        for key in lxss.subkeys().filter(|key| key.number("Version") == Some(2)) {
            let Some(directory) = key.text("BasePath") else { continue };
            let file = key.text("VhdFileName").unwrap_or_else(|| "ext4.vhdx".to_owned());
            let directory = directory.strip_prefix(r"\\?\").unwrap_or(&directory);
            let disk = format!(r"{directory}\{file}");
            let distribution = key.text("DistributionName").unwrap_or_default();
            match self.resolve(&disk) {
                Some(found) => drop(named.found.insert(found)),
                None => named.missing.push(self.missing(
                    path,
                    &format!("the disk {disk} of the distribution {distribution} of WSL"),
                )),
            }
        }
    }

    fn read_settings(&self, path: &TreePath, named: &mut NamedDisks) {
        let read = self
            .subtree
            .tree
            .open(path)
            .ok()
            .and_then(|bytes| read_up_to(&*bytes, SETTINGS_LIMIT).ok());
        let Some((bytes, _)) = read else { return };
        let json = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let Ok(document) = serde_json::from_slice::<serde_json::Value>(json) else { return };
        for place in PLACES {
            let Some(directory) = document.get(place).and_then(serde_json::Value::as_str) else {
                continue;
            };
            if !directory.is_empty() && self.resolve(directory).is_none() {
                let what = format!("the directory {directory} for the disk ({place})");
                named.missing.push(self.missing(path, &what));
            }
        }
    }

    fn missing(&self, path: &TreePath, what: &str) -> Unclaimed {
        let place = Place::file(&self.subtree.evidence, &self.subtree.shown(path));
        Unclaimed { place, why: format!("names {what}, which is not in this evidence") }
    }

    /// A path of Windows on this volume, or on another of the same evidence.
    fn resolve(&self, windows_path: &str) -> Option<(usize, TreePath)> {
        let (drive, path) = windows_path.split_once(':').unwrap_or(("", windows_path));
        let components: Vec<&str> =
            path.split(['\\', '/']).filter(|component| !component.is_empty()).collect();
        let on = |index: usize, root: &TreePath| {
            let subtree = self.subtrees.get(index)?;
            Some((index, in_any_case(&*subtree.tree, root, &components)?))
        };
        let others = self.subtrees.iter().enumerate().filter(|(index, other)| {
            *index != self.index && other.evidence == self.subtree.evidence
        });
        // Beside the folder of a collected volume lies that of another.
        let beside = || {
            let above = self.root.parent()?;
            on(self.index, &in_any_case(&*self.subtree.tree, &above, &[drive])?)
        };
        on(self.index, &self.root)
            .or_else(|| others.into_iter().find_map(|(index, _)| on(index, &TreePath::root())))
            .or_else(beside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Reading, plan};
    use dockline_evidence::MemoryTree;
    use std::sync::Arc;

    const HIVE: &[u8] =
        include_bytes!("../../../testdata/desktop.registry/laptop/evidence/Users/ada/NTUSER.DAT");
    /// A disk that is recognised by its content.
    fn image() -> Vec<u8> {
        zstd::decode_all(&include_bytes!("../../../testdata/evidence/images/ext2.zst")[..]).unwrap()
    }

    fn subtree(prefix: &str, tree: MemoryTree) -> Subtree {
        Subtree {
            evidence: Arc::from("laptop"),
            prefix: Arc::from(prefix),
            host: None,
            fallback_host: Arc::from("laptop"),
            depth: 0,
            tree: Arc::new(tree),
        }
    }

    /// Names of the disks that are opened, and why others are not.
    fn planned(subtrees: &[Subtree]) -> (Vec<String>, Vec<String>) {
        let plan = plan(subtrees, &|_| true, &Reading::default());
        let why = plan.unclaimed.iter().map(|file| format!("{}: {}", file.place, file.why));
        (plan.nested.iter().map(|disk| disk.name.to_string()).collect(), why.collect())
    }

    #[test]
    fn a_disk_that_the_registry_gives_another_name_is_opened_where_it_lies() {
        let c = MemoryTree::new().with_file("USERS/ada/ntuser.dat", HIVE, None).with_file(
            "USERS/ada/AppData/Local/Docker/wsl/main/ext4.vhdx",
            image(),
            None,
        );
        let d = MemoryTree::new().with_file("WSL/ubuntu/Work.vhdx", image(), None);
        let (opened, why) = planned(&[subtree("/p1", c), subtree("/p2", d)]);
        let expected = [
            "laptop:/p1/USERS/ada/AppData/Local/Docker/wsl/main/ext4.vhdx",
            "laptop:/p2/WSL/ubuntu/Work.vhdx",
        ];
        assert_eq!(opened, expected);
        assert_eq!(why, [""; 0]);
    }

    #[test]
    fn a_disk_that_is_named_and_not_there_is_reported() {
        let settings = r#"{"CustomWslDistroDir":"E:\\moved"}"#;
        let roaming = "C/Users/ada/AppData/Roaming/Docker/settings-store.json";
        let tree = MemoryTree::new()
            .with_file("C/Users/ada/NTUSER.DAT", HIVE, None)
            .with_file(roaming, settings, None)
            .with_file("D/wsl/ubuntu/work.vhdx", image(), None);
        let (opened, why) = planned(&[subtree("", tree)]);
        assert_eq!(opened, ["laptop:/D/wsl/ubuntu/work.vhdx"]);
        let why: Vec<&String> = why.iter().filter(|why| why.contains("names")).collect();
        let what = [
            "laptop:/C/Users/ada/NTUSER.DAT: names the disk \
             C:\\Users\\ada\\AppData\\Local\\Docker\\wsl\\main\\ext4.vhdx of the distribution \
             docker-desktop of WSL, which is not in this evidence",
            "laptop:/C/Users/ada/AppData/Roaming/Docker/settings-store.json: names the directory \
             E:\\moved for the disk (CustomWslDistroDir), which is not in this evidence",
        ];
        assert_eq!(why, what);
    }
}
