//! The trees of a disk: its partitions and logical volumes, and the file system in each.

use super::{Identity, Opener, Skipped, Source, SourceTree};
use crate::file_system::{self, Flaw};
use crate::signature::{self, Layout};
use crate::volume::{self, Volume};
use crate::{EvidenceError, ReadAt};
use dockline_timeline::{Issue, Place};
use std::sync::Arc;

impl Opener<'_> {
    /// Opens all file systems of a disk. Where none of it can be read, that is an error.
    pub(super) fn disk(&self, disk: &Arc<dyn ReadAt>) -> Result<Source, EvidenceError> {
        let mut source = Source::empty(self.name);
        let partitions = volume::partitions(disk)?;
        source.tell_flaws("", partitions.flaws);
        if partitions.volumes.is_empty() {
            source.add_whole(disk)?;
            return Ok(source);
        }
        for volume in partitions.volumes {
            source.add_volume(volume);
        }
        Ok(source)
    }
}

impl Source {
    /// A disk without partitions.
    fn add_whole(&mut self, disk: &Arc<dyn ReadAt>) -> Result<(), EvidenceError> {
        if signature::layout(disk)? == Some(Layout::PhysicalVolume) {
            self.physical_volumes.push((String::new(), disk.clone()));
            return Ok(());
        }
        let opened = file_system::open(disk)?;
        let identity = Identity { uuid: opened.uuid, label: opened.label, ..Identity::default() };
        self.trees.push(SourceTree { prefix: String::new(), tree: opened.tree, identity });
        self.tell_flaws("", opened.flaws);
        Ok(())
    }

    /// A partition or a logical volume: one that cannot be read does not cost the others.
    pub(crate) fn add_volume(&mut self, volume: Volume) {
        let prefix = format!("/{}", volume.name);
        match signature::layout(&volume.bytes) {
            Ok(Some(Layout::PhysicalVolume)) => {
                self.physical_volumes.push((volume.name, volume.bytes));
            }
            Ok(Some(Layout::Idle(why))) => self.skip(prefix, why),
            Ok(Some(Layout::Partitions)) => self.skip(prefix, "a partition table in a partition"),
            Ok(None) if file_system::is_blank(&volume.bytes) => {
                self.skip(prefix, "nothing but zeros")
            }
            Ok(_) => self.add_file_system(&volume, prefix),
            Err(error) => self.tell_volume(&prefix, &error),
        }
    }

    fn add_file_system(&mut self, volume: &Volume, prefix: String) {
        let opened = match file_system::open(&volume.bytes) {
            Ok(opened) => opened,
            Err(error) => return self.tell_volume(&prefix, &error),
        };
        let number = volume.name.strip_prefix('p').map(str::to_owned);
        let names = volume.device_names.iter().cloned().chain(number);
        let identity = Identity {
            uuid: opened.uuid,
            label: opened.label,
            part_uuid: volume.part_uuid.clone(),
            part_label: volume.label.clone(),
            device_names: names.collect(),
        };
        self.tell_flaws(&prefix, opened.flaws);
        self.trees.push(SourceTree { prefix, tree: opened.tree, identity });
    }

    fn skip(&mut self, prefix: String, why: &str) {
        self.skipped.push(Skipped { prefix, why: why.to_owned() });
    }

    fn tell_volume(&mut self, prefix: &str, error: &EvidenceError) {
        let place = Place::file(&self.name, prefix);
        self.issues.push(Issue::new(error.issue_kind(), place, error.to_string()));
    }

    pub(crate) fn tell_flaws(&mut self, prefix: &str, flaws: Vec<Flaw>) {
        for Flaw { kind, what } in flaws {
            let place = Place::file(&self.name, prefix);
            self.issues.push(Issue::new(kind, place, what));
        }
    }
}
