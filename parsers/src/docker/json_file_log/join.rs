//! Puts the pieces of long lines together again.
//!
//! The engine reads each stream into a buffer of [`PIECE`] bytes. A line that does not fit becomes
//! several records, and nothing in them says so but that all except the last lack the final line
//! break. Since 20.10 they carry the same time, that of the first; before, each had its own. A line
//! without a line break at the end of a run is a shorter record without one, and nothing continues
//! it. Records of the other stream may stand between the pieces, and so may the border of a
//! rotation.

use super::chain::Spot;
use super::record::{Attrs, Escapes, Log, Record, Stream};
use super::text::{Blemishes, unescape};
use super::window::wide;
use dockline_timeline::Instant;

/// Length of a piece before its bytes that are not UTF-8 became U+FFFD, which only makes it longer.
const PIECE: usize = 16_384;
/// So many bytes of the log may lie between two pieces.
pub(super) const WAIT: u64 = 1024 * 1024;
/// For so many bytes of the log there may always be something open; then all is let out. So long can
/// a message be with what stands between its pieces, and so large a part of a log must be read at
/// once, whoever wrote it.
pub(super) const SPAN: u64 = 4 * 1024 * 1024;

/// What a program wrote as one line.
#[derive(Debug)]
pub(super) struct Message<'a> {
    /// Where its first record begins.
    pub(super) spot: Spot,
    /// When it was written.
    pub(super) time: Instant,
    /// To where.
    pub(super) stream: Stream<'a>,
    /// The text, usually with its final line break.
    pub(super) log: Log<'a>,
    /// What the log options add to its first record.
    pub(super) attrs: Attrs<'a>,
    /// Number of records that it is made of.
    pub(super) pieces: u64,
    /// Whether its last piece is full and nothing continues it.
    pub(super) is_incomplete: bool,
    /// Whether it was cut here because it spans too much.
    pub(super) is_cut: bool,
    /// Bytes of its line with the line break, if that is one record of the engine's own form.
    pub(super) line: Option<usize>,
}

/// Takes messages. They come in the order of their last records.
pub(super) trait Messages {
    /// One message.
    fn message(&mut self, message: &Message<'_>);

    /// Before the record at `place` nothing is open: what comes now depends on nothing before.
    fn border(&mut self, _place: u64) {}
}

/// A record with its place and time.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    /// Where it begins.
    pub(super) spot: Spot,
    /// When it was written.
    pub(super) time: Instant,
    /// What it says.
    pub(super) record: &'a Record<'a>,
    /// Bytes that it covers with its line break, if that is there.
    pub(super) used: usize,
}

impl Entry<'_> {
    /// Where its last brace is behind, in the log.
    fn end(&self) -> u64 {
        self.spot.place.saturating_add(wide(self.record.length))
    }

    /// Bytes of its line, if nothing is on that but this record in the engine's own form.
    fn line(&self) -> Option<usize> {
        let is_ended = self.used > self.record.length;
        (is_ended && self.record.log.escapes != Escapes::None).then_some(self.used)
    }
}

/// A message whose last piece has not come yet.
#[derive(Debug)]
struct Open {
    spot: Spot,
    time: Instant,
    last_time: Instant,
    last_length: usize,
    /// End of the last piece, in the log.
    end: u64,
    pieces: u64,
    text: String,
    attrs: Vec<String>,
}

impl Open {
    fn begin(entry: &Entry<'_>) -> Open {
        let mut open = Open {
            spot: entry.spot,
            time: entry.time,
            last_time: entry.time,
            last_length: 0,
            end: 0,
            pieces: 0,
            text: String::new(),
            attrs: entry.record.attrs.to_pairs(),
        };
        open.add(entry);
        open
    }

    fn add(&mut self, entry: &Entry<'_>) {
        let before = self.text.len();
        let log = &entry.record.log;
        if log.escapes == Escapes::None {
            self.text.push_str(log.text);
        } else {
            unescape(log.text, &mut self.text, &mut Blemishes::default());
        }
        self.last_length = self.text.len().saturating_sub(before);
        self.last_time = entry.time;
        self.pieces = self.pieces.saturating_add(1);
        self.end = entry.end();
    }

