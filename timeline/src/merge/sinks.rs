//! Writes rendered events, in order, to all sinks at once.

use super::batch::split_part;
use super::{Sink, TimelineError};
use crate::Output;
use std::io::{self, BufWriter, IoSlice, Write};

/// Bytes that are gathered for one write.
const BUFFER: usize = 256 << 10;
/// Longer events are handed to the system where they lie; to gather shorter ones costs less than to
/// tell it of each.
const LONG: usize = 512;

/// Where one output goes.
struct Writer {
    name: &'static str,
    to: BufWriter<Box<dyn Write + Send>>,
}

impl Writer {
    fn write(&mut self, bytes: &[u8]) -> Result<(), TimelineError> {
        self.to.write_all(bytes).map_err(|source| failed(self.name, source))
    }

    fn write_all(&mut self, parts: &[&[u8]]) -> Result<(), TimelineError> {
        let size: usize = parts.iter().map(|part| part.len()).sum();
        if size < parts.len().saturating_mul(LONG) {
            return parts.iter().try_for_each(|part| self.write(part));
        }
        self.to.flush().map_err(|source| failed(self.name, source))?;
        write_all_in_place(self.to.get_mut(), parts).map_err(|source| failed(self.name, source))
    }
}

/// Writes all parts without gathering them first.
fn write_all_in_place(to: &mut dyn Write, parts: &[&[u8]]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut rest = slices.as_mut_slice();
    // A write of no bytes would be taken for a full disk.
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match to.write_vectored(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => IoSlice::advance_slices(&mut rest, count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Where all outputs go.
pub(super) struct Writers(Vec<Writer>);

impl Writers {
    /// Events that are written at once; the system takes no more slices in one call.
    pub(super) const MOST_AT_ONCE: usize = 1024;

    /// Takes the sinks apart, and writes the header of each output.
    pub(super) fn open(sinks: Vec<Sink>) -> Result<(Vec<Box<dyn Output>>, Writers), TimelineError> {
        let mut outputs = Vec::new();
        let mut writers = Vec::new();
        for Sink { output, to } in sinks {
            let to = BufWriter::with_capacity(BUFFER, to);
            let mut writer = Writer { name: output.name(), to };
            writer.write(&output.header())?;
            writers.push(writer);
            outputs.push(output);
        }
        Ok((outputs, Writers(writers)))
    }

    /// Writes events: to each sink its part of each frame.
    pub(super) fn events(&mut self, frames: &[&[u8]]) -> Result<(), TimelineError> {
        let mut rests = frames.to_vec();
        for writer in &mut self.0 {
            let mut parts = Vec::with_capacity(rests.len());
            for rest in &mut rests {
                let Some((part, tail)) = split_part(rest) else { continue };
                parts.push(part);
                *rest = tail;
            }
            writer.write_all(&parts)?;
        }
        Ok(())
    }

    /// Writes what is still gathered.
    pub(super) fn close(mut self) -> Result<(), TimelineError> {
        for writer in &mut self.0 {
            writer.to.flush().map_err(|source| failed(writer.name, source))?;
        }
        Ok(())
    }
}

fn failed(output: &'static str, source: io::Error) -> TimelineError {
    if source.kind() == io::ErrorKind::BrokenPipe {
        TimelineError::ClosedPipe { output }
    } else {
        TimelineError::Output { output, source }
    }
}
