//! The file as it is once its log is replayed: sectors in memory over the file itself.

use crate::ReadAt;
use crate::read_at::{front, read_stretches, zeros};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// Bytes of a sector of the log.
pub(super) const SECTOR: usize = 4096;

/// What a log writes over its file.
#[derive(Default)]
pub(super) struct Overlay {
    /// By the offset at which they begin; none overlaps another.
    patches: BTreeMap<u64, Patch>,
    /// Bytes that the file has at least.
    size: u64,
}

struct Patch {
    end: u64,
    content: Content,
}

enum Content {
    Zeros,
    Sector(Vec<u8>),
}

impl Overlay {
    /// Makes the file at least that long.
    pub(super) fn extend_to(&mut self, size: u64) {
        self.size = self.size.max(size);
    }

    /// Writes a sector, aligned as all are.
    pub(super) fn write_sector(&mut self, start: u64, sector: Vec<u8>) {
        let end = start.saturating_add(ReadAt::len(&sector));
        self.write(start, Patch { end, content: Content::Sector(sector) });
    }

    /// Writes zeros.
    pub(super) fn write_zeros(&mut self, start: u64, length: u64) {
        self.write(start, Patch { end: start.saturating_add(length), content: Content::Zeros });
    }

    fn write(&mut self, start: u64, patch: Patch) {
        let end = patch.end;
        if start >= end {
            return;
        }
        // Only zeros can be longer than a sector, so only they are ever cut.
        if let Some((_, before)) = self.patches.range_mut(..start).next_back()
            && before.end > start
        {
            let rest = std::mem::replace(&mut before.end, start);
            self.patches.insert(start, Patch { end: rest, content: Content::Zeros });
        }
        let covered: Vec<u64> = self.patches.range(start..end).map(|(at, _)| *at).collect();
        for at in covered {
            if let Some(old) = self.patches.remove(&at).filter(|old| old.end > end) {
                self.patches.insert(end, Patch { end: old.end, content: Content::Zeros });
            }
        }
        self.patches.insert(start, patch);
        self.extend_to(end);
    }

    /// The patch at `at`, and where the next begins.
    fn at(&self, at: u64) -> (Option<(u64, &Patch)>, u64) {
        let covering = self.patches.range(..=at).next_back();
        let covering =
            covering.filter(|(_, patch)| at < patch.end).map(|(start, patch)| (*start, patch));
        let next = self.patches.range(at.saturating_add(1)..).next();
        (covering, next.map_or(u64::MAX, |(start, _)| *start))
    }
}

/// A file under what its log writes over it.
pub(super) struct Replayed {
    pub(super) file: Arc<dyn ReadAt>,
    pub(super) overlay: Overlay,
}

impl ReadAt for Replayed {
    fn len(&self) -> u64 {
        self.file.len().max(self.overlay.size)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        read_stretches(offset, buffer, |at, buffer| self.read_stretch(at, buffer))
    }
}

impl Replayed {
    fn read_stretch(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let (patch, next) = self.overlay.at(at);
        let end = patch.map_or(next, |(_, patch)| patch.end).min(self.len());
        let file_rest = self.file.len().saturating_sub(at);
        let is_in_file = patch.is_none() && file_rest > 0;
        let length = end.saturating_sub(at).min(if is_in_file { file_rest } else { u64::MAX });
        let buffer = front(buffer, length);
        match patch {
            Some((start, Patch { content: Content::Sector(sector), .. })) => {
                sector.read_at(at.saturating_sub(start), buffer)
            }
            None if is_in_file => self.file.read_at(at, buffer),
            // Zeros that the log wrote, or where it made the file longer.
            _ => Ok(zeros(buffer)),
        }
    }
}
