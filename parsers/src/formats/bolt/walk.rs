//! Walks trees of pages into buckets. Nothing here calls itself: what is still to be read waits in a
//! list, and each page of the file is read once.

use super::meta::Meta;
use super::page::{Extent, File, HEADER, Header, LeafElement, PageKind, as_u64, malformed};
use super::{DEPTH_LIMIT, FLAW_LIMIT, Flaw, RECORD_LIMIT};
use dockline_timeline::IssueKind;
use std::collections::BTreeSet;

/// Bytes of a bucket's header: its root page, 0 when it follows inline, and its sequence.
const BUCKET_HEADER: usize = 16;

/// One key of a bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'b> {
    pub(super) key: &'b [u8],
    pub(super) slot: Slot<'b>,
    pub(super) offset: usize,
    pub(super) repeated: bool,
}

/// What the key stands for; a bucket by its place in the list of all.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slot<'b> {
    Value(&'b [u8]),
    Bucket(usize),
}

/// A bucket, those in it behind it in the list of all.
#[derive(Debug)]
pub(super) struct Stored<'b> {
    /// Its key in the bucket above, empty for the root; `None` at the top of a fragment.
    pub(super) name: Option<&'b [u8]>,
    pub(super) records: Vec<Record<'b>>,
    depth: usize,
}

/// Where the content of a bucket is.
#[derive(Clone, Copy)]
enum Source {
    Page(u64),
    Inline(Extent),
}

/// All buckets that were read.
#[derive(Debug)]
pub(super) struct Tree<'b> {
    file: File<'b>,
    buckets: Vec<Stored<'b>>,
    /// Pages that something was read from.
    used: BTreeSet<u64>,
    /// Pages from this number on do not count.
    page_limit: u64,
    /// Whether what is read is left of an earlier state.
    in_fragment: bool,
    follows_pages: bool,
    /// Pages that were not followed, with the names of their buckets.
    pointers: BTreeSet<(u64, &'b [u8])>,
    records: usize,
    flaws: Vec<Flaw>,
}

impl<'b> Tree<'b> {
    pub(super) fn new(file: File<'b>, flaws: Vec<Flaw>) -> Tree<'b> {
        Tree {
            file,
            buckets: Vec::new(),
            used: BTreeSet::from([0, 1]),
            page_limit: file.pages(),
            in_fragment: false,
            follows_pages: true,
            pointers: BTreeSet::new(),
            records: 0,
            flaws,
        }
    }

    pub(super) fn flaws(&self) -> &[Flaw] {
        &self.flaws
    }

    pub(super) fn records(&self, bucket: usize) -> &[Record<'b>] {
        self.buckets.get(bucket).map(|bucket| bucket.records.as_slice()).unwrap_or_default()
    }

    pub(super) fn buckets(&mut self) -> &mut [Stored<'b>] {
        &mut self.buckets
    }

    /// A root of which nothing can be read.
    pub(super) fn add_empty(&mut self) -> usize {
        self.add(Some(b""), 0)
    }

    /// Reads the current state.
    pub(super) fn read_current(&mut self, meta: &Meta) -> usize {
        let pages = self.file.pages();
        if meta.high_water > pages {
            let what =
                format!("{} pages are in use, the file has {pages}: cut off", meta.high_water);
            self.flaw(malformed(self.file.bytes.len(), what));
        }
        self.page_limit = meta.high_water.min(pages);
        let root = self.read(Some(b""), meta.root);
        if let Some(freelist) = meta.freelist {
            self.skip_freelist(freelist);
        }
        root
    }

    /// From now on what is read is left of earlier states.
    pub(super) fn begin_fragments(&mut self) {
        self.in_fragment = true;
        self.page_limit = self.file.pages();
    }

    /// Reads the root of the transaction before, and all below it that is no longer in use.
    pub(super) fn read_earlier(&mut self, root: u64) -> usize {
        self.read(Some(b""), root)
    }

    /// Reads a leaf by itself, with the buckets that are inline in it. A number of a page in it says
    /// nothing: that page was used again since, or will be.
    pub(super) fn read_loose_leaf(&mut self, page: u64) -> usize {
        self.follows_pages = false;
        self.read(None, page)
    }

    /// The leaves that nothing read so far uses.
    pub(super) fn loose_leaves(&self) -> Vec<u64> {
        let is_leaf = |page: &u64| {
            let intact = self.file.intact(*page);
            intact.is_some_and(|(_, header, kind)| kind == PageKind::Leaf && header.count > 0)
        };
        (0..self.file.pages()).filter(|page| self.is_free(*page)).filter(is_leaf).collect()
    }

    /// The names under which loose leaves point to a page, each once.
    pub(super) fn names_of(&self, page: u64) -> Vec<&'b [u8]> {
        let first = (page, &[][..]);
        let names = self.pointers.range(first..).take_while(|(to, _)| *to == page);
        names.map(|(_, name)| *name).collect()
    }

    pub(super) fn is_free(&self, page: u64) -> bool {
        !self.used.contains(&page)
    }

