//! The blocks of an image that were read last, decompressed: reads of files are small and come in
//! rows, and decompressing a block for each would cost a hundred times the read.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Blocks lie in so many shards at most, so that threads do not wait for each other.
const MAX_SHARDS: usize = 8;
/// Blocks of one shard, which is looked through from front to back.
const MAX_ROOM: usize = 64;

type Shard = Mutex<VecDeque<(u64, Arc<Vec<u8>>)>>;

/// The blocks that were used last, by their numbers.
pub(crate) struct RecentBlocks {
    shards: Vec<Shard>,
    /// Blocks per shard, at least one.
    room: usize,
}

impl RecentBlocks {
    /// Keeps about `kept` bytes in blocks of at most `block_size`, and at least one block.
    pub(crate) fn new(block_size: usize, kept: usize) -> RecentBlocks {
        let blocks = kept.checked_div(block_size).unwrap_or(kept);
        let shards: Vec<Shard> =
            (0..blocks.clamp(1, MAX_SHARDS)).map(|_| Mutex::default()).collect();
        let room = blocks.checked_div(shards.len()).unwrap_or(1).clamp(1, MAX_ROOM);
        RecentBlocks { shards, room }
    }

    /// The block of that number, made by `make` where it is not kept. Two threads may make the same
    /// block at once, since no lock is held meanwhile.
    pub(crate) fn block<E>(
        &self,
        number: u64,
        make: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Arc<Vec<u8>>, E> {
        if let Some(found) = self.kept(number) {
            return Ok(found);
        }
        let made = Arc::new(make()?);
        self.keep(number, made.clone());
        Ok(made)
    }

    fn kept(&self, number: u64) -> Option<Arc<Vec<u8>>> {
        let mut shard = self.shard(number)?.lock().unwrap_or_else(PoisonError::into_inner);
        let at = shard.iter().position(|(kept, _)| *kept == number)?;
        let found = shard.remove(at)?;
        let block = found.1.clone();
        shard.push_front(found);
        Some(block)
    }

    fn keep(&self, number: u64, block: Arc<Vec<u8>>) {
        let Some(shard) = self.shard(number) else { return };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        shard.truncate(self.room.saturating_sub(1));
        shard.push_front((number, block));
    }

    fn shard(&self, number: u64) -> Option<&Shard> {
        // Numbers can be offsets, of which the low bits are all alike.
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
        let shards = u64::try_from(self.shards.len()).ok()?;
        self.shards.get(usize::try_from(mixed.checked_rem(shards)?).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn was_made(recent: &RecentBlocks, number: u64) -> bool {
        let mut was_made = false;
        let made = || -> Result<Vec<u8>, ()> {
            was_made = true;
            Ok(number.to_le_bytes().to_vec())
        };
        assert_eq!(*recent.block(number, made).unwrap(), number.to_le_bytes());
        was_made
    }

    #[test]
    fn the_blocks_used_last_are_kept_and_no_others() {
        let shard = RecentBlocks { shards: vec![Mutex::default()], room: 2 };
        let made = [0, 8, 0, 16, 0, 8].map(|number| was_made(&shard, number));
        assert_eq!(made, [true, true, false, true, false, true]);
        assert!(shard.block(100, || Err("damaged")).is_err());
    }

    #[test]
    fn blocks_at_round_offsets_are_spread_over_the_shards() {
        let recent = RecentBlocks::new(1 << 16, 1 << 22);
        (0..32).for_each(|block| assert!(was_made(&recent, block << 20)));
        let kept = (0..32).filter(|block| !was_made(&recent, block << 20)).count();
        assert!(kept > 24, "{kept} of 32 in a cache for 64");
    }

    #[test]
    fn one_block_is_kept_however_large_it_is() {
        let recent = RecentBlocks::new(usize::MAX, 1 << 20);
        assert!(was_made(&recent, 3));
        assert!(!was_made(&recent, 3));
    }
}
