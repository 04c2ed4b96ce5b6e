//! The tables of a disk image, read on demand: a table of 64 TB has gigabytes, of which a reader
//! needs a few pages at a time.

use crate::fields::{fill, read_exact};
use crate::{EvidenceError, ReadAt};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of a page.
const PAGE: u64 = 1 << 14;
/// Pages that are kept, each in the one slot that its number leads to: 1 MiB in all.
const SLOTS: u64 = 64;

/// A page, and its number.
type Slot = Option<(u64, Arc<Vec<u8>>)>;

/// Small reads of tables, out of pages that are kept.
pub(crate) struct Pages {
    bytes: Arc<dyn ReadAt>,
    slots: Vec<Mutex<Slot>>,
}

impl Pages {
    /// Nothing is read yet.
    pub(crate) fn new(bytes: Arc<dyn ReadAt>) -> Pages {
        Pages { bytes, slots: (0..SLOTS).map(|_| Mutex::new(None)).collect() }
    }

    /// The `N` bytes at `at`, which belong to a `what`.
    pub(crate) fn array<const N: usize>(
        &self,
        what: &'static str,
        at: u64,
    ) -> Result<[u8; N], EvidenceError> {
        let page = self.page(at / PAGE)?;
        let inside = usize::try_from(at % PAGE).unwrap_or(usize::MAX);
        if let Some(found) = page.get(inside..).and_then(|rest| rest.first_chunk()) {
            return Ok(*found);
        }
        // It lies across two pages, or past the end.
        let mut found = [0; N];
        fill(&self.bytes, what, at, &mut found)?;
        Ok(found)
    }

    /// The page of that number: shorter than others at the end of the bytes, empty past it.
    fn page(&self, number: u64) -> Result<Arc<Vec<u8>>, EvidenceError> {
        let slot = usize::try_from(number % SLOTS).ok().and_then(|index| self.slots.get(index));
        if let Some((kept, page)) = slot.and_then(|slot| lock(slot).clone())
            && kept == number
        {
            return Ok(page);
        }
        let start = number.saturating_mul(PAGE);
        let length = self.bytes.len().saturating_sub(start).min(PAGE);
        let length = usize::try_from(length).unwrap_or_default();
        let page = Arc::new(read_exact(&self.bytes, "page of a disk image", start, length)?);
        if let Some(slot) = slot {
            *lock(slot) = Some((number, page.clone()));
        }
        Ok(page)
    }
}

/// What a slot holds is whole even where a thread died holding it.
fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
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
