//! A volume with the blocks of its journal over it.

use super::superblock::MAGIC;
use crate::ReadAt;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// The newest version of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Journaled {
    /// Block of the journal that holds it.
    pub(crate) block: u32,
    /// Whether its first word is to be made that of a block of the journal.
    pub(crate) is_escaped: bool,
}

/// A volume with the blocks of its journal over it.
pub(crate) struct Overlay {
    pub(crate) device: Arc<dyn ReadAt>,
    pub(crate) journal: Arc<dyn ReadAt>,
    /// Bytes.
    pub(crate) block_size: u64,
    /// By block of the volume.
    pub(crate) blocks: BTreeMap<u64, Journaled>,
}

impl ReadAt for Overlay {
    fn len(&self) -> u64 {
        self.device.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let buffer = front(buffer, self.len().saturating_sub(offset));
        let block = offset.checked_div(self.block_size).unwrap_or_default();
        let inside = offset.checked_rem(self.block_size).unwrap_or_default();
        match self.blocks.range(block..).next() {
            Some((next, journaled)) if *next == block => {
                self.read_journal(*journaled, inside, buffer)
            }
            Some((next, _)) => {
                let length = next.saturating_mul(self.block_size).saturating_sub(offset);
                self.device.read_at(offset, front(buffer, length))
            }
            None => self.device.read_at(offset, buffer),
        }
    }
}

impl Overlay {
    fn read_journal(
        &self,
        journaled: Journaled,
        inside: u64,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        let buffer = front(buffer, self.block_size.saturating_sub(inside));
        let at = u64::from(journaled.block).saturating_mul(self.block_size);
        let count = self.journal.read_at(at.saturating_add(inside), buffer)?;
        if journaled.is_escaped {
            let word = MAGIC.to_be_bytes();
            let skipped = usize::try_from(inside).unwrap_or(usize::MAX);
            let word = word.get(skipped..).unwrap_or_default();
            let read = buffer.get_mut(..count).unwrap_or_default();
            read.iter_mut().zip(word).for_each(|(byte, of_word)| *byte = *of_word);
        }
        Ok(count)
    }
}

/// At most `length` bytes of a buffer.
fn front(buffer: &mut [u8], length: u64) -> &mut [u8] {
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(buffer.len());
    buffer.get_mut(..length).unwrap_or_default()
}
