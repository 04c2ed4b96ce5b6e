//! BoltDB: the key-value file in which Docker, containerd, BuildKit, Swarm and Podman keep state.
//!
//! A file is an array of pages: two metas at the front, which take turns, then branches and leaves
//! of B+ trees. A tree is a bucket; a leaf holds values and further buckets, small ones inline. The
//! file is written by copying: a transaction writes changed pages to free places, then the meta that
//! points to the new root. Pages that were replaced keep their content until they are used again,
//! so a database holds old states of itself, which are read too ([`Database::fragments`]).
//! After bbolt 1.4 `internal/common/{page,meta,bucket,inode}.go`, `db.go`, `freelist`; the format
//! (version 2) is the same since boltdb 1.0.
//!
//! Read from bytes, whatever byte order and page size they were written with. What is wrong is a
//! [`Flaw`] and costs only what depends on it: each page belongs to one place of the tree, elements
//! of a page must not overlap, buckets are read [`DEPTH_LIMIT`] deep. Of free pages, only those
//! records are given whose bytes nothing has overwritten, and damage in them is no flaw.
//!
//! The tail of a page behind its last element is not searched: bbolt writes pages from cleared
//! buffers, and every tail in the evidence at hand is zeros. The rest of a record whose head was
//! overwritten is not given either: nothing tells where it begins.

mod fragments;
mod meta;
mod page;
mod walk;

use crate::ArtifactFile;
use dockline_timeline::{Findings, Issue, IssueKind, Position};
use walk::{Slot, Tree};

/// Larger databases are not read: the file is held in memory. Engines write a few megabytes.
pub const FILE_LIMIT: u64 = 1 << 30;
/// Buckets are read so many levels deep; containerd nests eight.
pub const DEPTH_LIMIT: usize = 64;
/// So many records are read of a database.
pub const RECORD_LIMIT: usize = 4_000_000;
/// Flaws of one database that are told one by one.
const FLAW_LIMIT: usize = 100;

/// Something wrong in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// In which way.
    pub kind: IssueKind,
    /// At which byte of the file.
    pub offset: u64,
    /// What, in words.
    pub what: String,
}

impl Flaw {
    /// Tells it as an issue with `file`.
    pub fn report(&self, file: &ArtifactFile, findings: &mut dyn Findings) {
        findings.issue(self.issue(file));
    }

    /// Tells it as an issue that cost the whole `file`, of so many bytes.
    pub fn report_lost(&self, file: &ArtifactFile, length: usize, findings: &mut dyn Findings) {
        findings.issue(self.issue(file).losing(1, page::as_u64(length)));
    }

    fn issue(&self, file: &ArtifactFile) -> Issue {
        file.issue(self.kind, Position::Offset(self.offset), self.what.clone())
    }
}

/// A database, read whole: its current state, and what is left of earlier ones.
#[derive(Debug)]
pub struct Database<'b> {
    tree: Tree<'b>,
    root: usize,
    fragments: Vec<fragments::Found<'b>>,
}

/// A bucket: keys in order, each with a value or a bucket below it.
#[derive(Clone, Copy, Debug)]
pub struct Bucket<'d, 'b> {
    tree: &'d Tree<'b>,
    index: usize,
}

/// What a key stands for.
#[derive(Clone, Copy, Debug)]
pub enum Content<'d, 'b> {
    /// A value.
    Value(&'b [u8]),
    /// A bucket; in a fragment empty where its pages are in use or not known.
    Bucket(Bucket<'d, 'b>),
}

/// One key of a bucket.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'d, 'b> {
    /// The key.
    pub key: &'b [u8],
    /// What it stands for.
    pub content: Content<'d, 'b>,
    /// Where the key lies in the file.
    pub offset: u64,
    /// In a fragment: whether the current state or a fragment before holds the same key with the
    /// same value, or a bucket with nothing but such, in a bucket of the same name. Where the name
    /// of a fragment's own bucket is not known, any bucket counts.
    pub repeated: bool,
}

