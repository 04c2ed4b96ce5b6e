//! Cuts the total order into slices that are rendered beside each other and written one after the
//! other, and says which blocks of which strands have events in a slice.
//!
//! Slices are cut in the order of keys and not of instants: a log whose lines all have the same
//! time is cut as well as any other. A slice begins where a block begins, as soon as the blocks
//! that began in the slice before it are as large as is allowed for one slice.
//!
//! A block whose events reach into many slices would be read again for each of them. Where that
//! costs more than to sort its events like any others ([`MOST_READINGS`]), the block is scattered:
//! it is read once, before the merge, and its events go into the runs. A clock that was set back,
//! an attacker, or very many logs side by side make such blocks; they cost time, never memory.

use crate::{Block, Instant, Key, Strand};

/// Slices for which one block may be read. To read a record again costs about an eighth of what it
/// costs to compress, spill and unpack what was rendered from it.
const MOST_READINGS: usize = 8;

/// Rendered bytes of an event beyond those of its record, until a sample says better.
const RENDERED: u64 = 1024;

/// One block of one strand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BlockId {
    pub(super) strand: usize,
    pub(super) block: usize,
}

/// All strands of a run.
pub(super) struct Strands(pub(super) Vec<Box<dyn Strand>>);

impl Strands {
    /// The bounds of a block.
    pub(super) fn bounds(&self, id: BlockId) -> Option<&Block> {
        self.0.get(id.strand)?.blocks().get(id.block)
    }

    /// All blocks that may have events in `[start, end)`, in the order of their first events.
    pub(super) fn between(&self, start: Option<Instant>, end: Option<Instant>) -> Vec<BlockId> {
        let mut ids: Vec<BlockId> = Vec::new();
        for (strand, blocks) in self.0.iter().map(|strand| strand.blocks()).enumerate() {
            let asked = blocks.iter().enumerate().filter(|(_, block)| {
                start.is_none_or(|start| block.last.instant >= start)
                    && end.is_none_or(|end| block.first.instant < end)
            });
            ids.extend(asked.map(|(block, _)| BlockId { strand, block }));
        }
        ids.sort_by_key(|id| (self.bounds(*id).map(|block| block.first), *id));
        ids
    }

    /// Events of all blocks, also of those outside the asked time.
    pub(super) fn events(&self) -> u64 {
        let blocks = self.0.iter().flat_map(|strand| strand.blocks());
        blocks.fold(0, |sum, block| sum.saturating_add(block.events))
    }

    /// Events of some blocks.
    pub(super) fn events_of(&self, ids: impl Iterator<Item = BlockId>) -> u64 {
        let blocks = ids.filter_map(|id| self.bounds(id));
        blocks.fold(0, |sum, block| sum.saturating_add(block.events))
    }

    /// About the bytes that the events of a block will take when rendered for one output.
    pub(super) fn weight(&self, id: BlockId) -> u64 {
        self.bounds(id)
            .map_or(0, |block| block.size.saturating_add(block.events.saturating_mul(RENDERED)))
    }
}

/// What lies between two cuts.
#[derive(Debug)]
pub(super) struct Slice {
    pub(super) window: Window,
    /// Blocks that may have events in the window, in the order of the evidence.
    pub(super) blocks: Vec<BlockId>,
}

/// Keys from `from`, or from the beginning, to before `to`, or to the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: Option<Key>,
    pub(super) to: Option<Key>,
}

impl Window {
    pub(super) fn contains(&self, key: &Key) -> bool {
        self.from.is_none_or(|from| *key >= from) && self.to.is_none_or(|to| *key < to)
    }
}

/// How the blocks of all strands are read.
pub(super) struct Plan {
    /// Blocks that are read once, before the merge, in the order of the evidence.
    pub(super) scattered: Vec<BlockId>,
    /// All others, in the order of their first events.
    blocks: Vec<BlockId>,
    /// Keys at which a slice begins, except the first slice.
    cuts: Vec<Key>,
}

impl Plan {
    /// `blocks` are in the order of their first events; `weight` is allowed for one slice.
    pub(super) fn new(strands: &Strands, blocks: Vec<BlockId>, weight: u64) -> Plan {
        let cuts = cuts(strands, &blocks, weight);
        let (blocks, mut scattered): (Vec<_>, Vec<_>) =
            blocks.into_iter().partition(|id| readings(strands, *id, &cuts) <= MOST_READINGS);
        scattered.sort();
        let cuts = self::cuts(strands, &blocks, weight);
        Plan { scattered, blocks, cuts }
    }

    /// The number of slices.
    pub(super) fn len(&self) -> usize {
        if self.blocks.is_empty() { 0 } else { self.cuts.len().saturating_add(1) }
    }

    /// The slices, in order.
    pub(super) fn slices<'a>(&'a self, strands: &'a Strands) -> impl Iterator<Item = Slice> + 'a {
        let mut waiting = self.blocks.iter().copied().peekable();
        // Blocks of earlier slices that reach into this one.
        let mut open: Vec<BlockId> = Vec::new();
        (0..self.len()).map(move |index| {
            let from = index.checked_sub(1).and_then(|before| self.cuts.get(before)).copied();
            let to = self.cuts.get(index).copied();
            let begins_before = |id: &BlockId| {
                strands.bounds(*id).is_some_and(|block| to.is_none_or(|to| block.first < to))
            };
            while let Some(id) = waiting.next_if(begins_before) {
                open.push(id);
            }
            let mut blocks = open.clone();
            blocks.sort();
            open.retain(|id| {
                strands.bounds(*id).is_some_and(|block| to.is_some_and(|to| block.last >= to))
            });
            Slice { window: Window { from, to }, blocks }
        })
    }
}

