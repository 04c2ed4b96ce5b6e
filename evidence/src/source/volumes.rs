//! The trees of a disk: its partitions and logical volumes, and the file system in each.

use super::{FoundFileSystem, Identity, Opener, PhysicalVolume, Skipped, Source, SourceTree};
use crate::file_system::{self, FileSystem, Flaw};
use crate::signature::{self, Layout};
use crate::volume::{self, Partitions, Volume, lvm2};
use crate::{EvidenceError, ReadAt};
use dockline_timeline::{Issue, Place};
use std::sync::Arc;

/// Volumes that a volume may lie in: the disk of a virtual machine, and of one that runs in that.
const MAX_DEPTH: usize = 3;
/// Volumes inside others that one evidence may have, with those that they lie in: a table that lies
/// in its own partitions would make more than can be counted.
const MAX_INNER: usize = 512;

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
        let (physical, volumes) = by_kind(partitions.volumes);
        source.physical_volumes = physical;
        source.add_volumes(volumes);
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

    /// Partitions or logical volumes, and those inside them: one that cannot be read does not cost
    /// the others.
    pub(super) fn add_volumes(&mut self, volumes: Vec<Volume>) {
        let mut layers = vec![volumes.into_iter()];
        while let Some(layer) = layers.last_mut() {
            let Some(volume) = layer.next() else {
                layers.pop();
                continue;
            };
            let inner = self.add_volume(&volume, layers.len());
            layers.push(inner.into_iter());
        }
    }

    /// Opens a volume, and returns those inside it. `depth` counts it and those that it lies in.
    fn add_volume(&mut self, volume: &Volume, depth: usize) -> Vec<Volume> {
        let prefix = format!("/{}", volume.name);
        match signature::layout(&volume.bytes) {
            Ok(Some(layout @ (Layout::Partitions | Layout::PhysicalVolume))) => {
                match self.volumes_in(volume, layout, depth) {
                    Ok(inner) if inner.is_empty() && layout == Layout::Partitions => {
                        self.add_file_system(volume, prefix);
                    }
                    Ok(inner) => return inner,
                    Err(error) => self.tell_volume(&prefix, &error),
                }
            }
            Ok(Some(Layout::Idle(why))) => self.skip(prefix, why),
            Ok(None) if file_system::is_blank(&volume.bytes) => {
                self.skip(prefix, "nothing but zeros");
            }
            Ok(_) => self.add_file_system(volume, prefix),
            Err(error) => self.tell_volume(&prefix, &error),
        }
        Vec::new()
    }

    /// The partitions and logical volumes in a volume: it is the disk of a virtual machine, as a
    /// logical volume often is, and so of a host of its own.
    fn volumes_in(
        &mut self,
        volume: &Volume,
        layout: Layout,
        depth: usize,
    ) -> Result<Vec<Volume>, EvidenceError> {
        self.check_limits(depth)?;
        let partitions = match layout {
            Layout::PhysicalVolume => {
                Partitions { volumes: vec![volume.clone()], ..Partitions::default() }
            }
            _ => volume::partitions(&volume.bytes)?,
        };
        let (physical, mut inner) = by_kind(partitions.volumes);
        let logical = lvm2::assemble(physical);
        inner.extend(logical.volumes);
        for inner in &mut inner {
            inner.name = format!("{}/{}", volume.name, inner.name);
        }
        self.inner_volumes = self.inner_volumes.saturating_add(inner.len()).saturating_add(1);
        let flaws = partitions.flaws.into_iter().chain(logical.flaws).collect();
        self.tell_flaws(&format!("/{}", volume.name), flaws);
        Ok(inner)
    }

    fn check_limits(&self, depth: usize) -> Result<(), EvidenceError> {
        let (what, limit) = match depth {
            _ if self.inner_volumes >= MAX_INNER => ("volumes inside others", MAX_INNER),
            _ if depth > MAX_DEPTH => ("volumes inside one another", MAX_DEPTH),
            _ => return Ok(()),
        };
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        Err(EvidenceError::LimitReached { what, limit })
    }

    fn add_file_system(&mut self, volume: &Volume, prefix: String) {
        let name = volume.name.rsplit('/').next();
        let number = name.and_then(|name| name.strip_prefix('p')).map(str::to_owned);
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

    pub(super) fn tell_volume(&mut self, prefix: &str, error: &EvidenceError) {
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

/// The physical volumes among some volumes, and the others.
fn by_kind(volumes: Vec<Volume>) -> (Vec<PhysicalVolume>, Vec<Volume>) {
    let is_physical = |volume: &Volume| {
        matches!(signature::layout(&volume.bytes), Ok(Some(Layout::PhysicalVolume)))
    };
    let (physical, others): (Vec<_>, Vec<_>) = volumes.into_iter().partition(is_physical);
    (physical.into_iter().map(|volume| (volume.name, volume.bytes)).collect(), others)
}
