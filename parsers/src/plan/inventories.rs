//! What ids mean on each host, and in each of its disks.
//!
//! A laptop keeps its engine in a virtual disk, and disks of earlier generations may lie beside it:
//! copies of one data root, at the same path, in which the same names of snapshots mean others. So
//! where a host has several such disks, each has an inventory of its own, and that of the host, for
//! what lies beside the disks, has the names of all.

use super::Subtree;
use crate::inventory::Claim;
use crate::{Artifact, Asked, Inventory, Parser};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What parsers claim, by host.
pub(super) type Claims = BTreeMap<Arc<str>, Vec<(&'static Parser, Arc<Artifact>)>>;

/// A host, and one of its disks.
type Key = (Arc<str>, Option<Arc<str>>);

/// The inventories by host and, where it has several disks, by disk.
#[derive(Default)]
pub(super) struct Inventories(BTreeMap<Key, Arc<Inventory>>);

impl Inventories {
    pub(super) fn build(hosts: &Claims, subtrees: &[Subtree], asked: &Asked) -> Inventories {
        let nested = subtrees.iter().filter(|subtree| subtree.depth > 0);
        let nested: BTreeSet<&Arc<str>> = nested.map(|subtree| &subtree.evidence).collect();
        let mut inventories = Inventories::default();
        for (host, claims) in hosts {
            let disk_of = |artifact: &Artifact| {
                let evidence = artifact.files.first().map(|file| file.origin.evidence.clone());
                evidence.filter(|evidence| nested.contains(evidence))
            };
            let mut disks: BTreeMap<Option<Arc<str>>, Vec<Claim>> = BTreeMap::new();
            for (parser, artifact) in claims {
                let claim = (parser.name, artifact.clone());
                disks.entry(disk_of(artifact)).or_default().push(claim);
            }
            if disks.keys().flatten().count() > 1 {
                inventories.add_disks(host, &disks, asked);
            } else {
                let all: Vec<Claim> = claims
                    .iter()
                    .map(|(parser, artifact)| (parser.name, artifact.clone()))
                    .collect();
                let inventory = Arc::new(Inventory::build(&all, asked));
                inventories.0.insert((host.clone(), None), inventory);
            }
        }
        inventories
    }

    fn add_disks(
        &mut self,
        host: &Arc<str>,
        disks: &BTreeMap<Option<Arc<str>>, Vec<Claim>>,
        asked: &Asked,
    ) {
        let beside = disks.get(&None).map(Vec::as_slice).unwrap_or_default();
        let mut of_host = Inventory::build(beside, asked);
        for (disk, claims) in disks {
            if disk.is_some() {
                let inventory = Inventory::build(claims, asked);
                of_host.learn_names(&inventory);
                self.0.insert((host.clone(), disk.clone()), Arc::new(inventory));
            }
        }
        self.0.insert((host.clone(), None), Arc::new(of_host));
    }

    /// Each, with its host.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<Inventory>)> {
        self.0.iter().map(|((host, _), inventory)| (host, inventory))
    }

    /// That of an evidence of a host.
    pub(super) fn of(&self, host: &Arc<str>, evidence: Option<&Arc<str>>) -> Arc<Inventory> {
        let of_disk = self.0.get(&(host.clone(), evidence.cloned()));
        of_disk.or_else(|| self.0.get(&(host.clone(), None))).cloned().unwrap_or_default()
    }
}
