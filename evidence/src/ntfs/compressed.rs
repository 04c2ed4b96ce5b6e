//! Compressed content: units of usually 16 clusters, each of them stored as it is where all its
//! clusters are there, as zeros where none is, and else compressed into those at its front.

use super::lznt1;
use super::mft::Mft;
use super::runlist::{Place, Run, Runlist};
use super::stream::{self, Size};
use crate::extents::Pieces;
use crate::fields::read_exact;
use crate::read_at::{front, read_stretches, zeros};
use crate::{EvidenceError, ReadAt};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// 16 clusters of 64 KiB; Windows compresses only where clusters have up to 4 KiB.
const MAX_UNIT: u64 = 1 << 20;
/// Units that are kept, decompressed.
const KEPT_UNITS: usize = 4;

type Unit = Arc<Vec<u8>>;

/// The content of a compressed file.
pub(super) struct Compressed {
    /// What is stored, each cluster at its place, with holes where units are shorter.
    stored: Pieces,
    runs: Vec<Run>,
    size: Size,
    cluster_size: u64,
    unit_clusters: u64,
    recent: Mutex<VecDeque<(u64, Unit)>>,
}

impl Compressed {
    /// Units have two to the power of `unit` clusters.
    pub(super) fn new(
        mft: &Mft,
        runs: Runlist,
        size: Size,
        unit: u8,
    ) -> Result<Compressed, EvidenceError> {
        let cluster_size = mft.cluster_size;
        let unit_clusters = 1_u64.checked_shl(u32::from(unit)).unwrap_or(u64::MAX);
        if unit_clusters.saturating_mul(cluster_size) > MAX_UNIT {
            let what = "bytes of an NTFS compression unit";
            return Err(EvidenceError::LimitReached { what, limit: MAX_UNIT });
        }
        let stored = runs.end().saturating_mul(cluster_size);
        let stored_size = Size { bytes: stored, initialized: stored };
        let kept = runs.runs.clone();
        Ok(Compressed {
            stored: stream::plain(mft, runs, stored_size),
            runs: kept,
            size,
            cluster_size,
            unit_clusters,
            recent: Mutex::new(VecDeque::new()),
        })
    }

    fn unit_size(&self) -> u64 {
        self.unit_clusters.saturating_mul(self.cluster_size)
    }

    /// The clusters at the front of a unit that are stored.
    fn stored_clusters(&self, unit: u64) -> Result<u64, EvidenceError> {
        let start = unit.saturating_mul(self.unit_clusters);
        let end = start.saturating_add(self.unit_clusters);
        let first = self.runs.partition_point(|run| run.end() <= start);
        let mut stored = 0_u64;
        for run in self.runs.iter().skip(first).take_while(|run| run.start < end) {
            if run.place == Place::Hole {
                continue;
            }
            let from = run.start.max(start);
            if from.saturating_sub(start) != stored {
                return Err(EvidenceError::Malformed {
                    what: "NTFS compressed file",
                    at: from.saturating_mul(self.cluster_size),
                    need: "the clusters of a unit at its front".to_owned(),
                    have: "a hole before them".to_owned(),
                });
            }
            stored = stored.saturating_add(run.end().min(end).saturating_sub(from));
        }
        Ok(stored)
    }

    /// A unit, decompressed.
    fn unit(&self, unit: u64, stored: u64) -> Result<Unit, EvidenceError> {
        if let Some((_, known)) = self.recent().iter().find(|(number, _)| *number == unit) {
            return Ok(known.clone());
        }
        let start = unit.saturating_mul(self.unit_size());
        let in_memory = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let length = in_memory(stored.saturating_mul(self.cluster_size));
        let bytes = read_exact(&self.stored, "NTFS compressed data", start, length)?;
        let mut content = vec![0; in_memory(self.unit_size())];
        lznt1::decompress(&bytes, start, &mut content)?;
        let content = Arc::new(content);
        let mut recent = self.recent();
        recent.push_front((unit, content.clone()));
        recent.truncate(KEPT_UNITS);
        Ok(content)
    }

    fn recent(&self) -> std::sync::MutexGuard<'_, VecDeque<(u64, Unit)>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads from one unit, at most what is initialized.
    fn read_unit(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, EvidenceError> {
        let unit = offset.checked_div(self.unit_size()).unwrap_or(0);
        let inside = offset.saturating_sub(unit.saturating_mul(self.unit_size()));
        let buffer = front(buffer, self.unit_size().saturating_sub(inside));
        let stored = self.stored_clusters(unit)?;
        if stored == 0 || stored == self.unit_clusters {
            return match stored {
                0 => Ok(zeros(buffer)),
                _ => Ok(self.stored.read_at(offset, buffer)?),
            };
        }
        Ok(self.unit(unit, stored)?.read_at(inside, buffer)?)
    }
}

impl ReadAt for Compressed {
    fn len(&self) -> u64 {
        self.size.bytes
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        read_stretches(offset, buffer, |at, buffer| {
            let initialized = self.size.initialized.min(self.size.bytes);
            if at >= initialized {
                let rest = self.size.bytes.saturating_sub(at);
                return Ok(zeros(front(buffer, rest)));
            }
            let buffer = front(buffer, initialized.saturating_sub(at));
            self.read_unit(at, buffer).map_err(io::Error::other)
        })
    }
}
