//! Where the content of a file lies, as its extent tree or its block map tells.

use super::volume::Volume;
use crate::EvidenceError;
use crate::extents::{Extent, LOST, Pieces};

/// Runs of one file: a file of 16 GiB in blocks of 4 KiB, none beside the next.
const MAX_RUNS: usize = 1 << 22;

/// Blocks of a file that lie beside one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// First block in the file.
    pub(crate) logical: u64,
    /// Number of blocks.
    pub(crate) count: u64,
    /// First block in the volume; `None` where the map is damaged.
    pub(crate) physical: Option<u64>,
}

/// The runs of a file, in no order; what none covers is a hole.
#[derive(Debug, Default)]
pub(crate) struct Runs(Vec<Run>);

impl Runs {
    /// Adds blocks, to the run before where they go on with it.
    pub(crate) fn add(&mut self, run: Run) -> Result<(), EvidenceError> {
        if let Some(last) = self.0.last_mut() {
            let end = last.logical.saturating_add(last.count);
            let beside = last.physical.map(|physical| physical.saturating_add(last.count));
            if end == run.logical && beside == run.physical {
                last.count = last.count.saturating_add(run.count);
                return Ok(());
            }
        }
        if self.0.len() >= MAX_RUNS {
            let limit = u64::try_from(MAX_RUNS).unwrap_or(u64::MAX);
            return Err(EvidenceError::LimitReached { what: "runs of an ext4 file", limit });
        }
        self.0.push(run);
        Ok(())
    }

    /// In the order of the file.
    pub(crate) fn sorted(mut self) -> Vec<Run> {
        self.0.sort_by_key(|run| run.logical);
        self.0
    }

    /// The first `size` bytes of the content.
    pub(crate) fn content(self, volume: &Volume, size: u64) -> Pieces {
        let block_size = volume.block_size();
        let extent = |run: Run| Extent {
            start: run.logical.saturating_mul(block_size),
            length: run.count.saturating_mul(block_size),
            source: if run.physical.is_some() { 0 } else { LOST },
            offset: volume.offset(run.physical.unwrap_or_default()),
        };
        let extents = self.0.into_iter().map(extent).collect();
        Pieces::partly_lost(volume.device.clone(), extents, size)
    }
}
