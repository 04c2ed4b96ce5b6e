//! Why something of the evidence cannot be had.

use dockline_timeline::IssueKind;
use std::sync::Arc;
use thiserror::Error;

/// Why something of the evidence cannot be had.
#[derive(Clone, Debug, Error)]
pub enum EvidenceError {
    /// There is no such node.
    #[error("no such file or directory")]
    NotFound,
    /// The node is not what was asked for; a symbolic link is never followed.
    #[error("not a {wanted}, but a {found}")]
    WrongKind {
        /// What was asked for.
        wanted: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// The operating system refused.
    #[error("{0}")]
    Io(Arc<std::io::Error>),
    /// The bytes are not what their format says.
    #[error("{what} at byte {at}: need {need}, have {have}")]
    Malformed {
        /// What was being read.
        what: &'static str,
        /// Offset in the evidence.
        at: u64,
        /// What was needed, in words or as a number of bytes.
        need: String,
        /// What was there.
        have: String,
    },
    /// The evidence is of a kind that dockline does not read.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// A limit that protects against hostile evidence was reached.
    #[error("{what}: limit of {limit} reached")]
    LimitReached {
        /// What is limited.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
}

impl EvidenceError {
    /// The kind of issue that this error is.
    #[must_use]
    pub fn issue_kind(&self) -> IssueKind {
        match self {
            EvidenceError::NotFound | EvidenceError::Io(_) => IssueKind::Unreadable,
            EvidenceError::WrongKind { .. } | EvidenceError::Malformed { .. } => {
                IssueKind::Malformed
            }
            EvidenceError::Unsupported(_) => IssueKind::Unsupported,
            EvidenceError::LimitReached { .. } => IssueKind::LimitReached,
        }
    }
}

impl From<std::io::Error> for EvidenceError {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::NotFound {
            return EvidenceError::NotFound;
        }
        // Our own errors travel through `Read` and `Write` inside one of the system's.
        match error.get_ref().and_then(|inner| inner.downcast_ref::<EvidenceError>()) {
            Some(own) => own.clone(),
            None => EvidenceError::Io(Arc::new(error)),
        }
    }
}
