//! File systems mounted into one another, as their host saw them; and what the mounts hid.

use crate::{Entry, EvidenceError, ExtendedAttribute, FileKind, Metadata, ReadAt, Tree, TreePath};
use std::sync::Arc;

/// A root file system with others mounted in it.
pub(crate) struct MountedTree {
    root: Arc<dyn Tree>,
    /// The deepest first, so that the first that fits is the one that is seen.
    mounts: Vec<(TreePath, Arc<dyn Tree>)>,
}

impl MountedTree {
    pub(crate) fn new(root: Arc<dyn Tree>, mut mounts: Vec<(TreePath, Arc<dyn Tree>)>) -> Self {
        mounts.sort_by_key(|(directory, _)| std::cmp::Reverse(directory.components().count()));
        MountedTree { root, mounts }
    }

    /// The tree in which a path lies, and the path there.
    fn at(&self, path: &TreePath) -> Result<(&dyn Tree, TreePath), EvidenceError> {
        let Some((directory, tree)) = self.mount_of(path).and_then(|at| self.mounts.get(at)) else {
            return Ok((&*self.root, path.clone()));
        };
        let mut below = path.components().skip(directory.components().count());
        let inside = below.try_fold(TreePath::root(), |path, name| path.join(name));
        Ok((&**tree, inside.ok_or(EvidenceError::NotFound)?))
    }

    /// The place in the list of the mount below which a path lies; `None` in the root file system.
    fn mount_of(&self, path: &TreePath) -> Option<usize> {
        self.mounts.iter().position(|(directory, _)| path.starts_with(directory))
    }
}

impl Tree for MountedTree {
    /// A directory on which something is mounted is seen also where it was removed since.
    fn list(&self, directory: &TreePath) -> Result<Vec<Entry>, EvidenceError> {
        let (tree, inside) = self.at(directory)?;
        let mut entries = tree.list(&inside)?;
        let here = self.mounts.iter().filter(|(path, _)| path.parent().as_ref() == Some(directory));
        for name in here.filter_map(|(path, _)| path.file_name()) {
            entries.retain(|entry| entry.name != name);
            entries.push(Entry { name: name.to_vec(), kind: FileKind::Directory });
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    fn metadata(&self, path: &TreePath) -> Result<Metadata, EvidenceError> {
        let (tree, inside) = self.at(path)?;
        tree.metadata(&inside)
    }

    fn open(&self, path: &TreePath) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        let (tree, inside) = self.at(path)?;
        tree.open(&inside)
    }

    fn link_target(&self, path: &TreePath) -> Result<Vec<u8>, EvidenceError> {
        let (tree, inside) = self.at(path)?;
        tree.link_target(&inside)
    }

    fn extended_attributes(
        &self,
        path: &TreePath,
    ) -> Result<Vec<ExtendedAttribute>, EvidenceError> {
        let (tree, inside) = self.at(path)?;
        tree.extended_attributes(&inside)
    }

    /// Every file system numbers its directories anew, in 64 bits.
    fn identity(&self, directory: &TreePath) -> Option<u128> {
        let file_system = self.mount_of(directory).map_or(0, |at| at.saturating_add(1));
        let (tree, inside) = self.at(directory).ok()?;
        let identity = tree.identity(&inside)?;
        Some(u128::try_from(file_system).ok()? << 64 | identity)
    }

    fn damage(&self, path: &TreePath) -> Vec<EvidenceError> {
        self.at(path).map_or_else(|_| Vec::new(), |(tree, inside)| tree.damage(&inside))
    }
}

/// What lies in the directories of a file system on which others were mounted: its host did not see
/// it. A walk finds nothing else; everything else can still be asked for.
pub(crate) struct Beneath {
    tree: Arc<dyn Tree>,
    directories: Vec<TreePath>,
}

impl Beneath {
    pub(crate) fn new(tree: Arc<dyn Tree>, directories: Vec<TreePath>) -> Beneath {
        Beneath { tree, directories }
    }

    fn is_on_the_way(&self, path: &TreePath) -> bool {
        let is_near =
            |directory: &TreePath| path.starts_with(directory) || directory.starts_with(path);
        self.directories.iter().any(is_near)
    }
}

impl Tree for Beneath {
    fn list(&self, directory: &TreePath) -> Result<Vec<Entry>, EvidenceError> {
        let mut entries = self.tree.list(directory)?;
        entries.retain(|entry| {
            directory.join(&entry.name).is_some_and(|path| self.is_on_the_way(&path))
        });
        Ok(entries)
    }

    fn metadata(&self, path: &TreePath) -> Result<Metadata, EvidenceError> {
        self.tree.metadata(path)
    }

    fn open(&self, path: &TreePath) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        self.tree.open(path)
    }

    fn link_target(&self, path: &TreePath) -> Result<Vec<u8>, EvidenceError> {
        self.tree.link_target(path)
    }

    fn extended_attributes(
        &self,
        path: &TreePath,
    ) -> Result<Vec<ExtendedAttribute>, EvidenceError> {
        self.tree.extended_attributes(path)
    }

    fn identity(&self, directory: &TreePath) -> Option<u128> {
        self.tree.identity(directory)
    }

    fn damage(&self, path: &TreePath) -> Vec<EvidenceError> {
        self.tree.damage(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryTree, ext4};

    fn path(text: &str) -> TreePath {
        TreePath::parse(text.as_bytes()).unwrap()
    }

    fn damaged(file: &str) -> Arc<dyn Tree> {
        let tree = MemoryTree::new().with_file("a/log", "x", None).with_file("b/log", "x", None);
        Arc::new(tree.with_damage(file))
    }

    #[test]
    fn damage_is_that_of_the_file_system_that_is_seen() {
        let tree = MountedTree::new(damaged("a/log"), vec![(path("b"), damaged("b/log"))]);
        let damage = |file: &str| tree.damage(&path(file)).len();
        assert_eq!(["a/log", "b/log", "b/a/log", "b/b/log"].map(damage), [1, 0, 0, 1]);
        let hidden = Beneath::new(damaged("b/log"), vec![path("b")]);
        assert_eq!(hidden.damage(&path("b/log")).len(), 1);
    }

    #[test]
    fn the_same_directory_of_two_file_systems_is_two() {
        let image = include_bytes!("../../testdata/evidence/images/ext2.zst");
        let image = Arc::new(zstd::decode_all(&image[..]).unwrap());
        let open = || ext4::open(image.clone()).unwrap().tree;
        let tree = MountedTree::new(open(), vec![(path("deep"), open()), (path("etc"), open())]);
        let identity = |directory: &str| tree.identity(&path(directory)).unwrap();
        let all = ["", "attr", "deep", "deep/attr", "etc", "etc/attr"].map(identity);
        for (number, one) in all.iter().enumerate() {
            assert!(!all[..number].contains(one), "{all:?}");
        }
        let hidden = Beneath::new(open(), vec![path("deep")]);
        assert_eq!(hidden.identity(&path("deep")), open().identity(&path("deep")));
    }
}
