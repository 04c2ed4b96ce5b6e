//! The write-ahead log of an SQLite database: pages of transactions that are not yet in it.
//!
//! A header of 32 bytes, then frames: a header of 24 bytes and a page. Numbers are big-endian; the
//! checksums run over all that came before, in the byte order that the magic says, and the salts are
//! those of the header. The first frame of which one is wrong, and all behind it, were written before
//! the log was last begun anew, or are torn: they do not count. Nor do frames behind the last that
//! ends a transaction.

use super::Flaw;
use std::collections::BTreeMap;

/// The magic; its last bit says that checksums are of big-endian words.
const MAGIC: u32 = 0x377f_0682;
const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The largest page that SQLite writes.
const LARGEST_PAGE: usize = 65_536;
const SMALLEST_PAGE: usize = 512;

/// The checksum of all that was read so far.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Checksum(u32, u32);

impl Checksum {
    /// Goes on over `bytes`, two words at a time.
    fn over(self, bytes: &[u8], big_endian: bool) -> Checksum {
        let word = |bytes: [u8; 4]| {
            if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
        };
        let mut sum = self;
        for [a, b, c, d, e, f, g, h] in bytes.as_chunks::<8>().0 {
            sum.0 = sum.0.wrapping_add(word([*a, *b, *c, *d])).wrapping_add(sum.1);
            sum.1 = sum.1.wrapping_add(word([*e, *f, *g, *h])).wrapping_add(sum.0);
        }
        sum
    }
}

/// A log and how it is read.
struct Log<'w> {
    bytes: &'w [u8],
    page_size: usize,
    big_endian: bool,
    salts: (u32, u32),
    checksum: Checksum,
}

/// Puts the committed pages of the log into the database; the number of transactions.
///
/// # Errors
/// When the log is none, or does not fit the database.
pub(super) fn apply(database: &mut Vec<u8>, wal: &[u8]) -> Result<u64, Flaw> {
    let log = Log::read(wal)?;
    let (pages, last, transactions) = log.committed();
    let Some(size_in_pages) = last else { return Ok(0) };
    let size = usize::try_from(size_in_pages).ok().and_then(|size| size.checked_mul(log.page_size));
    let limit = usize::try_from(super::FILE_LIMIT).unwrap_or(usize::MAX);
    let reachable = database.len().saturating_add(wal.len());
    let size = size.filter(|size| *size <= limit && *size <= reachable).ok_or_else(|| {
        let what = format!(
            "write-ahead log: a database of {size_in_pages} pages is larger than all files"
        );
        Flaw::malformed(what)
    })?;
    database.resize(size, 0);
    for (number, content) in pages {
        let at = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
        let at = at.saturating_mul(log.page_size);
        // A page behind the end was cut off by a later transaction.
        if let Some(page) = database.get_mut(at..at.saturating_add(log.page_size)) {
            page.copy_from_slice(content);
        }
    }
    Ok(transactions)
}

impl<'w> Log<'w> {
    fn read(bytes: &'w [u8]) -> Result<Log<'w>, Flaw> {
        let short = || Flaw::malformed("write-ahead log: shorter than its header");
        let (header, _) = bytes.split_first_chunk::<HEADER>().ok_or_else(short)?;
        let magic = number(header, 0);
        if magic & !1 != MAGIC {
            return Err(Flaw::malformed("write-ahead log: no magic"));
        }
        let big_endian = magic & 1 == 1;
        let page_size = usize::try_from(number(header, 8)).unwrap_or(usize::MAX);
        let possible = (SMALLEST_PAGE..=LARGEST_PAGE).contains(&page_size);
        if !possible || !page_size.is_power_of_two() {
            let what = format!("write-ahead log: a page size of {page_size} bytes");
            return Err(Flaw::malformed(what));
        }
        let checksum = Checksum::default().over(header.get(..24).unwrap_or_default(), big_endian);
        if checksum != Checksum(number(header, 24), number(header, 28)) {
            return Err(Flaw::malformed("write-ahead log: wrong checksum of its header"));
        }
        let salts = (number(header, 16), number(header, 20));
        Ok(Log { bytes, page_size, big_endian, salts, checksum })
    }

    /// The last content of each page that a transaction committed, the size of the database in
    /// pages after the last of them, and their number.
    fn committed(&self) -> (BTreeMap<u32, &'w [u8]>, Option<u32>, u64) {
        let (mut pages, mut open) = (BTreeMap::new(), Vec::new());
        let (mut size, mut transactions) = (None, 0_u64);
        let mut checksum = self.checksum;
        let frames = self.bytes.get(HEADER..).unwrap_or_default();
        for frame in frames.chunks_exact(FRAME_HEADER.saturating_add(self.page_size)) {
            let (header, content) = frame.split_at(FRAME_HEADER.min(frame.len()));
            checksum = checksum
                .over(header.get(..8).unwrap_or_default(), self.big_endian)
                .over(content, self.big_endian);
            let sound = (number(header, 8), number(header, 12)) == self.salts
                && checksum == Checksum(number(header, 16), number(header, 20))
                && number(header, 0) != 0;
            if !sound {
                break;
            }
            open.push((number(header, 0), content));
            if number(header, 4) != 0 {
                pages.extend(open.drain(..));
                size = Some(number(header, 4));
                transactions = transactions.saturating_add(1);
            }
        }
        (pages, size, transactions)
    }
}

/// The big-endian number at `at`; 0 behind the end.
fn number(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..).and_then(|bytes| bytes.first_chunk::<4>());
    found.map_or(0, |bytes| u32::from_be_bytes(*bytes))
}
