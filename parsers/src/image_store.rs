//! An image store: what one storage driver of one data root keeps below `image/<driver>`.

use crate::{Artifact, ArtifactFile};
use dockline_evidence::TreePath;

/// An image store. A host may hold several, of engines before and of other storage drivers; an
/// image of one says nothing of the layers of another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageStore {
    /// The data root that holds it.
    pub root: TreePath,
    /// The storage driver, such as `overlay2`.
    pub driver: String,
    /// The directory that holds `imagedb`, `layerdb` and `distribution`.
    pub base: TreePath,
}

impl ImageStore {
    /// The store that `file` belongs to. When only a piece of a data root is there, the directory
    /// above the piece stands for the store.
    #[must_use]
    pub fn of(artifact: &Artifact, file: &ArtifactFile) -> ImageStore {
        if let Some(driver) = file.capture("driver") {
            return ImageStore::of_driver(&artifact.root, driver);
        }
        let root = artifact.root.clone();
        let name = root.file_name().unwrap_or_default();
        let driver = String::from_utf8_lossy(name).into_owned();
        ImageStore { base: root.clone(), root, driver }
    }

    /// The store of a storage driver of a data root.
    #[must_use]
    pub fn of_driver(root: &TreePath, driver: &str) -> ImageStore {
        let base = root.below(b"image").and_then(|image| image.join(driver.as_bytes()));
        let base = base.unwrap_or_else(|| root.clone());
        ImageStore { root: root.clone(), driver: driver.to_owned(), base }
    }
}
