//! The two meta pages: which of them counts, and the page size and byte order of the file.
//!
//! Behind the page header stand magic and version (u32), the page size (u32), flags (u32), root page
//! and sequence of the root bucket (u64), the page of the freelist (u64), the number of pages in use
//! (u64), the transaction (u64), and FNV-1a of these 56 bytes (u64). A transaction writes the meta
//! whose number is the transaction's last bit; the other one still describes the one before.

use super::Flaw;
use super::page::{ByteOrder, File, HEADER, PageKind, malformed};
use dockline_timeline::IssueKind;

const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;
/// Bytes of a meta that its checksum covers.
const SUMMED: usize = 56;
/// Page sizes that are looked for: of the systems that Go runs on, and what callers of bbolt choose.
const PAGE_SIZES: [usize; 8] = [4096, 16384, 65536, 8192, 32768, 1024, 2048, 512];

/// What a meta page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) root: u64,
    /// `None` when the freelist is not kept in the file.
    pub(super) freelist: Option<u64>,
    /// Pages from this number on were never used.
    pub(super) high_water: u64,
    transaction: u64,
    page_size: usize,
    sum_is_right: bool,
}

/// What the metas say of the file.
pub(super) struct Metas<'b> {
    pub(super) file: File<'b>,
    /// Of the last transaction; `None` when no meta can be read.
    pub(super) current: Option<Meta>,
    /// Of the transaction before.
    pub(super) earlier: Option<Meta>,
    pub(super) flaws: Vec<Flaw>,
}

/// Reads both metas.
pub(super) fn find(bytes: &[u8]) -> Result<Metas<'_>, Flaw> {
    let found = [ByteOrder::Little, ByteOrder::Big]
        .into_iter()
        .find_map(|order| Some((order, page_size(bytes, order)?)));
    let mut flaws = Vec::new();
    let Some((order, page_size)) = found else {
        let Some(file) = guessed(bytes) else {
            return Err(malformed(0, "no BoltDB database: no meta page and no other page"));
        };
        flaws.push(malformed(0, "neither meta page can be read; only loose pages are"));
        return Ok(Metas { file, current: None, earlier: None, flaws });
    };
    let file = File { bytes, order, page_size };
    let mut metas: Vec<Meta> =
        [0, page_size].iter().filter_map(|at| read_aloud(file, *at, &mut flaws)).collect();
    metas.sort_by_key(|meta| std::cmp::Reverse((meta.sum_is_right, meta.transaction)));
    let readable = metas.iter().position(|meta| has_root(file, meta));
    if let (Some(meta), Some(1..)) = (metas.first(), readable) {
        let what = format!("the root page {} of the last transaction cannot be read", meta.root);
        flaws.push(malformed(file.start(meta.root).unwrap_or_default(), what));
    }
    let current = metas.get(readable.unwrap_or_default()).copied();
    let earlier = metas.get(1).copied().filter(|meta| readable == Some(0) && meta.sum_is_right);
    Ok(Metas { file, current, earlier, flaws })
}

/// The page size, as said by the first meta or by the second, which lies one page behind it. One
/// whose checksum is right goes before one whose is not.
fn page_size(bytes: &[u8], order: ByteOrder) -> Option<usize> {
    let places = || std::iter::once(0).chain(PAGE_SIZES);
    let meta = |at: usize| {
        let file = File { bytes, order, page_size: 1 };
        let meta = read(file, at).ok()?;
        (at == 0 || at == meta.page_size).then_some(meta)
    };
    let right = places().filter_map(meta).find(|meta| meta.sum_is_right);
    right.or_else(|| places().find_map(meta)).map(|meta| meta.page_size)
}

/// The page size and byte order with which there are pages where they say that they are.
fn guessed(bytes: &[u8]) -> Option<File<'_>> {
    let orders = [ByteOrder::Little, ByteOrder::Big];
    let files = orders.into_iter().flat_map(|order| {
        PAGE_SIZES.into_iter().map(move |page_size| File { bytes, order, page_size })
    });
    let fits = |file: &File<'_>| {
        let intact = (2..16).filter(|page| file.intact(*page).is_some());
        intact.count() >= 2
    };
    files.into_iter().find(fits)
}

fn read_aloud(file: File<'_>, at: usize, flaws: &mut Vec<Flaw>) -> Option<Meta> {
    match read(file, at) {
        Ok(meta) => {
            if !meta.sum_is_right {
                let what = "the checksum of a meta page is wrong: its last write did not end";
                flaws.push(malformed(at, what));
            }
            Some(meta)
        }
        Err(flaw) => {
            flaws.push(flaw);
            None
        }
    }
}

fn read(file: File<'_>, at: usize) -> Result<Meta, Flaw> {
    let short = || malformed(at, "a meta page is cut off");
    let at = at.saturating_add(HEADER);
    let narrow = |from: usize| file.u32(at.saturating_add(from)).ok_or_else(short);
    let wide = |from: usize| file.u64(at.saturating_add(from)).ok_or_else(short);
    if narrow(0)? != MAGIC {
        return Err(malformed(at, "a meta page without BoltDB's magic number"));
    }
    if narrow(4)? != VERSION {
        let what = format!("BoltDB of version {} is not supported", narrow(4)?);
        return Err(Flaw { kind: IssueKind::Unsupported, ..malformed(at, what) });
    }
    let page_size = narrow(8)?;
    let page_size = usize::try_from(page_size).ok().filter(|size| PAGE_SIZES.contains(size));
    let page_size =
        page_size.ok_or_else(|| malformed(at, "a meta page with an absurd page size"))?;
    let summed = file.bytes.get(at..at.saturating_add(SUMMED)).ok_or_else(short)?;
    Ok(Meta {
        root: wide(16)?,
        freelist: Some(wide(32)?).filter(|page| *page != u64::MAX),
        high_water: wide(40)?,
        transaction: wide(48)?,
        page_size,
        sum_is_right: wide(56)? == fnv1a(summed),
    })
}

fn has_root(file: File<'_>, meta: &Meta) -> bool {
    let page = file.intact(meta.root).filter(|_| meta.root < meta.high_water);
    matches!(page, Some((_, _, PageKind::Branch | PageKind::Leaf)))
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