/// A piece of an earlier state, in pages that the current one does not use.
#[derive(Clone, Copy, Debug)]
pub struct Fragment<'d, 'b> {
    /// The page at its top.
    pub page: u64,
    /// Whether this is the root of the transaction before the current one, with its whole tree as
    /// far as the current one does not share it. Any other fragment is a single leaf of a bucket
    /// whose name is not known; of the buckets in it only inline ones have content.
    pub is_earlier_root: bool,
    /// Names of buckets that other fragments say begin at this page. The page may have been used
    /// for another bucket since: a name counts only where the content confirms it.
    pub names: &'d [&'b [u8]],
    /// What it holds.
    pub bucket: Bucket<'d, 'b>,
}

impl<'b> Database<'b> {
    /// Reads a database from all bytes of its file.
    ///
    /// # Errors
    /// The flaw because of which this is no database.
    pub fn open(bytes: &'b [u8]) -> Result<Database<'b>, Flaw> {
        let metas = meta::find(bytes)?;
        let mut tree = Tree::new(metas.file, metas.flaws);
        let root = match &metas.current {
            Some(meta) => tree.read_current(meta),
            None => tree.add_empty(),
        };
        let fragments = fragments::find(&mut tree, metas.earlier.as_ref().map(|meta| meta.root));
        Ok(Database { tree, root, fragments })
    }

    /// The bucket that holds all others.
    #[must_use]
    pub fn root(&self) -> Bucket<'_, 'b> {
        Bucket { tree: &self.tree, index: self.root }
    }

    /// What is left of earlier states: the transaction before the current one first, then by page.
    pub fn fragments(&self) -> impl Iterator<Item = Fragment<'_, 'b>> {
        self.fragments.iter().map(|found| Fragment {
            page: found.page,
            is_earlier_root: found.is_earlier_root,
            names: &found.names,
            bucket: Bucket { tree: &self.tree, index: found.bucket },
        })
    }

    /// What is wrong with the current state.
    #[must_use]
    pub fn flaws(&self) -> &[Flaw] {
        self.tree.flaws()
    }
}

impl<'d, 'b> Bucket<'d, 'b> {
    /// Its keys, in their order.
    pub fn entries(self) -> impl Iterator<Item = Entry<'d, 'b>> {
        self.records().iter().map(move |record| self.entry(record))
    }

    /// The buckets in it, in the order of their names.
    pub fn buckets(self) -> impl Iterator<Item = (Entry<'d, 'b>, Bucket<'d, 'b>)> {
        self.entries().filter_map(|entry| match entry.content {
            Content::Bucket(bucket) => Some((entry, bucket)),
            Content::Value(_) => None,
        })
    }

    /// The entry of a key.
    #[must_use]
    pub fn find(self, key: &[u8]) -> Option<Entry<'d, 'b>> {
        let records = self.records();
        let at = records.binary_search_by(|record| record.key.cmp(key)).ok()?;
        records.get(at).map(|record| self.entry(record))
    }

    /// The value of a key.
    #[must_use]
    pub fn get(self, key: &str) -> Option<&'b [u8]> {
        match self.find(key.as_bytes())?.content {
            Content::Value(value) => Some(value),
            Content::Bucket(_) => None,
        }
    }

    /// The bucket of a name.
    #[must_use]
    pub fn bucket(self, name: &str) -> Option<Bucket<'d, 'b>> {
        match self.find(name.as_bytes())?.content {
            Content::Bucket(bucket) => Some(bucket),
            Content::Value(_) => None,
        }
    }

    /// The bucket at the end of a path of names.
    #[must_use]
    pub fn at(self, path: &[&str]) -> Option<Bucket<'d, 'b>> {
        path.iter().try_fold(self, |bucket, name| bucket.bucket(name))
    }

    /// Whether it has no keys.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.records().is_empty()
    }

    fn records(self) -> &'d [walk::Record<'b>] {
        self.tree.records(self.index)
    }

    fn entry(self, record: &walk::Record<'b>) -> Entry<'d, 'b> {
        let content = match record.slot {
            Slot::Value(value) => Content::Value(value),
            Slot::Bucket(index) => Content::Bucket(Bucket { tree: self.tree, index }),
        };
        let (offset, repeated) = (page::as_u64(record.offset), record.repeated);
        Entry { key: record.key, content, offset, repeated }
    }
}

#[cfg(test)]
mod tests;
