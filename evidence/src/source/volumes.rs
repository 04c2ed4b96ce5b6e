//! The trees of a disk: its partitions and logical volumes, and the file system in each.

use super::{FoundFileSystem, Identity, Opener, Skipped, Source, SourceTree};
use crate::file_system::{self, FileSystem, Flaw};
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
        source.partition_table = partitions.table;
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
        self.add_opened(file_system::open(disk)?, String::new(), Identity::default());
        Ok(())
    }

    fn add_opened(&mut self, opened: FileSystem, prefix: String, names: Identity) {
        self.tell_flaws(&prefix, opened.flaws);
        self.file_systems.push(FoundFileSystem {
            prefix: prefix.clone(),
            kind: opened.kind,
            uuid: opened.uuid.clone(),
            label: opened.label.clone(),
            mounted_at: None,
        });
        let identity = Identity { uuid: opened.uuid, label: opened.label, ..names };
        self.trees.push(SourceTree { prefix, tree: opened.tree, identity });
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
        let number = volume.name.strip_prefix('p').map(str::to_owned);
        let names = Identity {
            part_uuid: volume.part_uuid.clone(),
            part_label: volume.label.clone(),
            device_names: volume.device_names.iter().cloned().chain(number).collect(),
            ..Identity::default()
        };
        match file_system::open(&volume.bytes) {
            Ok(opened) => self.add_opened(opened, prefix, names),
            Err(error) => self.tell_volume(&prefix, &error),
        }
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
