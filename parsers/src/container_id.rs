//! The id of a container: 64 lower-case hexadecimal digits, or a word that a user of containerd chose.

use std::borrow::Borrow;
use std::fmt;

/// containerd takes no longer ones.
const CONTAINERD_LENGTH: usize = 76;

/// The id of a container: 64 lower-case hexadecimal digits, never shortened; in a record of
/// containerd whatever its user chose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerId(String);

impl ContainerId {
    /// The id in `text`, if it is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<ContainerId> {
        is_id(text.as_bytes()).then(|| ContainerId(text.to_owned()))
    }

    /// The id in `text`, if containerd takes it for one: letters, digits and `.`, `_`, `-` between
    /// them.
    #[must_use]
    pub fn of_containerd(text: &str) -> Option<ContainerId> {
        let is_word =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
        let is_id = text.len() <= CONTAINERD_LENGTH && text.split(['.', '_', '-']).all(is_word);
        is_id.then(|| ContainerId(text.to_owned()))
    }

    /// As it is written.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_an_engine_has_64_digits_and_one_of_containerd_is_a_word() {
        let digits = "ab".repeat(32);
        assert!(ContainerId::parse(&digits).is_some());
        assert_eq!(ContainerId::parse("web"), None);
        for id in ["web", "web-1.2_x", digits.as_str()] {
            assert_eq!(ContainerId::of_containerd(id).unwrap().as_str(), id);
        }
        for wrong in ["", "-web", "web-", "a..b", "a/b", "ä", &"x".repeat(77)] {
            assert_eq!(ContainerId::of_containerd(wrong), None, "{wrong}");
        }
    }
}
