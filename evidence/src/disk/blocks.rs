//! A virtual disk that is made of blocks: each stands somewhere in the image file, or reads as
//! zeros, or is what the parent of the image has.

use crate::read_at::{front, read_stretches, zeros};
use crate::{EvidenceError, ReadAt};
use std::io;
use std::sync::Arc;

/// Where some bytes of a virtual disk stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nowhere: they are zeros.
    Zeros,
    /// In the image file, from this offset on.
    Image(u64),
    /// In a block that had to be unpacked, from this offset on.
    Unpacked(Arc<Vec<u8>>, u64),
    /// In the parent, at the same offset as in this disk.
    Parent,
}

/// How an image maps its disk.
pub(crate) trait Blocks: Send + Sync {
    /// Number of bytes of the disk.
    fn size(&self) -> u64;

    /// Where the bytes from `at` stand, and how many of them stand there in one stretch: at least
    /// one, and there is no need to look further than `wanted`. `at` lies before the end.
    fn locate(&self, at: u64, wanted: u64) -> Result<(Place, u64), EvidenceError>;
}

/// A disk of blocks.
pub(crate) struct BlockDisk<B> {
    /// How the image maps the disk.
    pub(crate) blocks: B,
    /// The image file.
    pub(crate) image: Arc<dyn ReadAt>,
    /// What stands where the image says nothing; without one, zeros.
    pub(crate) parent: Option<Arc<dyn ReadAt>>,
}

impl<B: Blocks> ReadAt for BlockDisk<B> {
    fn len(&self) -> u64 {
        self.blocks.size()
    }

    /// A block that lies past the end of the image is an error, not zeros: it was content once.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        read_stretches(offset, buffer, |at, buffer| self.read_stretch(at, buffer))
    }
}

impl<B: Blocks> BlockDisk<B> {
    /// Reads what stands in one place, at least one byte before the end.
    fn read_stretch(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if at >= self.len() {
            return Ok(0);
        }
        let wanted = u64::try_from(buffer.len()).map_err(io::Error::other)?;
        let wanted = wanted.min(self.len().saturating_sub(at));
        let (place, length) = self.blocks.locate(at, wanted).map_err(io::Error::other)?;
        let buffer = front(buffer, length.clamp(1, wanted));
        match place {
            Place::Image(offset) => read_some(&self.image, offset, buffer),
            Place::Unpacked(block, offset) => read_some(&block, offset, buffer),
            Place::Parent => self.read_parent(at, buffer),
            Place::Zeros => Ok(zeros(buffer)),
        }
    }

    /// A disk can be larger than its parent: what lies past the parent's end is zeros.
    fn read_parent(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.parent {
            Some(parent) if at < parent.len() => read_some(parent, at, buffer),
            _ => Ok(zeros(buffer)),
        }
    }
}

fn read_some(bytes: &dyn ReadAt, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let count = bytes.read_at(offset, buffer)?;
    if count == 0 {
        let what = format!("the image ends before byte {offset}, where content lies");
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
    }
    Ok(count)
}
