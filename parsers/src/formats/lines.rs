//! Lines of a text file, plain or gzip, from front to back: what the logs of a host are made of.
//!
//! A line is held only while it is looked at, and no more than [`LONGEST_LINE`] bytes of it, so memory
//! does not depend on the length of the file. Whether the file is compressed is told by its content,
//! as programs that rotate logs give them many names.

use crate::formats::gzip::inflate;
use dockline_evidence::ReadAt;
use dockline_timeline::IssueKind;
use std::io::{self, Write};

/// Bytes of a line that are kept.
pub const LONGEST_LINE: usize = 1024 * 1024;
const CHUNK: usize = 64 * 1024;
/// Signatures of compressed files that are not read.
const UNSUPPORTED: &[(&[u8], &str)] = &[
    (b"\xfd7zXZ\0", "a log compressed with xz"),
    (b"BZh", "a log compressed with bzip2"),
    (b"\x28\xb5\x2f\xfd", "a log compressed with zstd"),
    (b"\x04\x22\x4d\x18", "a log compressed with LZ4"),
];

/// One line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'b> {
    /// Offset of its first byte in the (decompressed) content.
    pub offset: u64,
    /// Its bytes without the line feed and a carriage return before it.
    pub bytes: &'b [u8],
    /// All its bytes, with the line end and with those that were not kept.
    pub length: u64,
}

impl Line<'_> {
    /// Whether it is longer than what is kept of it.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        // Up to two bytes of the line's end are never kept.
        self.length > wide(self.bytes.len()).saturating_add(2)
    }
}

/// Why a file has no more lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// In which way it could not be read further.
    pub kind: IssueKind,
    /// Offset in the content.
    pub at: u64,
    /// In words.
    pub what: String,
}

/// Gives each line of `bytes` to `each`; a last line without a line feed is one, too.
///
/// # Errors
/// Why there are no more lines; those before have been given.
pub fn read(bytes: &dyn ReadAt, each: &mut dyn FnMut(Line<'_>)) -> Result<(), End> {
    read_long(bytes, LONGEST_LINE, each)
}

/// [`read`] with another number of bytes that are kept of a line.
///
/// # Errors
/// As [`read`].
pub fn read_long(
    bytes: &dyn ReadAt,
    longest: usize,
    each: &mut dyn FnMut(Line<'_>),
) -> Result<(), End> {
    let mut head = [0; 6];
    let count = bytes.read_at(0, &mut head).map_err(|error| unreadable(&error, 0))?;
    let head = head.get(..count).unwrap_or_default();
    if let Some((_, what)) = UNSUPPORTED.iter().find(|(magic, _)| head.starts_with(magic)) {
        let what = format!("{what} is not supported");
        return Err(End { kind: IssueKind::Unsupported, at: 0, what });
    }
    let mut lines = Splitter { each, longest, held: Vec::new(), start: 0, length: 0 };
    let end = if head.starts_with(b"\x1f\x8b") {
        let inflated = inflate(bytes, &mut lines);
        inflated.map(drop).map_err(|end| End { kind: end.kind, at: end.at, what: end.what })
    } else {
        copy(bytes, &mut lines)
    };
    lines.finish();
    end
}

fn copy(bytes: &dyn ReadAt, lines: &mut Splitter<'_>) -> Result<(), End> {
    let mut buffer = vec![0; CHUNK];
    let mut at = 0_u64;
    loop {
        let count = bytes.read_at(at, &mut buffer).map_err(|error| unreadable(&error, at))?;
        if count == 0 {
            return Ok(());
        }
        lines.take(buffer.get(..count).unwrap_or_default());
        at = at.saturating_add(wide(count));
    }
}

fn unreadable(error: &io::Error, at: u64) -> End {
    End { kind: IssueKind::Unreadable, at, what: error.to_string() }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Cuts what is written to it into lines.
struct Splitter<'f> {
    each: &'f mut dyn FnMut(Line<'_>),
    /// Bytes of a line that are kept.
    longest: usize,
    /// The beginning of a line whose end has not come.
    held: Vec<u8>,
    /// Offset of the open line.
    start: u64,
    /// Bytes of the open line so far.
    length: u64,
}

impl Splitter<'_> {
    fn take(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            if self.length == 0 && line.len() <= self.longest {
                self.give(line, wide(line.len()).saturating_add(1));
            } else {
                self.hold(line);
                self.give_held(1);
            }
            rest = after.get(1..).unwrap_or_default();
        }
        self.hold(rest);
    }

    fn hold(&mut self, part: &[u8]) {
        let room = self.longest.saturating_sub(self.held.len()).min(part.len());
        self.held.extend_from_slice(part.get(..room).unwrap_or_default());
        self.length = self.length.saturating_add(wide(part.len()));
    }

    fn give_held(&mut self, line_end: u64) {
        let held = std::mem::take(&mut self.held);
        let length = self.length.saturating_add(line_end);
        self.length = 0;
        self.give(&held, length);
        self.held = held;
        self.held.clear();
    }

    fn give(&mut self, line: &[u8], length: u64) {
        let bytes = line.strip_suffix(b"\r").unwrap_or(line);
        (self.each)(Line { offset: self.start, bytes, length });
        self.start = self.start.saturating_add(length);
    }

    fn finish(&mut self) {
        if self.length > 0 {
            self.give_held(0);
        }
    }
}