/// Keys of first events at which a slice begins, so that the blocks that begin in one slice weigh
/// about `weight`.
fn cuts(strands: &Strands, blocks: &[BlockId], weight: u64) -> Vec<Key> {
    let mut cuts: Vec<Key> = Vec::new();
    let mut weighed: u64 = 0;
    let mut last: Option<Key> = None;
    for id in blocks {
        let Some(first) = strands.bounds(*id).map(|block| block.first) else { continue };
        if weighed >= weight && last.is_some_and(|last| first > last) {
            cuts.push(first);
            weighed = 0;
        }
        last = Some(first);
        weighed = weighed.saturating_add(strands.weight(*id));
    }
    cuts
}

/// Slices into which the block reaches.
fn readings(strands: &Strands, id: BlockId, cuts: &[Key]) -> usize {
    let Some(block) = strands.bounds(id) else { return 0 };
    let slice_of = |key: &Key| cuts.partition_point(|cut| cut <= key);
    slice_of(&block.last).saturating_sub(slice_of(&block.first)).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Findings, Meaning, Rank};

    /// Blocks of 1,000 events between keys with these positions, all at one instant.
    struct Bounds(Vec<Block>);

    impl Strand for Bounds {
        fn blocks(&self) -> &[Block] {
            &self.0
        }
        fn emit(&self, _: usize, _: &mut dyn Findings) {}
    }

    fn key(position: u64) -> Key {
        let instant = Instant::new(7, 0).unwrap();
        Key { instant, rank: Rank(1), position, meaning: Meaning::Recorded, sequence: 0 }
    }

    fn strand(bounds: &[(u64, u64)]) -> Box<dyn Strand> {
        let block = |(first, last): &(u64, u64)| Block {
            first: key(*first),
            last: key(*last),
            size: 0,
            events: 1_000,
        };
        Box::new(Bounds(bounds.iter().map(block).collect()))
    }

    fn planned(strands: &Strands, blocks_in_a_slice: u64) -> Plan {
        let blocks = strands.between(None, None);
        Plan::new(strands, blocks, blocks_in_a_slice * 1_000 * RENDERED)
    }

    #[test]
    fn a_log_whose_lines_all_have_one_time_is_cut_like_any_other() {
        let bounds: Vec<_> = (0..100).map(|n| (n * 10, n * 10 + 9)).collect();
        let strands = Strands(vec![strand(&bounds)]);
        let plan = planned(&strands, 4);
        let slices: Vec<Slice> = plan.slices(&strands).collect();
        assert_eq!((plan.len(), slices.len()), (25, 25));
        assert!(slices.iter().all(|slice| slice.blocks.len() == 4));
        assert_eq!(slices[0].window, Window { from: None, to: Some(key(40)) });
        assert_eq!(slices[24].window, Window { from: Some(key(960)), to: None });
    }

    #[test]
    fn a_block_belongs_to_every_slice_into_which_it_reaches() {
        let bounds: Vec<_> = (0..10).map(|n| (n * 10, n * 10 + 9)).collect();
        let strands = Strands(vec![strand(&bounds), strand(&[(15, 40)])]);
        let plan = planned(&strands, 2);
        let long = BlockId { strand: 1, block: 0 };
        let with_long: Vec<bool> =
            plan.slices(&strands).map(|slice| slice.blocks.contains(&long)).collect();
        assert_eq!(plan.cuts, [key(15), key(30), key(50), key(70), key(90)]);
        // Its last key is the first of no slice: 40 lies in the third.
        assert_eq!(with_long, [false, true, true, false, false, false]);
        assert!(plan.scattered.is_empty());
    }

    #[test]
    fn a_block_that_reaches_into_too_many_slices_is_read_before() {
        let mut bounds: Vec<_> = (0..100).map(|n| (n * 10, n * 10 + 9)).collect();
        bounds[5] = (0, 990);
        bounds[9] = (90, 169);
        bounds[11] = (110, 190);
        let strands = Strands(vec![strand(&bounds)]);
        let plan = planned(&strands, 1);
        // The block from 90 reaches into eight slices, the one from 110 into one more than that.
        let scattered: Vec<usize> = plan.scattered.iter().map(|id| id.block).collect();
        assert_eq!(scattered, [5, 11]);
        assert_eq!(plan.len(), 98);
    }

    #[test]
    fn blocks_outside_the_asked_time_are_not_read() {
        let strands = Strands(vec![strand(&[(0, 9), (10, 19)])]);
        let at = |seconds| Instant::new(seconds, 0);
        assert_eq!(strands.between(at(7), at(8)).len(), 2);
        assert_eq!(strands.between(at(8), None).len(), 0);
        assert_eq!(strands.between(None, at(7)).len(), 0);
        assert_eq!((planned(&Strands(Vec::new()), 1).len(), strands.events()), (0, 2_000));
    }

    #[test]
    fn blocks_with_the_same_first_key_are_never_parted() {
        let strands = Strands(vec![strand(&[(5, 9), (5, 7), (5, 5), (6, 6)])]);
        let plan = planned(&strands, 1);
        assert_eq!(plan.cuts, [key(6)]);
    }
}
