//! Who stands on which layer, and whose each directory is.

use crate::formats::layer_store::LayerStore;
use crate::{ChainId, DiffId, ImageStore, Inventory};
use dockline_timeline::{Event, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Names of a list that are kept; of the rest only the number is.
const NAMES_LIMIT: usize = 64;
/// The engine stacks at most 125 layers; a chain that is longer was made to be.
const CHAIN_LIMIT: usize = 256;

/// Ids, the first few of them by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ids<'a> {
    pub(super) count: u64,
    pub(super) first: Vec<&'a str>,
}

impl<'a> Ids<'a> {
    fn add(&mut self, id: &'a str) {
        // The same layer twice in one image, such as one that only makes an empty directory.
        if self.first.last() == Some(&id) {
            return;
        }
        self.count = self.count.saturating_add(1);
        if self.first.len() < NAMES_LIMIT {
            self.first.push(id);
        }
    }

    /// The id, when there is just one.
    pub(super) fn only(&self) -> Option<&'a str> {
        match self.first.as_slice() {
            [id] => Some(id),
            _ => None,
        }
    }

    /// Adds the number and the names to an event.
    pub(super) fn tell(&self, event: &mut Event<'a>, number: &'static str, names: &'static str) {
        let count = i64::try_from(self.count).unwrap_or(i64::MAX);
        event.attribute(number, Some(Value::Integer(count)));
        let first = self.first.iter().copied().map(Cow::from).collect();
        event.attribute(names, (self.count > 0).then_some(Value::List(first)));
    }
}

/// Whose a directory under the storage driver is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner<'a> {
    /// A read-only layer's.
    Layer(&'a ChainId),
    /// A container's: its changes.
    Container(&'a str),
    /// A container's: what the engine put below its changes.
    Init(&'a str),
    /// A snapshot of BuildKit: it names directories by 25 characters.
    BuildKit,
    /// Nobody's.
    Nobody,
}

/// Who stands on which layer of one store, and whose each directory is.
#[derive(Debug, Default)]
pub(super) struct Standing<'a> {
    /// Images by the layers that they hold.
    pub(super) images: BTreeMap<&'a ChainId, Ids<'a>>,
    /// Containers by the layers that they stand on.
    pub(super) containers: BTreeMap<&'a ChainId, Ids<'a>>,
    /// Images by the single layers that they hold.
    pub(super) holders: BTreeMap<&'a DiffId, Ids<'a>>,
    owners: BTreeMap<&'a str, Owner<'a>>,
}

impl<'a> Standing<'a> {
    pub(super) fn new(
        id: &ImageStore,
        files: &'a LayerStore<'a>,
        inventory: &'a Inventory,
    ) -> Standing<'a> {
        let mut standing = Standing::default();
        for (image, known) in &inventory.images {
            if known.stores.contains(id) {
                for chain in &known.chain_ids {
                    standing.images.entry(chain).or_default().add(image);
                }
                for diff in &known.diff_ids {
                    standing.holders.entry(diff).or_default().add(image);
                }
            }
        }
        for (chain, layer) in &files.layers {
            standing.own(layer.cache_id.as_deref(), Owner::Layer(chain));
        }
        for (container, mount) in &files.mounts {
            standing.own(mount.mount_id.as_deref(), Owner::Container(container));
            standing.own(mount.init_id.as_deref(), Owner::Init(container));
            standing.put_on_chain(container, mount.parent.as_ref(), files);
        }
        standing
    }

    fn own(&mut self, directory: Option<&'a str>, owner: Owner<'a>) {
        if let Some(directory) = directory {
            self.owners.insert(directory, owner);
        }
    }

    fn put_on_chain(
        &mut self,
        container: &'a str,
        top: Option<&'a ChainId>,
        files: &'a LayerStore<'a>,
    ) {
        let below = |chain: &&'a ChainId| files.layers.get(*chain)?.parent.as_ref();
        for chain in std::iter::successors(top, below).take(CHAIN_LIMIT) {
            self.containers.entry(chain).or_default().add(container);
        }
    }

    /// Whose a directory is.
    pub(super) fn owner(&self, directory: &str) -> Owner<'a> {
        let is_snapshot = || {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            let name = directory.strip_suffix("-init").unwrap_or(directory);
            name.len() == 25 && name.bytes().all(plain)
        };
        match self.owners.get(directory) {
            Some(owner) => *owner,
            None if is_snapshot() => Owner::BuildKit,
            None => Owner::Nobody,
        }
    }
}
