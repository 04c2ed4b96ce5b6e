//! The formats of a timeline: one file each behind one small trait.
//!
//! - [`schema`] is what all of them write: the fields of an event, in order, as data.
//! - [`Jsonl`] carries everything, [`Csv`] too if its reader undoes two rules, and [`Bodyfile`] what
//!   fits into the name of a file. Each says in its module what it cannot carry.
//! - What is shown to a person, escaped, or computed for several fields, lies in the small modules
//!   beside them: `message`, `text`, `json`, `time`, `digits`, `identifier`, `runs`.

mod bodyfile;
mod csv;
mod digits;
mod identifier;
mod json;
mod jsonl;
mod message;
mod runs;
#[cfg(test)]
pub(crate) mod samples;
pub mod schema;
mod text;
mod time;

use crate::Event;

pub use bodyfile::Bodyfile;
pub use csv::Csv;
pub use jsonl::Jsonl;

/// One format: says what stands before the first event, and makes renderers.
pub trait Output: Send + Sync {
    /// `csv`, `jsonl`, `bodyfile`.
    fn name(&self) -> &'static str;

    /// The extension of its files, without the dot.
    fn extension(&self) -> &'static str {
        self.name()
    }

    /// The bytes before the first event.
    fn header(&self) -> Vec<u8>;

    /// A renderer for one worker; all renderers of an output give the same bytes.
    fn renderer(&self) -> Box<dyn Renderer>;
}

/// Renders events of one output, one after the other, in one worker.
pub trait Renderer: Send {
    /// Appends one event with its line end.
    fn render(&mut self, event: &Event<'_>, into: &mut Vec<u8>) -> Rendered;
}

/// What became of an event in one format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rendered {
    /// A row was appended.
    Row,
    /// Nothing was appended: another event's row tells this one, too.
    Elsewhere,
    /// Nothing was appended: the format has no way to carry the event. It is counted, and said in
    /// the report.
    NotCarried,
}

/// All outputs, in the order of help texts.
#[must_use]
pub fn all() -> [Box<dyn Output>; 3] {
    [Box::new(Csv), Box::new(Jsonl), Box::new(Bodyfile)]
}

/// The output of that [name](Output::name).
#[must_use]
pub fn by_name(name: &str) -> Option<Box<dyn Output>> {
    all().into_iter().find(|output| output.name() == name)
}

/// The output whose files have that [extension](Output::extension).
#[must_use]
pub fn by_extension(extension: &str) -> Option<Box<dyn Output>> {
    all().into_iter().find(|output| output.extension() == extension)
}
