//! Reads many sorted runs as one.
//!
//! The run with the smallest key stands outside the heap: as long as it stays the smallest, the
//! next event costs one comparison, and when it does not, one exchange with the top of the heap.

use super::batch::Batch;
use super::runs::Run;
use super::spill::{SpillReader, Unpacker};
use crate::{Key, Rank};
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::io;

/// A run and the event at which its reading stands.
struct Cursor {
    key: Key,
    source: Box<Source>,
}

enum Source {
    Held { batch: Batch, index: usize },
    Spilled(SpillReader),
}

/// Reads many sorted runs as one, in the total order.
pub(super) struct Merger {
    /// The smallest of all.
    first: Option<Cursor>,
    others: BinaryHeap<Cursor>,
    unpacker: Unpacker,
    /// Batches that have been read to their end.
    emptied: Vec<Batch>,
}

impl Merger {
    pub(super) fn new(runs: impl IntoIterator<Item = Run>) -> io::Result<Merger> {
        let unpacker = Unpacker::new()?;
        let others = BinaryHeap::new();
        let mut merger = Merger { first: None, others, unpacker, emptied: Vec::new() };
        runs.into_iter().try_for_each(|run| merger.add(run))?;
        Ok(merger)
    }

    /// Reads one more run; none of its events may stand before what was already given out.
    pub(super) fn add(&mut self, run: Run) -> io::Result<()> {
        let mut source = match run {
            Run::Held(batch) => Source::Held { batch, index: 0 },
            Run::Spilled(spill) => Source::Spilled(SpillReader::new(spill)),
        };
        let key = match &mut source {
            Source::Held { batch, .. } => batch.get(0).map(|(key, _)| *key),
            Source::Spilled(reader) => reader.next(&mut self.unpacker)?,
        };
        let Some(key) = key else { return Ok(()) };
        self.others.extend(self.first.take());
        self.others.push(Cursor { key, source: Box::new(source) });
        self.first = self.others.pop();
        Ok(())
    }

    /// The first event that has not been given out, if it stands before `bound`.
    pub(super) fn first_below(&self, bound: Option<&Key>) -> Option<(&Key, &[u8])> {
        let first = self.first.as_ref()?;
        let is_below = bound.is_none_or(|bound| first.key < *bound);
        is_below.then(|| (&first.key, first.frame()))
    }

    /// The next events before `bound` that stand behind each other in one run, at most `most`;
    /// empty when none does.
    pub(super) fn stretch(&self, bound: Option<&Key>, most: usize) -> Vec<(Rank, &[u8])> {
        let Some((key, frame)) = self.first_below(bound) else { return Vec::new() };
        let ranked = |(key, frame): (&Key, _)| (key.rank, frame);
        let Some(Source::Held { batch, index }) = self.first.as_ref().map(|first| &*first.source)
        else {
            return vec![(key.rank, frame)];
        };
        let other = self.others.peek().map(|other| &other.key);
        let end = [bound, other].into_iter().flatten().min();
        let is_next = |key: &Key| end.is_none_or(|end| key < end);
        // Mostly it is all of them: then the last tells.
        let farthest = batch.key(index.saturating_add(most).min(batch.len()).saturating_sub(1));
        if farthest.is_some_and(is_next) {
            return batch.from(*index).take(most).map(ranked).collect();
        }
        let following = batch.from(index.saturating_add(1)).take_while(|(key, _)| is_next(key));
        std::iter::once((key, frame)).chain(following).take(most).map(ranked).collect()
    }

    /// Goes past the events of a [`Merger::stretch`].
    pub(super) fn skip(&mut self, count: usize) -> io::Result<()> {
        let Some(first) = &mut self.first else { return Ok(()) };
        if let Source::Held { index, .. } = &mut *first.source {
            *index = index.saturating_add(count.saturating_sub(1));
        }
        self.next()
    }

    /// Goes to the next event.
    pub(super) fn next(&mut self) -> io::Result<()> {
        let Some(first) = &mut self.first else { return Ok(()) };
        if !first.next(&mut self.unpacker)? {
            let ended = std::mem::replace(&mut self.first, self.others.pop());
            self.emptied.extend(ended.and_then(Cursor::into_batch));
            return Ok(());
        }
        if let Some(mut top) = self.others.peek_mut()
            && *top > *first
        {
            std::mem::swap(&mut *top, first);
        }
        Ok(())
    }

    /// Batches that have been read to their end, for reuse.
    pub(super) fn emptied(&mut self) -> impl Iterator<Item = Batch> {
        self.emptied.drain(..)
    }
}

impl Cursor {
    fn frame(&self) -> &[u8] {
        match &*self.source {
            Source::Held { batch, index } => batch.get(*index).map_or(&[], |(_, frame)| frame),
            Source::Spilled(reader) => reader.frame(),
        }
    }

    /// Goes to the next event; `false` at the end.
    fn next(&mut self, unpacker: &mut Unpacker) -> io::Result<bool> {
        let key = match &mut *self.source {
            Source::Held { batch, index } => {
                *index = index.saturating_add(1);
                batch.get(*index).map(|(key, _)| *key)
            }
            Source::Spilled(reader) => reader.next(unpacker)?,
        };
        self.key = key.unwrap_or(self.key);
        Ok(key.is_some())
    }

    fn into_batch(self) -> Option<Batch> {
        match *self.source {
            Source::Held { batch, .. } => Some(batch),
            Source::Spilled(_) => None,
        }
    }
}

/// The greatest of a heap is the first in the total order.
impl Ord for Cursor {
    fn cmp(&self, other: &Cursor) -> Ordering {
        other.key.cmp(&self.key).then_with(|| other.frame().cmp(self.frame()))
    }
}

impl PartialOrd for Cursor {
    fn partial_cmp(&self, other: &Cursor) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Cursor {
    fn eq(&self, other: &Cursor) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Cursor {}
