//! Writes rendered events, in order, to all sinks at once.

use super::batch::split_part;
use super::{Part, Sink, TimelineError};
use crate::{Output, Rank};
use std::io::{self, BufWriter, Write};

/// Bytes that are gathered for one write: few enough to stay in a core's cache until the system has
/// taken them. With 1 MiB the system takes half as long again. To hand events to the system where they lie, as a vector of
/// slices, saves the gathering and costs half as much again: it takes them out of a cold cache.
const BUFFER: usize = 256 << 10;
/// The same where there may be hundreds.
const PART_BUFFER: usize = 64 << 10;

/// Gathers bytes for one place.
type Gathering = BufWriter<Box<dyn Write + Send>>;

/// The places to which one output goes.
struct Writer {
    name: &'static str,
    to: Option<Gathering>,
    /// In the order of their first files.
    parts: Vec<PartWriter>,
}

/// Where the events of some files go.
struct PartWriter {
    from: Rank,
    to: Gathering,
    rows: u64,
}

impl Writer {
    fn new(sink: Sink) -> (Box<dyn Output>, Writer) {
        let Sink { output, to, parts } = sink;
        let to = to.map(|to| BufWriter::with_capacity(BUFFER, to));
        let mut parts: Vec<PartWriter> = parts
            .into_iter()
            .map(|Part { from, to }| PartWriter {
                from,
                to: BufWriter::with_capacity(PART_BUFFER, to),
                rows: 0,
            })
            .collect();
        parts.sort_by_key(|part| part.from);
        let name = output.name();
        (output, Writer { name, to, parts })
    }

    /// Does the same with every place.
    fn each(
        &mut self,
        mut act: impl FnMut(&mut Gathering) -> io::Result<()>,
    ) -> Result<(), TimelineError> {
        let parts = self.parts.iter_mut().map(|part| &mut part.to);
        let result = self.to.iter_mut().chain(parts).try_for_each(&mut act);
        result.map_err(|source| failed(self.name, source))
    }

    /// Writes an event of the file with this rank.
    fn write(&mut self, rank: Rank, bytes: &[u8]) -> Result<(), TimelineError> {
        let mut written = self.to.as_mut().map_or(Ok(()), |to| to.write_all(bytes));
        // An output that carries no such event has nothing to write, and no row.
        if !self.parts.is_empty() && !bytes.is_empty() {
            let behind = self.parts.partition_point(|part| part.from <= rank);
            let part = behind.checked_sub(1).and_then(|at| self.parts.get_mut(at));
            if let Some(part) = part {
                part.rows = part.rows.saturating_add(1);
                written = written.and_then(|()| part.to.write_all(bytes));
            }
        }
        written.map_err(|source| failed(self.name, source))
    }
}

/// Where all outputs go.
pub(super) struct Writers(Vec<Writer>);

impl Writers {
    /// Events that are written at once, so that what is read of them stays in the cache.
    pub(super) const MOST_AT_ONCE: usize = 1024;

    /// Takes the sinks apart, and writes the header of each output.
    pub(super) fn open(sinks: Vec<Sink>) -> Result<(Vec<Box<dyn Output>>, Writers), TimelineError> {
        let (outputs, mut writers): (Vec<_>, Vec<_>) = sinks.into_iter().map(Writer::new).unzip();
        for (output, writer) in outputs.iter().zip(&mut writers) {
            let header = output.header();
            writer.each(|to| to.write_all(&header))?;
        }
        Ok((outputs, Writers(writers)))
    }

    /// Writes events, each with the rank of its file: to each sink its part of each frame.
    pub(super) fn events(&mut self, frames: &[(Rank, &[u8])]) -> Result<(), TimelineError> {
        for (rank, frame) in frames {
            let mut rest = *frame;
            for writer in &mut self.0 {
                let Some((part, tail)) = split_part(rest) else { break };
                writer.write(*rank, part)?;
                rest = tail;
            }
        }
        Ok(())
    }

    /// Writes what is still gathered; how many events went to each part of each sink, in the order
    /// of their first files.
    pub(super) fn close(mut self) -> Result<Vec<Vec<u64>>, TimelineError> {
        self.0.iter_mut().try_for_each(|writer| writer.each(Write::flush))?;
        let rows = |writer: Writer| writer.parts.iter().map(|part| part.rows).collect();
        Ok(self.0.into_iter().map(rows).collect())
    }
}

fn failed(output: &'static str, source: io::Error) -> TimelineError {
    if source.kind() == io::ErrorKind::BrokenPipe {
        TimelineError::ClosedPipe { output }
    } else {
        TimelineError::Output { output, source }
    }
}
