//! One evidence argument, recognised by its content and opened into the trees that it holds.

mod assembly;
mod fstab;
mod image;
#[cfg(test)]
mod tests;
mod volumes;

pub use assembly::assemble;

use crate::decompress::{self, Compression, decompress};
use crate::disk::{Neighbours, NoNeighbours, TreeNeighbours};
use crate::files::{self, Argument};
use crate::read_at::read_up_to;
use crate::signature::{self, Form, recognise};
use crate::tar::TarTree;
use crate::zip::ZipTree;
use crate::{DirectoryTree, EvidenceError, ReadAt, Spool, Tree, TreePath};
use dockline_timeline::{Issue, Place};
use std::path::Path;
use std::sync::Arc;

/// How evidence is opened.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// Where decompressed content goes.
    pub spool: Spool,
    /// Whether the hashes that images store are checked, for which all of an image is read.
    pub verify: bool,
}

/// One evidence argument, opened.
pub struct Source {
    /// Its name, as it stands in places.
    pub name: Arc<str>,
    /// What it is, such as `directory`, `tar archive, zstd`, `raw disk`, `E01 image`.
    pub kind: String,
    /// The trees that it holds.
    pub trees: Vec<SourceTree>,
    /// What could not be read on the way to the trees.
    pub issues: Vec<Issue>,
    /// Parts of it that hold no evidence of containers and were not read.
    pub skipped: Vec<Skipped>,
    /// The file systems of a disk, also of those that were mounted into another.
    pub file_systems: Vec<FoundFileSystem>,
    /// `GPT` or `MBR`, for a disk with partitions.
    pub partition_table: Option<&'static str>,
    /// Partitions that are parts of LVM2 volume groups, such as `/p2`; empty where it is all of the
    /// disk.
    pub lvm_parts: Vec<String>,
    /// Names of the files beside it that it consists of, too, such as further segments.
    pub parts: Vec<Vec<u8>>,
    /// Hashes of the whole disk that its image stores.
    pub stored_hashes: Vec<StoredHash>,
    /// Parts of LVM2 volume groups that lie in it.
    pub(crate) physical_volumes: Vec<PhysicalVolume>,
    /// Trees of what mounts hide.
    beneath: Vec<SourceTree>,
    /// How many volumes were found inside others.
    inner_volumes: usize,
}

/// A part of LVM2 volume groups, and what it is called.
pub(crate) type PhysicalVolume = (String, Arc<dyn ReadAt>);

/// One tree of a source.
pub struct SourceTree {
    /// What stands before the paths of this tree, such as `/p4` for a partition; empty where the
    /// source is one tree.
    pub prefix: String,
    /// The tree.
    pub tree: Arc<dyn Tree>,
    /// By what a file system table may name it.
    pub(crate) identity: Identity,
}

/// A file system of a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFileSystem {
    /// Where on the disk, such as `/p2`; empty where it is all of it.
    pub prefix: String,
    /// `ext4`, `XFS`, `NTFS`.
    pub kind: &'static str,
    /// Its UUID.
    pub uuid: Option<String>,
    /// Its label.
    pub label: Option<String>,
    /// Where its host mounted it, as this evidence shows it: `web1.raw:/p2/var`.
    pub mounted_at: Option<String>,
}

/// By what `/etc/fstab` may name a file system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) uuid: Option<String>,
    pub(crate) label: Option<String>,
    pub(crate) part_uuid: Option<String>,
    pub(crate) part_label: Option<String>,
    /// `/dev/vg0/var`; for a partition its number, with which its device's name ends.
    pub(crate) device_names: Vec<String>,
}

/// A part of a source that was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Which part, such as `/p1`.
    pub prefix: String,
    /// What it is.
    pub why: String,
}

/// A hash of a whole disk that its image stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredHash {
    /// `MD5` or `SHA1`.
    pub algorithm: &'static str,
    /// In lower-case hexadecimal digits.
    pub digits: String,
    /// Whether the content has this hash; `None` where that was not asked, or not all of it can be
    /// read.
    pub is_right: Option<bool>,
}

