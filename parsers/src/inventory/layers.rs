//! What is known of each layer.

use super::Claim;
use dockline_evidence::TreePath;

/// A read-only layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The data root that holds it.
    pub root: TreePath,
    /// The storage driver, such as `overlay2`.
    pub driver: String,
    /// Chain id, `sha256:…`.
    pub chain_id: String,
    /// Diff id, `sha256:…`.
    pub diff_id: Option<String>,
    /// Chain id of the layer below.
    pub parent: Option<String>,
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
    /// Chain id of the image's top layer.
    pub parent: Option<String>,
}

/// Reads the layers and mounts among `claims`.
pub(super) fn read(_claims: &[Claim]) -> (Vec<Layer>, Vec<Mount>) {
    (Vec::new(), Vec::new())
}
