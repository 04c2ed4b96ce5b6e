//! Sorted runs: held in memory as long as the budget lasts, then spilled.
//!
//! Spilled runs are many when the budget is small. As soon as [`FAN_IN`] of one generation are
//! there, the worker that brought the last one merges them into one run of the next generation;
//! so at the end few files are open and few chunks are in memory, however much was spilled.

use super::TimelineError;
use super::batch::Batch;
use super::merger::Merger;
use super::spill::{Spill, SpillWriter};
use super::{Progress, lock};
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;

/// Spilled runs of one generation that are merged into one of the next.
const FAN_IN: usize = 32;

/// Events in order.
pub(super) enum Run {
    /// In memory.
    Held(Batch),
    /// In a temporary file.
    Spilled(Spill),
}

/// All runs that wait for the merge.
pub(super) struct Runs<'a> {
    outputs: usize,
    directory: PathBuf,
    progress: &'a dyn Progress,
    state: Mutex<State>,
}

struct State {
    /// Bytes of memory that may still be held.
    budget: usize,
    held: Vec<Batch>,
    /// Spilled runs by generation.
    generations: Vec<Vec<Spill>>,
}

impl<'a> Runs<'a> {
    /// Holds up to `budget` bytes; spills to `directory`.
    pub(super) fn new(
        outputs: usize,
        budget: usize,
        directory: PathBuf,
        progress: &'a dyn Progress,
    ) -> Runs<'a> {
        let state = State { budget, held: Vec::new(), generations: Vec::new() };
        Runs { outputs, directory, progress, state: Mutex::new(state) }
    }

    /// Takes all events of a batch, which is empty afterwards.
    pub(super) fn add(&self, batch: &mut Batch) -> Result<(), TimelineError> {
        if batch.len() == 0 {
            return Ok(());
        }
        batch.sort();
        if self.reserve(batch.memory()).is_some() {
            let full = std::mem::replace(batch, Batch::new(self.outputs));
            lock(&self.state).held.push(full.fitted());
            return Ok(());
        }
        let spill = self.spill(batch)?;
        self.add_spill(spill)
    }

    /// Writes all events of a sorted batch to a temporary file; the batch is empty afterwards.
    pub(super) fn spill(&self, batch: &mut Batch) -> Result<Spill, TimelineError> {
        let spill = self.write(|writer| {
            (0..batch.len())
                .filter_map(|index| batch.get(index))
                .try_for_each(|(key, frame)| writer.push(key, frame))
        });
        batch.clear();
        spill.map_err(|source| self.failed(source))
    }

    /// Names the directory in which a temporary file failed.
    pub(super) fn failed(&self, source: io::Error) -> TimelineError {
        TimelineError::Temporary { directory: self.directory.clone(), source }
    }

    /// All runs, for the merge.
    pub(super) fn take(&self) -> Vec<Run> {
        let mut state = lock(&self.state);
        let held = std::mem::take(&mut state.held).into_iter().map(Run::Held);
        let spills = std::mem::take(&mut state.generations).into_iter().flatten();
        held.chain(spills.map(Run::Spilled)).collect()
    }

    fn reserve(&self, memory: usize) -> Option<()> {
        let mut state = lock(&self.state);
        state.budget = state.budget.checked_sub(memory)?;
        Some(())
    }

    fn add_spill(&self, mut spill: Spill) -> Result<(), TimelineError> {
        let mut generation = 0_usize;
        while let Some(full) = self.add_to_generation(generation, spill) {
            spill = self.merge(full).map_err(|source| self.failed(source))?;
            generation = generation.saturating_add(1);
        }
        Ok(())
    }

    /// The runs of the generation once they are as many as are merged into one.
    fn add_to_generation(&self, generation: usize, spill: Spill) -> Option<Vec<Spill>> {
        let mut state = lock(&self.state);
        if state.generations.len() <= generation {
            state.generations.push(Vec::new());
        }
        let runs = state.generations.get_mut(generation)?;
        runs.push(spill);
        (runs.len() >= FAN_IN).then(|| std::mem::take(runs))
    }

    fn merge(&self, spills: Vec<Spill>) -> io::Result<Spill> {
        self.write(|writer| {
            let mut merger = Merger::new(spills.into_iter().map(Run::Spilled))?;
            while let Some((key, frame)) = merger.first_below(None) {
                writer.push(key, frame)?;
                merger.next()?;
            }
            Ok(())
        })
    }

    fn write(&self, fill: impl FnOnce(&mut SpillWriter) -> io::Result<()>) -> io::Result<Spill> {
        let mut writer = SpillWriter::create(&self.directory, self.outputs)?;
        fill(&mut writer)?;
        let spill = writer.finish()?;
        self.progress.spilled(spill.size);
        Ok(spill)
    }
}
