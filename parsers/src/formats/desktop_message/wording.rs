//! Wordings that are recognised by how they begin, one row each.

use super::{Message, Topic};
use dockline_timeline::Meaning;

/// A wording and what it means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wording {
    /// Who says it; empty when it is clear enough without.
    component: &'static str,
    /// The message begins so.
    begins: &'static str,
    topic: Topic,
    action: &'static str,
    meaning: Meaning,
    /// What it means, for a person.
    says: &'static str,
}

pub(super) const fn wording(
    (component, begins): (&'static str, &'static str),
    topic: Topic,
    (action, meaning): (&'static str, Meaning),
    says: &'static str,
) -> Wording {
    Wording { component, begins, topic, action, meaning, says }
}

/// What the first row that fits means.
pub(super) fn find<'a>(table: &[Wording], component: &str, message: &str) -> Option<Message<'a>> {
    let fits = |row: &&Wording| {
        message.starts_with(row.begins)
            && (row.component.is_empty() || is_component(component, row.component))
    };
    let row = table.iter().find(fits)?;
    Some(Message { meaning: row.meaning, ..Message::new(row.topic, row.action, row.says) })
}

/// Whether a component is the one of this name, alone or as the last part of a dotted one:
/// `com.docker.backend.exe.engines` is `engines`.
pub(super) fn is_component(component: &str, name: &str) -> bool {
    let before = component.strip_suffix(name);
    before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// What stands between two texts.
pub(super) fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}
