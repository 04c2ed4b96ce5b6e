//! The formats of a timeline: one file each behind one small trait.

use crate::Event;

/// One format: says what stands before the first event, and makes renderers.
pub trait Output: Send + Sync {
    /// `csv`, `jsonl`, `bodyfile`.
    fn name(&self) -> &'static str;

    /// The bytes before the first event.
    fn header(&self) -> Vec<u8>;

    /// A renderer for one worker; all renderers of an output give the same bytes.
    fn renderer(&self) -> Box<dyn Renderer>;
}

/// Renders events of one output, one after the other, in one worker.
pub trait Renderer: Send {
    /// Appends one event with its line end. `false`, and nothing appended, when this format has no
    /// way to carry the event; it is counted and said in the report.
    fn render(&mut self, event: &Event<'_>, into: &mut Vec<u8>) -> bool;
}
