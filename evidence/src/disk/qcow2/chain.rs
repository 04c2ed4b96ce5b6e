//! The bytes of the disk out of an image and the images below it.

use super::cluster_map::{ClusterMap, Content};
use super::header::{Compression, Header};
use crate::disk::inflate::{Wrapping, inflate};
use crate::disk::recent::RecentBlocks;
use crate::fields::read_exact;
use crate::read_at::{front, read_stretches, zeros};
use crate::{EvidenceError, ReadAt};
use std::io::{self, Read};
use std::sync::Arc;

/// Bytes of decompressed clusters that are kept of one image.
const KEPT: usize = 1 << 21;
/// Largest window of a zstd frame, as a power of two: 16 MiB, eight times the largest cluster.
const MAX_WINDOW_LOG: u32 = 24;

/// One image of a chain.
pub(super) struct Layer {
    image: Arc<dyn ReadAt>,
    /// Where its clusters lie: in the image itself, or in its data file.
    data: Arc<dyn ReadAt>,
    map: ClusterMap,
    /// Compressed clusters, by their places in the image.
    recent: RecentBlocks,
}

impl Layer {
    pub(super) fn new(
        image: Arc<dyn ReadAt>,
        data: Option<Arc<dyn ReadAt>>,
        header: Header,
    ) -> Layer {
        let data = data.unwrap_or_else(|| image.clone());
        let cluster_size = usize::try_from(header.cluster_size).unwrap_or(usize::MAX);
        let recent = RecentBlocks::new(cluster_size, KEPT);
        Layer { map: ClusterMap::new(image.clone(), header), image, data, recent }
    }

    fn size(&self) -> u64 {
        self.map.header.size
    }

    fn read(&self, content: Content, buffer: &mut [u8]) -> Result<usize, EvidenceError> {
        match content {
            Content::Below | Content::Zeros => Ok(zeros(buffer)),
            Content::Stored(at) => match self.data.read_at(at, buffer)? {
                0 => Err(EvidenceError::Malformed {
                    what: "QCOW2 cluster",
                    at,
                    need: "data".to_string(),
                    have: format!("the end of the file at {}", self.data.len()),
                }),
                read => Ok(read),
            },
            Content::Compressed { at, length, skipped } => {
                let cluster = self.recent.block(at, || self.decompressed(at, length))?;
                Ok(cluster.as_slice().read_at(skipped, buffer)?)
            }
        }
    }

    /// A whole cluster. What it leaves of its last sector is of no account.
    fn decompressed(&self, at: u64, length: u64) -> Result<Vec<u8>, EvidenceError> {
        const WHAT: &str = "QCOW2 compressed cluster";
        let length = length.min(self.image.len().saturating_sub(at));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let data = read_exact(&self.image, WHAT, at, length)?;
        let size = usize::try_from(self.map.header.cluster_size).unwrap_or(usize::MAX);
        let cluster = match self.map.header.compression {
            Compression::Deflate => {
                inflate(&data, Wrapping::None, size).map(|inflated| inflated.bytes)
            }
            Compression::Zstd => zstd_frame(&data, size),
        };
        let found = cluster.map_err(|error| error.to_string()).and_then(|cluster| {
            if cluster.len() == size { Ok(cluster) } else { Err(cluster.len().to_string()) }
        });
        let need = format!("{size} bytes");
        found.map_err(|have| EvidenceError::Malformed { what: WHAT, at, need, have })
    }
}

/// At most `limit` bytes of the frame that the data begins with.
fn zstd_frame(data: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(data)?.single_frame();
    decoder.window_log_max(MAX_WINDOW_LOG)?;
    let mut cluster = Vec::new();
    decoder.take(u64::try_from(limit).map_err(io::Error::other)?).read_to_end(&mut cluster)?;
    Ok(cluster)
}

/// An image and those below it.
pub(super) struct Chain {
    /// From the top.
    pub(super) layers: Vec<Layer>,
    /// A raw image below all of them.
    pub(super) base: Option<Arc<dyn ReadAt>>,
}

impl Chain {
    /// Reads what stands at `at` in one piece.
    fn read_piece(&self, at: u64, buffer: &mut [u8]) -> Result<usize, EvidenceError> {
        let mut length = ReadAt::len(&*buffer);
        for layer in &self.layers {
            let rest = layer.size().saturating_sub(at);
            if rest == 0 {
                // Past its end an image is zeros, whatever the images below it hold.
                return Ok(zeros(front(buffer, length)));
            }
            length = length.min(rest);
            let run = layer.map.run(at, length)?;
            length = length.min(run.length);
            if run.content != Content::Below {
                return layer.read(run.content, front(buffer, length));
            }
        }
        let base = self.base.as_ref().filter(|base| at < base.len());
        match base {
            Some(base) => Ok(base.read_at(at, front(buffer, length))?),
            None => Ok(zeros(front(buffer, length))),
        }
    }
}

impl ReadAt for Chain {
    fn len(&self) -> u64 {
        self.layers.first().map_or(0, Layer::size)
    }

    /// A cluster that cannot be read is an error, and ends a read that began before it.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = self.len().saturating_sub(offset);
        read_stretches(offset, front(buffer, rest), |at, buffer| {
            self.read_piece(at, buffer).map_err(io::Error::other)
        })
    }
}
