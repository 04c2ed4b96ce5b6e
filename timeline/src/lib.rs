//! Time: the event, the total order, the merger and the outputs.
//!
//! This crate is the ground on which the others stand. It knows nothing of containers and nothing
//! of evidence: only that something happened at an [`Instant`], that somebody read it at a
//! [`Place`], and that all such events of all hosts are to come out once, in one order, as bytes.
//!
//! - A reader of evidence writes [`Event`]s and [`Issue`]s to [`Findings`], and nothing else.
//! - Findings render each event where it is found, in a worker, with an [`Output`].
//! - Rendered events lie in sorted runs (spilled past the memory budget) or, where a file is too
//!   large to hold, stay in the evidence behind a [`Strand`] that knows the times of its blocks.
//! - The [`merge`] compares keys and moves bytes.

pub mod collected;
pub mod event;
pub mod file_times;
pub mod findings;
pub mod instant;
pub mod issue;
pub mod key;
pub mod merge;
pub mod minute;
pub mod output;
pub mod place;
pub mod report;

pub use collected::Collected;
pub use event::{Attribute, Confidence, Event, Kind, Meaning, Subject, Text, Value};
pub use file_times::{FileMoment, FileTimes, Telling};
pub use findings::{Findings, Job};
pub use instant::{Instant, InstantError};
pub use issue::{Issue, IssueKind};
pub use key::{Block, Key, Rank, Strand};
pub use merge::{Keep, Options, Part, Progress, Sink, TimelineError, run};
pub use minute::RecentMinute;
pub use output::{Output, Rendered, Renderer};
pub use place::{Origin, Place, Position};
pub use report::{Counts, FileReport, IssueCounts, Report, SinkReport};