    fn mark(&mut self, page: u64, end: usize) {
        let past = as_u64(end.div_ceil(self.file.page_size.max(1)));
        self.used.extend(page..past.max(page.saturating_add(1)));
    }

    /// Damage in what is no longer in use is no flaw of the database.
    fn flaw(&mut self, flaw: Flaw) {
        if self.in_fragment {
            return;
        }
        match self.flaws.len() {
            count if count < FLAW_LIMIT => self.flaws.push(flaw),
            FLAW_LIMIT => {
                let what = format!("more than {FLAW_LIMIT} flaws, the rest is not told");
                self.flaws.push(Flaw { kind: IssueKind::LimitReached, what, ..flaw });
            }
            _ => (),
        }
    }

    fn add(&mut self, name: Option<&'b [u8]>, depth: usize) -> usize {
        self.buckets.push(Stored { name, records: Vec::new(), depth });
        self.buckets.len().saturating_sub(1)
    }

    fn read(&mut self, name: Option<&'b [u8]>, root: u64) -> usize {
        let top = self.add(name, 0);
        let mut waiting = vec![(top, Source::Page(root))];
        while let Some((bucket, source)) = waiting.pop() {
            match source {
                Source::Page(page) => self.read_pages(bucket, page, &mut waiting),
                Source::Inline(extent) => self.read_inline(bucket, extent, &mut waiting),
            }
            self.put_in_order(bucket);
        }
        top
    }

    fn read_pages(&mut self, bucket: usize, root: u64, waiting: &mut Vec<(usize, Source)>) {
        let mut pages = vec![root];
        while let Some(page) = pages.pop() {
            let Some((extent, header)) = self.claim(page) else { continue };
            if header.kind == Some(PageKind::Leaf) {
                let end = self.read_leaf(bucket, (extent, header.count), waiting);
                self.mark(page, end);
            } else {
                let (children, end) = self.children(extent, header);
                self.mark(page, end.min(extent.end));
                pages.extend(children.into_iter().rev());
            }
        }
    }

    /// The pages below a branch, and where its last key ends. Of a fragment only those that hold the keys which the branch says:
    /// others were used for something else since.
    fn children(&mut self, extent: Extent, header: Header) -> (Vec<u64>, usize) {
        let mut flaws = Vec::new();
        let file = self.file;
        let elements = file.branch(extent, header.count, &mut |flaw| flaws.push(flaw));
        flaws.into_iter().for_each(|flaw| self.flaw(flaw));
        let next = elements.iter().skip(1).map(|element| Some(element.key));
        let with_next = elements.iter().zip(next.chain([None]));
        let fits = |key: &[u8], next: Option<&[u8]>, child: u64| {
            let first = file.intact(child).and_then(|(start, header, kind)| {
                let extent = file.extent(start, u64::from(header.overflow).saturating_add(1));
                first_key(file, extent, kind)
            });
            first.is_some_and(|first| first >= key && next.is_none_or(|next| first < next))
        };
        let children = with_next
            .filter(|(element, next)| !self.in_fragment || fits(element.key, *next, element.child))
            .map(|(element, _)| element.child)
            .collect();
        let end = elements.iter().map(|element| element.end).max();
        (children, end.unwrap_or(extent.start))
    }

    /// Takes a page for the bucket that is being read; only the first that asks gets it.
    fn claim(&mut self, page: u64) -> Option<(Extent, Header)> {
        let Some(start) = self.file.start(page).filter(|_| page < self.page_limit) else {
            let what = format!("page {page} is pointed to, {} are in use", self.page_limit);
            self.flaw(malformed(self.file.bytes.len(), what));
            return None;
        };
        if !self.is_free(page) {
            self.flaw(malformed(start, format!("page {page} is pointed to twice")));
            return None;
        }
        let header = self.file.header(start).filter(|header| header.id == page);
        let header =
            header.filter(|found| matches!(found.kind, Some(PageKind::Branch | PageKind::Leaf)));
        let Some(header) = header else {
            let what = format!("page {page} should be a branch or a leaf, and is not");
            self.flaw(malformed(start, what));
            return None;
        };
        let extent = self.extent(page, header);
        self.mark(page, start);
        Some((extent, header))
    }

    /// The bytes of a page and of those that it goes on for, up to one that something else uses. In
    /// a fragment also one that is a page of its own was used again.
    fn extent(&self, page: u64, header: Header) -> Extent {
        let next = page.saturating_add(1);
        let last = page.saturating_add(u64::from(header.overflow)).min(self.file.pages());
        let used = self.used.range(next..).next().copied().unwrap_or(u64::MAX);
        let mut end = last.saturating_add(1).min(used);
        if self.in_fragment {
            end = (next..end).find(|next| self.file.intact(*next).is_some()).unwrap_or(end);
        }
        let start = self.file.start(page).unwrap_or_default();
        self.file.extent(start, end.saturating_sub(page))
    }

