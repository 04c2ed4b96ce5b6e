//! Runs jobs, and brings all that they find into the one total order.
//!
//! # How
//!
//! 1. **Jobs** (`jobs`) run on all cores. Each event is rendered where it is found, for every
//!    output, into the batch of its worker (`batch`). A full batch is sorted and becomes a run: it
//!    is held in memory while the budget lasts, then spilled, compressed, to a file without a name
//!    (`runs`, `spill`). Large logs are not rendered: they become strands, of which only the bounds
//!    of the blocks are known.
//! 2. **Slices** (`slices`): the keys of the strands' blocks are cut into windows of about the same
//!    size. Blocks that reach into too many windows are rendered now, into runs.
//! 3. **Merge** (`write`): workers render slices, several at once, straight from the evidence
//!    (`strands`). The thread that called [`run`] takes the slices in order, merges each with the
//!    runs (`merger`) and writes (`sinks`): it compares keys and moves bytes.
//!
//! # Invariants
//!
//! - The output depends on the events alone: not on threads, memory or the order of jobs. The order
//!   is total because events with equal keys, which different jobs may give, are ordered by their
//!   rendered bytes.
//! - Every event is written once. An event of a strand is in one window only; an event that a
//!   second reading gives outside its block's bounds, or does not give at all, is an issue.
//! - Memory is bounded by [`Options::memory`], whatever is read. Half of it holds runs. The other
//!   half belongs to the workers: their batches, then the slices in flight. A slice that grows far
//!   beyond what was estimated is spilled like any batch.
//! - Nothing waits for what may never come: workers never wait for each other, and the writer waits
//!   only for a worker that has a slice in hand.
//! - Only this module knows of threads, and of temporary files.

mod batch;
mod jobs;
mod merger;
mod runs;
mod sinks;
mod slices;
mod spill;
mod strands;
#[cfg(test)]
mod tests;
mod worker;
mod write;

use crate::{Event, Instant, Job, Output, Rank, Report};
use jobs::Engine;
use sinks::Writers;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use thiserror::Error;

/// One output, and where it goes.
pub struct Sink {
    /// The format.
    pub output: Box<dyn Output>,
    /// Takes the bytes of all events in order; it is flushed at the end.
    pub to: Option<Box<dyn Write + Send>>,
    /// Take those of some events each, with a header of their own.
    pub parts: Vec<Part>,
}

impl Sink {
    /// An output that goes to one place.
    #[must_use]
    pub fn new(output: Box<dyn Output>, to: Box<dyn Write + Send>) -> Sink {
        Sink { output, to: Some(to), parts: Vec::new() }
    }
}

/// Where the events of some files go, such as those of one host.
pub struct Part {
    /// The first of these files; the last is the one before another part begins.
    pub from: Rank,
    /// Takes the bytes in order; it is flushed at the end.
    pub to: Box<dyn Write + Send>,
}

