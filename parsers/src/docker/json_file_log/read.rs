//! The reading of a stretch of a log: one token after the other, through all its files.

use super::chain::{Chain, Spot};
use super::record::Record;
use super::token::{Damage, Memory, Token, token};
use super::window::Window;
use memchr::memchr;
use std::io;
use std::ops::Range;

/// Takes what a reading finds, in the order of the log.
pub(super) trait Visit {
    /// A record, which covers `used` bytes with its line break.
    fn record(&mut self, spot: Spot, record: &Record<'_>, used: usize);

    /// Bytes that no record is made of.
    fn damage(&mut self, spot: Spot, damage: Damage, length: usize);

    /// Line breaks and spaces.
    fn separators(&mut self, spot: Spot, length: usize, has_line_break: bool);

    /// The rest of the stretch in this file, which cannot be read.
    fn unreadable(&mut self, spot: Spot, length: u64, error: &io::Error);

    /// Whether nothing more is wanted.
    fn is_done(&self) -> bool {
        false
    }
}

/// Reads the tokens that begin in `range`, counted over all files of the log.
pub(super) fn read(chain: &Chain, range: &Range<u64>, visit: &mut impl Visit) {
    for (file, part) in chain.parts.iter().enumerate() {
        let end = range.end.min(part.end()).saturating_sub(part.start);
        let from = range.start.saturating_sub(part.start);
        if from >= end || range.end <= part.start {
            continue;
        }
        let mut window = Window::new(&*part.bytes, from, end);
        let mut memory = Memory::default();
        while window.offset() < end && !visit.is_done() {
            let offset = window.offset();
            let spot = Spot { file, offset, place: part.start.saturating_add(offset) };
            let view = window.view();
            let used = match token(view, offset, window.is_at_end(), &mut memory) {
                Token::Record(record, used) => {
                    visit.record(spot, &record, used);
                    used
                }
                Token::Separators(length) => {
                    let bytes = view.get(..length).unwrap_or_default();
                    visit.separators(spot, length, memchr(b'\n', bytes).is_some());
                    length
                }
                Token::Damage(damage, length) => {
                    visit.damage(spot, damage, length);
                    length
                }
                Token::More => 0,
            };
            window.forward(used);
            if used == 0
                && let Err(error) = window.grow()
            {
                visit.unreadable(spot, end.saturating_sub(offset), &error);
                break;
            }
        }
    }
}
