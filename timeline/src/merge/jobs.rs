//! Runs jobs beside each other, and keeps what they find.

use super::runs::Runs;
use super::slices::{BlockId, Plan, Strands, Window};
use super::strands::read_block;
use super::worker::Worker;
use super::{Budget, Options, Progress, TimelineError, lock};
use crate::report::{SinkReport, Tally};
use crate::{
    Event, FileTimes, Findings, Issue, IssueKind, Job, Key, Origin, Output, Place, Rank, Report,
    Strand,
};
use rayon::{Scope, ThreadPool};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Blocks that are read before slices are cut, to learn how large events become when rendered.
const SAMPLED_BLOCKS: usize = 16;
/// Scattered blocks that one worker reads in one go.
const BLOCKS_IN_ONE_GO: usize = 16;

/// The system's place for large temporary files: `/tmp` itself often lies in memory.
fn large_temp_dir() -> PathBuf {
    let large = PathBuf::from("/var/tmp");
    let is_chosen = std::env::var_os("TMPDIR").is_some();
    if !is_chosen && large.is_dir() { large } else { std::env::temp_dir() }
}

/// All that the workers of one run share.
pub(super) struct Engine<'a> {
    pub(super) outputs: Vec<Box<dyn Output>>,
    pub(super) options: &'a Options,
    pub(super) budget: Budget,
    pub(super) progress: &'a dyn Progress,
    pub(super) runs: Runs<'a>,
    /// Workers that have nothing to do; as many as there are threads, at the end.
    workers: Mutex<Vec<Worker>>,
    strands: Mutex<Vec<Box<dyn Strand>>>,
    counts: Mutex<(Tally, Vec<SinkReport>)>,
    failure: Mutex<Option<TimelineError>>,
    has_failed: AtomicBool,
    jobs_known: AtomicU64,
    jobs_done: AtomicU64,
}

impl<'a> Engine<'a> {
    pub(super) fn new(
        outputs: Vec<Box<dyn Output>>,
        options: &'a Options,
        budget: &Budget,
        progress: &'a dyn Progress,
    ) -> Engine<'a> {
        let directory = options.temp_dir.clone().unwrap_or_else(large_temp_dir);
        let counts = Worker::new(&outputs).into_counts();
        Engine {
            runs: Runs::new(outputs.len(), budget.held, directory, progress),
            outputs,
            options,
            budget: *budget,
            progress,
            workers: Mutex::default(),
            strands: Mutex::default(),
            counts: Mutex::new(counts),
            failure: Mutex::default(),
            has_failed: AtomicBool::new(false),
            jobs_known: AtomicU64::new(0),
            jobs_done: AtomicU64::new(0),
        }
    }

    /// Runs all jobs, and those that they add, and gives the strands that they found.
    pub(super) fn run_jobs(
        &self,
        pool: &ThreadPool,
        jobs: Vec<Job>,
    ) -> Result<Strands, TimelineError> {
        pool.in_place_scope(|scope| jobs.into_iter().for_each(|job| self.start(scope, job)));
        self.end_workers()?;
        Ok(Strands(std::mem::take(&mut *lock(&self.strands))))
    }

    /// Cuts the strands into slices of about `slice` rendered bytes.
    pub(super) fn plan(&self, strands: &Strands, slice: usize) -> Plan {
        let blocks = strands.between(self.options.start, self.options.end);
        let asked = strands.events_of(blocks.iter().copied());
        lock(&self.counts).0.left_out(strands.events().saturating_sub(asked));
        let step = (blocks.len() / SAMPLED_BLOCKS).max(1);
        let mut worker = Worker::new(&self.outputs);
        let mut estimated: u64 = 0;
        for id in blocks.iter().step_by(step) {
            estimated = estimated.saturating_add(strands.weight(*id));
            read_block(self, (strands, *id), Window::default(), &mut worker);
        }
        let rendered = u64::try_from(worker.batch.memory()).unwrap_or(u64::MAX);
        let slice = u64::try_from(slice).unwrap_or(u64::MAX);
        let weight = slice.saturating_mul(estimated).checked_div(rendered).unwrap_or(slice);
        Plan::new(strands, blocks, weight.max(1))
    }

    /// Reads blocks whose events are spread over too many slices, into runs.
    pub(super) fn read_scattered(
        &self,
        pool: &ThreadPool,
        strands: &Strands,
        blocks: &[BlockId],
    ) -> Result<(), TimelineError> {
        pool.in_place_scope(|scope| {
            for blocks in blocks.chunks(BLOCKS_IN_ONE_GO) {
                scope.spawn(move |_| self.read_into_runs(strands, blocks));
            }
        });
        self.end_workers()
    }

    fn read_into_runs(&self, strands: &Strands, blocks: &[BlockId]) {
        let mut worker = self.worker();
        for id in blocks {
            if self.has_failed() {
                break;
            }
            read_block(self, (strands, *id), Window::default(), &mut worker);
            self.empty_if_full(&mut worker);
        }
        self.give_back(worker);
    }

    /// What was read, written and not understood.
    pub(super) fn into_report(self) -> Report {
        let (tally, sinks) = self.counts.into_inner().unwrap_or_else(PoisonError::into_inner);
        tally.into_report(sinks)
    }

    /// The file with this rank.
    pub(super) fn place_of(&self, rank: Rank) -> Place {
        match lock(&self.counts).0.file_of_rank(rank) {
            Some(file) => Place::file(&file.evidence, &file.path),
            None => Place::evidence("unknown evidence"),
        }
    }

    /// Stops all work, because of an error that the caller of the run will hear.
    pub(super) fn fail(&self, error: TimelineError) {
        self.has_failed.store(true, Ordering::Relaxed);
        lock(&self.failure).get_or_insert(error);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    /// A worker that has nothing to do.
    pub(super) fn worker(&self) -> Worker {
        lock(&self.workers).pop().unwrap_or_else(|| Worker::new(&self.outputs))
    }

    pub(super) fn give_back(&self, worker: Worker) {
        lock(&self.workers).push(worker);
    }

    /// Makes runs of what the workers still have, and adds up what they have counted.
    pub(super) fn end_workers(&self) -> Result<(), TimelineError> {
        let workers = std::mem::take(&mut *lock(&self.workers));
        let mut counts = lock(&self.counts);
        for mut worker in workers {
            if !self.has_failed() {
                self.runs.add(&mut worker.batch)?;
            }
            let (tally, sinks) = worker.into_counts();
            counts.0.add(tally);
            for (sum, sink) in counts.1.iter_mut().zip(sinks) {
                sum.add(&sink);
            }
        }
        lock(&self.failure).take().map_or(Ok(()), Err)
    }

    fn start<'scope>(&'scope self, scope: &Scope<'scope>, job: Job) {
        self.jobs_known.fetch_add(1, Ordering::Relaxed);
        scope.spawn(move |scope| self.work(scope, job));
    }

    fn work<'scope>(&'scope self, scope: &Scope<'scope>, job: Job) {
        if self.has_failed() {
            return;
        }
        let mut desk = Desk { engine: self, scope, worker: self.worker(), sequence: 0 };
        desk.worker.tally.begin_job();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| job(&mut desk))) {
            desk.worker.replace_renderers(&self.outputs);
            desk.panicked(panic.as_ref());
        }
        self.give_back(desk.worker);
        let done = self.jobs_done.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        self.progress.jobs(done, self.jobs_known.load(Ordering::Relaxed));
    }

    fn empty_if_full(&self, worker: &mut Worker) {
        if worker.batch.memory() < self.budget.batch {
            return;
        }
        if self.has_failed() {
            worker.batch.clear();
        } else if let Err(error) = self.runs.add(&mut worker.batch) {
            self.fail(error);
        }
    }
}

