//! What is left of deleted rows: JSON texts in places of the file that no row uses.
//!
//! A row that is deleted or replaced keeps its bytes until its place is used again, but for the first
//! four (a freeblock's own). Such places are, in a leaf of a table, the gap before its cells and its
//! freeblocks, and whole pages on the list of free pages. A text that is longer than fits into a page
//! goes on in overflow pages: each begins with the number of the next, and the last four bytes of the
//! first part are the number of the first. The number of a page begins with a zero byte, which no JSON
//! text has: so the part of a text ends at the first of these.
//!
//! A text counts only when it is whole and is JSON. The first page that is freed becomes the list of
//! those after it and loses its beginning, so that a long text which was deleted first cannot be put
//! together again. Frames of a write-ahead log that were superseded are not searched. After
//! <https://sqlite.org/fileformat2.html>, sections 1.5 and 1.6.

use serde_json::Value;
use std::collections::BTreeSet;

/// Bytes before a text that are given with it: the columns before it in its row.
const BEFORE: usize = 256;
/// So many texts are tried, and given.
const TRIED_LIMIT: usize = 20_000;
/// Bytes of all texts that are tried.
const BYTE_LIMIT: usize = 256 * 1024 * 1024;
/// Longest text that is put together.
const TEXT_LIMIT: usize = 4 * 1024 * 1024;
/// Free pages that are looked at.
const PAGE_LIMIT: usize = 262_144;
/// First byte of the header of a leaf of a table.
const TABLE_LEAF: u8 = 0x0d;
/// Where the file's own header ends.
const FILE_HEADER: usize = 100;

/// A JSON text that no row holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remain {
    /// The text.
    pub json: Vec<u8>,
    /// What stands before it.
    pub before: Vec<u8>,
    /// Where it begins in the file.
    pub offset: u64,
    /// Page in which it begins, from 1.
    pub page: u64,
    /// Whether the page is one that nothing uses; else it is a free place between rows.
    pub free_page: bool,
}

/// The texts that are left in a database, in the order of the file.
pub(super) fn texts(bytes: &[u8]) -> Vec<Remain> {
    let Some(file) = Pages::of(bytes) else { return Vec::new() };
    let mut search = Search { tried: 0, bytes: 0, found: Vec::new() };
    for number in 1..=file.count {
        let free = file.free.contains(&number);
        let regions = match (free, file.page(number)) {
            (true, Some(page)) => vec![(0, page.len())],
            (false, Some(page)) => unused(page, number == 1).unwrap_or_default(),
            (_, None) => Vec::new(),
        };
        for (start, end) in regions {
            search.region(&file, (number, free), (start, end));
        }
    }
    search.found
}

/// The pages of a file.
struct Pages<'b> {
    bytes: &'b [u8],
    size: usize,
    /// Bytes at the end of each page that are of extensions.
    reserved: usize,
    count: u32,
    free: BTreeSet<u32>,
}

impl<'b> Pages<'b> {
    fn of(bytes: &'b [u8]) -> Option<Pages<'b>> {
        let size = match u16::from_be_bytes(*bytes.get(16..)?.first_chunk()?) {
            1 => 65_536,
            size => usize::from(size),
        };
        if size < 512 {
            return None;
        }
        let reserved = usize::from(*bytes.get(20)?);
        let count = u32::try_from(bytes.len().checked_div(size)?).ok()?;
        let mut pages = Pages { bytes, size, reserved, count, free: BTreeSet::new() };
        pages.free = pages.list_free(number_at(bytes, 32)?);
        Some(pages)
    }

    /// The pages on the list of free ones: trunks, each with the numbers of others.
    fn list_free(&self, first: u32) -> BTreeSet<u32> {
        let (mut free, mut trunk) = (BTreeSet::new(), first);
        while let Some(page) = self.page(trunk).filter(|_| free.len() < PAGE_LIMIT) {
            if !free.insert(trunk) {
                break;
            }
            let count = number_at(page, 4).and_then(|count| usize::try_from(count).ok());
            let most = page.len().saturating_sub(8).checked_div(4).unwrap_or(0);
            let numbers = page.get(8..).unwrap_or_default().chunks_exact(4);
            let numbers = numbers.take(count.unwrap_or(0).min(most));
            free.extend(numbers.filter_map(|number| number_at(number, 0)));
            trunk = number_at(page, 0).unwrap_or(0);
        }
        free
    }

    /// A page without what is reserved; numbers begin at 1.
    fn page(&self, number: u32) -> Option<&'b [u8]> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        let start = index.checked_mul(self.size)?;
        let end = start.checked_add(self.size)?.checked_sub(self.reserved)?;
        self.bytes.get(start..end)
    }
}

