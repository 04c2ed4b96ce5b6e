//! Puts the pieces of long lines together again, by the id that they share.

use super::entry::Entry;
use crate::formats::rotated_log::Spot;
use dockline_timeline::Instant;

/// So many messages may wait for their ends; an engine has one in each stream.
const OPEN_LIMIT: usize = 64;
/// So many bytes of text may wait.
const TEXT_LIMIT: usize = 4 * 1024 * 1024;

/// What a program wrote as one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    /// Where its first entry begins.
    pub(super) spot: Spot,
    /// When the engine read it.
    pub(super) time: Instant,
    /// `stdout` or `stderr`.
    pub(super) source: &'a str,
    /// What was written.
    pub(super) text: &'a [u8],
    /// What the log options add.
    pub(super) attributes: &'a [String],
    /// Number of entries that it is made of.
    pub(super) pieces: u64,
    /// Whether its beginning, its end or something between is not there.
    pub(super) is_incomplete: bool,
    /// Whether it was cut here because too much is waiting.
    pub(super) is_cut: bool,
}

/// A message whose end has not come yet.
#[derive(Debug)]
struct Open {
    /// The id of its pieces; empty when they have none and are known by their stream.
    id: String,
    source: String,
    spot: Spot,
    time: Instant,
    text: Vec<u8>,
    attributes: Vec<String>,
    pieces: u64,
    next_ordinal: i64,
    has_gap: bool,
}

/// Puts pieces together.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    /// What is open, the oldest first.
    open: Vec<Open>,
    /// Bytes of text in it.
    waiting: usize,
}

