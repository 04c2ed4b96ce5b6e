//! Transaction logs of a hive: `.LOG1` and `.LOG2`, from Windows 8.1 on.
//!
//! A log is a copy of the hive's base block in 512 bytes, then entries `HvLE`, each of whole multiples
//! of 512 bytes: length, flags, a sequence number, the size of the bins, how many pages were changed,
//! two hashes (Marvin32 of what follows them, and of the 32 bytes before the second), the place and
//! length of each changed page, and the pages. The two logs take turns. An entry counts when both
//! hashes are right and its sequence number follows the one before; those from the second sequence
//! number of the hive's base block on are what the hive lacks. Windows also writes pages back to the
//! hive without counting in its base block, so the first entry at hand may have a much higher number.
//! The kind that Windows 8 and before write (`DIRT`) has no such hashes and is not read.

use super::{BASE_BLOCK, Flaw, u32_at, u64_at};
use dockline_timeline::IssueKind;
use std::collections::BTreeMap;

/// Where the first entry begins.
const FIRST: usize = 512;
/// Bytes of an entry before the places of its pages.
const HEADER: usize = 40;
/// Windows flushes logs long before they reach this.
const PAGE_LIMIT: usize = 1 << 20;
/// With what the hashes begin.
const SEED: u64 = 0x82EF_4D88_7A4E_55C5;

/// What logs say of a hive.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    /// Changed bytes by their offset in the hive's file.
    pub(super) pages: BTreeMap<u64, Vec<u8>>,
    /// How many entries were laid over.
    pub(super) entries: usize,
    pub(super) flaws: Vec<Flaw>,
}

/// One change of the hive.
struct Entry<'b> {
    sequence: u32,
    bytes: &'b [u8],
    pages: usize,
}

/// The changes of the logs from sequence number `from` on.
pub(super) fn replay(logs: &[Vec<u8>], from: u32) -> Replayed {
    let mut replayed = Replayed::default();
    let mut entries: BTreeMap<u32, Entry<'_>> = BTreeMap::new();
    for log in logs {
        if log.get(FIRST..).is_some_and(|rest| rest.starts_with(b"DIRT")) {
            let what = "a transaction log of Windows 8 or before beside the hive is not supported";
            let kind = IssueKind::Unsupported;
            replayed.flaws.push(Flaw { kind, offset: 0, what: what.to_owned() });
        }
        entries.extend(entries_of(log).map(|entry| (entry.sequence, entry)));
    }
    let mut wanted = None;
    for (sequence, entry) in entries.range(from..) {
        let follows = wanted.is_none_or(|wanted| wanted == *sequence);
        if !follows || entry.lay_over(&mut replayed.pages).is_none() {
            break;
        }
        replayed.entries = replayed.entries.saturating_add(1);
        wanted = sequence.checked_add(1);
    }
    replayed
}

/// The entries of a log, one behind the other, as long as they are whole.
fn entries_of(log: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    let mut at = FIRST;
    let mut last: Option<u32> = None;
    std::iter::from_fn(move || {
        let entry = Entry::read(log.get(at..)?)?;
        if last.is_some_and(|last| last.wrapping_add(1) != entry.sequence) {
            return None;
        }
        last = Some(entry.sequence);
        at = at.checked_add(entry.bytes.len())?;
        Some(entry)
    })
}

impl<'b> Entry<'b> {
    fn read(rest: &'b [u8]) -> Option<Entry<'b>> {
        if !rest.starts_with(b"HvLE") {
            return None;
        }
        let length = usize::try_from(u32_at(rest, 4)?).ok()?;
        let bytes =
            rest.get(..length).filter(|_| length >= HEADER && length.is_multiple_of(512))?;
        let is_sound = u64_at(bytes, 24)? == marvin32(bytes.get(HEADER..)?)
            && u64_at(bytes, 32)? == marvin32(bytes.get(..32)?);
        let pages = usize::try_from(u32_at(bytes, 20)?).ok()?;
        (is_sound && pages <= PAGE_LIMIT).then_some(Entry {
            sequence: u32_at(bytes, 12)?,
            bytes,
            pages,
        })
    }

    /// Lays its pages over the earlier ones.
    fn lay_over(&self, pages: &mut BTreeMap<u64, Vec<u8>>) -> Option<()> {
        let mut content = HEADER.checked_add(self.pages.checked_mul(8)?)?;
        for number in 0..self.pages {
            let at = HEADER.checked_add(number.checked_mul(8)?)?;
            let offset = u64::from(u32_at(self.bytes, at)?).checked_add(BASE_BLOCK)?;
            let length = usize::try_from(u32_at(self.bytes, at.checked_add(4)?)?).ok()?;
            let end = content.checked_add(length)?;
            put(pages, offset, self.bytes.get(content..end)?);
            content = end;
        }
        Some(())
    }
}

/// Pages are kept in pieces of this size, so that a later one replaces what it overlaps.
const PIECE: usize = 512;

fn put(pages: &mut BTreeMap<u64, Vec<u8>>, mut offset: u64, bytes: &[u8]) {
    for piece in bytes.chunks(PIECE) {
        pages.insert(offset, piece.to_vec());
        offset = offset.saturating_add(512);
    }
}

/// Where the last change ends.
pub(super) fn end(pages: &BTreeMap<u64, Vec<u8>>) -> u64 {
    let last = pages.last_key_value();
    last.map_or(0, |(at, bytes)| at.saturating_add(dockline_evidence::ReadAt::len(bytes)))
}

/// Lays the changes over bytes that were read at `offset`; returns up to which byte of the buffer
/// they reach.
pub(super) fn lay_over(pages: &BTreeMap<u64, Vec<u8>>, offset: u64, buffer: &mut [u8]) -> usize {
    let length = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
    let from = offset.saturating_sub(512);
    let mut reached = 0;
    for (at, bytes) in pages.range(from..offset.saturating_add(length)) {
        let skip = usize::try_from(offset.saturating_sub(*at)).unwrap_or(usize::MAX);
        let to = usize::try_from(at.saturating_sub(offset)).unwrap_or(usize::MAX);
        let (Some(from), Some(to_end)) = (bytes.get(skip..), buffer.get_mut(to..)) else {
            continue;
        };
        let count = from.len().min(to_end.len());
        for (to, from) in to_end.iter_mut().zip(from) {
            *to = *from;
        }
        reached = reached.max(to.saturating_add(count));
    }
    reached
}

/// The Marvin32 hash of bytes, as Windows seeds it for its logs.
pub(super) fn marvin32(bytes: &[u8]) -> u64 {
    let [a, b, c, d, e, f, g, h] = SEED.to_le_bytes();
    let mut state = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        state = mixed(state, u32::from_le_bytes(*word));
    }
    // The end is marked by a byte 0x80 behind the last ones.
    let mut last = [0_u8; 4];
    for (to, from) in last.iter_mut().zip(rest.iter().chain(&[0x80])) {
        *to = *from;
    }
    state = mixed(mixed(state, u32::from_le_bytes(last)), 0);
    u64::from(state.0) | u64::from(state.1) << 32
}

fn mixed((low, high): (u32, u32), word: u32) -> (u32, u32) {
    let low = low.wrapping_add(word);
    let high = high ^ low;
    let low = low.rotate_left(20).wrapping_add(high);
    let high = high.rotate_left(9) ^ low;
    let low = low.rotate_left(27).wrapping_add(high);
    (low, high.rotate_left(19))
}
