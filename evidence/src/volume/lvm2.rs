//! LVM2 (version 2.03, text metadata, `format = "lvm2"`): physical volumes, on which volume groups
//! are described in a text, and the logical volumes that it makes of their extents. The default of
//! RHEL, Fedora and of Debian's guided installation.
//!
//! Read are segments of the types `striped` (which is also what a linear one is called) and `zero`,
//! on any number of physical volumes. The others (`snapshot`, `thin`, `thin-pool`, `cache`,
//! `raid*`, `mirror`, `vdo`, `integrity` ...) are named in a flaw: a leg of a mirror may be behind
//! the others, and only the kernel's own metadata can tell. A logical volume without `VISIBLE` is a
//! part of another one and no volume.

mod config;
mod logical_volume;
mod physical_volume;
mod volume_group;

use super::Volume;
use crate::ReadAt;
use crate::file_system::Flaw;
use dockline_timeline::IssueKind;
use physical_volume::PhysicalVolume;
use std::collections::BTreeMap;
use std::sync::Arc;
use volume_group::VolumeGroup;

pub(super) use physical_volume::has_label;

/// What a set of physical volumes holds.
#[derive(Default)]
pub(crate) struct Assembled {
    /// The visible logical volumes that can be read.
    pub(crate) volumes: Vec<Volume>,
    /// What is wrong, missing, or of a type that is not read.
    pub(crate) flaws: Vec<Flaw>,
    /// Whether a volume group has physical volumes that were not given, or the other way round.
    pub(crate) is_incomplete: bool,
}

/// The logical volumes on these physical volumes, which have a name for flaws. Of two with the same
/// UUID, such as a disk and its clone, the first is used; so only what belongs to one host should be
/// given at once.
pub(crate) fn assemble(physical: Vec<(String, Arc<dyn ReadAt>)>) -> Assembled {
    let mut assembled = Assembled::default();
    let physical = open_all(physical, &mut assembled.flaws);
    let groups = newest(&physical, &mut assembled.flaws);
    let mut names = BTreeMap::new();
    for group in &groups {
        assembled.add(group, &physical, &mut names);
        let mut parts = group.physical.values();
        assembled.is_incomplete |= parts.any(|part| !physical.contains_key(&part.uuid));
    }
    for (uuid, volume) in &physical {
        if !groups.iter().any(|group| group.has(uuid)) && !volume.is_unused {
            assembled.is_incomplete = true;
            let what = format!("no volume group names the physical volume {uuid}");
            assembled.flaws.push(volume.flaw(IssueKind::Unreadable, &what));
        }
    }
    assembled
}

/// The physical volumes by UUID.
type Physical = BTreeMap<String, PhysicalVolume>;

fn open_all(physical: Vec<(String, Arc<dyn ReadAt>)>, flaws: &mut Vec<Flaw>) -> Physical {
    let mut found = Physical::new();
    for (name, bytes) in physical {
        match PhysicalVolume::open(&name, bytes, flaws) {
            Ok(volume) if found.contains_key(&volume.uuid) => {
                let what = format!("the physical volume {} is given twice", volume.uuid);
                flaws.push(volume.flaw(IssueKind::Malformed, &what));
            }
            Ok(volume) => {
                found.insert(volume.uuid.clone(), volume);
            }
            Err(error) => {
                let what = format!("{name}: {error}");
                flaws.push(Flaw { kind: error.issue_kind(), what });
            }
        }
    }
    found
}

/// The newest description of each volume group.
fn newest(physical: &Physical, flaws: &mut Vec<Flaw>) -> Vec<VolumeGroup> {
    let mut groups: BTreeMap<String, VolumeGroup> = BTreeMap::new();
    for volume in physical.values() {
        for text in volume.metadata(flaws) {
            match VolumeGroup::parse(&text) {
                Ok(group) => {
                    let known = groups.get(&group.uuid).map_or(0, |known| known.generation);
                    if known < group.generation {
                        groups.insert(group.uuid.clone(), group);
                    }
                }
                Err(what) => flaws.push(volume.flaw(IssueKind::Malformed, &what)),
            }
        }
    }
    groups.into_values().collect()
}

/// How many logical volumes have a name: volume groups of different hosts can share one.
type Names = BTreeMap<String, u64>;

/// The name, with a number behind it from the second time on; `~` is in no name of LVM2.
fn unique(name: String, names: &mut Names) -> String {
    let count = names.entry(name.clone()).or_insert(0);
    *count = count.saturating_add(1);
    if *count == 1 { name } else { format!("{name}~{count}") }
}

impl Assembled {
    fn add(&mut self, group: &VolumeGroup, physical: &Physical, names: &mut Names) {
        self.flaws.extend(group.flaws.iter().cloned());
        for logical in group.volumes.iter().filter(|logical| logical.is_visible) {
            match logical.open(group, physical) {
                Ok(bytes) => self.volumes.push(Volume {
                    name: unique(group.mapper_name(&logical.name), names),
                    bytes,
                    part_uuid: None,
                    device_names: group.device_names(&logical.name),
                    label: None,
                }),
                Err(flaw) => self.flaws.push(flaw),
            }
        }
    }
}

#[cfg(test)]
mod tests;
