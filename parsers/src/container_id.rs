//! The id of a container: 64 lower-case hexadecimal digits.

use std::borrow::Borrow;
use std::fmt;

/// The id of a container: 64 lower-case hexadecimal digits, never shortened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerId(String);

impl ContainerId {
    /// The id in `text`, if it is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<ContainerId> {
        is_id(text.as_bytes()).then(|| ContainerId(text.to_owned()))
    }

    /// The 64 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ContainerId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whether these are 64 lower-case hexadecimal digits, as container ids and digests are written.
#[must_use]
pub fn is_id(bytes: &[u8]) -> bool {
    bytes.len() == 64 && bytes.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
