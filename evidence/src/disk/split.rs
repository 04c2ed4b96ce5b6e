//! Raw images in segments, as `split`, FTK Imager, `dcfldd` and others write them: `disk.001`,
//! `disk.002`, ...; `disk.000`, ...; `disk.raw.00`, ...; `disk.raw.aa`, `disk.raw.ab`, ...; `xaa`, ...
//!
//! The segments have no structure of their own, so it is their names, and that there are several of
//! them, that tell. All but the last are of one size. A segment that is missing, or is shorter than
//! that, leaves a gap that cannot be read: what follows it stays where it belongs. Not supported:
//! suffixes that grow longer on the way, but for numbers (`.999`, `.1000`).

mod segment_name;

use super::{Disk, Neighbours};
use crate::extents::{Extent, Pieces};
use crate::file_system::Flaw;
use crate::{EvidenceError, ReadAt};
use dockline_timeline::IssueKind;
use segment_name::SegmentName;
use std::sync::Arc;

/// Segments of one image.
const MAX_SEGMENTS: usize = 10_000;
/// Segments that can be missing in a row before the sequence is at its end.
const MAX_GAP: usize = 8;

/// What a file is that belongs to a split image.
pub(crate) enum Split {
    /// The first segment: here is the disk that all of them make. Its parts are the others.
    First(Disk),
    /// A later one, of the image that begins with the file of this name beside it.
    Later(Vec<u8>),
}

/// One segment of a sequence.
struct Segment {
    name: Vec<u8>,
    /// `None` where it is missing.
    bytes: Option<Arc<dyn ReadAt>>,
}

/// Joins the segments that begin with `first`, which is not a disk image of another format; `None`
/// where its name is not that of a segment, or no other segment lies beside it.
///
/// # Errors
/// When there are more segments than the limit, or one cannot be opened.
pub(crate) fn join(
    first: Arc<dyn ReadAt>,
    neighbours: &dyn Neighbours,
) -> Result<Option<Split>, EvidenceError> {
    let Some(name) = SegmentName::parse(neighbours.own_name()) else { return Ok(None) };
    for start in name.starts() {
        if start.as_bytes() == name.as_bytes() {
            break;
        }
        if exists(neighbours, &start)?.is_some() {
            return Ok(Some(Split::Later(start.as_bytes())));
        }
    }
    if !name.is_start() {
        return Ok(None);
    }
    let segments = segments(first, &name, neighbours)?;
    Ok((segments.len() > 1).then(|| Split::First(joined(segments))))
}

fn exists(
    neighbours: &dyn Neighbours,
    name: &SegmentName,
) -> Result<Option<Arc<dyn ReadAt>>, EvidenceError> {
    match neighbours.open(&name.as_bytes()) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(EvidenceError::NotFound | EvidenceError::WrongKind { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// All segments from the first to the last, with the missing ones between them.
fn segments(
    first: Arc<dyn ReadAt>,
    name: &SegmentName,
    neighbours: &dyn Neighbours,
) -> Result<Vec<Segment>, EvidenceError> {
    let mut segments = vec![Segment { name: name.as_bytes(), bytes: Some(first) }];
    let mut missing = Vec::new();
    let mut next = name.next();
    while let Some(name) = next.filter(|_| missing.len() < MAX_GAP) {
        let bytes = exists(neighbours, &name)?;
        let is_there = bytes.is_some();
        missing.push(Segment { name: name.as_bytes(), bytes });
        if is_there {
            segments.append(&mut missing);
        }
        if segments.len() > MAX_SEGMENTS {
            let limit = u64::try_from(MAX_SEGMENTS).unwrap_or(u64::MAX);
            return Err(EvidenceError::LimitReached { what: "segments of a split image", limit });
        }
        next = name.next();
    }
    Ok(segments)
}

fn joined(segments: Vec<Segment>) -> Disk {
    let size_of = |segment: &Segment| segment.bytes.as_ref().map_or(0, |bytes| bytes.len());
    let sizes: Vec<u64> = segments.iter().map(size_of).collect();
    let stride = stride(&sizes);
    let mut flaws = Vec::new();
    let (mut extents, mut end) = (Vec::new(), 0_u64);
    let last = segments.len().saturating_sub(1);
    for (index, segment) in segments.iter().enumerate() {
        let there = size_of(segment);
        let length = stride.filter(|_| index < last).unwrap_or(there);
        flaws.extend(flaw(segment, there, length));
        extents.push(Extent { start: end, length, source: index, offset: 0 });
        end = end.saturating_add(length);
    }
    if stride.is_none() {
        let what = String::from("the segments of the split image are of different sizes");
        flaws.push(Flaw { kind: IssueKind::Malformed, what });
    }
    let is_there = |segment: &&Segment| segment.bytes.is_some();
    let parts = segments.iter().skip(1).filter(is_there).map(|segment| segment.name.clone());
    let parts = parts.collect();
    let sources = segments.into_iter().map(|segment| segment.bytes.unwrap_or_else(nothing));
    let bytes = Arc::new(Pieces::new(sources.collect(), extents, end));
    Disk { bytes, flaws, stored_hashes: Vec::new(), parts }
}

/// The size that all segments have but the last, and those of which something is missing; `None`
/// where most of them have no size in common.
fn stride(sizes: &[u64]) -> Option<u64> {
    let (last, all_but_last) = sizes.split_last()?;
    let largest = all_but_last.iter().copied().max()?;
    let there = all_but_last.iter().filter(|size| **size > 0).count();
    let of_that_size = all_but_last.iter().filter(|size| **size == largest).count();
    (*last <= largest && of_that_size.saturating_mul(2) > there).then_some(largest)
}

fn flaw(segment: &Segment, there: u64, length: u64) -> Option<Flaw> {
    let name = String::from_utf8_lossy(&segment.name);
    let what = match segment.bytes {
        None => format!("segment {name} is missing: {length} bytes cannot be read"),
        Some(_) if there < length => {
            format!(
                "segment {name} has {there} bytes, not {length} as others: the rest cannot be read"
            )
        }
        Some(_) => return None,
    };
    Some(Flaw { kind: IssueKind::Unreadable, what })
}

fn nothing() -> Arc<dyn ReadAt> {
    Arc::new(Vec::new())
}

#[cfg(test)]
mod tests;
