//! Pages and their elements, as bytes of the file.
//!
//! A page begins with its own number (u64), flags (u16), the count of its elements (u16) and how
//! many pages it goes on for (u32, "overflow"). Elements of 16 bytes follow: in a leaf flags, position
//! of the key from the element's own start, and the sizes of key and value, which lie one behind the
//! other; in a branch position and size of a key, and the number of the page below.

use super::Flaw;
use dockline_timeline::IssueKind;

/// Bytes of a page's header, and of each element.
pub(super) const HEADER: usize = 16;
const ELEMENT: usize = 16;
/// Flag of an element whose value is a bucket.
const BUCKET: u32 = 1;

/// In which order the machine that wrote the file keeps the bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

/// All bytes of a database, and how to find pages and numbers in them.
#[derive(Clone, Copy, Debug)]
pub(super) struct File<'b> {
    pub(super) bytes: &'b [u8],
    pub(super) order: ByteOrder,
    pub(super) page_size: usize,
}

/// What a page is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageKind {
    Branch,
    Leaf,
    Meta,
    Freelist,
}

/// The header of a page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) id: u64,
    /// `None` for flags that are none or several of the known ones.
    pub(super) kind: Option<PageKind>,
    pub(super) count: u16,
    pub(super) overflow: u32,
}

/// An element of a leaf.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeafElement<'b> {
    pub(super) key: &'b [u8],
    pub(super) value: &'b [u8],
    pub(super) is_bucket: bool,
    /// Where the key lies in the file; the value follows it.
    pub(super) offset: usize,
}

/// An element of a branch.
#[derive(Clone, Copy, Debug)]
pub(super) struct BranchElement<'b> {
    /// The first key below it; empty when it lies outside of the page.
    pub(super) key: &'b [u8],
    /// Where the key ends.
    pub(super) end: usize,
    pub(super) child: u64,
}

/// Which bytes of the file belong to a page with its overflow, or to an inline one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Makes a reader of one kind of number, at an offset in the file.
macro_rules! number {
    ($name:ident, $type:ty) => {
        pub(super) fn $name(&self, at: usize) -> Option<$type> {
            let bytes = self.bytes.get(at..)?.first_chunk().copied()?;
            Some(match self.order {
                ByteOrder::Little => <$type>::from_le_bytes(bytes),
                ByteOrder::Big => <$type>::from_be_bytes(bytes),
            })
        }
    };
}

impl<'b> File<'b> {
    number!(u16, u16);
    number!(u32, u32);
    number!(u64, u64);

    /// Number of pages that the file has room for; the last may be cut off.
    pub(super) fn pages(&self) -> u64 {
        as_u64(self.bytes.len().div_ceil(self.page_size.max(1)))
    }

    /// Where a page starts; `None` when that is past the end of the file.
    pub(super) fn start(&self, page: u64) -> Option<usize> {
        let start = usize::try_from(page).ok()?.checked_mul(self.page_size)?;
        (start < self.bytes.len()).then_some(start)
    }

    /// The bytes of `count` pages from the one that starts at `start`, as far as the file goes.
    pub(super) fn extent(&self, start: usize, count: u64) -> Extent {
        let length = usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(self.page_size);
        Extent { start, end: start.saturating_add(length).min(self.bytes.len()) }
    }

    pub(super) fn header(&self, at: usize) -> Option<Header> {
        let flags = self.u16(at.checked_add(8)?)?;
        let kind = match flags {
            0x01 => Some(PageKind::Branch),
            0x02 => Some(PageKind::Leaf),
            0x04 => Some(PageKind::Meta),
            0x10 => Some(PageKind::Freelist),
            _ => None,
        };
        let (count, overflow) = (self.u16(at.checked_add(10)?)?, self.u32(at.checked_add(12)?)?);
        Some(Header { id: self.u64(at)?, kind, count, overflow })
    }

    /// The header of a page that says that it is this page, of a known kind.
    pub(super) fn intact(&self, page: u64) -> Option<(usize, Header, PageKind)> {
        let start = self.start(page)?;
        let header = self.header(start).filter(|header| header.id == page)?;
        Some((start, header, header.kind?))
    }

    /// The elements of a leaf that lie whole in its extent, and what is wrong with the others.
    pub(super) fn leaf(
        &self,
        extent: Extent,
        count: u16,
        flaws: &mut dyn FnMut(Flaw),
    ) -> Vec<LeafElement<'b>> {
        let mut elements = Vec::new();
        let mut free_from = extent.start.saturating_add(HEADER).saturating_add(size_of(count));
        for (number, at) in element_offsets(extent.start).take(usize::from(count)).enumerate() {
            let Some((flags, offset, key, value)) = self.leaf_fields(at, extent) else {
                flaws(malformed(extent.start, too_many(count, number)));
                break;
            };
            let (middle, end) =
                (offset.saturating_add(key), offset.saturating_add(key.saturating_add(value)));
            let bytes = self.bytes.get(offset..middle).zip(self.bytes.get(middle..end));
            let Some((key, value)) = bytes.filter(|_| offset >= free_from && end <= extent.end)
            else {
                flaws(malformed(
                    at,
                    format!(
                        "element {number} reaches from byte {offset} to {end}, outside of its page or into another element"
                    ),
                ));
                continue;
            };
            free_from = end;
            elements.push(LeafElement { key, value, is_bucket: flags & BUCKET != 0, offset });
        }
        elements
    }

    /// Flags, offset of the key, sizes of key and value.
    fn leaf_fields(&self, at: usize, extent: Extent) -> Option<(u32, usize, usize, usize)> {
        if at.checked_add(ELEMENT)? > extent.end {
            return None;
        }
        let number = |from: usize| usize::try_from(self.u32(at.checked_add(from)?)?).ok();
        let offset = at.saturating_add(number(4)?);
        Some((self.u32(at)?, offset, number(8)?, number(12)?))
    }

    /// The elements of a branch that lie in its extent, and what is wrong with the others.
    pub(super) fn branch(
        &self,
        extent: Extent,
        count: u16,
        flaws: &mut dyn FnMut(Flaw),
    ) -> Vec<BranchElement<'b>> {
        let mut elements = Vec::new();
        for (number, at) in element_offsets(extent.start).take(usize::from(count)).enumerate() {
            let element =
                (at.saturating_add(ELEMENT) <= extent.end).then(|| self.branch_fields(at));
            let Some(element) = element.flatten() else {
                flaws(malformed(extent.start, too_many(count, number)));
                break;
            };
            elements.push(element);
        }
        elements
    }

    fn branch_fields(&self, at: usize) -> Option<BranchElement<'b>> {
        let number = |from: usize| usize::try_from(self.u32(at.checked_add(from)?)?).ok();
        let start = at.checked_add(number(0)?)?;
        let end = start.checked_add(number(4)?)?;
        let key = self.bytes.get(start..end).unwrap_or_default();
        Some(BranchElement { key, end, child: self.u64(at.checked_add(8)?)? })
    }
}

fn element_offsets(page: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(page.checked_add(HEADER), |at| at.checked_add(ELEMENT))
}

fn size_of(count: u16) -> usize {
    usize::from(count).saturating_mul(ELEMENT)
}

fn too_many(count: u16, fit: usize) -> String {
    format!("the page says that it has {count} elements, {fit} fit")
}

pub(super) fn malformed(offset: usize, what: impl Into<String>) -> Flaw {
    Flaw { kind: IssueKind::Malformed, offset: as_u64(offset), what: what.into() }
}

pub(super) fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
