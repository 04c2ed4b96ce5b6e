//! Puts the pieces of long lines together again: in each stream, `P` after `P` up to the next `F`.

use super::line::{Line, Stream};
use crate::formats::rotated_log::Spot;
use dockline_timeline::Instant;

/// So many bytes of the log may lie between two pieces.
pub(super) const WAIT: u64 = 1024 * 1024;
/// For so many bytes of the log there may always be something open; then all is let out. So long can
/// a message be with what stands between its pieces, and so large a part of a log must be read at
/// once, whoever wrote it.
pub(super) const SPAN: u64 = 4 * 1024 * 1024;

/// What a program wrote as one line.
#[derive(Debug)]
pub(super) struct Message<'a> {
    /// Where its first piece begins.
    pub(super) spot: Spot,
    /// When that was read from the container.
    pub(super) time: Instant,
    /// To where it was written.
    pub(super) stream: Stream,
    /// What was written.
    pub(super) text: &'a [u8],
    /// The tags behind the first of its first piece.
    pub(super) more_tags: &'a [u8],
    /// Number of lines that it is made of.
    pub(super) pieces: u64,
    /// Whether its end is not there.
    pub(super) is_incomplete: bool,
    /// Whether it was cut here because it spans too much.
    pub(super) is_cut: bool,
}

/// Takes messages. They come in the order of their last pieces.
pub(super) trait Messages {
    /// One message.
    fn message(&mut self, message: &Message<'_>);

    /// Before the line at `place` nothing is open: what comes now depends on nothing before.
    fn border(&mut self, _place: u64) {}
}

/// A line with its place.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    /// Where it begins.
    pub(super) spot: Spot,
    /// Where it ends, in the log.
    pub(super) end: u64,
    /// What it says.
    pub(super) line: Line<'a>,
    /// Whether its end is not there.
    pub(super) is_torn: bool,
}

/// A message whose last piece has not come yet.
#[derive(Debug)]
struct Open {
    spot: Spot,
    time: Instant,
    /// End of the last piece, in the log.
    end: u64,
    pieces: u64,
    text: Vec<u8>,
    more_tags: Vec<u8>,
}

impl Open {
    fn begin(entry: &Entry<'_>) -> Open {
        let (spot, time) = (entry.spot, entry.line.time);
        let more_tags = entry.line.more_tags.to_vec();
        let mut open = Open { spot, time, end: 0, pieces: 0, text: Vec::new(), more_tags };
        open.add(entry);
        open
    }

    fn add(&mut self, entry: &Entry<'_>) {
        self.text.extend_from_slice(entry.line.text);
        self.pieces = self.pieces.saturating_add(1);
        self.end = entry.end;
    }

    fn message(&self, stream: Stream, is_incomplete: bool) -> Message<'_> {
        Message {
            spot: self.spot,
            time: self.time,
            stream,
            text: &self.text,
            more_tags: &self.more_tags,
            pieces: self.pieces,
            is_incomplete,
            is_cut: false,
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
    /// Takes the next line.
    pub(super) fn line(&mut self, entry: &Entry<'_>, out: &mut impl Messages) {
        if self.has_open() {
            self.close_waiting(entry.spot.place, out);
            if entry.end.saturating_sub(self.clean) > SPAN {
                self.let_out(true, out);
            }
        }
        if !self.has_open() {
            self.clean = entry.spot.place;
            out.border(entry.spot.place);
        }
        self.take(entry, out);
        if entry.is_torn {
            self.close(out);
        }
    }

    /// Lets out what is open: nothing that comes now can continue it.
    pub(super) fn close(&mut self, out: &mut impl Messages) {
        self.let_out(false, out);
    }

    fn has_open(&self) -> bool {
        self.stdout.is_some() || self.stderr.is_some()
    }

    fn streams(&mut self) -> [(&mut Option<Open>, Stream); 2] {
        [(&mut self.stdout, Stream::Stdout), (&mut self.stderr, Stream::Stderr)]
    }

    fn close_waiting(&mut self, place: u64, out: &mut impl Messages) {
        for (slot, stream) in self.streams() {
            if let Some(open) = slot.take_if(|open| place.saturating_sub(open.end) > WAIT) {
                out.message(&open.message(stream, true));
            }
        }
    }

    fn let_out(&mut self, is_cut: bool, out: &mut impl Messages) {
        for (slot, stream) in self.streams() {
            if let Some(open) = slot.take() {
                out.message(&Message { is_cut, ..open.message(stream, true) });
            }
        }
    }

    fn take(&mut self, entry: &Entry<'_>, out: &mut impl Messages) {
        let line = &entry.line;
        let slot = match line.stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        match slot {
            Some(open) => open.add(entry),
            None if line.is_partial => *slot = Some(Open::begin(entry)),
            None => out.message(&Message {
                spot: entry.spot,
                time: line.time,
                stream: line.stream,
                text: line.text,
                more_tags: line.more_tags,
                pieces: 1,
                is_incomplete: entry.is_torn,
                is_cut: false,
            }),
        }
        if !line.is_partial
            && let Some(open) = slot.take()
        {
            out.message(&open.message(line.stream, entry.is_torn));
        }
    }
}
