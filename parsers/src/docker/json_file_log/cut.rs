//! Cuts a log into ranges that can be read beside each other.

use super::chain::{Chain, Spot};
use super::join::WAIT;
use super::read::{Visit, read};
use super::record::{Record, Stream};
use super::token::Damage;
use super::window::wide;
use std::io;
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
    /// Knows that a line ends before `place`.
    fn line_break(&mut self, place: u64) {
        self.begin.get_or_insert(place);
    }

    fn settle(&mut self, place: u64) {
        let Some(begin) = self.begin else { return };
        let is_long = place.saturating_sub(begin) > WAIT;
        let is_closed =
            |state: State| state == State::Closed || (is_long && state == State::Unknown);
        if is_closed(self.stdout) && is_closed(self.stderr) {
            self.found = Some(place);
        }
    }
}

impl Visit for Search {
    fn record(&mut self, spot: Spot, record: &Record<'_>, used: usize) {
        let end = spot.place.saturating_add(wide(used));
        let is_ended = used > record.length;
        if self.begin.is_none() {
            if is_ended {
                self.line_break(end);
            }
            return;
        }
        let state = if record.log.ends_line() { State::Closed } else { State::Open };
        match record.stream {
            Stream::Stdout => self.stdout = state,
            Stream::Stderr => self.stderr = state,
            Stream::Other(_) | Stream::Unsaid => {}
        }
        if record.time.is_err() {
            (self.stdout, self.stderr) = (State::Closed, State::Closed);
        }
        if is_ended {
            self.settle(end);
        }
    }

    fn damage(&mut self, _spot: Spot, _damage: Damage, _length: usize) {
        if self.begin.is_some() {
            (self.stdout, self.stderr) = (State::Closed, State::Closed);
        }
    }

    fn separators(&mut self, spot: Spot, length: usize, has_line_break: bool) {
        if has_line_break {
            self.line_break(spot.place.saturating_add(wide(length)));
        }
    }

    fn unreadable(&mut self, _spot: Spot, _length: u64, _error: &io::Error) {}

    fn is_done(&self) -> bool {
        self.found.is_some()
    }
}
