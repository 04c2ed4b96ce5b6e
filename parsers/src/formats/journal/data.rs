//! A data object: one `FIELD=value`, plain or compressed with XZ, LZ4 or zstd.

use super::lz4;
use super::object::{self, Object};
use std::io::Read;

/// Bytes of a value that are kept.
pub(super) const LONGEST_VALUE: usize = 1024 * 1024;
/// Bytes that a compressed object may have: more is not decompressed.
const LONGEST_COMPRESSED: u64 = 16 * 1024 * 1024;
/// Memory that the decompression of XZ may take, in KiB; the journal's dictionary has 1 MiB.
const XZ_MEMORY: u32 = 64 * 1024;
/// The largest window of zstd, as a power of two: 32 MiB.
const ZSTD_WINDOW: u32 = 25;

/// How a data object is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Xz,
    Lz4,
    Zstd,
}

impl Compression {
    pub(super) fn of(object: &Object) -> Option<Compression> {
        match object.flags {
            0 => Some(Compression::None),
            object::XZ => Some(Compression::Xz),
            object::LZ4 => Some(Compression::Lz4),
            object::ZSTD => Some(Compression::Zstd),
            _ => None,
        }
    }

    /// How many bytes of an object's payload are needed for `limit` bytes of its content.
    pub(super) fn needed(self, payload: u64, limit: usize) -> u64 {
        match self {
            Compression::None => payload.min(u64::try_from(limit).unwrap_or(u64::MAX)),
            _ => payload.min(LONGEST_COMPRESSED),
        }
    }

    /// The first `limit` bytes of the content.
    pub(super) fn content(self, payload: Vec<u8>, limit: usize) -> Option<Vec<u8>> {
        let wide = u64::try_from(limit).unwrap_or(u64::MAX);
        let mut content = Vec::new();
        match self {
            Compression::None => content = payload,
            Compression::Xz => {
                let reader =
                    lzma_rust2::XzReader::new_mem_limit(payload.as_slice(), false, XZ_MEMORY);
                reader.take(wide).read_to_end(&mut content).ok()?;
            }
            // The length of the content stands before the block.
            Compression::Lz4 => content = lz4::decoded(payload.get(8..)?, limit)?,
            Compression::Zstd => {
                let mut reader =
                    zstd::stream::read::Decoder::with_buffer(payload.as_slice()).ok()?;
                reader.window_log_max(ZSTD_WINDOW).ok()?;
                reader.take(wide).read_to_end(&mut content).ok()?;
            }
        }
        content.truncate(limit);
        Some(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_of_every_compression_ends_at_the_limit() {
        let text = b"MESSAGE=the same again and again and again".repeat(100);
        let zstd = zstd::encode_all(text.as_slice(), 3).unwrap();
        assert_eq!(Compression::Zstd.content(zstd.clone(), usize::MAX).unwrap(), text);
        assert_eq!(Compression::Zstd.content(zstd, 7).unwrap(), b"MESSAGE");
        // 20 times "MESSAGE=xz", LZMA2 with a dictionary of 1 MiB, no checksum: as the journal does it.
        let xz = [
            0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0, 0xff, 0x12, 0xd9, 0x41, 2, 0, 0x21, 1, 0x10, 0,
            0, 0, 0xa8, 0x70, 0x8e, 0x86, 0xe0, 0, 0xc7, 0, 0x11, 0x5d, 0, 0x26, 0x91, 0x46, 0xac,
            0xd0, 0x6f, 0x74, 0xb8, 0xa6, 0x3d, 0xd1, 0x44, 0x23, 0x55, 0x66, 0, 0, 0, 0, 0, 0, 0,
            1, 0x25, 0xc8, 1, 0, 0, 0, 0x27, 0x84, 0xed, 0xf5, 0xa8, 0, 0xa, 0xfc, 2, 0, 0, 0, 0,
            0, 0x59, 0x5a,
        ];
        let content = Compression::Xz.content(xz.to_vec(), 1000).unwrap();
        assert_eq!(content, b"MESSAGE=xz".repeat(20));
        assert_eq!(Compression::Xz.content(xz.to_vec(), 8).unwrap(), b"MESSAGE=");
        assert_eq!(Compression::Xz.content(xz[..30].to_vec(), 9), None, "cut off");
        let lz4 = [&6_u64.to_le_bytes()[..], &[0x60], b"A=b\nc!"].concat();
        assert_eq!(Compression::Lz4.content(lz4, 5).unwrap(), b"A=b\nc");
        assert_eq!(Compression::Lz4.content(vec![1, 2], 5), None);
    }
}
