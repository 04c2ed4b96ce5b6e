//! Content that lies in pieces: extents of a file, segments of a logical volume, parts of a split
//! image, each at some offset of some bytes, with holes between them that read as zeros.

use crate::ReadAt;
use crate::read_at::{front, read_stretches, zeros};
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// One piece, as long as the distance to the next.
#[derive(Clone, Debug)]
pub(crate) struct Extent {
    /// Offset in the content at which it begins.
    pub(crate) start: u64,
    /// Its length in bytes.
    pub(crate) length: u64,
    /// Which of the sources it lies in.
    pub(crate) source: usize,
    /// Offset there.
    pub(crate) offset: u64,
}

impl Extent {
    fn end(&self) -> u64 {
        self.start.saturating_add(self.length)
    }
}

/// The source of extents of which nothing is known but that there was content: see
/// [`Pieces::partly_lost`].
pub(crate) const LOST: usize = 1;

/// Content in pieces. What no extent covers is zeros; where two overlap, the earlier one ends where
/// the later begins.
pub(crate) struct Pieces {
    sources: Vec<Arc<dyn ReadAt>>,
    extents: Vec<Extent>,
    size: u64,
}

impl Pieces {
    /// `size` bytes of content; the extents may come in any order.
    pub(crate) fn new(
        sources: Vec<Arc<dyn ReadAt>>,
        mut extents: Vec<Extent>,
        size: u64,
    ) -> Pieces {
        extents.retain(|extent| extent.length > 0);
        extents.sort_by_key(|extent| extent.start);
        Pieces { sources, extents, size }
    }

    /// Content that lies in one source.
    pub(crate) fn of(source: Arc<dyn ReadAt>, extents: Vec<Extent>, size: u64) -> Pieces {
        Pieces::new(vec![source], extents, size)
    }

    /// Content of which only the extents of source 0 are known; those of [`LOST`] are errors, not
    /// zeros.
    pub(crate) fn partly_lost(source: Arc<dyn ReadAt>, extents: Vec<Extent>, size: u64) -> Pieces {
        Pieces::new(vec![source, Arc::new(Lost)], extents, size)
    }

    /// Where `length` bytes of the content from `offset` lie in their sources; holes nowhere.
    pub(crate) fn places(&self, offset: u64, length: u64) -> Vec<Range<u64>> {
        let end = offset.saturating_add(length).min(self.size);
        let mut found = Vec::new();
        let mut at = offset;
        while at < end {
            let (extent, count) = self.at(at);
            let count = count.min(end.saturating_sub(at)).max(1);
            if let Some(extent) = extent {
                let start = extent.offset.saturating_add(at.saturating_sub(extent.start));
                found.push(start..start.saturating_add(count));
            }
            at = at.saturating_add(count);
        }
        found
    }

    /// What stands at `offset`: the extent, if one covers it, and the bytes that it or the hole
    /// goes on for.
    fn at(&self, offset: u64) -> (Option<&Extent>, u64) {
        let after = self.extents.partition_point(|extent| extent.start <= offset);
        let next = self.extents.get(after).map_or(self.size, |next| next.start.min(self.size));
        let covering = after
            .checked_sub(1)
            .and_then(|before| self.extents.get(before))
            .filter(|extent| offset < extent.end());
        let end = covering.map_or(next, |extent| extent.end().min(next));
        (covering, end.saturating_sub(offset))
    }
}

impl ReadAt for Pieces {
    fn len(&self) -> u64 {
        self.size
    }

    /// A piece that lies past the end of its source is an error, not zeros: it was content once.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        read_stretches(offset, buffer, |at, buffer| {
            if at >= self.size {
                return Ok(0);
            }
            let (extent, length) = self.at(at);
            let buffer = front(buffer, length);
            match extent {
                None => Ok(zeros(buffer)),
                Some(extent) => self.read_piece(extent, at, buffer),
            }
        })
    }
}

impl Pieces {
    fn read_piece(&self, extent: &Extent, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let inside = at.saturating_sub(extent.start);
        let offset = extent.offset.saturating_add(inside);
        let source = self.sources.get(extent.source);
        let read = source.map_or(Ok(0), |source| source.read_at(offset, buffer))?;
        if read == 0 {
            let what = format!("the evidence ends before byte {offset}, where content lies");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
        }
        Ok(read)
    }
}

/// Stands for content that is somewhere, but where is not known.
struct Lost;

impl ReadAt for Lost {
    fn len(&self) -> u64 {
        u64::MAX
    }

    fn read_at(&self, _: u64, _: &mut [u8]) -> io::Result<usize> {
        let what = "the map of the blocks of this file is damaged here";
        Err(io::Error::new(io::ErrorKind::InvalidData, what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_at::read_up_to;

    fn extent(start: u64, length: u64, offset: u64) -> Extent {
        Extent { start, length, source: 0, offset }
    }

    fn source() -> Arc<dyn ReadAt> {
        Arc::new((0..100_u8).collect::<Vec<u8>>())
    }

    #[test]
    fn pieces_and_holes_are_read_in_their_order() {
        let pieces = Pieces::of(source(), vec![extent(6, 2, 40), extent(1, 3, 10)], 10);
        let (content, more) = read_up_to(&pieces, u64::MAX).unwrap();
        assert_eq!((content, more), (vec![0, 10, 11, 12, 0, 0, 40, 41, 0, 0], false));
        let mut buffer = [9; 4];
        assert_eq!(pieces.read_at(7, &mut buffer).unwrap(), 3);
        assert_eq!(buffer, [41, 0, 0, 9]);
        assert_eq!(pieces.read_at(10, &mut buffer).unwrap(), 0);
    }

    #[test]
    fn a_later_piece_cuts_an_earlier_one_that_overlaps_it() {
        let pieces = Pieces::of(source(), vec![extent(0, 8, 10), extent(4, 2, 50)], 8);
        let (content, _) = read_up_to(&pieces, u64::MAX).unwrap();
        assert_eq!(content, [10, 11, 12, 13, 50, 51, 0, 0]);
    }

    #[test]
    fn what_is_lost_is_an_error_and_what_lies_around_it_is_read() {
        let lost = Extent { source: LOST, ..extent(2, 3, 0) };
        let pieces = Pieces::partly_lost(source(), vec![extent(0, 2, 10), lost], 8);
        let mut buffer = [9; 8];
        assert_eq!(pieces.read_at(0, &mut buffer).unwrap(), 2);
        assert!(pieces.read_at(2, &mut buffer).is_err());
        assert_eq!(pieces.read_at(5, &mut buffer).unwrap(), 3);
        assert_eq!(buffer[..3], [0; 3]);
    }

    #[test]
    fn pieces_tell_where_they_lie() {
        let pieces = Pieces::of(source(), vec![extent(1, 3, 10), extent(6, 2, 40)], 10);
        assert_eq!(pieces.places(2, 5), [11..13, 40..41]);
        assert_eq!(pieces.places(8, 99), []);
    }

    #[test]
    fn a_piece_past_the_end_of_its_source_is_an_error() {
        let pieces = Pieces::of(source(), vec![extent(0, 4, 98), extent(6, 2, u64::MAX)], 8);
        let mut buffer = [9; 8];
        assert_eq!(pieces.read_at(0, &mut buffer).unwrap(), 2);
        assert!(pieces.read_at(2, &mut buffer).is_err());
        assert_eq!(pieces.read_at(4, &mut buffer).unwrap(), 2);
        assert!(pieces.read_at(6, &mut buffer).is_err());
    }
}