/// Where one job puts what it finds.
struct Desk<'a, 'scope> {
    engine: &'scope Engine<'scope>,
    scope: &'a Scope<'scope>,
    worker: Worker,
    /// Events of this job so far.
    sequence: u32,
}

impl Desk<'_, '_> {
    /// A parser must not panic, and one that does must not cost the work of the others.
    fn panicked(&mut self, panic: &(dyn Any + Send)) {
        let words = panic.downcast_ref::<&str>().copied();
        let words = words.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let place = match self.worker.tally.current() {
            Some(file) => Place::file(&file.evidence, &file.path),
            None => Place::evidence("unknown evidence"),
        };
        let what = format!("the parser stopped by a panic: {}", words.unwrap_or("without words"));
        self.worker.tally.issue(Issue::new(IssueKind::Unreadable, place, what));
    }
}

impl Findings for Desk<'_, '_> {
    fn event(&mut self, event: &Event<'_>) {
        let key = Key::of(event, self.sequence);
        self.sequence = self.sequence.saturating_add(1);
        self.worker.take(key, event, self.engine.options);
        self.engine.empty_if_full(&mut self.worker);
    }

    fn file(&mut self, event: &Event<'_>, times: &FileTimes) {
        let options = self.engine.options;
        times.events(event, &|event| options.includes(event), &mut |event| self.event(event));
    }

    fn issue(&mut self, issue: Issue) {
        self.worker.tally.issue(issue);
    }

    fn records(&mut self, origin: &Origin, records: u64, bytes: u64) {
        self.worker.tally.records(origin, records, bytes);
    }

    fn unconcerned(&mut self, origin: &Origin, records: u64) {
        self.worker.tally.unconcerned(origin, records);
    }

    fn job(&mut self, job: Job) {
        self.engine.start(self.scope, job);
    }

    fn strand(&mut self, strand: Box<dyn Strand>) {
        lock(&self.engine.strands).push(strand);
    }
}
