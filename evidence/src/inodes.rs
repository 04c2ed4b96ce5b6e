//! File systems that number their files: what each one has to answer, and the [`Tree`] that follows
//! from it.

use crate::doubts::Doubts;
use crate::{Entry, EvidenceError, ExtendedAttribute, FileKind, Metadata, ReadAt, Tree, TreePath};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Directories whose entries are kept: those above a file, and the one that is being walked.
const KEPT_DIRECTORIES: usize = 32;
/// Entries of all that are kept, but for the largest directory: it is listed once, not anew after
/// each directory in it, and takes no more memory than a walk over it does.
const KEPT_ENTRIES: usize = 1 << 16;

/// One name in a directory, and what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedInode {
    pub(crate) name: Vec<u8>,
    pub(crate) inode: u64,
    pub(crate) kind: FileKind,
}

/// What a file system knows by the number of a file.
pub(crate) trait Inodes: Send + Sync + 'static {
    /// Number of the root directory.
    fn root(&self) -> u64;

    /// What a directory holds, in any order, without `.` and `..`; names that are no names (empty,
    /// or with `/` or NUL) are left out by the caller. An implementation bounds the size. A damaged
    /// part costs the names in it; that, and what else is wrong with the directory, is noted.
    fn entries(
        &self,
        directory: u64,
        doubts: &mut Doubts,
    ) -> Result<Vec<NamedInode>, EvidenceError>;

    /// All that is known of a file but its content.
    fn metadata(&self, inode: u64) -> Result<Metadata, EvidenceError>;

    /// The content of a regular file.
    fn content(&self, inode: u64) -> Result<Arc<dyn ReadAt>, EvidenceError>;

    /// The target of a symbolic link.
    fn link_target(&self, inode: u64) -> Result<Vec<u8>, EvidenceError>;

    /// The extended attributes, in any order.
    fn extended_attributes(&self, inode: u64) -> Result<Vec<ExtendedAttribute>, EvidenceError>;

    /// Notes what is wrong with anything but a directory that the other questions are answered
    /// about all the same; for a file with many extents that is as much work as opening it.
    fn damage(&self, inode: u64, doubts: &mut Doubts);
}

/// The tree of a file system.
pub(crate) struct InodeTree<F> {
    inodes: F,
    recent: Mutex<Recent>,
}

/// Files that were found last and are kept, each of another directory: a walk over what a container
/// changed asks, in turns, for a file and for what was there before, and several walks go on at once.
const KEPT_FOUND: usize = 8;

/// What was looked up last, so that a walk does not go through all directories above a file, for
/// each of the questions that it asks of it.
#[derive(Default)]
struct Recent {
    directories: VecDeque<Directory>,
    found: VecDeque<Found>,
}

impl Recent {
    /// The file that was found last in the directory of this path.
    fn found_in(&self, directory: &[u8]) -> Option<Found> {
        let is_there =
            |found: &&Found| found.path.split_last().is_some_and(|(above, _)| above == directory);
        self.found.iter().find(is_there).cloned()
    }

    /// What was found must not keep a listing alive that is kept no longer.
    fn forget_unlisted(&mut self) {
        let kept = &self.directories;
        self.found.retain(|found| {
            kept.iter().any(|directory| Arc::ptr_eq(&directory.entries, &found.beside))
        });
    }

    fn keep_found(&mut self, newest: Found) {
        self.found.retain(|found| !Arc::ptr_eq(&found.beside, &newest.beside));
        self.found.push_front(newest);
        self.found.truncate(KEPT_FOUND);
    }

    fn keep(&mut self, newest: Directory) {
        let inode = newest.inode;
        self.directories.push_front(newest);
        let by_size = |directory: &&Directory| directory.entries.len();
        let largest = self.directories.iter().max_by_key(by_size).map(|largest| largest.inode);
        let mut kept = 0_usize;
        self.directories.retain(|directory| {
            if Some(directory.inode) == largest {
                return true;
            }
            kept = kept.saturating_add(directory.entries.len());
            directory.inode == inode || kept <= KEPT_ENTRIES
        });
        self.directories.truncate(KEPT_DIRECTORIES);
    }
}

/// The file that was found last, and what lies beside it.
#[derive(Clone)]
struct Found {
    path: TreePath,
    file: (u64, FileKind),
    beside: Arc<Vec<NamedInode>>,
}

