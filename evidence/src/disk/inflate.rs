//! One compressed block of an image: a chunk, a cluster, a grain.

use flate2::{Decompress, FlushDecompress, Status};
use std::io;

/// What stands around deflated data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapping {
    /// The header and the checksum of RFC 1950, which is verified.
    Zlib,
    /// Nothing (RFC 1951).
    None,
}

/// What came out of a compressed block.
pub(crate) struct Inflated {
    /// As many bytes as there are, at most those asked for.
    pub(crate) bytes: Vec<u8>,
    /// Whether the compressed data ended there, and its checksum is right.
    pub(crate) is_whole: bool,
}

/// Decompresses at most `limit` bytes, however much more would come.
pub(crate) fn inflate(compressed: &[u8], wrapping: Wrapping, limit: usize) -> io::Result<Inflated> {
    let mut state = Decompress::new(wrapping == Wrapping::Zlib);
    let mut bytes = vec![0; limit];
    let status = state.decompress(compressed, &mut bytes, FlushDecompress::Finish)?;
    bytes.truncate(usize::try_from(state.total_out()).map_err(io::Error::other)?);
    Ok(Inflated { bytes, is_whole: status == Status::StreamEnd })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn zlib(content: &[u8]) -> Vec<u8> {
        let mut encoder =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn no_more_comes_out_than_was_asked_for() {
        let compressed = zlib(&[7; 1_000_000]);
        let some = inflate(&compressed, Wrapping::Zlib, 1000).unwrap();
        assert_eq!((some.bytes, some.is_whole), (vec![7; 1000], false));
        let all = inflate(&compressed, Wrapping::Zlib, 2_000_000).unwrap();
        assert_eq!((all.bytes.len(), all.is_whole), (1_000_000, true));
    }

    #[test]
    fn a_wrong_checksum_is_an_error() {
        let mut compressed = zlib(b"content content content");
        *compressed.last_mut().unwrap() ^= 1;
        assert!(!inflate(&compressed, Wrapping::Zlib, 100).is_ok_and(|found| found.is_whole));
        // The same data without its wrapping.
        let bare = inflate(&compressed[2..], Wrapping::None, 100).unwrap();
        assert_eq!((bare.bytes, bare.is_whole), (b"content content content".to_vec(), true));
    }
}
