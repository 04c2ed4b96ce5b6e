//! The tables of a disk image, read on demand: a table of 64 TB has gigabytes, of which a reader
//! needs a few pages at a time.

use super::recent::RecentBlocks;
use crate::fields::{fill, read_exact};
use crate::{EvidenceError, ReadAt};
use std::sync::Arc;

/// Bytes of a page.
const PAGE: usize = 1 << 14;
/// Bytes of pages that are kept.
const KEPT: usize = 1 << 20;

/// Small reads of tables, out of pages that are kept.
pub(crate) struct Pages {
    bytes: Arc<dyn ReadAt>,
    recent: RecentBlocks,
}

impl Pages {
    /// Nothing is read yet.
    pub(crate) fn new(bytes: Arc<dyn ReadAt>) -> Pages {
        Pages { bytes, recent: RecentBlocks::new(PAGE, KEPT) }
    }

    /// The `N` bytes at `at`, which belong to a `what`.
    pub(crate) fn array<const N: usize>(
        &self,
        what: &'static str,
        at: u64,
    ) -> Result<[u8; N], EvidenceError> {
        let page_size = u64::try_from(PAGE).unwrap_or(u64::MAX);
        let number = at.checked_div(page_size).unwrap_or_default();
        let page = self.recent.block(number, || self.page(number.saturating_mul(page_size)))?;
        let inside = at.saturating_sub(number.saturating_mul(page_size));
        let inside = usize::try_from(inside).unwrap_or(usize::MAX);
        if let Some(found) = page.get(inside..).and_then(|rest| rest.first_chunk()) {
            return Ok(*found);
        }
        // It lies across two pages, or past the end.
        let mut found = [0; N];
        fill(&self.bytes, what, at, &mut found)?;
        Ok(found)
    }

    /// The page that begins there: shorter than others at the end of the bytes, empty past it.
    fn page(&self, start: u64) -> Result<Vec<u8>, EvidenceError> {
        let rest = self.bytes.len().saturating_sub(start);
        let length = usize::try_from(rest).unwrap_or(PAGE).min(PAGE);
        read_exact(&self.bytes, "page of a disk image", start, length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_reads_answer_as_the_bytes_do_also_across_pages_and_at_the_end() {
        let bytes: Vec<u8> = (0..100_003_u32).map(|at| at.to_le_bytes()[0] ^ 0x5a).collect();
        let pages = Pages::new(Arc::new(bytes.clone()));
        for at in [0, 1, 16_383, 16_384, 50_000, 16_383, 99_995, 1] {
            let found: [u8; 8] = pages.array("test", u64::try_from(at).unwrap()).unwrap();
            assert_eq!(found, bytes[at..at + 8]);
        }
        for at in [99_996, 100_003, 1 << 40, u64::MAX - 3, u64::MAX] {
            assert!(pages.array::<8>("test", at).is_err(), "{at}");
        }
    }
}
