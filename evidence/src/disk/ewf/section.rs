//! Sections: what a segment is a chain of. Each begins with a descriptor of 76 bytes: what it is,
//! where the next begins, and how long it is.

use super::adler32::adler32;
use crate::fields::{Fields, read_exact};
use crate::{EvidenceError, ReadAt};

/// Size of a descriptor.
pub(super) const DESCRIPTOR: u64 = 76;
const WHAT: &str = "EWF section";
const KINDS: &[&str] = &[
    "header", "header2", "xheader", "volume", "disk", "data", "sectors", "table", "table2", "next",
    "done", "hash", "xhash", "digest", "error2", "session",
];

/// A section, as its descriptor tells.
pub(super) struct Section {
    /// What it is; `None` where that is none of the kinds that are known.
    pub(super) kind: Option<&'static str>,
    /// Where it begins in its segment.
    pub(super) at: u64,
    /// Where the next begins; the last one points to itself.
    next: u64,
    /// With the descriptor; not every program fills it in.
    size: u64,
    /// Whether the checksum of the descriptor is right.
    pub(super) is_intact: bool,
}

impl Section {
    /// The section at that offset.
    pub(super) fn read(segment: &dyn ReadAt, at: u64) -> Result<Section, EvidenceError> {
        let descriptor = read_exact(segment, WHAT, at, 76)?;
        let descriptor = Fields::new(WHAT, at, &descriptor);
        let kind = descriptor.bytes(0, 16)?.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(Section {
            kind: KINDS.iter().copied().find(|known| known.as_bytes() == kind),
            at,
            next: descriptor.le64(16)?,
            size: descriptor.le64(24)?,
            is_intact: adler32(descriptor.bytes(0, 72)?) == descriptor.le32(72)?,
        })
    }

    /// Where its data begins.
    pub(super) fn data_at(&self) -> u64 {
        self.at.saturating_add(DESCRIPTOR)
    }

    /// Bytes of data up to the next section.
    pub(super) fn data_length(&self) -> u64 {
        let end = if self.next > self.at { self.next } else { self.at.saturating_add(self.size) };
        end.saturating_sub(self.data_at())
    }

    /// Whether no section follows in this segment: so it says, or it is a damaged descriptor where
    /// the segment ends.
    pub(super) fn is_last(&self, segment: &dyn ReadAt) -> bool {
        match self.kind {
            Some(kind) => matches!(kind, "next" | "done"),
            None => !self.is_intact && self.data_at() >= segment.len(),
        }
    }

    /// The section that follows. Where the descriptor of this one is damaged, the next must stand
    /// where either of its two fields says, and be intact.
    pub(super) fn following(&self, segment: &dyn ReadAt) -> Result<Section, EvidenceError> {
        if self.is_intact && self.next >= self.data_at() {
            return Section::read(segment, self.next);
        }
        // Sections only ever lead forward: a chain that did not would have no end.
        let places = [self.next, self.at.saturating_add(self.size)];
        let ahead = places.into_iter().filter(|place| *place >= self.data_at());
        let mut read = ahead.filter_map(|place| Section::read(segment, place).ok());
        read.find(|section| section.is_intact).ok_or_else(|| EvidenceError::Malformed {
            what: WHAT,
            at: self.at,
            need: "the place of the next section".to_string(),
            have: self.next.to_string(),
        })
    }
}
