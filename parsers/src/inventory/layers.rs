//! What is known of each layer.

use super::stores::Stores;
use crate::{ChainId, DiffId};
use dockline_evidence::TreePath;

/// A read-only layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The data root that holds it.
    pub root: TreePath,
    /// The storage driver, such as `overlay2`.
    pub driver: String,
    /// The layer with all below it.
    pub chain_id: ChainId,
    /// The layer alone.
    pub diff_id: Option<DiffId>,
    /// The layer below, with all below that.
    pub parent: Option<ChainId>,
    /// Directory under the driver.
    pub cache_id: Option<String>,
}

/// The writable layer of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The data root that holds it.
    pub root: TreePath,
    /// The storage driver.
    pub driver: String,
    /// The container.
    pub container_id: String,
    /// Directory under the driver that holds the changes of the container.
    pub mount_id: Option<String>,
    /// Directory under the driver that holds what the engine put there.
    pub init_id: Option<String>,
    /// The layers of the image.
    pub parent: Option<ChainId>,
}

/// The layers and mounts of all stores.
pub(super) fn read(stores: &Stores<'_>) -> (Vec<Layer>, Vec<Mount>) {
    let (mut layers, mut mounts) = (Vec::new(), Vec::new());
    for (store, found) in stores.layers.iter().flat_map(|of_root| &of_root.stores) {
        layers.extend(found.layers.iter().map(|(chain_id, layer)| Layer {
            root: store.root.clone(),
            driver: store.driver.clone(),
            chain_id: chain_id.clone(),
            diff_id: layer.diff.clone(),
            parent: layer.parent.clone(),
            cache_id: layer.cache_id.clone(),
        }));
        mounts.extend(found.mounts.iter().map(|(container, mount)| Mount {
            root: store.root.clone(),
            driver: store.driver.clone(),
            container_id: (*container).to_owned(),
            mount_id: mount.mount_id.clone(),
            init_id: mount.init_id.clone(),
            parent: mount.parent.clone(),
        }));
    }
    (layers, mounts)
}