impl Write for Splitter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.take(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    type Lines = Vec<(u64, Vec<u8>, u64)>;

    fn lines_of(bytes: &[u8]) -> (Lines, Result<(), End>) {
        let mut lines = Vec::new();
        let mut each = |line: Line<'_>| lines.push((line.offset, line.bytes.to_vec(), line.length));
        let end = read(&bytes.to_vec(), &mut each);
        (lines, end)
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn lines_have_their_offsets_and_lengths_plain_and_compressed() {
        let text = b"one\r\n\ntwo\nlast";
        let expected = vec![
            (0, b"one".to_vec(), 5),
            (5, Vec::new(), 1),
            (6, b"two".to_vec(), 4),
            (10, b"last".to_vec(), 4),
        ];
        assert_eq!(lines_of(text), (expected.clone(), Ok(())));
        assert_eq!(lines_of(&gzip(text)), (expected, Ok(())));
        assert_eq!(lines_of(b""), (Vec::new(), Ok(())));
    }

    #[test]
    fn a_line_over_chunks_is_whole_and_one_without_end_is_cut() {
        let long = vec![b'x'; CHUNK * 3];
        let endless = vec![b'y'; LONGEST_LINE + 7];
        let text = [&b"a\n"[..], &long, b"\n", &endless, b"\nz\n"].concat();
        let (lines, end) = lines_of(&text);
        assert_eq!(end, Ok(()));
        let lengths: Vec<_> = lines.iter().map(|line| (line.1.len(), line.2)).collect();
        let wide = |length: usize| length as u64;
        let expected = [
            (1, 2),
            (long.len(), wide(long.len()) + 1),
            (LONGEST_LINE, wide(endless.len()) + 1),
            (1, 2),
        ];
        assert_eq!(lengths, expected);
        assert_eq!(lines[3].0, wide(text.len()) - 2);
    }

    #[test]
    fn what_is_torn_or_not_supported_says_so() {
        let whole = gzip(&b"line\n".repeat(50_000));
        let (lines, end) = lines_of(&whole[..whole.len() - 20]);
        assert!(!lines.is_empty());
        assert_eq!(end.unwrap_err().kind, IssueKind::Malformed);
        let (lines, end) = lines_of(b"\xfd7zXZ\0...");
        assert_eq!((lines.len(), end.unwrap_err().kind), (0, IssueKind::Unsupported));
    }
}
