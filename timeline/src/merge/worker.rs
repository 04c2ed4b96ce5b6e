//! What one worker needs to take events: a batch, a renderer for each output, and its counts.

use super::Options;
use super::batch::Batch;
use crate::report::{SinkReport, Tally};
use crate::{Event, Key, Output, Rendered, Renderer};

/// One output as one worker renders it.
pub(super) struct Format {
    renderer: Box<dyn Renderer>,
    report: SinkReport,
}

impl Format {
    fn new(output: &dyn Output) -> Format {
        let report =
            SinkReport { name: output.name(), rows: 0, not_carried: 0, rows_of_parts: Vec::new() };
        Format { renderer: output.renderer(), report }
    }

    /// Renders and counts; whether a row was appended.
    pub(super) fn render(&mut self, event: &Event<'_>, into: &mut Vec<u8>) -> bool {
        let rendered = self.renderer.render(event, into);
        let SinkReport { rows, not_carried, .. } = &mut self.report;
        match rendered {
            Rendered::Row => *rows = rows.saturating_add(1),
            Rendered::NotCarried => *not_carried = not_carried.saturating_add(1),
            Rendered::Elsewhere => {}
        }
        rendered == Rendered::Row
    }
}

/// Takes events: leaves out what was not asked for, renders and counts the rest.
pub(super) struct Worker {
    pub(super) batch: Batch,
    pub(super) tally: Tally,
    formats: Vec<Format>,
}

impl Worker {
    pub(super) fn new(outputs: &[Box<dyn Output>]) -> Worker {
        Worker {
            batch: Batch::new(outputs.len()),
            tally: Tally::default(),
            formats: outputs.iter().map(|output| Format::new(output.as_ref())).collect(),
        }
    }

    pub(super) fn take(&mut self, key: Key, event: &Event<'_>, options: &Options) {
        if !options.includes(event) {
            return self.tally.left_out(1);
        }
        self.tally.event(event);
        self.batch.push(key, event, &mut self.formats);
    }

    /// After a panic a renderer may be in the middle of an event: it is replaced.
    pub(super) fn replace_renderers(&mut self, outputs: &[Box<dyn Output>]) {
        for (format, output) in self.formats.iter_mut().zip(outputs) {
            format.renderer = output.renderer();
        }
    }

    /// What was counted, without the events.
    pub(super) fn into_counts(self) -> (Tally, Vec<SinkReport>) {
        (self.tally, self.formats.into_iter().map(|format| format.report).collect())
    }
}