/// A directory that was listed.
#[derive(Clone)]
struct Directory {
    inode: u64,
    /// By name, each name once.
    entries: Arc<Vec<NamedInode>>,
    /// What was found wrong with it: kept, so that asking does not read it again.
    damage: Arc<Vec<EvidenceError>>,
}

impl<F: Inodes> InodeTree<F> {
    pub(crate) fn new(inodes: F) -> InodeTree<F> {
        InodeTree { inodes, recent: Mutex::default() }
    }

    /// The number of the file at `path`, and what the directory says it is.
    fn find(&self, path: &TreePath) -> Result<(u64, FileKind), EvidenceError> {
        let root = (self.inodes.root(), FileKind::Directory);
        let Some((above, name)) = path.split_last() else { return Ok(root) };
        let beside = match self.recent(|recent| recent.found_in(above)) {
            Some(last) if last.path == *path => return Ok(last.file),
            Some(last) => last.beside,
            None => {
                let directory = TreePath::components_of(above)
                    .try_fold(root, |directory, name| {
                        entry(&self.directory(directory)?.entries, name)
                    })?;
                self.directory(directory)?.entries
            }
        };
        let file = entry(&beside, name)?;
        let found = Found { path: path.clone(), file, beside };
        self.recent(|recent| recent.keep_found(found));
        Ok(file)
    }

    fn find_kind(&self, path: &TreePath, wanted: FileKind) -> Result<u64, EvidenceError> {
        let (inode, kind) = self.find(path)?;
        if kind != wanted {
            return Err(EvidenceError::WrongKind { wanted: wanted.name(), found: kind.name() });
        }
        Ok(inode)
    }

    fn directory(&self, (inode, kind): (u64, FileKind)) -> Result<Directory, EvidenceError> {
        if kind != FileKind::Directory {
            return Err(EvidenceError::NotFound);
        }
        if let Some(known) = self.recent(|recent| {
            let known = &mut recent.directories;
            let at = known.iter().position(|directory| directory.inode == inode)?;
            let directory = known.remove(at)?;
            known.push_front(directory.clone());
            Some(directory)
        }) {
            return Ok(known);
        }
        let read = self.read_directory(inode)?;
        self.recent(|recent| {
            recent.keep(read.clone());
            recent.forget_unlisted();
        });
        Ok(read)
    }

    fn read_directory(&self, inode: u64) -> Result<Directory, EvidenceError> {
        let mut doubts = Doubts::default();
        let mut entries = self.inodes.entries(inode, &mut doubts)?;
        entries.retain(|entry| TreePath::is_name(&entry.name));
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        entries.dedup_by(|one, other| one.name == other.name);
        let damage = Arc::new(doubts.into_errors());
        Ok(Directory { inode, entries: Arc::new(entries), damage })
    }

