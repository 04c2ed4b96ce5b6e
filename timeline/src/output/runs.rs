//! The fields of an event written one after the other, with the bytes kept that the next event is
//! likely to have too.
//!
//! A log has one file, one kind and one subject, and these are most of the bytes of a line. They are
//! told by what they hold, so nothing depends on who was rendered before.

use super::schema::{self, Computed, Datum, FIELDS, Field, On};
use crate::{Confidence, Event, Kind, Meaning, Subject};
use std::sync::Arc;

/// All fields, in runs of neighbours that depend on the same.
pub(super) struct Runs {
    runs: Vec<Run>,
    meaning: Option<(Meaning, Confidence)>,
    file: Option<File>,
    subject: Option<Subject>,
    action: Option<Action>,
    /// Whether the event before had no detail.
    bare: bool,
}

struct Run {
    on: On,
    columns: Vec<(Vec<u8>, Field)>,
    kept: Vec<u8>,
}

/// What the fields that depend on the file hold. It owns the name, so that another name cannot come
/// to lie at the same place.
struct File {
    identity: u128,
    display_name: Arc<str>,
    kind: Kind,
}

/// What the fields that depend on the action hold.
struct Action {
    action: String,
    /// Its buffer is kept while an event has none.
    source: String,
    has_source: bool,
}

impl Action {
    fn of(event: &Event<'_>, buffers: Option<Action>) -> Action {
        let (mut action, mut source) =
            buffers.map(|before| (before.action, before.source)).unwrap_or_default();
        event.action.clone_into(&mut action);
        event.log_source.unwrap_or_default().clone_into(&mut source);
        Action { action, source, has_source: event.log_source.is_some() }
    }

    fn is_that_of(&self, event: &Event<'_>) -> bool {
        let source = self.has_source.then_some(self.source.as_str());
        self.action == event.action && source == event.log_source
    }
}

impl File {
    fn of(event: &Event<'_>) -> File {
        let origin = event.origin;
        let display_name = origin.display_name.clone();
        File { identity: origin.identity, display_name, kind: *event.kind }
    }

    fn is_that_of(&self, event: &Event<'_>) -> bool {
        self.identity == event.origin.identity
            && Arc::ptr_eq(&self.display_name, &event.origin.display_name)
            && is_same(&self.kind, event.kind)
    }
}

/// Whether two kinds are the same words; the words of the program never move.
fn is_same(one: &Kind, other: &Kind) -> bool {
    std::ptr::eq(one.data_type, other.data_type)
        && std::ptr::eq(one.source_short, other.source_short)
        && std::ptr::eq(one.source_long, other.source_long)
}

impl Runs {
    /// `before` gives the bytes that stand before the field of that index.
    pub(super) fn new(before: impl Fn(usize, &Field) -> String) -> Runs {
        let columns: Vec<(Vec<u8>, Field)> = FIELDS
            .iter()
            .enumerate()
            .map(|(index, field)| (before(index, field).into_bytes(), *field))
            .collect();
        let runs = columns
            .chunk_by(|(_, one), (_, next)| one.on == next.on)
            .filter_map(|columns| {
                let on = columns.first()?.1.on;
                Some(Run { on, columns: columns.to_vec(), kept: Vec::new() })
            })
            .collect();
        Runs { runs, meaning: None, file: None, subject: None, action: None, bare: false }
    }

    /// Appends all fields; `push` appends one, given the bytes that stand before it.
    pub(super) fn push(
        &mut self,
        (event, computed): (&Event<'_>, &Computed),
        into: &mut Vec<u8>,
        mut push: impl FnMut(&[u8], &Datum<'_>, &mut Vec<u8>),
    ) {
        let meaning = Some((event.meaning, event.confidence));
        let same_meaning = std::mem::replace(&mut self.meaning, meaning) == meaning;
        let same_file = self.file.as_ref().is_some_and(|file| file.is_that_of(event));
        if !same_file {
            self.file = Some(File::of(event));
        }
        let same_subject = self.subject.as_ref() == Some(event.subject);
        if !same_subject {
            self.subject = Some(event.subject.clone());
        }
        let same_action = self.action.as_ref().is_some_and(|action| action.is_that_of(event));
        if !same_action {
            self.action = Some(Action::of(event, self.action.take()));
        }
        let is_bare = schema::is_bare(event);
        let same_detail = is_bare && self.bare;
        self.bare = is_bare;
        for run in &mut self.runs {
            let same = match run.on {
                On::Event => false,
                On::Meaning => same_meaning,
                On::File => same_file,
                On::Subject => same_subject,
                On::Action => same_action,
                On::Detail => same_detail,
            };
            if same {
                into.extend_from_slice(&run.kept);
                continue;
            }
            let from = into.len();
            for (before, field) in &run.columns {
                push(before, &(field.of)(event, computed), into);
            }
            if run.on != On::Event {
                run.kept.clear();
                run.kept.extend_from_slice(into.get(from..).unwrap_or_default());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, KIND, ORIGIN};
    use crate::{Confidence, Event, Kind, Meaning, Origin, Output, Rank, Renderer, output::Jsonl};
    use std::sync::Arc;

    fn line(renderer: &mut dyn Renderer, event: &Event<'_>) -> String {
        let mut bytes = Vec::new();
        renderer.render(event, &mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_differs_from_the_event_before_is_written_anew() {
        let path = ORIGIN.path.clone();
        let place = (ORIGIN.host.clone(), Arc::from("copy.E01"), path);
        let copy = Origin::new(place, ORIGIN.parser, Rank(8));
        assert_eq!(copy.identity, ORIGIN.identity);
        let kind = Kind { data_type: "docker:container:other", ..KIND };
        let events = [
            samples::bare("one"),
            Event { origin: &copy, ..samples::bare("two") },
            Event { kind: &kind, origin: &copy, ..samples::bare("three") },
            Event { meaning: Meaning::Start, kind: &kind, ..samples::bare("words") },
            Event { confidence: Confidence::Filesystem, kind: &kind, ..samples::bare("words") },
            Event { subject: &samples::APACHE, kind: &kind, ..samples::bare("four") },
            samples::bare("five"),
            samples::bare("six"),
        ];
        let mut together = Jsonl.renderer();
        for event in &events {
            let alone = line(&mut *Jsonl.renderer(), event);
            assert_eq!(line(&mut *together, event), alone);
        }
    }

    #[test]
    fn another_subject_at_the_same_address_is_seen() {
        let mut renderer = Jsonl.renderer();
        let mut subject = samples::APACHE.clone();
        line(&mut *renderer, &Event { subject: &subject, ..samples::bare("one") });
        subject.image_name = None;
        let second = line(&mut *renderer, &Event { subject: &subject, ..samples::bare("two") });
        assert!(!second.contains("image_name"), "{second}");
    }
}