/// Says whether an event is asked for.
pub type Keep = Box<dyn Fn(&Event<'_>) -> bool + Send + Sync>;

/// How a timeline is made, and which events are in it.
pub struct Options {
    /// Workers; 0 for one on each core.
    pub threads: usize,
    /// Bytes of memory for events; what parsers need comes on top, and is small.
    pub memory: u64,
    /// Where temporary files are made; `None` for `$TMPDIR`, or the system's own place for large
    /// ones.
    pub temp_dir: Option<PathBuf>,
    /// Only events at or after this instant.
    pub start: Option<Instant>,
    /// Only events before this instant.
    pub end: Option<Instant>,
    /// Only events of which this says `true`.
    pub keep: Option<Keep>,
}

impl Default for Options {
    /// All events, on all cores, in 512 MiB.
    fn default() -> Options {
        Options {
            threads: 0,
            memory: 512 << 20,
            temp_dir: None,
            start: None,
            end: None,
            keep: None,
        }
    }
}

impl Options {
    /// Whether the event is asked for.
    fn includes(&self, event: &Event<'_>) -> bool {
        self.start.is_none_or(|start| event.instant >= start)
            && self.end.is_none_or(|end| event.instant < end)
            && self.keep.as_ref().is_none_or(|keep| keep(event))
    }
}

/// Hears how far a run has come; called seldom, from any thread.
pub trait Progress: Sync {
    /// So many of the jobs that are known by now are done.
    fn jobs(&self, _done: u64, _known: u64) {}

    /// So many of the slices of large logs are written; never called where there are none.
    fn slices(&self, _done: u64, _total: u64) {}

    /// So many more bytes were written to a temporary file.
    fn spilled(&self, _bytes: u64) {}
}

/// Nobody listens.
impl Progress for () {}

/// Why a timeline could not be made whole.
#[derive(Debug, Error)]
pub enum TimelineError {
    /// Nobody reads the output any more, as after `| head`.
    #[error("nobody reads the {output} output any more: its pipe is closed")]
    ClosedPipe {
        /// Name of the format.
        output: &'static str,
    },
    /// The output could not be written.
    #[error("cannot write the {output} output: {source}")]
    Output {
        /// Name of the format.
        output: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// Events beyond the memory budget could not be written or read back.
    #[error(
        "cannot keep events in a temporary file in {}: {source}; \
         name a directory on a disk with more room, or allow more memory",
        directory.display()
    )]
    Temporary {
        /// Where the temporary files are made.
        directory: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The workers could not be started.
    #[error("cannot start the worker threads: {source}; ask for fewer threads")]
    Threads {
        /// What the system says.
        source: rayon::ThreadPoolBuildError,
    },
}

/// Runs all jobs, and the jobs that they add, and writes all events in the total order to every
/// sink.
///
/// # Errors
/// When an output, a temporary file or a thread fails; never because of evidence, which gives
/// issues in the report. After an error the sinks hold a beginning of the timeline.
pub fn run(
    jobs: Vec<Job>,
    sinks: Vec<Sink>,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Report, TimelineError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .thread_name(|number| format!("worker-{number}"))
        .build()
        .map_err(|source| TimelineError::Threads { source })?;
    let budget = Budget::new(options.memory, pool.current_num_threads());
    let (outputs, mut writers) = Writers::open(sinks)?;
    let engine = Engine::new(outputs, options, &budget, progress);
    let strands = engine.run_jobs(&pool, jobs)?;
    let plan = engine.plan(&strands, budget.slice);
    engine.read_scattered(&pool, &strands, &plan.scattered)?;
    write::write(&engine, &pool, (&strands, &plan), &mut writers)?;
    let rows = writers.close()?;
    let mut report = engine.into_report();
    for (sink, rows) in report.sinks.iter_mut().zip(rows) {
        sink.rows_of_parts = rows;
    }
    Ok(report)
}

/// How the memory is shared out, in bytes.
#[derive(Clone, Copy, Debug)]
struct Budget {
    /// Runs that are not spilled.
    held: usize,
    /// The batch of one worker, while jobs run.
    batch: usize,
    /// One slice, during the merge.
    slice: usize,
    /// Slices that are being rendered, or are rendered and wait.
    in_flight: usize,
}

impl Budget {
    /// Smaller batches and slices would be all overhead.
    const LEAST: usize = 4 << 10;
    /// A larger batch would keep one worker sorting while the others wait.
    const MOST_BATCH: usize = 256 << 20;
    /// Larger slices are read no more seldom, and leave the cache.
    const MOST_SLICE: usize = 32 << 20;

    fn new(memory: u64, threads: usize) -> Budget {
        let memory = usize::try_from(memory).unwrap_or(usize::MAX);
        let in_flight = threads.saturating_add(1);
        // One more than is in flight is being written.
        let slices = in_flight.saturating_add(1);
        let share = |parts: usize| (memory / 4).checked_div(parts).unwrap_or(0);
        Budget {
            held: memory / 2,
            batch: share(threads).clamp(Self::LEAST, Self::MOST_BATCH),
            slice: share(slices).clamp(Self::LEAST, Self::MOST_SLICE),
            in_flight,
        }
    }
}

/// A lock whose holder panicked is taken all the same: every value behind one is whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
