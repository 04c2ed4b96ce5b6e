//! One line: `TIME STREAM TAGS text`.

use dockline_timeline::Instant;
use memchr::memchr;

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// When it was read from the container.
    pub(super) time: Instant,
    /// Where the container wrote it.
    pub(super) stream: Stream,
    /// Whether the message goes on in the next line of the stream.
    pub(super) is_partial: bool,
    /// The tags behind the first, with their colons.
    pub(super) more_tags: &'a [u8],
    /// What the program wrote.
    pub(super) text: &'a [u8],
}

/// Where a container writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    /// Standard output, or a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// As it stands in the line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        }
    }
}

/// Why a line is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It does not begin with a time.
    NoTime,
    /// Its time is Go's zero time.
    ZeroTime,
    /// No stream follows the time.
    NoStream,
    /// No tag follows the stream.
    NoTag,
    /// It is JSON, as Docker's json-file driver writes it.
    Json,
}

impl Fault {
    /// In words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Fault::NoTime => "no time at its front",
            Fault::ZeroTime => "its time is the zero time",
            Fault::NoStream => "no stream stdout or stderr behind its time",
            Fault::NoTag => "no tag P or F behind its stream",
            Fault::Json => "an object of JSON, as the json-file driver of Docker writes it",
        }
    }
}

/// Reads a line, given without its line break.
///
/// # Errors
/// When it is no record.
pub(super) fn parse(line: &[u8]) -> Result<Line<'_>, Fault> {
    if line.starts_with(b"{\"") {
        return Err(Fault::Json);
    }
    let (time, rest) = word(line).ok_or(Fault::NoTime)?;
    let time = Instant::parse_rfc3339_bytes(time).map_err(|_| Fault::NoTime)?;
    let time = time.ok_or(Fault::ZeroTime)?;
    let (stream, rest) = match rest.split_first_chunk::<7>() {
        Some((b"stdout ", rest)) => (Stream::Stdout, rest),
        Some((b"stderr ", rest)) => (Stream::Stderr, rest),
        _ => return Err(Fault::NoStream),
    };
    // An empty text keeps the space before it; where a writer cuts that, nothing is lost.
    let (tags, text) = word(rest).unwrap_or((rest, b""));
    let (is_partial, more_tags) = match tags.split_first() {
        Some((b'F', more)) => (false, more),
        Some((b'P', more)) => (true, more),
        _ => return Err(Fault::NoTag),
    };
    if more_tags.first().is_some_and(|byte| *byte != b':') {
        return Err(Fault::NoTag);
    }
    Ok(Line { time, stream, is_partial, more_tags, text })
}

/// What stands before and behind the first space.
fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (word, rest) = text.split_at_checked(memchr(b' ', text)?)?;
    Some((word, rest.strip_prefix(b" ")?))
}

/// Whether a record follows a run of NUL bytes in the text, as when a line was torn by a crash and
/// the next was appended behind the hole.
pub(super) fn has_record_after_nuls(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some(at) = memchr(0, rest) {
        let behind = rest.get(at..).unwrap_or_default();
        let nuls = behind.iter().take_while(|byte| **byte == 0).count();
        rest = behind.get(nuls..).unwrap_or_default();
        // A time begins with its year: spares the reading of all that follows a NUL.
        if rest.first().is_some_and(u8::is_ascii_digit) && parse(rest).is_ok() {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<(String, &'static str, bool, &str), Fault> {
        let line = parse(line.as_bytes())?;
        let text = std::str::from_utf8(line.text).unwrap();
        Ok((line.time.to_string(), line.stream.name(), line.is_partial, text))
    }

    #[test]
    fn a_line_says_when_where_and_whether_it_goes_on() {
        let time = "2026-11-21T21:57:01.907579071Z".to_owned();
        assert_eq!(
            parsed("2026-11-21T21:57:01.907579071+00:00 stdout F a\tb "),
            Ok((time.clone(), "stdout", false, "a\tb "))
        );
        assert_eq!(
            parsed("2026-11-21T23:27:01.907579071+01:30 stderr P "),
            Ok((time, "stderr", true, ""))
        );
        let time = "2024-05-01T12:00:00.000000000Z".to_owned();
        assert_eq!(parsed("2024-05-01T12:00:00Z stdout F"), Ok((time, "stdout", false, "")));
    }

    #[test]
    fn only_the_first_tag_has_a_meaning() {
        let line = parse(b"2024-05-01T12:00:00Z stdout P:x:F text").unwrap();
        assert_eq!(
            (line.is_partial, line.more_tags, line.text),
            (true, &b":x:F"[..], &b"text"[..])
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let faults = [
            ("", Fault::NoTime),
            ("2024-05-01T12:00:00Z", Fault::NoTime),
            ("2024-05-01T12:00:00 stdout F x", Fault::NoTime),
            ("2024-13-01T12:00:00Z stdout F x", Fault::NoTime),
            ("0001-01-01T00:00:00Z stdout F x", Fault::ZeroTime),
            ("2024-05-01T12:00:00Z stdin F x", Fault::NoStream),
            ("2024-05-01T12:00:00Z stdout", Fault::NoStream),
            ("2024-05-01T12:00:00Z stdout Full x", Fault::NoTag),
            ("2024-05-01T12:00:00Z stdout  x", Fault::NoTag),
            ("2024-05-01T12:00:00Z stdout ", Fault::NoTag),
            (r#"{"log":"x\n","stream":"stdout"}"#, Fault::Json),
        ];
        for (line, fault) in faults {
            assert_eq!(parsed(line), Err(fault), "{line}");
        }
    }

    #[test]
    fn a_record_behind_nul_bytes_is_seen() {
        assert!(has_record_after_nuls(b"to\0\0x\0\x002024-05-01T12:00:00Z stdout F next"));
        assert!(!has_record_after_nuls(b"to\0\x002024-05-01 stdout F next\0"));
    }
}
