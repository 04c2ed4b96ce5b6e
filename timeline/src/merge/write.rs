//! The merge: workers render slices ahead, and one thread writes them, in order, with the runs.

use super::TimelineError;
use super::batch::Batch;
use super::jobs::Engine;
use super::merger::Merger;
use super::runs::Run;
use super::sinks::Writers;
use super::slices::{Plan, Slice, Strands, Window};
use super::strands::read_block;
use crate::Key;
use rayon::{Scope, ThreadPool};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, sync_channel};

/// A slice that outgrows its estimate so many times is spilled in parts.
const MOST_GROWTH: usize = 2;

/// A slice that a worker has in hand.
struct Pending {
    window: Window,
    runs: Receiver<Result<Vec<Run>, TimelineError>>,
}

/// Writes all runs and all slices in the total order.
pub(super) fn write(
    engine: &Engine<'_>,
    pool: &ThreadPool,
    (strands, plan): (&Strands, &Plan),
    writers: &mut Writers,
) -> Result<(), TimelineError> {
    let merger = Merger::new(engine.runs.take()).map_err(|source| engine.runs.failed(source))?;
    pool.in_place_scope(|scope| {
        let mut merge = Merge { engine, strands, merger, writers, spare: Vec::new() };
        let written = merge.slices(scope, plan).and_then(|()| merge.write_before(None));
        if let Err(error) = written {
            // The scope waits for workers: they need not finish their slices.
            engine.fail(error);
        }
    });
    engine.end_workers()
}

/// The writing side of the merge.
struct Merge<'a, 'b> {
    engine: &'a Engine<'b>,
    strands: &'a Strands,
    merger: Merger,
    writers: &'a mut Writers,
    /// Emptied batches: touching fresh memory costs as much as rendering into it.
    spare: Vec<Batch>,
}

impl<'a> Merge<'a, '_> {
    fn slices(&mut self, scope: &Scope<'a>, plan: &Plan) -> Result<(), TimelineError> {
        let total = u64::try_from(plan.len()).unwrap_or(u64::MAX);
        let mut slices = plan.slices(self.strands);
        let mut pending: VecDeque<Pending> = VecDeque::new();
        let mut start = |pending: &mut VecDeque<Pending>, spare: &mut Vec<Batch>| {
            while pending.len() < self.engine.budget.in_flight
                && let Some(slice) = slices.next()
            {
                pending.push_back(render(scope, (self.engine, self.strands), slice, spare.pop()));
            }
        };
        let mut done: u64 = 0;
        start(&mut pending, &mut self.spare);
        // Nothing comes from a worker that panicked, and the scope will pass its panic on.
        while let Some(Pending { window, runs }) = pending.pop_front()
            && let Ok(runs) = runs.recv()
        {
            start(&mut pending, &mut self.spare);
            for run in runs? {
                self.merger.add(run).map_err(|source| self.engine.runs.failed(source))?;
            }
            self.write_before(window.to.as_ref())?;
            self.keep_spare();
            done = done.saturating_add(1);
            self.engine.progress.slices(done, total);
        }
        Ok(())
    }

    /// Keeps as many emptied batches as there are slices to fill, if they are not far larger.
    fn keep_spare(&mut self) {
        let budget = self.engine.budget;
        // A vector that grows may have twice the memory that it needs.
        let most = budget.slice.saturating_mul(MOST_GROWTH).saturating_mul(2);
        let room = budget.in_flight.saturating_sub(self.spare.len());
        let emptied = self.merger.emptied().filter(|batch| batch.capacity() <= most);
        self.spare.extend(emptied.take(room));
    }

    /// Writes all events before the bound that have not been written.
    fn write_before(&mut self, bound: Option<&Key>) -> Result<(), TimelineError> {
        loop {
            let frames = self.merger.stretch(bound, Writers::MOST_AT_ONCE);
            if frames.is_empty() {
                return Ok(());
            }
            self.writers.events(&frames)?;
            let count = frames.len();
            self.merger.skip(count).map_err(|source| self.engine.runs.failed(source))?;
        }
    }
}

/// Has a worker render a slice.
fn render<'a>(
    scope: &Scope<'a>,
    (engine, strands): (&'a Engine<'_>, &'a Strands),
    slice: Slice,
    spare: Option<Batch>,
) -> Pending {
    let window = slice.window;
    let (sender, runs) = sync_channel(1);
    scope.spawn(move |_| {
        // Nobody receives when the writer has stopped: it has said why.
        let _ = sender.send(render_slice(engine, strands, &slice, spare));
    });
    Pending { window, runs }
}

/// Renders the events of one slice: one run, or several when it is larger than was thought.
fn render_slice(
    engine: &Engine<'_>,
    strands: &Strands,
    slice: &Slice,
    spare: Option<Batch>,
) -> Result<Vec<Run>, TimelineError> {
    let mut worker = engine.worker();
    if let Some(mut spare) = spare {
        spare.clear();
        worker.batch = spare;
    }
    let mut runs = Vec::new();
    for id in &slice.blocks {
        if engine.has_failed() {
            break;
        }
        read_block(engine, (strands, *id), slice.window, &mut worker);
        if worker.batch.memory() > engine.budget.slice.saturating_mul(MOST_GROWTH) {
            worker.batch.sort();
            runs.push(Run::Spilled(engine.runs.spill(&mut worker.batch)?));
        }
    }
    worker.batch.sort();
    let rest = std::mem::replace(&mut worker.batch, Batch::new(engine.outputs.len()));
    runs.push(Run::Held(rest));
    engine.give_back(worker);
    Ok(runs)
}
