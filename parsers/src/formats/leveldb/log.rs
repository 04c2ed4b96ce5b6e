//! The log of a store: batches of changes in fragments, in blocks of 32 KiB.

use super::{Flaw, Record, Take, counted, is_checksum, malformed};

const BLOCK: usize = 32_768;
/// Checksum, length and type in front of each fragment.
const HEADER: usize = 7;
const FULL: u8 = 1;
const FIRST: u8 = 2;
const MIDDLE: u8 = 3;
const LAST: u8 = 4;

/// Gives every change of a log, in order, and says what is wrong with it. After damage the rest of
/// its block is passed over, as the library itself does.
pub fn records(bytes: &[u8], take: &mut Take<'_>) -> Vec<Flaw> {
    let mut batches = Batches { open: None, flaws: Vec::new(), take };
    for (index, block) in bytes.chunks(BLOCK).enumerate() {
        batches.block(block, index.saturating_mul(BLOCK));
    }
    if let Some((start, _)) = batches.open.take() {
        batches.flaws.push(malformed(start, "the end of this batch is missing"));
    }
    batches.flaws
}

/// One fragment of a batch.
struct Fragment<'a> {
    kind: u8,
    data: &'a [u8],
    /// With its header.
    length: usize,
}

impl<'a> Fragment<'a> {
    /// The fragment at the front of the rest of a block; `None` when only padding is left.
    fn read(block: &'a [u8]) -> Option<Result<Fragment<'a>, &'static str>> {
        let (header, rest) = block.split_first_chunk::<HEADER>()?;
        let [a, b, c, d, low, high, kind] = *header;
        let data = usize::from(u16::from_le_bytes([low, high]));
        if header.iter().all(|byte| *byte == 0) {
            return None;
        }
        let length = HEADER.saturating_add(data);
        let (Some(data), Some(covered)) =
            (rest.get(..data), block.get(HEADER.saturating_sub(1)..length))
        else {
            return Some(Err("a fragment that is cut, the rest of its block is lost"));
        };
        if !is_checksum([a, b, c, d], covered) {
            return Some(Err("a fragment with a wrong checksum, the rest of its block is lost"));
        }
        Some(Ok(Fragment { kind, data, length }))
    }
}

struct Batches<'t, 'f> {
    /// A batch of which fragments are still to come, and where it begins.
    open: Option<(usize, Vec<u8>)>,
    flaws: Vec<Flaw>,
    take: &'t mut Take<'f>,
}

impl Batches<'_, '_> {
    fn block(&mut self, block: &[u8], start: usize) {
        let mut at = 0_usize;
        while let Some(fragment) = block.get(at..).and_then(Fragment::read) {
            let place = start.saturating_add(at);
            match fragment {
                Ok(fragment) => {
                    self.fragment(&fragment, place);
                    at = at.saturating_add(fragment.length);
                }
                Err(what) => {
                    self.flaws.push(malformed(place, what));
                    return;
                }
            }
        }
    }

    fn fragment(&mut self, fragment: &Fragment<'_>, place: usize) {
        let begins = matches!(fragment.kind, FULL | FIRST);
        if let Some((start, _)) = self.open.as_ref().filter(|_| begins) {
            self.flaws.push(malformed(*start, "the end of this batch is missing"));
        }
        match (fragment.kind, self.open.take()) {
            (FULL, _) => self.batch(fragment.data, place),
            (FIRST, _) => self.open = Some((place, fragment.data.to_vec())),
            (MIDDLE, Some((start, mut bytes))) => {
                bytes.extend_from_slice(fragment.data);
                self.open = Some((start, bytes));
            }
            (LAST, Some((start, mut bytes))) => {
                bytes.extend_from_slice(fragment.data);
                self.batch(&bytes, start);
            }
            (MIDDLE | LAST, None) => {
                self.flaws.push(malformed(place, "a fragment of a batch without its beginning"));
            }
            (kind, _) => self.flaws.push(malformed(place, format!("a fragment of type {kind}"))),
        }
    }

    /// A batch: the number of its first change, how many there are, and these.
    fn batch(&mut self, bytes: &[u8], offset: usize) {
        let header = bytes.split_first_chunk::<8>();
        let Some((sequence, rest)) = header.and_then(|(sequence, rest)| {
            let (count, changes) = rest.split_first_chunk::<4>()?;
            Some((u64::from_le_bytes(*sequence), (u32::from_le_bytes(*count), changes)))
        }) else {
            return self.flaws.push(malformed(offset, "a batch without its header"));
        };
        let (count, mut changes) = rest;
        for index in 0..u64::from(count) {
            let Some(Change { key, value, rest }) = change(changes) else {
                let what = format!("a batch of {count} changes of which {index} are there");
                return self.flaws.push(malformed(offset, what));
            };
            let sequence = sequence.saturating_add(index);
            (self.take)(&Record { sequence, value, key, offset });
            changes = rest;
        }
        if !changes.is_empty() {
            let what = format!("{} bytes behind the {count} changes of a batch", changes.len());
            self.flaws.push(malformed(offset, what));
        }
    }
}

/// One change, and what follows it.
struct Change<'a> {
    key: &'a [u8],
    /// `None` when it is a deletion.
    value: Option<&'a [u8]>,
    rest: &'a [u8],
}

fn change(bytes: &[u8]) -> Option<Change<'_>> {
    let (kind, rest) = bytes.split_first()?;
    let (key, rest) = counted(rest)?;
    match kind {
        0 => Some(Change { key, value: None, rest }),
        1 => counted(rest).map(|(value, rest)| Change { key, value: Some(value), rest }),
        _ => None,
    }
}