/// Whether these are the bytes of a zip archive.
#[must_use]
pub fn is_zip(bytes: &dyn ReadAt) -> bool {
    matches!(recognise(bytes), Ok(Form::Zip))
}

/// Opens evidence that the user named: a directory, a tar or zip archive, or a disk in any image that
/// dockline reads; archives and raw disks also compressed with gzip or zstd. A link that the user
/// names is followed; a FIFO, socket or device is refused.
///
/// # Errors
/// When there is no such evidence, it cannot be read, or it is of a kind that dockline does not
/// read.
pub fn open(path: &Path, name: &str, opening: &Opening) -> Result<Source, EvidenceError> {
    let bytes = match files::argument(path)? {
        Argument::Directory => {
            return Ok(Source::of_tree(name, "directory", Arc::new(DirectoryTree::open(path)?)));
        }
        Argument::File(bytes) => bytes,
    };
    let neighbours = TreeNeighbours::of_file(path)?;
    Opener { name, opening, neighbours: &neighbours }.open(bytes)
}

/// Opens evidence that is at hand as bytes, without files beside it.
///
/// # Errors
/// As [`open`].
pub fn open_bytes(
    bytes: Arc<dyn ReadAt>,
    name: &str,
    opening: &Opening,
) -> Result<Source, EvidenceError> {
    Opener { name, opening, neighbours: &NoNeighbours }.open(bytes)
}

/// Opens evidence that lies as a file in a tree: a virtual disk on a disk.
///
/// # Errors
/// As [`open`].
pub fn open_nested(
    tree: &Arc<dyn Tree>,
    path: &TreePath,
    name: &str,
    opening: &Opening,
) -> Result<Source, EvidenceError> {
    let bytes = tree.open(path)?;
    let neighbours = TreeNeighbours::new(tree.clone(), path);
    Opener { name, opening, neighbours: &neighbours }.open(bytes)
}

/// Opens a tar archive that lies in other evidence, plain or compressed with gzip or zstd; `name` is
/// its name in the places of its issues.
///
/// # Errors
/// When it cannot be read, or is no such archive.
pub fn open_archive(
    bytes: Arc<dyn ReadAt>,
    name: &str,
    spool: &Spool,
) -> Result<(Arc<dyn Tree>, Vec<Issue>), EvidenceError> {
    let compression = match recognise(&bytes)? {
        Form::Gzip => Compression::Gzip,
        Form::Zstd => Compression::Zstd,
        _ => return open_plain_archive(bytes, name),
    };
    let content = decompress(&bytes, compression, spool)?;
    let size = content.bytes.len();
    let (tree, mut issues) = open_plain_archive(content.bytes, name)?;
    if let Some(error) = content.cut_by {
        let what = format!("compressed content cannot be read past {size} bytes: {error}");
        issues.insert(0, Issue::new(error.issue_kind(), Place::evidence(name), what));
    }
    Ok((tree, issues))
}

fn open_plain_archive(
    bytes: Arc<dyn ReadAt>,
    name: &str,
) -> Result<(Arc<dyn Tree>, Vec<Issue>), EvidenceError> {
    // An archive without members is two blocks of zeros.
    let (first, _) = read_up_to(&bytes, 1024)?;
    let is_empty = first.len() == 1024 && first.iter().all(|byte| *byte == 0);
    match recognise(&bytes)? {
        Form::Tar => {}
        _ if is_empty => {}
        _ => {
            return Err(EvidenceError::Unsupported("something else than a tar archive".to_owned()));
        }
    }
    let (tree, issues) = TarTree::open(bytes, name);
    Ok((Arc::new(tree), issues))
}

/// Whether these are the bytes of a disk, or an image of one.
#[must_use]
pub fn is_disk(bytes: &dyn ReadAt) -> bool {
    matches!(recognise(bytes), Ok(Form::Image(_) | Form::Raw(_)))
}

