//! A run in a temporary file: events in order, in compressed chunks.
//!
//! The file never has a name, so it vanishes however the program ends. A chunk holds whole events
//! and is decompressed by itself, so that many runs can be read side by side in little memory:
//!
//! ```text
//! chunk   packed length u64, plain length u64, zstd frame
//! event   seconds i64, nanoseconds u32, rank u64, position u64, sequence u32, meaning u8, frame
//! ```
//!
//! All numbers are little endian. Only the program that wrote a file reads it, so what does not fit
//! is an error of the disk and not a matter of evidence.

use super::batch::frame;
use crate::{Instant, Key, Meaning, Rank};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use zstd::bulk::{Compressor, Decompressor};

/// A chunk is closed when it has this many bytes; one event is never divided. With one event more
/// it still is a single block of zstd, which ends at 128 KiB.
const CHUNK: usize = 120 << 10;
/// Fast: the disk is slower than the compressor at this level.
const LEVEL: i32 = 1;

/// A finished run in a temporary file.
pub(super) struct Spill {
    file: File,
    outputs: usize,
    /// Bytes that it takes on the disk.
    pub(super) size: u64,
}

/// Writes a run; events come in order.
pub(super) struct SpillWriter {
    file: File,
    outputs: usize,
    size: u64,
    plain: Vec<u8>,
    packed: Vec<u8>,
    compressor: Compressor<'static>,
}

impl SpillWriter {
    pub(super) fn create(directory: &Path, outputs: usize) -> io::Result<SpillWriter> {
        Ok(SpillWriter {
            file: tempfile::tempfile_in(directory)?,
            outputs,
            size: 0,
            plain: Vec::new(),
            packed: Vec::new(),
            compressor: Compressor::new(LEVEL)?,
        })
    }

    pub(super) fn push(&mut self, key: &Key, frame: &[u8]) -> io::Result<()> {
        self.plain.extend_from_slice(&key.instant.seconds().to_le_bytes());
        self.plain.extend_from_slice(&key.instant.nanoseconds().to_le_bytes());
        self.plain.extend_from_slice(&key.rank.0.to_le_bytes());
        self.plain.extend_from_slice(&key.position.to_le_bytes());
        self.plain.extend_from_slice(&key.sequence.to_le_bytes());
        self.plain.push(meaning_number(key.meaning));
        self.plain.extend_from_slice(frame);
        if self.plain.len() >= CHUNK { self.end_chunk() } else { Ok(()) }
    }

    pub(super) fn finish(mut self) -> io::Result<Spill> {
        self.end_chunk()?;
        self.file.rewind()?;
        Ok(Spill { file: self.file, outputs: self.outputs, size: self.size })
    }

    fn end_chunk(&mut self) -> io::Result<()> {
        if self.plain.is_empty() {
            return Ok(());
        }
        self.packed.clear();
        self.packed.reserve(zstd::zstd_safe::compress_bound(self.plain.len()));
        let packed = self.compressor.compress_to_buffer(&self.plain, &mut self.packed)?;
        let mut head = [0_u8; 16];
        let (first, second) = head.split_at_mut(8);
        first.copy_from_slice(&length(packed)?.to_le_bytes());
        second.copy_from_slice(&length(self.plain.len())?.to_le_bytes());
        self.file.write_all(&head)?;
        self.file.write_all(&self.packed)?;
        self.size = self.size.saturating_add(length(packed)?).saturating_add(16);
        self.plain.clear();
        Ok(())
    }
}

/// Reads a run, event after event.
pub(super) struct SpillReader {
    spill: Spill,
    plain: Vec<u8>,
    /// Where the present event's frame begins in the chunk, and where it ends.
    start: usize,
    end: usize,
}

/// What all readers of a merge share.
pub(super) struct Unpacker {
    decompressor: Decompressor<'static>,
    packed: Vec<u8>,
}

impl Unpacker {
    pub(super) fn new() -> io::Result<Unpacker> {
        Ok(Unpacker { decompressor: Decompressor::new()?, packed: Vec::new() })
    }
}

impl SpillReader {
    pub(super) fn new(spill: Spill) -> SpillReader {
        SpillReader { spill, plain: Vec::new(), start: 0, end: 0 }
    }

    /// Goes to the next event and gives its key; `None` at the end of the run.
    pub(super) fn next(&mut self, unpacker: &mut Unpacker) -> io::Result<Option<Key>> {
        if self.end >= self.plain.len() && !self.next_chunk(unpacker)? {
            return Ok(None);
        }
        let rest = self.plain.get(self.end..).unwrap_or_default();
        let (key, rest) = read_key(rest).ok_or_else(damaged)?;
        self.start = self.plain.len().saturating_sub(rest.len());
        let frame = frame(&self.plain, self.start, self.spill.outputs);
        self.end = self.start.saturating_add(frame.len());
        Ok(Some(key))
    }