    /// Whether a record of the same stream is its next piece. The pieces of one message have either
    /// all the same time or each its own.
    fn is_continued_by(&self, entry: &Entry<'_>) -> bool {
        let shares_time = self.pieces > 1 && self.last_time == self.time;
        entry.time == self.last_time || (self.last_length >= PIECE && !shares_time)
    }

    fn message(&self, stream: Stream<'static>, is_cut: bool) -> Message<'_> {
        let ends_line = self.text.ends_with('\n');
        Message {
            spot: self.spot,
            time: self.time,
            stream,
            log: Log { text: &self.text, escapes: Escapes::None },
            attrs: Attrs::Pairs(&self.attrs),
            pieces: self.pieces,
            is_incomplete: is_cut || (!ends_line && self.last_length >= PIECE),
            is_cut,
            line: None,
        }
    }
}

/// Puts pieces together; knows what is open in each stream.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    stdout: Option<Open>,
    stderr: Option<Open>,
    /// The last place at which nothing was open.
    clean: u64,
}

impl Joiner {
    /// Takes the next record.
    pub(super) fn record(&mut self, entry: &Entry<'_>, out: &mut impl Messages) {
        if self.has_open() {
            self.close_waiting(entry.spot.place, out);
            if entry.end().saturating_sub(self.clean) > SPAN {
                self.cut(entry, out);
            } else if self.continue_open(entry, out) {
                return;
            }
        }
        if !self.has_open() {
            self.clean = entry.spot.place;
            out.border(entry.spot.place);
        }
        let record = entry.record;
        match record.stream {
            Stream::Stdout if !record.log.ends_line() => self.stdout = Some(Open::begin(entry)),
            Stream::Stderr if !record.log.ends_line() => self.stderr = Some(Open::begin(entry)),
            stream => out.message(&Message {
                spot: entry.spot,
                time: entry.time,
                stream,
                log: record.log,
                attrs: record.attrs,
                pieces: 1,
                is_incomplete: false,
                is_cut: false,
                line: entry.line(),
            }),
        }
    }

    /// Lets out what is open: nothing that comes now can continue it.
    pub(super) fn close(&mut self, out: &mut impl Messages) {
        if let Some(open) = self.stdout.take() {
            out.message(&open.message(Stream::Stdout, false));
        }
        if let Some(open) = self.stderr.take() {
            out.message(&open.message(Stream::Stderr, false));
        }
    }

    fn has_open(&self) -> bool {
        self.stdout.is_some() || self.stderr.is_some()
    }

    fn close_waiting(&mut self, place: u64, out: &mut impl Messages) {
        let waits = |open: &mut Open| place.saturating_sub(open.end) > WAIT;
        if let Some(open) = self.stdout.take_if(waits) {
            out.message(&open.message(Stream::Stdout, false));
        }
        if let Some(open) = self.stderr.take_if(waits) {
            out.message(&open.message(Stream::Stderr, false));
        }
    }

    /// Lets out what is open before its time; it is cut if it goes on, or looks as if it will.
    fn cut(&mut self, entry: &Entry<'_>, out: &mut impl Messages) {
        let slots = [(&mut self.stdout, Stream::Stdout), (&mut self.stderr, Stream::Stderr)];
        for (slot, stream) in slots {
            let Some(open) = slot.take() else { continue };
            let is_own = entry.record.stream == stream;
            let is_cut =
                if is_own { open.is_continued_by(entry) } else { open.last_length >= PIECE };
            out.message(&open.message(stream, is_cut));
        }
    }

    /// Adds the record to the open message of its stream, if it belongs to it; else closes that.
    fn continue_open(&mut self, entry: &Entry<'_>, out: &mut impl Messages) -> bool {
        let (slot, stream) = match entry.record.stream {
            Stream::Stdout => (&mut self.stdout, Stream::Stdout),
            Stream::Stderr => (&mut self.stderr, Stream::Stderr),
            Stream::Other(_) | Stream::Unsaid => return false,
        };
        let Some(open) = slot else { return false };
        let is_continued = open.is_continued_by(entry);
        if is_continued {
            open.add(entry);
            if !entry.record.log.ends_line() {
                return true;
            }
        }
        if let Some(open) = slot.take() {
            out.message(&open.message(stream, false));
        }
        is_continued
    }
}