impl Source {
    fn empty(name: &str) -> Source {
        Source {
            name: Arc::from(name),
            kind: String::new(),
            trees: Vec::new(),
            issues: Vec::new(),
            skipped: Vec::new(),
            file_systems: Vec::new(),
            partition_table: None,
            lvm_parts: Vec::new(),
            parts: Vec::new(),
            stored_hashes: Vec::new(),
            physical_volumes: Vec::new(),
            beneath: Vec::new(),
            inner_volumes: 0,
        }
    }

    fn of_tree(name: &str, kind: &str, tree: Arc<dyn Tree>) -> Source {
        let tree = SourceTree { prefix: String::new(), tree, identity: Identity::default() };
        Source { kind: kind.to_owned(), trees: vec![tree], ..Source::empty(name) }
    }

    /// Tells what explains the issues that are known already.
    fn tell_first(&mut self, error: &EvidenceError, what: impl Into<String>) {
        let place = Place::evidence(&self.name);
        self.issues.insert(0, Issue::new(error.issue_kind(), place, what));
    }
}

/// What the opening of one evidence needs at every step.
struct Opener<'a> {
    name: &'a str,
    opening: &'a Opening,
    neighbours: &'a dyn Neighbours,
}

impl Opener<'_> {
    fn open(&self, bytes: Arc<dyn ReadAt>) -> Result<Source, EvidenceError> {
        match recognise(&bytes)? {
            Form::Tar => Ok(self.archive(bytes)),
            Form::Zip => self.zip(bytes),
            Form::Gzip => self.compressed(&bytes, Compression::Gzip),
            Form::Zstd => self.compressed(&bytes, Compression::Zstd),
            Form::Image(format) => self.image(format, bytes),
            Form::Raw(_) | Form::Unknown => self.raw(bytes),
            Form::Other(what) => Err(EvidenceError::Unsupported(what.to_owned())),
            Form::Empty => Err(EvidenceError::Unsupported("an empty file".to_owned())),
        }
    }

    fn archive(&self, bytes: Arc<dyn ReadAt>) -> Source {
        let (tree, issues) = TarTree::open(bytes, self.name);
        let mut source = Source::of_tree(self.name, "tar archive", Arc::new(tree));
        source.issues = issues;
        source
    }

    fn zip(&self, bytes: Arc<dyn ReadAt>) -> Result<Source, EvidenceError> {
        let (tree, issues) = ZipTree::open(bytes, self.name, &self.opening.spool)?;
        let source = Source::of_tree(self.name, "zip archive", Arc::new(tree));
        Ok(Source { issues, ..source })
    }

    fn compressed(
        &self,
        bytes: &Arc<dyn ReadAt>,
        compression: Compression,
    ) -> Result<Source, EvidenceError> {
        // A look at the head saves the decompression of a whole file that would then be refused.
        let head = decompress::head(bytes, compression, signature::HEAD)?;
        let refused = match recognise(&head)? {
            Form::Gzip | Form::Zstd => Some("another compressed file"),
            Form::Other(what) => Some(what),
            Form::Empty => Some("nothing"),
            Form::Tar | Form::Zip | Form::Image(_) | Form::Raw(_) | Form::Unknown => None,
        };
        if let Some(what) = refused {
            let what = format!("{what} in a {} file", compression.name());
            return Err(EvidenceError::Unsupported(what));
        }
        let content = decompress(bytes, compression, &self.opening.spool)?;
        let size = content.bytes.len();
        let inner = Opener { neighbours: &NoNeighbours, ..*self };
        let mut source = inner.open(content.bytes)?;
        source.kind = format!("{}, {}", source.kind, compression.name());
        if let Some(error) = content.cut_by {
            let what = format!("compressed content cannot be read past {size} bytes: {error}");
            source.tell_first(&error, what);
        }
        Ok(source)
    }
}