    /// The frame of the present event.
    pub(super) fn frame(&self) -> &[u8] {
        self.plain.get(self.start..self.end).unwrap_or_default()
    }

    fn next_chunk(&mut self, unpacker: &mut Unpacker) -> io::Result<bool> {
        self.plain.clear();
        self.end = 0;
        if self.spill.size == 0 {
            return Ok(false);
        }
        let file = &mut self.spill.file;
        let mut head = [0_u8; 16];
        file.read_exact(&mut head)?;
        let (packed, plain) = read_lengths(&head).ok_or_else(damaged)?;
        unpacker.packed.resize(packed, 0);
        file.read_exact(&mut unpacker.packed)?;
        self.plain.reserve(plain);
        unpacker.decompressor.decompress_to_buffer(&unpacker.packed, &mut self.plain)?;
        if self.plain.len() != plain {
            return Err(damaged());
        }
        self.spill.size = self.spill.size.saturating_sub(length(packed)?).saturating_sub(16);
        Ok(true)
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the file is not as it was written")
}

fn length(bytes: usize) -> io::Result<u64> {
    u64::try_from(bytes).map_err(io::Error::other)
}

fn read_lengths(head: &[u8]) -> Option<(usize, usize)> {
    let (packed, rest) = head.split_first_chunk()?;
    let plain = rest.first_chunk()?;
    let size = |bytes: &[u8; 8]| usize::try_from(u64::from_le_bytes(*bytes)).ok();
    Some((size(packed)?, size(plain)?))
}

fn read_key(bytes: &[u8]) -> Option<(Key, &[u8])> {
    let (seconds, rest) = bytes.split_first_chunk()?;
    let (nanoseconds, rest) = rest.split_first_chunk()?;
    let (rank, rest) = rest.split_first_chunk()?;
    let (position, rest) = rest.split_first_chunk()?;
    let (sequence, rest) = rest.split_first_chunk()?;
    let (meaning, rest) = rest.split_first()?;
    let key = Key {
        instant: Instant::new(i64::from_le_bytes(*seconds), u32::from_le_bytes(*nanoseconds))?,
        rank: Rank(u64::from_le_bytes(*rank)),
        position: u64::from_le_bytes(*position),
        meaning: *Meaning::ALL.get(usize::from(*meaning))?,
        sequence: u32::from_le_bytes(*sequence),
    };
    Some((key, rest))
}

/// Its place in [`Meaning::ALL`].
fn meaning_number(meaning: Meaning) -> u8 {
    (0..).zip(Meaning::ALL).find(|(_, other)| *other == meaning).map_or(u8::MAX, |(n, _)| n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(position: u64) -> Key {
        Key {
            instant: Instant::EARLIEST,
            rank: Rank(u64::MAX),
            position,
            meaning: Meaning::Deletion,
            sequence: u32::MAX,
        }
    }

    /// A frame of one output.
    fn framed(bytes: &[u8]) -> Vec<u8> {
        let mut frame = u64::try_from(bytes.len()).unwrap().to_le_bytes().to_vec();
        frame.extend_from_slice(bytes);
        frame
    }

    fn spilled(events: u64) -> Spill {
        let mut writer = SpillWriter::create(&std::env::temp_dir(), 1).unwrap();
        for position in 0..events {
            let bytes = vec![b'x'; usize::try_from(position * 997 % 200_000).unwrap()];
            writer.push(&key(position), &framed(&bytes)).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn a_run_is_read_back_as_it_was_written() {
        for events in [0, 1, 400] {
            let mut reader = SpillReader::new(spilled(events));
            let mut unpacker = Unpacker::new().unwrap();
            for position in 0..events {
                assert_eq!(reader.next(&mut unpacker).unwrap(), Some(key(position)));
                let length = usize::try_from(position * 997 % 200_000).unwrap();
                assert_eq!(reader.frame(), framed(&vec![b'x'; length]));
            }
            assert_eq!(reader.next(&mut unpacker).unwrap(), None);
            assert_eq!(reader.next(&mut unpacker).unwrap(), None);
        }
    }

    #[test]
    fn a_file_that_was_cut_short_is_an_error_and_not_the_end() {
        let spill = spilled(40);
        for cut in [0, 10, spill.size / 2, spill.size - 1] {
            let spill = spilled(40);
            spill.file.set_len(cut).unwrap();
            let mut reader = SpillReader::new(spill);
            let mut unpacker = Unpacker::new().unwrap();
            let error = loop {
                match reader.next(&mut unpacker) {
                    Ok(key) => assert!(key.is_some(), "an end after {cut} bytes"),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
    }

    #[test]
    fn every_meaning_has_a_number() {
        for meaning in Meaning::ALL {
            assert_eq!(Meaning::ALL[usize::from(meaning_number(meaning))], meaning);
        }
    }
}
