//! What the log changes, laid over the device.

use crate::fields::fill;
use crate::{EvidenceError, ReadAt};
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// Bytes that are kept together.
const SECTOR: usize = 512;
/// Sectors kept, 256 MiB: more than the metadata that a log of 2 GiB changes in practice.
const MAX_SECTORS: usize = 1 << 19;

/// A device, and the sectors that read differently.
pub(crate) struct Overlay {
    device: Arc<dyn ReadAt>,
    sectors: BTreeMap<u64, Box<[u8; SECTOR]>>,
}

impl Overlay {
    pub(super) fn over(device: Arc<dyn ReadAt>) -> Overlay {
        Overlay { device, sectors: BTreeMap::new() }
    }

    /// The device below.
    pub(super) fn device(&self) -> Arc<dyn ReadAt> {
        self.device.clone()
    }

    /// Whether the log changes any sector of a part of the device.
    pub(crate) fn changes(&self, place: &Range<u64>) -> bool {
        let sectors = place.start >> 9..place.end.div_ceil(512).max(place.start >> 9);
        self.sectors.range(sectors).next().is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sectors.is_empty()
    }

    /// Changes what stands at `offset`.
    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), EvidenceError> {
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let start = usize::try_from(at & 511).unwrap_or_default();
            let count = SECTOR.saturating_sub(start).min(rest.len());
            let (now, later) = rest.split_at_checked(count).unwrap_or_default();
            let sector = self.sector(at >> 9)?;
            if let Some(place) = sector.get_mut(start..start.saturating_add(count)) {
                place.copy_from_slice(now);
            }
            at = at.saturating_add(u64::try_from(count).unwrap_or_default());
            rest = later;
        }
        Ok(())
    }

    /// The sector of that number, from the device when it is first asked for.
    fn sector(&mut self, number: u64) -> Result<&mut [u8; SECTOR], EvidenceError> {
        if self.sectors.len() >= MAX_SECTORS && !self.sectors.contains_key(&number) {
            let limit = u64::try_from(MAX_SECTORS).unwrap_or(u64::MAX);
            return Err(EvidenceError::LimitReached {
                what: "sectors that the log changes",
                limit,
            });
        }
        match self.sectors.entry(number) {
            std::collections::btree_map::Entry::Occupied(known) => Ok(known.into_mut()),
            std::collections::btree_map::Entry::Vacant(new) => {
                let mut sector = Box::new([0; SECTOR]);
                let at = number.saturating_mul(512);
                fill(&self.device, "sector that the XFS log changes", at, sector.as_mut_slice())?;
                Ok(new.insert(sector))
            }
        }
    }
}

impl ReadAt for Overlay {
    fn len(&self) -> u64 {
        self.device.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.device.read_at(offset, buffer)?;
        let read = buffer.get_mut(..count).unwrap_or_default();
        let end = offset.saturating_add(u64::try_from(count).map_err(io::Error::other)?);
        for (number, sector) in self.sectors.range(offset >> 9..end.div_ceil(512)) {
            lay_over(read, offset, number.saturating_mul(512), sector.as_slice());
        }
        Ok(count)
    }
}

/// Copies what `buffer`, which was read from `offset`, shares with a sector that begins at `start`.
fn lay_over(buffer: &mut [u8], offset: u64, start: u64, sector: &[u8]) {
    let skipped = usize::try_from(offset.saturating_sub(start)).unwrap_or(usize::MAX);
    let place = usize::try_from(start.saturating_sub(offset)).unwrap_or(usize::MAX);
    let from = sector.get(skipped..).unwrap_or_default();
    for (to, from) in buffer.iter_mut().skip(place).zip(from) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_at::read_up_to;

    #[test]
    fn what_was_written_is_read_at_any_offset() {
        let mut expected: Vec<u8> = (0..4096).map(|at: u32| (at % 251).to_le_bytes()[0]).collect();
        let mut overlay = Overlay::over(Arc::new(expected.clone()));
        assert!(overlay.is_empty());
        for (at, length) in [(0, 1), (500, 600), (1030, 3), (2048, 512), (4000, 96)] {
            overlay.write(at as u64, &vec![0xee; length]).unwrap();
            expected[at..at + length].fill(0xee);
        }
        assert_eq!(read_up_to(&overlay, u64::MAX).unwrap().0, expected);
        for (at, length) in [(0, 5), (499, 3), (511, 2), (513, 1000), (1536, 512), (3999, 97)] {
            let mut buffer = vec![0; length];
            assert_eq!(overlay.read_at(at as u64, &mut buffer).unwrap(), length);
            assert_eq!(buffer, expected[at..at + length], "{at}");
        }
        assert!(overlay.changes(&(511..512)) && overlay.changes(&(1535..1537)));
        assert!(!overlay.changes(&(1536..2048)) && !overlay.changes(&(3072..3584)));
        assert_eq!(overlay.read_at(4096, &mut [0; 4]).unwrap(), 0);
        assert!(overlay.write(4090, &[1; 8]).is_err(), "the device ends before");
    }
}
