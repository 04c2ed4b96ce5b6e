//! Lines of containers, joined from their pieces.
//!
//! A log driver cuts a line longer than 16 KiB. dockerd (since 18.06) marks each piece with an id of
//! the line, its number and whether it is the last; conmon, and dockerd before, only mark all but the
//! last as `CONTAINER_PARTIAL_MESSAGE`. Lines of two containers, and of the two streams of one, mix.

use super::{When, text};
use crate::formats::journal::Entry;

/// Lines that are open at once.
const OPEN: usize = 256;
/// Bytes of one line.
const LONGEST: usize = 4 * 1024 * 1024;

/// A line of a container.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// The container's full id.
    pub(super) container: String,
    pub(super) name: Option<String>,
    pub(super) image: Option<String>,
    pub(super) tag: String,
    pub(super) stream: &'static str,
    /// Whether conmon wrote it, not dockerd.
    pub(super) is_podman: bool,
    pub(super) text: Vec<u8>,
    /// Offset and time of its first piece.
    pub(super) at: u64,
    pub(super) when: When,
    pub(super) pieces: u64,
    /// Whether its last piece never came.
    pub(super) is_incomplete: bool,
    pub(super) is_cut: bool,
    pub(super) is_recovered: bool,
    /// What its next piece has, too.
    key: String,
}

/// Lines whose pieces have not all come, the oldest first.
#[derive(Default)]
pub(super) struct Pieces(Vec<Line>);

impl Pieces {
    /// Takes the next entry; the lines that are whole by it, and those that will not become so.
    pub(super) fn take(&mut self, entry: &Entry, when: When) -> Vec<Line> {
        let mut done = Vec::new();
        let Some(piece) = Line::of(entry, when) else { return done };
        let is_last = text(entry, "CONTAINER_PARTIAL_MESSAGE") != Some("true");
        let open = self.0.iter().position(|line| line.key == piece.key);
        let mut line = match open {
            Some(open) => {
                let mut line = self.0.remove(open);
                line.add(piece);
                line
            }
            None => piece,
        };
        if is_last {
            done.push(line);
            return done;
        }
        line.is_incomplete = true;
        if line.is_cut {
            done.push(line);
            return done;
        }
        self.0.push(line);
        if self.0.len() > OPEN {
            done.push(self.0.remove(0));
        }
        done
    }

    /// The lines that were never finished.
    pub(super) fn rest(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.0)
    }
}

impl Line {
    fn of(entry: &Entry, when: When) -> Option<Line> {
        let container = text(entry, "CONTAINER_ID_FULL")?.to_owned();
        let stream = match text(entry, "PRIORITY") {
            Some("3") => "stderr",
            _ => "stdout",
        };
        let id = text(entry, "CONTAINER_PARTIAL_ID").unwrap_or(stream);
        let owned = |name| text(entry, name).map(str::to_owned);
        Some(Line {
            key: format!("{container} {id}"),
            name: owned("CONTAINER_NAME"),
            image: owned("IMAGE_NAME"),
            tag: owned("CONTAINER_TAG").or_else(|| owned("SYSLOG_IDENTIFIER")).unwrap_or_default(),
            stream,
            is_podman: text(entry, "_COMM") == Some("conmon"),
            text: entry.field("MESSAGE").unwrap_or_default().to_vec(),
            at: entry.at,
            when,
            pieces: 1,
            is_incomplete: false,
            is_cut: false,
            is_recovered: entry.beyond_tail,
            container,
        })
    }

    /// Adds the next piece.
    fn add(&mut self, piece: Line) {
        let room = LONGEST.saturating_sub(self.text.len());
        self.is_cut = piece.text.len() > room;
        self.text
            .extend_from_slice(piece.text.get(..room.min(piece.text.len())).unwrap_or_default());
        self.pieces = self.pieces.saturating_add(1);
        self.is_incomplete = false;
        self.is_recovered |= piece.is_recovered;
    }
}