    /// Reads the elements of a leaf into a bucket; where the last one ends.
    fn read_leaf(
        &mut self,
        bucket: usize,
        (extent, count): (Extent, u16),
        waiting: &mut Vec<(usize, Source)>,
    ) -> usize {
        let mut flaws = Vec::new();
        let elements = self.file.leaf(extent, count, &mut |flaw| flaws.push(flaw));
        flaws.into_iter().for_each(|flaw| self.flaw(flaw));
        for element in &elements {
            if self.records >= RECORD_LIMIT {
                let what = format!("more than {RECORD_LIMIT} records, the rest is not read");
                let kind = IssueKind::LimitReached;
                self.flaw(Flaw { kind, ..malformed(element.offset, what) });
                break;
            }
            self.records = self.records.saturating_add(1);
            let slot = if element.is_bucket {
                self.open_bucket(bucket, element, waiting)
            } else {
                Slot::Value(element.value)
            };
            let record = Record { key: element.key, slot, offset: element.offset, repeated: false };
            if let Some(bucket) = self.buckets.get_mut(bucket) {
                bucket.records.push(record);
            }
        }
        let end_of = |last: &LeafElement<'_>| value_offset(last).saturating_add(last.value.len());
        elements.last().map_or(extent.start, end_of)
    }

    fn open_bucket(
        &mut self,
        parent: usize,
        element: &LeafElement<'b>,
        waiting: &mut Vec<(usize, Source)>,
    ) -> Slot<'b> {
        let depth = self.buckets.get(parent).map_or(0, |parent| parent.depth.saturating_add(1));
        let bucket = self.add(Some(element.key), depth);
        let start = value_offset(element);
        let root = self.file.u64(start).filter(|_| element.value.len() >= BUCKET_HEADER);
        match root {
            _ if depth > DEPTH_LIMIT => {
                let what = format!("buckets nested deeper than {DEPTH_LIMIT} levels");
                self.flaw(Flaw { kind: IssueKind::LimitReached, ..malformed(start, what) });
            }
            None => self.flaw(malformed(start, "the header of a bucket is cut off")),
            Some(0) => {
                let end = start.saturating_add(element.value.len());
                let start = start.saturating_add(BUCKET_HEADER);
                waiting.push((bucket, Source::Inline(Extent { start, end })));
            }
            Some(page) if self.follows_pages => waiting.push((bucket, Source::Page(page))),
            Some(page) => {
                self.pointers.insert((page, element.key));
            }
        }
        Slot::Bucket(bucket)
    }

    fn read_inline(&mut self, bucket: usize, extent: Extent, waiting: &mut Vec<(usize, Source)>) {
        let whole = extent.end.saturating_sub(extent.start) >= HEADER;
        let header = self.file.header(extent.start).filter(|_| whole);
        match header.filter(|header| header.kind == Some(PageKind::Leaf)) {
            Some(header) => {
                self.read_leaf(bucket, (extent, header.count), waiting);
            }
            None => self.flaw(malformed(extent.start, "an inline bucket is no leaf")),
        }
    }

    /// Keys ascend, each is there once; where that is not so they are put in order.
    fn put_in_order(&mut self, bucket: usize) {
        let Some(stored) = self.buckets.get_mut(bucket) else { return };
        let pairs = stored.records.iter().zip(stored.records.iter().skip(1));
        let wrong = pairs.filter(|(one, next)| one.key >= next.key).map(|(_, next)| next.offset);
        let Some(offset) = wrong.min() else { return };
        stored.records.sort_by(|one, other| one.key.cmp(other.key));
        self.flaw(malformed(offset, "the keys of a bucket are not in order"));
    }

    /// The list of free pages is not needed: whatever the tree does not use is free. Its own pages
    /// are not.
    fn skip_freelist(&mut self, page: u64) {
        match self.file.intact(page) {
            Some((start, header, PageKind::Freelist)) if self.is_free(page) => {
                // A count that does not fit its field stands before the list.
                let count = match header.count {
                    u16::MAX => self.file.u64(start.saturating_add(HEADER)).unwrap_or_default(),
                    count => u64::from(count),
                };
                let length = usize::try_from(count.saturating_mul(8)).unwrap_or(usize::MAX);
                let end = start.saturating_add(HEADER).saturating_add(length);
                self.mark(page, self.extent(page, header).end.min(end));
            }
            _ => {
                let at = self.file.start(page).unwrap_or(self.file.bytes.len());
                let what = format!("page {page} should be the list of free pages, and is not");
                self.flaw(malformed(at, what));
            }
        }
    }
}

fn value_offset(element: &LeafElement<'_>) -> usize {
    element.offset.saturating_add(element.key.len())
}

fn first_key(file: File<'_>, extent: Extent, kind: PageKind) -> Option<&[u8]> {
    match kind {
        PageKind::Branch => file.branch(extent, 1, &mut |_| ()).first().map(|first| first.key),
        PageKind::Leaf => file.leaf(extent, 1, &mut |_| ()).first().map(|first| first.key),
        _ => None,
    }
}
