//! gzip (RFC 1952), with all its members, whatever is wrong with them.
//!
//! The engine puts bare JSON, not the sub-fields of the RFC, into the extra field of the header: it
//! is skipped by its length.

use dockline_evidence::{EvidenceError, ReadAt};
use dockline_timeline::IssueKind;
use flate2::bufread::MultiGzDecoder;
use std::io::{self, BufReader, Read, Write};

/// Why there is no more content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// In which way.
    pub kind: IssueKind,
    /// Offset in the content up to which all is well.
    pub at: u64,
    /// In words.
    pub what: String,
}

/// Writes the content of `compressed` to `into`; the number of its bytes.
///
/// # Errors
/// When the compressed bytes are cut off or damaged, or when they or `into` fail, as a [`Spool`]
/// does at its limit; all content before has been written.
///
/// [`Spool`]: dockline_evidence::Spool
pub fn inflate(compressed: &dyn ReadAt, into: &mut dyn Write) -> Result<u64, Problem> {
    if compressed.is_empty() {
        let what = "gzip: the file is empty".to_owned();
        return Err(Problem { kind: IssueKind::Malformed, at: 0, what });
    }
    let mut decoder = MultiGzDecoder::new(BufReader::new(Forward { bytes: compressed, at: 0 }));
    let mut buffer = vec![0; 64 * 1024];
    let mut at = 0_u64;
    loop {
        let count = match decoder.read(&mut buffer) {
            Ok(0) => return Ok(at),
            Ok(count) => count,
            Err(error) => {
                let what = format!("gzip: {error}");
                return Err(Problem { kind: kind_of(&error), at, what });
            }
        };
        if let Err(error) = into.write_all(buffer.get(..count).unwrap_or_default()) {
            return Err(of_writer(error, at));
        }
        at = at.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
}

fn of_writer(error: io::Error, at: u64) -> Problem {
    let error = EvidenceError::from(error);
    if matches!(error, EvidenceError::LimitReached { .. }) {
        return Problem { kind: IssueKind::LimitReached, at, what: error.to_string() };
    }
    Problem { kind: IssueKind::Unreadable, at, what: format!("temporary file: {error}") }
}

fn kind_of(error: &io::Error) -> IssueKind {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            IssueKind::Malformed
        }
        _ => IssueKind::Unreadable,
    }
}

/// Reads forward.
struct Forward<'b> {
    bytes: &'b dyn ReadAt,
    at: u64,
}

impl Read for Forward<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read_at(self.at, buffer)?;
        self.at = self.at.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, GzBuilder};

    fn member(content: &[u8]) -> Vec<u8> {
        let extra = br#"{"lastTime":"2026-11-21T21:54:04.474000473Z"}"#.to_vec();
        let mut encoder = GzBuilder::new().extra(extra).write(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn inflated(compressed: Vec<u8>) -> (Vec<u8>, Result<u64, (IssueKind, u64)>) {
        let mut content = Vec::new();
        let end = inflate(&compressed, &mut content);
        (content, end.map_err(|problem| (problem.kind, problem.at)))
    }

    /// Text that does not compress to almost nothing.
    fn text() -> Vec<u8> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b' ' + (state >> 24) as u8 % 64
        };
        (0..300_000).map(|_| next()).collect()
    }

    #[test]
    fn all_members_are_read_and_the_engines_extra_field_is_skipped() {
        let bytes = [member(b"one\n"), member(b""), member(b"two\n")].concat();
        assert_eq!(inflated(bytes), (b"one\ntwo\n".to_vec(), Ok(8)));
    }

    #[test]
    fn what_stands_before_the_cut_is_read() {
        let (text, whole) = (text(), member(&text()));
        let (content, end) = inflated(whole[..whole.len() / 2].to_vec());
        assert!(content.len() > 100_000 && text.starts_with(&content), "{}", content.len());
        assert_eq!(end, Err((IssueKind::Malformed, content.len() as u64)));
        for cut in [0, 1, 5, 20, 60] {
            let (content, end) = inflated(whole[..cut].to_vec());
            assert_eq!((content.len(), end.is_err()), (0, true), "{cut}");
        }
    }

    #[test]
    fn a_wrong_checksum_and_what_follows_the_end_are_said() {
        let mut wrong = member(b"one\n");
        let at = wrong.len() - 8;
        wrong[at] ^= 1;
        assert_eq!(inflated(wrong), (b"one\n".to_vec(), Err((IssueKind::Malformed, 4))));
        let followed = [member(b"one\n"), b"junk".to_vec()].concat();
        assert_eq!(inflated(followed), (b"one\n".to_vec(), Err((IssueKind::Malformed, 4))));
    }

    #[test]
    fn a_writer_that_takes_no_more_is_named() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                let limit = EvidenceError::LimitReached { what: "bytes", limit: 3 };
                Err(io::Error::other(limit))
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let problem = inflate(&member(b"one\n"), &mut Full).unwrap_err();
        assert_eq!((problem.kind, problem.at), (IssueKind::LimitReached, 0));
        assert_eq!(problem.what, "bytes: limit of 3 reached");
    }
}