    fn recent<T>(&self, then: impl FnOnce(&mut Recent) -> T) -> T {
        then(&mut self.recent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a directory says of the name.
fn entry(directory: &[NamedInode], name: &[u8]) -> Result<(u64, FileKind), EvidenceError> {
    let at = directory.binary_search_by(|entry| entry.name.as_slice().cmp(name));
    let entry = at.ok().and_then(|at| directory.get(at)).ok_or(EvidenceError::NotFound)?;
    Ok((entry.inode, entry.kind))
}

impl<F: Inodes> Tree for InodeTree<F> {
    fn list(&self, directory: &TreePath) -> Result<Vec<Entry>, EvidenceError> {
        let inode = self.find_kind(directory, FileKind::Directory)?;
        let entries = self.directory((inode, FileKind::Directory))?.entries;
        let entry = |entry: &NamedInode| Entry { name: entry.name.clone(), kind: entry.kind };
        Ok(entries.iter().map(entry).collect())
    }

    fn metadata(&self, path: &TreePath) -> Result<Metadata, EvidenceError> {
        self.inodes.metadata(self.find(path)?.0)
    }

    fn open(&self, path: &TreePath) -> Result<Arc<dyn ReadAt>, EvidenceError> {
        self.inodes.content(self.find_kind(path, FileKind::Regular)?)
    }

    fn link_target(&self, path: &TreePath) -> Result<Vec<u8>, EvidenceError> {
        self.inodes.link_target(self.find_kind(path, FileKind::SymbolicLink)?)
    }

    fn extended_attributes(
        &self,
        path: &TreePath,
    ) -> Result<Vec<ExtendedAttribute>, EvidenceError> {
        let mut attributes = self.inodes.extended_attributes(self.find(path)?.0)?;
        attributes.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(attributes)
    }

    fn identity(&self, directory: &TreePath) -> Option<u128> {
        self.find_kind(directory, FileKind::Directory).ok().map(u128::from)
    }

    fn damage(&self, path: &TreePath) -> Vec<EvidenceError> {
        let Ok((inode, kind)) = self.find(path) else { return Vec::new() };
        if kind == FileKind::Directory {
            let directory = self.directory((inode, kind));
            return directory.map_or_else(|_| Vec::new(), |found| found.damage.to_vec());
        }
        let mut doubts = Doubts::default();
        self.inodes.damage(inode, &mut doubts);
        doubts.into_errors()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Descend, walk};
    use std::sync::atomic::{AtomicUsize, Ordering};

    const SUBDIRECTORIES: u64 = 70_000;

    /// A root full of directories, each of which holds one file.
    #[derive(Default)]
    struct Wide {
        listed: AtomicUsize,
    }

    impl Inodes for Arc<Wide> {
        fn root(&self) -> u64 {
            0
        }
        fn entries(
            &self,
            directory: u64,
            doubts: &mut Doubts,
        ) -> Result<Vec<NamedInode>, EvidenceError> {
            doubts.note(EvidenceError::NotFound);
            self.listed.fetch_add(1, Ordering::Relaxed);
            let named = |inode: u64, kind| {
                let name = format!("{inode:06}").into_bytes();
                NamedInode { name, inode, kind }
            };
            match directory {
                0 => Ok((1..=SUBDIRECTORIES).map(|at| named(at, FileKind::Directory)).collect()),
                _ => Ok(vec![named(SUBDIRECTORIES + directory, FileKind::Regular)]),
            }
        }
        fn metadata(&self, inode: u64) -> Result<Metadata, EvidenceError> {
            let is_directory = inode <= SUBDIRECTORIES;
            let kind = if is_directory { FileKind::Directory } else { FileKind::Regular };
            Ok(Metadata { inode: Some(inode), ..Metadata::unknown(kind) })
        }
        fn content(&self, _: u64) -> Result<Arc<dyn ReadAt>, EvidenceError> {
            Err(EvidenceError::NotFound)
        }
        fn link_target(&self, _: u64) -> Result<Vec<u8>, EvidenceError> {
            Err(EvidenceError::NotFound)
        }
        fn extended_attributes(&self, _: u64) -> Result<Vec<ExtendedAttribute>, EvidenceError> {
            Err(EvidenceError::NotFound)
        }
        fn damage(&self, inode: u64, _: &mut Doubts) {
            panic!("a walk asks for the damage of file {inode}");
        }
    }

    #[test]
    fn a_walk_lists_each_directory_once_however_large_the_one_above_is() {
        let wide = Arc::new(Wide::default());
        let tree = InodeTree::new(wide.clone());
        let (mut nodes, mut damaged) = (0, 0);
        let mut visit = |path: &TreePath, entry: &Entry| {
            nodes += 1;
            let inode = tree.metadata(path).unwrap().inode.unwrap();
            assert_eq!(entry.name, format!("{inode:06}").into_bytes());
            Descend::Into
        };
        walk(&tree, &mut visit, &mut |_, _| damaged += 1);
        assert_eq!(damaged, 1 + SUBDIRECTORIES, "each tells its damage");
        assert_eq!(nodes, 2 * SUBDIRECTORIES);
        assert_eq!(wide.listed.load(Ordering::Relaxed) as u64, 1 + SUBDIRECTORIES);
    }

    #[test]
    fn what_is_looked_up_in_any_order_is_found() {
        let tree = InodeTree::new(Arc::new(Wide::default()));
        let inode = |path: &str| {
            let path = TreePath::parse(path.as_bytes()).unwrap();
            tree.metadata(&path).map(|metadata| metadata.inode.unwrap())
        };
        for _ in 0..2 {
            assert_eq!(inode("000007/070007").unwrap(), 70_007);
            assert!(matches!(inode("000007/070008"), Err(EvidenceError::NotFound)));
            assert_eq!(inode("000008").unwrap(), 8);
            assert_eq!(inode("000008/070008").unwrap(), 70_008);
            assert_eq!(inode("").unwrap(), 0);
            assert!(matches!(inode("000008/070008/x"), Err(EvidenceError::NotFound)));
            assert_eq!(inode("000009").unwrap(), 9);
        }
    }
}
