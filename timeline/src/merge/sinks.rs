//! Writes rendered events, in order, to all sinks at once.

use super::batch::split_part;
use super::{Sink, TimelineError};
use crate::Output;
use std::io::{self, BufWriter, Write};

/// Bytes that are gathered for one write. To hand events to the system where they lie, as a vector of
/// slices, saves the gathering and costs half as much again: it takes them out of a cold cache.
const BUFFER: usize = 1 << 20;

/// Where one output goes.
struct Writer {
    name: &'static str,
    to: BufWriter<Box<dyn Write + Send>>,
}

impl Writer {
    fn write(&mut self, bytes: &[u8]) -> Result<(), TimelineError> {
        self.to.write_all(bytes).map_err(|source| failed(self.name, source))
    }
}

/// Where all outputs go.
pub(super) struct Writers(Vec<Writer>);

impl Writers {
    /// Events that are written at once, so that what is read of them stays in the cache.
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
        for frame in frames {
            let mut rest = *frame;
            for writer in &mut self.0 {
                let Some((part, tail)) = split_part(rest) else { break };
                writer.write(part)?;
                rest = tail;
            }
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
