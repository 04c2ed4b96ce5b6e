//! Reads blocks of strands again, when their turn in the timeline has come.

use super::jobs::Engine;
use super::slices::{BlockId, Strands, Window};
use super::worker::Worker;
use crate::{Block, Event, Findings, Issue, IssueKind, Job, Key, Origin, Strand};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Takes the events of one block that lie in the window.
pub(super) fn read_block(
    engine: &Engine<'_>,
    (strands, id): (&Strands, BlockId),
    window: Window,
    worker: &mut Worker,
) {
    let (Some(strand), Some(block)) = (strands.0.get(id.strand), strands.bounds(id)) else {
        return;
    };
    let mut reading = Reading { engine, block, window, worker, last: None, events: 0, outside: 0 };
    let emitted = catch_unwind(AssertUnwindSafe(|| strand.emit(id.block, &mut reading)));
    let Reading { events, outside, .. } = reading;
    if emitted.is_err() {
        worker.replace_renderers(&engine.outputs);
    }
    // A block is read for several windows: what is wrong with it is said in one of them.
    let is_wrong = outside > 0 || events != block.events;
    if is_wrong && window.contains(&block.first) {
        worker.tally.issue(changed(engine, (id, block), events, outside));
    }
}

/// What the first reading of a block said is not what this one gave.
fn changed(
    engine: &Engine<'_>,
    (id, block): (BlockId, &Block),
    events: u64,
    outside: u64,
) -> Issue {
    let what = format!(
        "block {} gave {events} events when it was read again, not {} as before, and {outside} of \
         them lie outside its times and are lost: the evidence has changed, or its reader is wrong",
        id.block, block.events
    );
    let missing = block.events.saturating_sub(events).saturating_add(outside);
    Issue::new(IssueKind::Unreadable, engine.place_of(block.first.rank), what).losing(missing, 0)
}

/// Where one block puts its events.
struct Reading<'a, 'b> {
    engine: &'a Engine<'b>,
    block: &'a Block,
    window: Window,
    worker: &'a mut Worker,
    /// Key of the event before, with its sequence.
    last: Option<Key>,
    events: u64,
    outside: u64,
}

impl Reading<'_, '_> {
    /// The key with a sequence: 0, or the next one where the event before has the same key, so
    /// that they keep the order of the evidence.
    fn sequenced(&mut self, key: Key) -> Key {
        let same = self.last.filter(|last| Key { sequence: 0, ..*last } == key);
        let sequence = same.map_or(0, |last| last.sequence.saturating_add(1));
        let sequenced = Key { sequence, ..key };
        self.last = Some(sequenced);
        sequenced
    }
}

impl Findings for Reading<'_, '_> {
    fn event(&mut self, event: &Event<'_>) {
        let key = Key::of(event, 0);
        self.events = self.events.saturating_add(1);
        if key < self.block.first || key > self.block.last {
            // Taken here it could come too late in the order or, in another window, twice.
            self.outside = self.outside.saturating_add(1);
        } else if self.window.contains(&key) {
            let key = self.sequenced(key);
            self.worker.take(key, event, self.engine.options);
        }
    }

    // All else was told by the reading that made the bounds.
    fn issue(&mut self, _: Issue) {}
    fn records(&mut self, _: &Origin, _: u64, _: u64) {}
    fn job(&mut self, _: Job) {}
    fn strand(&mut self, _: Box<dyn Strand>) {}
}
