//! Rendered events in memory: a heap of bytes, and a table of keys that is sorted in its place.
//!
//! Each event is one frame: for each output in turn, 8 bytes of length (little endian) and so many
//! rendered bytes. A spilled run holds the same frames, so bytes are only ever copied whole.

use super::worker::Format;
use crate::{Event, Key};
use std::cmp::Ordering;

/// Bytes of the length in front of each output's part of a frame.
const LENGTH: usize = 8;

#[derive(Clone, Copy)]
struct Entry {
    key: Key,
    /// Where the frame begins in the bytes.
    start: usize,
}

/// Events of one worker, rendered for every output.
pub(super) struct Batch {
    outputs: usize,
    entries: Vec<Entry>,
    bytes: Vec<u8>,
    /// End of the last whole frame.
    whole: usize,
}

impl Batch {
    pub(super) fn new(outputs: usize) -> Batch {
        Batch { outputs, entries: Vec::new(), bytes: Vec::new(), whole: 0 }
    }

    /// Bytes of memory that its events take.
    pub(super) fn memory(&self) -> usize {
        self.entries.len().saturating_mul(size_of::<Entry>()).saturating_add(self.bytes.len())
    }

    /// Bytes of memory that it would keep if it were reused.
    pub(super) fn capacity(&self) -> usize {
        let entries = self.entries.capacity().saturating_mul(size_of::<Entry>());
        entries.saturating_add(self.bytes.capacity())
    }

    /// The same without memory to spare, for a batch that gets no more events.
    pub(super) fn fitted(mut self) -> Batch {
        self.entries.shrink_to_fit();
        self.bytes.shrink_to_fit();
        self
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.bytes.clear();
        self.whole = 0;
    }

    /// Renders one event for every output, and counts which could carry it.
    pub(super) fn push(&mut self, key: Key, event: &Event<'_>, formats: &mut [Format]) {
        // A renderer that panicked may have left a part of a frame.
        self.bytes.truncate(self.whole);
        let mut is_carried = false;
        for format in formats {
            let head = self.bytes.len();
            self.bytes.extend_from_slice(&[0; LENGTH]);
            is_carried |= format.render(event, &mut self.bytes);
            self.end_part(head);
        }
        if is_carried {
            self.entries.push(Entry { key, start: self.whole });
            self.whole = self.bytes.len();
        }
    }

    /// Writes the length of the part that began at `head` in front of it.
    fn end_part(&mut self, head: usize) {
        let length = self.bytes.len().saturating_sub(head).saturating_sub(LENGTH);
        let place = self.bytes.get_mut(head..).and_then(|part| part.first_chunk_mut());
        if let (Some(place), Ok(length)) = (place, u64::try_from(length)) {
            *place = length.to_le_bytes();
        }
    }

    /// Brings the events into the total order. Events with equal keys are ordered by their bytes,
    /// so that the order is total even where a parser gives one key twice.
    pub(super) fn sort(&mut self) {
        let Batch { outputs, entries, bytes, .. } = self;
        let order = |one: &Entry, other: &Entry| -> Ordering {
            one.key.cmp(&other.key).then_with(|| {
                frame(bytes, one.start, *outputs).cmp(frame(bytes, other.start, *outputs))
            })
        };
        if !entries.is_sorted_by(|one, other| order(one, other).is_le()) {
            // The stable sort finds the runs that almost sorted evidence consists of.
            entries.sort_by(order);
        }
    }

    /// Key and frame of the event at `index` in the present order.
    pub(super) fn get(&self, index: usize) -> Option<(&Key, &[u8])> {
        self.from(index).next()
    }

    /// Key of the event at `index` in the present order.
    pub(super) fn key(&self, index: usize) -> Option<&Key> {
        self.entries.get(index).map(|entry| &entry.key)
    }

    /// Keys and frames of the events from `index` on, in the present order.
    pub(super) fn from(&self, index: usize) -> impl Iterator<Item = (&Key, &[u8])> {
        let entries = self.entries.get(index..).unwrap_or_default();
        entries.iter().map(|entry| (&entry.key, frame(&self.bytes, entry.start, self.outputs)))
    }
}

/// The frame that begins at `start`.
pub(super) fn frame(bytes: &[u8], start: usize, outputs: usize) -> &[u8] {
    let from = bytes.get(start..).unwrap_or_default();
    let mut rest = from;
    for _ in 0..outputs {
        match split_part(rest) {
            Some((_, tail)) => rest = tail,
            None => return &[],
        }
    }
    from.get(..from.len().saturating_sub(rest.len())).unwrap_or_default()
}

/// The first output's part of a frame, and the rest of the frame.
pub(super) fn split_part(frame: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = frame.split_first_chunk::<LENGTH>()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
}