impl Joiner {
    /// Takes the next entry, which was read at `time`.
    pub(super) fn entry(
        &mut self,
        (spot, time): (Spot, Instant),
        entry: &Entry<'_>,
        out: &mut dyn FnMut(&Message<'_>),
    ) {
        let found = if self.open.is_empty() { None } else { self.position(entry) };
        let ends = entry.piece.map_or(!entry.is_partial, |piece| piece.is_last);
        if found.is_none() && ends && entry.piece.is_none_or(|piece| piece.ordinal <= 1) {
            out(&Message {
                spot,
                time,
                source: entry.source,
                text: entry.line,
                attributes: &entry.attributes,
                pieces: 1,
                is_incomplete: false,
                is_cut: false,
            });
            return;
        }
        let mut open = match found {
            Some(at) => self.take(at),
            None => Open::begin(spot, time, entry),
        };
        open.add(entry);
        if ends {
            out(&open.message(open.has_gap, false));
            return;
        }
        self.waiting = self.waiting.saturating_add(open.text.len());
        self.open.push(open);
        while self.open.len() > OPEN_LIMIT || self.waiting > TEXT_LIMIT {
            let oldest = self.take(0);
            out(&oldest.message(true, true));
        }
    }

    /// Lets out what is open: nothing comes that could continue it.
    pub(super) fn close(&mut self, out: &mut dyn FnMut(&Message<'_>)) {
        for open in self.open.drain(..) {
            out(&open.message(true, false));
        }
        self.waiting = 0;
    }

    fn position(&self, entry: &Entry<'_>) -> Option<usize> {
        let id = entry.piece.map_or("", |piece| piece.id);
        self.open.iter().position(|open| open.id == id && open.source == entry.source)
    }

    fn take(&mut self, at: usize) -> Open {
        let open = self.open.remove(at);
        self.waiting = self.waiting.saturating_sub(open.text.len());
        open
    }
}

impl Open {
    fn begin(spot: Spot, time: Instant, entry: &Entry<'_>) -> Open {
        Open {
            id: entry.piece.map_or("", |piece| piece.id).to_owned(),
            source: entry.source.to_owned(),
            spot,
            time,
            text: Vec::new(),
            attributes: entry.attributes.clone(),
            pieces: 0,
            next_ordinal: 1,
            has_gap: false,
        }
    }

    fn add(&mut self, entry: &Entry<'_>) {
        if let Some(piece) = entry.piece {
            self.has_gap |= piece.ordinal != self.next_ordinal;
            self.next_ordinal = piece.ordinal.saturating_add(1);
        }
        self.text.extend_from_slice(entry.line);
        self.pieces = self.pieces.saturating_add(1);
    }

    fn message(&self, is_incomplete: bool, is_cut: bool) -> Message<'_> {
        Message {
            spot: self.spot,
            time: self.time,
            source: &self.source,
            text: &self.text,
            attributes: &self.attributes,
            pieces: self.pieces,
            is_incomplete: is_incomplete || self.has_gap,
            is_cut,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::Piece;
    use super::*;

    /// What comes out of entries of (stream, id, ordinal, last, text): an empty id has no metadata.
    fn joined(entries: &[(&str, &str, i64, bool, &str)]) -> Vec<String> {
        let mut joiner = Joiner::default();
        let mut messages = Vec::new();
        let mut out = |message: &Message<'_>| {
            let text = String::from_utf8(message.text.to_vec()).unwrap();
            let marks = [(message.is_incomplete, " incomplete"), (message.is_cut, " cut")];
            let marks: String = marks.iter().filter(|mark| mark.0).map(|mark| mark.1).collect();
            messages.push(format!("{} {} {text:.9}{marks}", message.source, message.pieces));
        };
        let time = Instant::new(1, 0).unwrap();
        for (offset, (source, id, ordinal, is_last, text)) in (0..).zip(entries) {
            let spot = Spot { file: 0, offset, place: offset };
            let piece = Piece { is_last: *is_last, id, ordinal: *ordinal };
            let entry = Entry {
                source,
                line: text.as_bytes(),
                is_partial: *ordinal > 0,
                piece: Some(piece).filter(|_| !id.is_empty()),
                ..Entry::default()
            };
            joiner.entry((spot, time), &entry, &mut out);
        }
        joiner.close(&mut out);
        messages
    }

    #[test]
    fn pieces_are_joined_by_their_id_whatever_stands_between() {
        let entries = [
            ("stdout", "a", 1, false, "one "),
            ("stderr", "", 0, false, "between"),
            ("stderr", "b", 1, false, "err "),
            ("stdout", "a", 2, false, "two "),
            ("stderr", "b", 2, true, "end"),
            ("stdout", "a", 3, true, "three"),
        ];
        let expected = ["stderr 1 between", "stderr 2 err end", "stdout 3 one two t"];
        assert_eq!(joined(&entries), expected);
    }

    #[test]
    fn what_is_missing_makes_a_message_incomplete() {
        let lost_begin = ("stdout", "a", 3, true, "tail");
        let gap = [("stdout", "b", 1, false, "x"), ("stdout", "b", 3, true, "y")];
        let lost_end = ("stdout", "c", 1, false, "head");
        let expected =
            ["stdout 1 tail incomplete", "stdout 2 xy incomplete", "stdout 1 head incomplete"];
        assert_eq!(joined(&[lost_begin, gap[0], gap[1], lost_end]), expected);
    }

    #[test]
    fn pieces_without_an_id_are_joined_in_their_stream() {
        let entries = [
            ("stdout", "", 1, false, "one "),
            ("stderr", "", 0, false, "err"),
            ("stdout", "", 0, false, "two"),
        ];
        assert_eq!(joined(&entries), ["stderr 1 err", "stdout 2 one two"]);
    }

    #[test]
    fn what_waits_is_bounded_in_number_and_size() {
        let ids: Vec<String> = (0..70).map(|id| format!("id{id}")).collect();
        let entries: Vec<_> = ids.iter().map(|id| ("stdout", id.as_str(), 1, false, "x")).collect();
        let cut = joined(&entries).iter().filter(|shown| shown.ends_with(" cut")).count();
        assert_eq!(cut, 70 - OPEN_LIMIT);
        let long = "x".repeat(TEXT_LIMIT / 2);
        let piece = |ordinal| ("stdout", "a", ordinal, false, long.as_str());
        let expected = ["stdout 3 xxxxxxxxx incomplete cut"];
        assert_eq!(joined(&[piece(1), piece(2), piece(3)]), expected);
    }
}
