//! Reads of a journal through a small cache: its objects are small, and an entry points to data that
//! lie all over the file.

use dockline_evidence::ReadAt;
use std::collections::HashMap;
use std::io;

/// Bytes of a block.
const BLOCK: u64 = 64 * 1024;
/// Blocks that are kept: 8 MiB.
const KEPT: usize = 128;

struct Block {
    number: u64,
    bytes: Vec<u8>,
    /// Whether it was used since the hand of the clock passed it.
    is_used: bool,
}

/// A file, and the blocks of it that were used last.
pub(super) struct Blocks<'r> {
    file: &'r dyn ReadAt,
    kept: Vec<Block>,
    places: HashMap<u64, usize>,
    hand: usize,
}

impl<'r> Blocks<'r> {
    pub(super) fn new(file: &'r dyn ReadAt) -> Blocks<'r> {
        Blocks { file, kept: Vec::new(), places: HashMap::new(), hand: 0 }
    }

    pub(super) fn len(&self) -> u64 {
        self.file.len()
    }

    /// Appends `length` bytes from `at` to `into`; whether all of them are there.
    pub(super) fn read(&mut self, at: u64, length: u64, into: &mut Vec<u8>) -> io::Result<bool> {
        let end = at.saturating_add(length);
        let mut at = at;
        while at < end {
            let start = at % BLOCK;
            let wanted = end.saturating_sub(at).min(BLOCK.saturating_sub(start));
            let block = self.block(at / BLOCK)?;
            let range = small(start)..small(start.saturating_add(wanted));
            let Some(part) = block.get(range) else { return Ok(false) };
            into.extend_from_slice(part);
            at = at.saturating_add(wanted);
        }
        Ok(true)
    }

    /// The bytes from `at` to the end of its block.
    pub(super) fn rest_of_block(&mut self, at: u64) -> io::Result<&[u8]> {
        let block = self.block(at / BLOCK)?;
        Ok(block.get(small(at % BLOCK)..).unwrap_or_default())
    }

    fn block(&mut self, number: u64) -> io::Result<&[u8]> {
        let place = match self.places.get(&number) {
            Some(place) => *place,
            None => self.load(number)?,
        };
        let Some(block) = self.kept.get_mut(place) else { return Ok(&[]) };
        block.is_used = true;
        Ok(&block.bytes)
    }

    fn load(&mut self, number: u64) -> io::Result<usize> {
        let place = self.place();
        let start = number.saturating_mul(BLOCK);
        let length = small(self.file.len().saturating_sub(start).min(BLOCK));
        let mut bytes = vec![0; length];
        let mut filled = 0_usize;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let from = start.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
            match self.file.read_at(from, rest)? {
                0 => break,
                count => filled = filled.saturating_add(count),
            }
        }
        bytes.truncate(filled);
        let block = Block { number, bytes, is_used: true };
        match self.kept.get_mut(place) {
            Some(old) => {
                self.places.remove(&old.number);
                *old = block;
            }
            None => self.kept.push(block),
        }
        self.places.insert(number, place);
        Ok(place)
    }

    /// Where the next block goes: to the first that was not used for a whole round.
    fn place(&mut self) -> usize {
        if self.kept.len() < KEPT {
            return self.kept.len();
        }
        loop {
            self.hand = self.hand.saturating_add(1) % KEPT;
            match self.kept.get_mut(self.hand) {
                Some(block) if block.is_used => block.is_used = false,
                _ => return self.hand,
            }
        }
    }
}

/// A number that is at most the length of a block.
fn small(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_over_blocks_and_past_more_blocks_than_are_kept_are_right() {
        let length = BLOCK * (KEPT as u64 + 9) + 77;
        let file: Vec<u8> = (0..length).map(|at| (at / 3) as u8 ^ (at >> 16) as u8).collect();
        let mut blocks = Blocks::new(&file);
        for round in 0..3_u64 {
            for at in (0..length).step_by(BLOCK as usize - 5) {
                let wanted = 9 + round * 70_000;
                let mut found = Vec::new();
                let whole = blocks.read(at, wanted, &mut found).unwrap();
                let end = length.min(at + wanted);
                assert_eq!(whole, end == at + wanted);
                assert!(!whole || found == file[at as usize..end as usize]);
            }
        }
        assert_eq!(blocks.kept.len(), KEPT);
        assert_eq!(blocks.rest_of_block(length - 5).unwrap(), &file[length as usize - 5..]);
        assert_eq!(blocks.rest_of_block(length).unwrap(), b"");
    }
}