fn number_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|four| u32::from_be_bytes(*four))
}

fn short_at(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..)?.first_chunk().map(|two| usize::from(u16::from_be_bytes(*two)))
}

/// The places of a leaf of a table that no cell uses: from, to.
fn unused(page: &[u8], is_first: bool) -> Option<Vec<(usize, usize)>> {
    let header = if is_first { FILE_HEADER } else { 0 };
    if *page.get(header)? != TABLE_LEAF {
        return None;
    }
    let at = |offset: usize| short_at(page, header.checked_add(offset)?);
    let cells = at(3)?;
    let pointers = header.checked_add(8)?;
    let gap = pointers.checked_add(cells.checked_mul(2)?)?;
    let content = match at(5)? {
        0 => page.len(),
        content => content,
    };
    let mut regions = vec![(gap, content)];
    let mut block = at(1)?;
    // Freeblocks are in the order of the page: one that does not come after the last is damage.
    let mut last = 0_usize;
    while block > last {
        let Some(end) = short_at(page, block.checked_add(2)?).and_then(|it| block.checked_add(it))
        else {
            break;
        };
        regions.push((block.checked_add(4)?, end));
        last = block;
        block = short_at(page, block)?;
    }
    Some(regions)
}

/// Texts that are tried and found.
struct Search {
    tried: usize,
    bytes: usize,
    found: Vec<Remain>,
}

impl Search {
    fn region(
        &mut self,
        file: &Pages<'_>,
        (number, free_page): (u32, bool),
        (start, end): (usize, usize),
    ) {
        let Some(page) = file.page(number) else { return };
        let Some(region) = page.get(start..end.min(page.len())) else { return };
        let mut at = 0_usize;
        while let Some(next) = region.get(at..).and_then(|rest| memchr::memmem::find(rest, b"{\""))
        {
            let begin = at.saturating_add(next);
            at = begin.saturating_add(1);
            let previous = begin.checked_sub(1).and_then(|index| region.get(index));
            // What stands in another object is no text of a row.
            let inner = previous.is_some_and(|byte| b":,[ \n".contains(byte));
            if inner || self.tried >= TRIED_LIMIT || self.bytes >= BYTE_LIMIT {
                continue;
            }
            let rest = region.get(begin..).unwrap_or_default();
            let text = assemble(file, rest);
            self.tried = self.tried.saturating_add(1);
            self.bytes = self.bytes.saturating_add(text.len());
            let Some(json) = whole(text) else { continue };
            at = begin.saturating_add(json.len().min(rest.len()));
            let before = region.get(begin.saturating_sub(BEFORE)..begin).unwrap_or_default();
            let in_file = usize::try_from(number).unwrap_or(0).saturating_sub(1);
            let offset = in_file.saturating_mul(file.size).saturating_add(start);
            self.found.push(Remain {
                json,
                before: before.to_vec(),
                offset: u64::try_from(offset.saturating_add(begin)).unwrap_or(u64::MAX),
                page: u64::from(number),
                free_page,
            });
        }
    }
}

