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

/// A chunk is closed when it has this many bytes; one event is never divided.
const CHUNK: usize = 64 << 10;
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
