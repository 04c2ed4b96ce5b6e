//! The only thing a parser can write to.

use crate::{Event, FileTimes, Issue, Origin, Strand};

/// A piece of work on the evidence; whatever it finds goes into the findings it is given.
pub type Job = Box<dyn FnOnce(&mut dyn Findings) + Send>;

/// Takes what a parser finds. A parser cannot fail and returns nothing: it can only find.
pub trait Findings {
    /// One thing that happened.
    fn event(&mut self, event: &Event<'_>);

    /// One file with its times: an event for each different one, as `event` but for its instant,
    /// its meaning and its `macb`.
    fn file(&mut self, event: &Event<'_>, times: &FileTimes) {
        times.events(event, &|_| true, &mut |event| self.event(event));
    }

    /// One thing that could not be read.
    fn issue(&mut self, issue: Issue);

    /// So many more records of this file were read whole; what became of them is told by events
    /// and issues. `bytes` are the bytes that those records cover.
    fn records(&mut self, origin: &Origin, records: u64, bytes: u64);

    /// So many of the records that were read are not about containers, and became no events.
    fn unconcerned(&mut self, _origin: &Origin, _records: u64) {}

    /// More work on the same artifact, which may run beside other work.
    fn job(&mut self, job: Job);

    /// Events too many to hold, which stay in the evidence until their time comes.
    fn strand(&mut self, strand: Box<dyn Strand>);
}
