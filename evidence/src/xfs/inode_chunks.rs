//! The inodes that were read last, in chunks: XFS allocates 64 of them at once, so the inodes of one
//! directory mostly lie together, and a walk reads each chunk once.

use super::volume::Volume;
use crate::EvidenceError;
use crate::fields::read_exact;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes read at once.
const CHUNK: u64 = 16 << 10;
/// Chunks kept, 4 MiB in all.
const KEPT: usize = 256;

/// A chunk of the device and its place in it.
#[derive(Clone)]
struct Chunk {
    start: u64,
    bytes: Arc<Vec<u8>>,
}

/// The chunks that were read last, each in the one slot that its place in the device gives it.
pub(super) struct InodeChunks {
    slots: Mutex<Vec<Option<Chunk>>>,
}

impl Default for InodeChunks {
    fn default() -> Self {
        InodeChunks { slots: Mutex::new(vec![None; KEPT]) }
    }
}

impl InodeChunks {
    /// The bytes of an inode.
    pub(super) fn inode(&self, volume: &Volume, number: u64) -> Result<Vec<u8>, EvidenceError> {
        let superblock = &volume.superblock;
        let at = superblock.inode_offset(number).ok_or_else(|| EvidenceError::Malformed {
            what: "XFS inode number",
            at: number,
            need: format!("one in {} groups", superblock.groups),
            have: number.to_string(),
        })?;
        let chunk = self.chunk(volume, at)?;
        let length = usize::try_from(superblock.inode_size).unwrap_or_default();
        let found = usize::try_from(at.saturating_sub(chunk.start)).ok().and_then(|start| {
            let end = start.checked_add(length)?;
            chunk.bytes.get(start..end)
        });
        found.map(<[u8]>::to_vec).ok_or_else(|| EvidenceError::Malformed {
            what: "XFS inode",
            at,
            need: format!("{length} bytes"),
            have: "the end of the device".to_string(),
        })
    }

    fn chunk(&self, volume: &Volume, at: u64) -> Result<Chunk, EvidenceError> {
        let index = at / CHUNK;
        let start = index.saturating_mul(CHUNK);
        let slot = usize::try_from(index).unwrap_or_default() % KEPT;
        let known = self.slot(slot, |kept| kept.clone()).filter(|chunk| chunk.start == start);
        if let Some(chunk) = known {
            return Ok(chunk);
        }
        let length = volume.device.len().saturating_sub(start).min(CHUNK);
        let length = usize::try_from(length).unwrap_or_default();
        let bytes = Arc::new(read_exact(&volume.device, "XFS inodes", start, length)?);
        let chunk = Chunk { start, bytes };
        self.slot(slot, |kept| *kept = Some(chunk.clone()));
        Ok(chunk)
    }

    fn slot<T: Default>(&self, slot: usize, then: impl FnOnce(&mut Option<Chunk>) -> T) -> T {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.get_mut(slot).map(then).unwrap_or_default()
    }
}
