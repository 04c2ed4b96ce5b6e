//! The one total order of all events, and blocks of events that know their bounds in it.

use crate::{Event, Findings, Instant, Meaning};

/// Place of a file in the order of (host, evidence, path); given out by the plan, the same for any
/// order of arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank(pub u64);

/// What orders an event: `(instant, host and evidence and path, position, meaning, sequence)`.
///
/// No two events of a run have the same key: the sequence counts the events of one job, and a job
/// reads its files alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// When.
    pub instant: Instant,
    /// In which file.
    pub rank: Rank,
    /// Where in the file: line or offset.
    pub position: u64,
    /// As what.
    pub meaning: Meaning,
    /// Which of several of the same meaning at the same position.
    pub sequence: u32,
}

impl Key {
    /// The key of an event that is the `sequence`-th of its job; in a [`Strand`] always 0.
    #[must_use]
    pub fn of(event: &Event<'_>, sequence: u32) -> Key {
        Key {
            instant: event.instant,
            rank: event.origin.rank,
            position: event.position.ordinal(),
            meaning: event.meaning,
            sequence,
        }
    }
}

/// A part of a [`Strand`]: how far its events reach in the total order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Key of the first event in order (not in the file).
    pub first: Key,
    /// Key of the last event in order.
    pub last: Key,
    /// Bytes of evidence that are read to emit it.
    pub size: u64,
    /// Number of events in it.
    pub events: u64,
}

/// Events that are too many to hold: they stay in the evidence, in blocks whose bounds are known,
/// and each block is emitted when its turn in the timeline comes.
///
/// A block is read and rendered in one go, so it is small: some 16 KiB of evidence.
///
/// A block may be emitted several times (when its events are spread over much time), so emitting
/// must give the same events each time. Issues and counts belong to the first reading, which made
/// the bounds; what [`Strand::emit`] finds beside events is ignored.
pub trait Strand: Send + Sync {
    /// The blocks, in the order of the evidence.
    fn blocks(&self) -> &[Block];

    /// Emits every event of one block, all with sequence 0, in the order of the evidence.
    fn emit(&self, block: usize, findings: &mut dyn Findings);
}
