//! What could not be read, and where. An issue never stops a sibling.

use crate::Place;
use std::fmt;

/// The four ways in which reading fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IssueKind {
    /// The evidence could not be read at all: an I/O error, a missing piece.
    Unreadable,
    /// The bytes were read and are not what the format says.
    Malformed,
    /// The bytes are valid, and dockline does not support them.
    Unsupported,
    /// A limit that protects against hostile evidence was reached.
    LimitReached,
}

impl IssueKind {
    /// The kind as written into the report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            IssueKind::Unreadable => "unreadable",
            IssueKind::Malformed => "malformed",
            IssueKind::Unsupported => "unsupported",
            IssueKind::LimitReached => "limit reached",
        }
    }
}

/// One thing that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// In which way.
    pub kind: IssueKind,
    /// Where.
    pub place: Place,
    /// What was wrong, in words: lower case, with the numbers, no full stop.
    pub what: String,
    /// Records that did not become events because of this; 0 when the record still came out.
    pub lost_records: u64,
    /// Bytes of the file that this issue accounts for and that no record covers.
    pub lost_bytes: u64,
}

impl Issue {
    /// An issue that costs no record of its own.
    #[must_use]
    pub fn new(kind: IssueKind, place: Place, what: impl Into<String>) -> Issue {
        Issue { kind, place, what: what.into(), lost_records: 0, lost_bytes: 0 }
    }

    /// The same issue, with the records and bytes that it cost.
    #[must_use]
    pub fn losing(self, records: u64, bytes: u64) -> Issue {
        Issue { lost_records: records, lost_bytes: bytes, ..self }
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {} ({})", self.place, self.what, self.kind.name())
    }
}
