//! Compressed evidence: decompressed once into the spool, then read at offsets.

use crate::read_at::Stream;
use crate::{EvidenceError, ReadAt, Spool};
use std::io::{self, BufReader, Read, Write};
use std::sync::Arc;

/// Largest window of a zstd frame, as a power of two: 2 GiB, what `zstd --long=31` writes.
const MAX_ZSTD_WINDOW_LOG: u32 = 31;
const BUFFER: usize = 1 << 17;

/// How evidence is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    /// RFC 1952, any number of members.
    Gzip,
    /// RFC 8878, any number of frames.
    Zstd,
}

/// What came out of a compressed content.
pub(crate) struct Decompressed {
    pub(crate) bytes: Arc<dyn ReadAt>,
    /// Why it is not the whole content.
    pub(crate) cut_by: Option<EvidenceError>,
}

/// The first bytes of the content, at most `count`: enough to tell what it is.
pub(crate) fn head(
    compressed: &Arc<dyn ReadAt>,
    compression: Compression,
    count: u64,
) -> Result<Vec<u8>, EvidenceError> {
    let mut head = Vec::new();
    let copied = copy(&mut decoder(compressed, compression)?.take(count), &mut head);
    // What came out before the damage is still worth a look.
    if head.is_empty() { copied.map(|()| head).map_err(EvidenceError::from) } else { Ok(head) }
}

/// Decompresses as much as there is. A damaged end does not cost what came before it.
pub(crate) fn decompress(
    compressed: &Arc<dyn ReadAt>,
    compression: Compression,
    spool: &Spool,
) -> Result<Decompressed, EvidenceError> {
    let mut writer = spool.writer_for(compressed.len());
    let copied = copy(&mut decoder(compressed, compression)?, &mut writer);
    Ok(Decompressed { bytes: writer.finish()?, cut_by: copied.err().map(EvidenceError::from) })
}

fn decoder(
    compressed: &Arc<dyn ReadAt>,
    compression: Compression,
) -> Result<Box<dyn Read>, EvidenceError> {
    let source = BufReader::with_capacity(BUFFER, Stream::new(compressed.clone()));
    if compression == Compression::Gzip {
        return Ok(Box::new(flate2::bufread::MultiGzDecoder::new(source)));
    }
    let mut decoder = zstd::stream::read::Decoder::with_buffer(source)?;
    decoder.window_log_max(MAX_ZSTD_WINDOW_LOG)?;
    Ok(Box::new(decoder))
}

fn copy(reader: &mut dyn Read, writer: &mut dyn Write) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        writer.write_all(buffer.get(..count).unwrap_or_default())?;
    }
}

impl Compression {
    /// In words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        }
    }
}
