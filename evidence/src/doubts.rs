//! What is found wrong with a file or a directory while it is read all the same.

use crate::EvidenceError;

/// Of one file; what a damaged structure repeats a thousand times is told a few times.
const TOLD: usize = 16;

/// What is wrong with a file that can be read all the same.
#[derive(Debug, Default)]
pub(crate) struct Doubts(Vec<EvidenceError>);

impl Doubts {
    /// Adds what was found, unless there is much already.
    pub(crate) fn note(&mut self, error: EvidenceError) {
        if self.0.len() < TOLD {
            self.0.push(error);
        }
    }

    /// What was found, in its order.
    pub(crate) fn into_errors(self) -> Vec<EvidenceError> {
        self.0
    }
}
