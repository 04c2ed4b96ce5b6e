//! A logical volume: segments one after the other, each striped over areas of physical volumes. A
//! stripe's place is computed for each read: a list of all stripes of a large volume would be long.

use super::Physical;
use super::volume_group::VolumeGroup;
use crate::ReadAt;
use crate::file_system::Flaw;
use crate::read_at::{front, read_stretches, zeros};
use dockline_timeline::IssueKind;
use std::io;
use std::sync::Arc;

/// A logical volume, as its volume group describes it.
pub(super) struct LogicalVolume {
    pub(super) name: String,
    pub(super) is_visible: bool,
    /// Whether it holds only the changes of a snapshot.
    pub(super) is_snapshot: bool,
    /// In their order, without gaps.
    pub(super) segments: Vec<Segment>,
}

/// A segment; places are bytes of the logical volume.
pub(super) struct Segment {
    /// Its type, with what newer tools add to it.
    pub(super) kind: String,
    pub(super) start: u64,
    pub(super) length: u64,
    /// Bytes that go to one area before the next has its turn.
    pub(super) stripe: u64,
    pub(super) areas: Vec<Area>,
}

/// A run of extents of a physical volume, as the text names it.
pub(super) struct Area {
    pub(super) name: String,
    pub(super) extent: u64,
}

impl Segment {
    pub(super) fn is_striped(&self) -> bool {
        matches!(self.kind.as_str(), "striped" | "linear")
    }

    pub(super) fn end(&self) -> u64 {
        self.start.saturating_add(self.length)
    }
}

impl LogicalVolume {
    /// Its bytes, on the physical volumes that were found.
    pub(super) fn open(
        &self,
        group: &VolumeGroup,
        physical: &Physical,
    ) -> Result<Arc<dyn ReadAt>, Flaw> {
        if self.is_snapshot {
            return Err(self.unsupported(group, "snapshot"));
        }
        let mut segments = Vec::new();
        for segment in &self.segments {
            let mut areas = Vec::new();
            if segment.is_striped() {
                for area in &segment.areas {
                    areas.push(self.area(area, segment, (group, physical))?);
                }
            } else if segment.kind != "zero" {
                return Err(self.unsupported(group, &segment.kind));
            }
            let (start, stripe) = (segment.start, segment.stripe);
            segments.push(Mapped { start, end: segment.end(), stripe, areas });
        }
        let size = self.segments.last().map_or(0, Segment::end);
        Ok(Arc::new(Mapping { segments, size }))
    }
}

impl LogicalVolume {
    fn area(
        &self,
        area: &Area,
        segment: &Segment,
        (group, physical): (&VolumeGroup, &Physical),
    ) -> Result<(Arc<dyn ReadAt>, u64), Flaw> {
        let Some(extents) = group.physical.get(&area.name) else {
            return Err(self.unsupported(group, &format!("segment on {}", area.name)));
        };
        let Some(found) = physical.get(&extents.uuid) else {
            let what = format!("needs the physical volume {}, which is missing", extents.uuid);
            return Err(self.flaw(group, IssueKind::Unreadable, &what));
        };
        let all = extents.count.saturating_mul(group.extent);
        let at = area.extent.saturating_mul(group.extent);
        let areas = u64::try_from(segment.areas.len()).unwrap_or(u64::MAX);
        let length = segment.length.checked_div(areas).unwrap_or(0);
        if at.saturating_add(length) > all {
            let what = format!("a stripe begins at extent {} of {}", area.extent, extents.count);
            return Err(self.flaw(group, IssueKind::Malformed, &what));
        }
        Ok((found.bytes.clone(), extents.start.saturating_add(at)))
    }

    fn unsupported(&self, group: &VolumeGroup, kind: &str) -> Flaw {
        self.flaw(group, IssueKind::Unsupported, &format!("type {kind} is not supported"))
    }

    fn flaw(&self, group: &VolumeGroup, kind: IssueKind, what: &str) -> Flaw {
        Flaw { kind, what: format!("logical volume {}: {what}", group.full_name(&self.name)) }
    }
}

/// A segment on the bytes of its physical volumes; without areas, it reads as zeros.
struct Mapped {
    start: u64,
    end: u64,
    stripe: u64,
    /// Where each area begins.
    areas: Vec<(Arc<dyn ReadAt>, u64)>,
}

impl Mapped {
    /// The area of the stripe at byte `inside` of the segment, the byte there, and how many bytes
    /// the stripe goes on for.
    fn place(&self, inside: u64) -> Option<(&dyn ReadAt, u64, u64)> {
        let (stripe, within) = (inside.checked_div(self.stripe)?, inside.checked_rem(self.stripe)?);
        let areas = u64::try_from(self.areas.len()).ok()?;
        let (row, area) = (stripe.checked_div(areas)?, stripe.checked_rem(areas)?);
        let (bytes, start) = self.areas.get(usize::try_from(area).ok()?)?;
        let at = row.checked_mul(self.stripe)?.checked_add(within)?.checked_add(*start)?;
        Some((bytes, at, self.stripe.saturating_sub(within)))
    }

    /// Reads once, within one stripe.
    fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if self.areas.is_empty() {
            return Ok(zeros(buffer));
        }
        let place = self.place(offset.saturating_sub(self.start));
        let (bytes, at, length) = place.ok_or(io::ErrorKind::InvalidInput)?;
        let read = bytes.read_at(at, front(buffer, length))?;
        if read == 0 {
            let what = format!("the physical volume ends before byte {at}, where content lies");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
        }
        Ok(read)
    }
}

/// The bytes of a logical volume.
struct Mapping {
    segments: Vec<Mapped>,
    size: u64,
}

impl ReadAt for Mapping {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        read_stretches(offset, buffer, |at, buffer| {
            let segment = self.segments.partition_point(|segment| segment.end <= at);
            let Some(segment) = self.segments.get(segment) else { return Ok(0) };
            segment.read(at, front(buffer, segment.end.saturating_sub(at)))
        })
    }
}
