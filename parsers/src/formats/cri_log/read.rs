//! The reading of a stretch of a log, line by line, through all its files.

use crate::formats::rotated_log::window::{Window, wide};
use crate::formats::rotated_log::{Chain, Spot};
use memchr::memchr;
use std::io;
use std::ops::Range;

/// So many bytes of a line are looked at. Writers cut lines at 16 KiB, unless they are told not to.
pub(super) const LINE_LIMIT: usize = 1024 * 1024;

/// The next thing in a log.
#[derive(Debug)]
pub(super) enum Token<'a> {
    /// A line, without its line break.
    Line {
        /// All of it, or its first [`LINE_LIMIT`] bytes.
        bytes: &'a [u8],
        /// Whether its line break follows.
        is_ended: bool,
    },
    /// More of a line that is too long.
    Rest {
        /// Whether it ends with the line break.
        is_ended: bool,
    },
    /// NUL bytes where a line should begin.
    Nuls,
    /// The rest of the stretch in this file.
    Unreadable(io::Error),
}

impl Token<'_> {
    /// Whether a line ends with it.
    pub(super) fn ends_line(&self) -> bool {
        matches!(self, Token::Line { is_ended: true, .. } | Token::Rest { is_ended: true })
    }
}

/// Takes what a reading finds, in the order of the log.
pub(super) trait Visit {
    /// The next thing, which begins at `spot` and has `length` bytes with its line break.
    fn token(&mut self, spot: Spot, token: &Token<'_>, length: u64);

    /// Whether nothing more is wanted.
    fn is_done(&self) -> bool {
        false
    }
}

/// Reads what begins in `range`, counted over all files of the log.
pub(super) fn read(chain: &Chain, range: &Range<u64>, visit: &mut impl Visit) {
    for (file, part) in chain.parts.iter().enumerate() {
        let end = range.end.min(part.end()).saturating_sub(part.start);
        let from = range.start.saturating_sub(part.start);
        if from >= end || range.end <= part.start {
            continue;
        }
        let mut window = Window::new(&*part.bytes, from, end);
        let mut is_inside = false;
        while window.offset() < end && !visit.is_done() {
            let offset = window.offset();
            let spot = Spot { file, offset, place: part.start.saturating_add(offset) };
            if let Some((token, used)) = next(window.view(), is_inside, window.is_at_end()) {
                visit.token(spot, &token, wide(used));
                is_inside = match token {
                    Token::Line { bytes, is_ended } => !is_ended && bytes.len() == LINE_LIMIT,
                    Token::Rest { is_ended } => !is_ended,
                    Token::Nuls | Token::Unreadable(_) => false,
                };
                window.forward(used);
            } else if let Err(error) = window.grow() {
                visit.token(spot, &Token::Unreadable(error), end.saturating_sub(offset));
                break;
            }
        }
    }
}

/// What is at the front of `view`, and how many bytes it has; `None` when that cannot be told
/// without more bytes.
fn next(view: &[u8], is_inside: bool, is_at_end: bool) -> Option<(Token<'_>, usize)> {
    let first = view.first()?;
    let line_break = memchr(b'\n', view);
    if is_inside {
        let used = line_break.map_or(view.len(), |at| at.saturating_add(1));
        return Some((Token::Rest { is_ended: line_break.is_some() }, used));
    }
    if *first == 0 {
        return Some((Token::Nuls, view.iter().take_while(|byte| **byte == 0).count()));
    }
    if let Some(end) = line_break.filter(|end| *end <= LINE_LIMIT) {
        let bytes = view.get(..end)?;
        return Some((Token::Line { bytes, is_ended: true }, end.saturating_add(1)));
    }
    if view.len() <= LINE_LIMIT && !is_at_end {
        return None;
    }
    let end = view.len().min(LINE_LIMIT);
    Some((Token::Line { bytes: view.get(..end)?, is_ended: false }, end))
}