/// A text with its continuation in free pages.
fn assemble(file: &Pages<'_>, local: &[u8]) -> Vec<u8> {
    let Some(end) = memchr::memchr(0, local) else { return local.to_vec() };
    let (head, tail) = local.split_at(end);
    let mut text = head.to_vec();
    let mut next = number_at(tail, 0).unwrap_or(0);
    let mut seen = BTreeSet::new();
    while file.free.contains(&next) && text.len() < TEXT_LIMIT && seen.insert(next) {
        let Some((number, content)) = file.page(next).and_then(|page| page.split_first_chunk())
        else {
            break;
        };
        let end = memchr::memchr(0, content);
        text.extend_from_slice(content.get(..end.unwrap_or(content.len())).unwrap_or_default());
        if end.is_some() {
            break;
        }
        next = u32::from_be_bytes(*number);
    }
    text
}

/// The JSON object that a text begins with, if it is whole.
fn whole(mut text: Vec<u8>) -> Option<Vec<u8>> {
    let mut values = serde_json::Deserializer::from_slice(&text).into_iter::<Value>();
    let value = values.next()?.ok()?;
    let end = values.byte_offset();
    if !value.is_object() {
        return None;
    }
    text.truncate(end);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database of pages of 512 bytes: the first is a leaf without cells.
    fn database(pages: &[(usize, &[u8])], trunk: u32) -> Vec<u8> {
        let mut bytes = vec![0; 512 * 6];
        bytes[16..18].copy_from_slice(&512_u16.to_be_bytes());
        bytes[32..36].copy_from_slice(&trunk.to_be_bytes());
        for (at, content) in pages {
            bytes[*at..at + content.len()].copy_from_slice(content);
        }
        bytes
    }

    fn found(bytes: &[u8]) -> Vec<(String, u64, bool)> {
        let text = |it: Remain| (String::from_utf8(it.json).unwrap(), it.page, it.free_page);
        texts(bytes).into_iter().map(text).collect()
    }

    #[test]
    fn gaps_freeblocks_and_free_pages_hold_texts_and_rows_do_not_count() {
        // Page 2: one cell at 400, a freeblock at 440 of 40 bytes, a gap before.
        let leaf = [TABLE_LEAF, 1, 184, 0, 1, 1, 144, 0, 1, 144];
        let block = [&[0, 0, 0, 40][..], b"id{\"b\":{\"c\":1}}"].concat();
        let bytes = database(
            &[
                (512, &leaf),
                (512 + 200, b"{\"gap\":1}"),
                (512 + 400, b"{\"row\":1}"),
                (512 + 440, &block),
                (1024, &[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4]),
                (1536 + 50, b"x{\"free\":[{\"y\":2}]}"),
            ],
            3,
        );
        let expected = [
            ("{\"gap\":1}".to_owned(), 2, false),
            ("{\"b\":{\"c\":1}}".to_owned(), 2, false),
            ("{\"free\":[{\"y\":2}]}".to_owned(), 4, true),
        ];
        assert_eq!(found(&bytes), expected);
    }

    #[test]
    fn a_long_text_goes_on_in_free_pages_and_no_others() {
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(700));
        let (local, rest) = long.as_bytes().split_at(100);
        let (one, two) = rest.split_at(508);
        let parts = [
            (512, &[TABLE_LEAF, 0, 0, 0, 0, 0, 0, 0][..]),
            (512 + 60, local),
            (512 + 160, &[0, 0, 0, 5]),
            (2048, &[0, 0, 0, 6]),
            (2052, one),
            (2564, two),
        ];
        let listed = [&parts[..], &[(1024, &[0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 6])]];
        assert_eq!(found(&database(&listed.concat(), 3)), [(long.clone(), 2, false)]);
        assert_eq!(found(&database(&parts, 0)), []);
    }

    #[test]
    fn cycles_and_absurd_numbers_end() {
        let trunk = [0, 0, 0, 3, 255, 255, 255, 255, 0, 0, 0, 4];
        let bytes = database(&[(1024, &trunk), (1536, b"\0\0\0\x04{\"a\":\0\0\0\x04")], 3);
        assert_eq!(found(&bytes), []);
        assert_eq!(found(b""), []);
        assert_eq!(found(&[0; 100]), []);
    }
}
