//! Cuts a log into ranges that can be read beside each other.

use super::join::WAIT;
use super::line::{Stream, parse};
use super::read::{Token, Visit, read};
use crate::formats::rotated_log::{Chain, Spot};
use std::ops::Range;

/// So far behind the place where a cut is wanted a good one is searched for.
const SEARCH: u64 = 16 * 1024 * 1024;

/// Ranges of about `size` bytes that together are the log. No message goes from one into the next.
pub(super) fn ranges(chain: &Chain, size: u64) -> Vec<Range<u64>> {
    chain.ranges(size, &|from| clean_place(chain, from))
}

/// The first place at or after `from` of which it is sure that no message is open there.
fn clean_place(chain: &Chain, from: u64) -> Option<u64> {
    let mut search = Search::default();
    read(chain, &(from..from.saturating_add(SEARCH).min(chain.length())), &mut search);
    search.found
}

/// What is known of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// A message of it may have been open since before the search began.
    #[default]
    Unknown,
    Open,
    Closed,
}

/// Searches for a place where no message is open. The reading begins anywhere in a line, so the
/// first line counts for nothing.
#[derive(Debug, Default)]
struct Search {
    /// Where the first whole line begins.
    begin: Option<u64>,
    stdout: State,
    stderr: State,
    found: Option<u64>,
}

impl Search {
    /// Takes a whole line, which begins behind `begin` and ends at `end`.
    fn line(&mut self, bytes: &[u8], begin: u64, end: u64) {
        let Ok(line) = parse(bytes) else { return self.close() };
        let state = if line.is_partial { State::Open } else { State::Closed };
        match line.stream {
            Stream::Stdout => self.stdout = state,
            Stream::Stderr => self.stderr = state,
        }
        let is_long = end.saturating_sub(begin) > WAIT;
        let is_closed =
            |state: State| state == State::Closed || (is_long && state == State::Unknown);
        if is_closed(self.stdout) && is_closed(self.stderr) {
            self.found = Some(end);
        }
    }

    fn close(&mut self) {
        (self.stdout, self.stderr) = (State::Closed, State::Closed);
    }
}

impl Visit for Search {
    fn token(&mut self, spot: Spot, token: &Token<'_>, length: u64) {
        let end = spot.place.saturating_add(length);
        let Some(begin) = self.begin else {
            self.begin = token.ends_line().then_some(end);
            return;
        };
        match token {
            Token::Line { bytes, is_ended: true } => self.line(bytes, begin, end),
            _ => self.close(),
        }
    }

    fn is_done(&self) -> bool {
        self.found.is_some()
    }
}
