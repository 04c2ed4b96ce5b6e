//! The rollback journal of an SQLite database: pages as they were before the transaction in work.
//!
//! It is deleted, cut or overwritten with zeros when the transaction ends: one with a header that
//! counts pages was left by a crash, and puts the database back. After the header, which fills a
//! sector, come records: the number of a page, its content, and a checksum of every 200th of its
//! bytes. A large transaction writes several headers, each at the next sector.

use super::Flaw;

const MAGIC: &[u8] = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";
/// What stands for "until the end of the file", as a journal without syncs has it.
const UNCOUNTED: u32 = u32::MAX;
/// The largest sector and page of SQLite.
const LARGEST: usize = 65_536;
/// A checksum takes one of so many bytes.
const STRIDE: usize = 200;

/// A header: how many records follow it, and how they are read.
struct Header {
    records: u32,
    nonce: u32,
    pages_before: u32,
    sector: usize,
    page_size: usize,
}

/// Puts back the pages of a transaction that did not end; their number.
///
/// # Errors
/// When the journal has a header that no journal has.
pub(super) fn apply(database: &mut Vec<u8>, journal: &[u8]) -> Result<u64, Flaw> {
    let (mut at, mut put_back, mut size) = (0_usize, 0_u64, None);
    while let Some(header) = Header::read(journal.get(at..).unwrap_or_default())? {
        if size.is_none() {
            let pages = usize::try_from(header.pages_before).unwrap_or(usize::MAX);
            size = Some(pages.saturating_mul(header.page_size));
        }
        let records = journal.get(at.saturating_add(header.sector)..).unwrap_or_default();
        let (count, length) = header.put_back(records, database);
        put_back = put_back.saturating_add(count);
        let end = at.saturating_add(header.sector).saturating_add(length);
        at = end.checked_next_multiple_of(header.sector).unwrap_or(usize::MAX);
        if header.records == UNCOUNTED || count < u64::from(header.records) {
            break;
        }
    }
    if let Some(size) = size.filter(|size| *size < database.len() && *size > 0) {
        database.truncate(size);
    }
    Ok(put_back)
}

impl Header {
    /// The header at the beginning of `bytes`; `None` where there is none, as at the end.
    fn read(bytes: &[u8]) -> Result<Option<Header>, Flaw> {
        if !bytes.starts_with(MAGIC) || bytes.len() < 28 {
            return Ok(None);
        }
        let size = |at: usize| usize::try_from(number(bytes, at)).unwrap_or(usize::MAX);
        let (sector, page_size) = (size(20), size(24));
        let possible = |size: usize| size.is_power_of_two() && (32..=LARGEST).contains(&size);
        if !possible(sector) || !possible(page_size) {
            let what = format!("journal: sectors of {sector} and pages of {page_size} bytes");
            return Err(Flaw::malformed(what));
        }
        let (records, nonce) = (number(bytes, 8), number(bytes, 12));
        let pages_before = number(bytes, 16);
        Ok(Some(Header { records, nonce, pages_before, sector, page_size }))
    }

    /// Puts back the sound records; their number and their length in the journal.
    fn put_back(&self, records: &[u8], database: &mut [u8]) -> (u64, usize) {
        let length = self.page_size.saturating_add(8);
        let limit = usize::try_from(self.records).unwrap_or(usize::MAX);
        let mut count = 0_usize;
        for record in records.chunks_exact(length).take(limit) {
            let content = record.get(4..self.page_size.saturating_add(4)).unwrap_or_default();
            let stored = number(record, self.page_size.saturating_add(4));
            let page = number(record, 0);
            if page == 0 || self.checksum(content) != stored {
                break;
            }
            let at = usize::try_from(page.saturating_sub(1)).unwrap_or(usize::MAX);
            let at = at.saturating_mul(self.page_size);
            if let Some(page) = database.get_mut(at..at.saturating_add(self.page_size)) {
                page.copy_from_slice(content);
            }
            count = count.saturating_add(1);
        }
        (u64::try_from(count).unwrap_or(u64::MAX), count.saturating_mul(length))
    }

    /// The nonce and every 200th byte, counted from the end.
    fn checksum(&self, content: &[u8]) -> u32 {
        let mut sum = self.nonce;
        let mut at = content.len().saturating_sub(STRIDE);
        while at > 0 {
            sum = sum.wrapping_add(u32::from(content.get(at).copied().unwrap_or_default()));
            at = at.saturating_sub(STRIDE);
        }
        sum
    }
}

/// The big-endian number at `at`; 0 behind the end.
fn number(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..).and_then(|bytes| bytes.first_chunk::<4>());
    found.map_or(0, |bytes| u32::from_be_bytes(*bytes))
}
