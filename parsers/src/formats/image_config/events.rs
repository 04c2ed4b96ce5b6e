//! The events of an image's configuration, whatever store holds it: the image created, by its
//! maker's clock, and each step of its history, as `docker history` lists it.

use super::{FIXED_DATE, ImageConfig, Maker, Step, is_fixed_date};
use crate::DiffId;
use dockline_timeline::{
    Attribute, Event, Findings, Instant, Kind, Meaning, Origin, Position, Subject, Value,
};
use std::borrow::Cow;

/// A configuration, and what its store knows of the image.
pub struct ConfigEvents<'a> {
    /// The file of the configuration.
    pub origin: &'a Origin,
    /// Of which kind the event of the creation is.
    pub creation: &'static Kind,
    /// Of which kind the events of the history are.
    pub history: &'static Kind,
    /// The configuration.
    pub config: &'a ImageConfig,
    /// The image.
    pub subject: &'a Subject,
    /// The image; with the container that it was committed from, whose story it belongs to.
    pub made: &'a Subject,
    /// Digits of the image's id, for persons.
    pub id: &'a str,
    /// Tags of all events.
    pub tags: &'a [&'static str],
    /// Tags of the creation.
    pub creation_tags: &'a [&'static str],
    /// Attributes of all events.
    pub attributes: &'a [Attribute<'a>],
}

impl ConfigEvents<'_> {
    /// Tells them.
    pub fn report(&self, findings: &mut dyn Findings) {
        self.creation(findings);
        let layers = self.config.layer_of_steps();
        for (index, step) in self.config.history.iter().enumerate() {
            let layer = layers.as_ref().and_then(|layers| layers.get(index).copied().flatten());
            self.step((index, step), layer, findings);
        }
    }

    fn creation(&self, findings: &mut dyn Findings) {
        let Some(created) = self.config.created else { return };
        let maker = self.config.maker();
        let told = format!("{}{}", told(&maker, self.config, self.id), note(created));
        let mut event = self.event(self.creation, self.made, created);
        event.position = Position::Key("created");
        event.action = action(&maker);
        event.text = (&told).into();
        self.config.describe(&mut event);
        event.tags.extend(self.creation_tags.iter().copied().map(Cow::Borrowed));
        findings.event(&event);
    }

    fn step(
        &self,
        (index, step): (usize, &Step),
        layer: Option<&DiffId>,
        findings: &mut dyn Findings,
    ) {
        let Some(created) = step.created else { return };
        let told = format!("{}{}", step.told(), note(created));
        let key = format!("history[{index}].created");
        let mut event = self.event(self.history, self.subject, created);
        event.position = Position::Key(&key);
        event.action = "build";
        event.text = (&told).into();
        event.command_line = step.created_by.as_deref();
        let number = i64::try_from(index).unwrap_or(i64::MAX);
        event.attribute("history_index", Some(Value::Integer(number)));
        event.attribute("empty_layer", Some(Value::Boolean(step.empty_layer)));
        event.attribute("step_comment", text(step.comment.as_ref()));
        event.attribute("step_author", text(step.author.as_ref()));
        event.attribute("diff_id", layer.map(|layer| Value::Text(layer.0.as_str().into())));
        findings.event(&event);
    }

    fn event<'e>(&'e self, kind: &'e Kind, subject: &'e Subject, at: Instant) -> Event<'e> {
        let mut event = Event::new(self.origin, kind, subject, (at, Meaning::Creation));
        event.tags.extend(self.tags.iter().copied().map(Cow::Borrowed));
        event.tags.extend(is_fixed_date(at).then_some(Cow::Borrowed("not-wall-clock")));
        event.attributes.extend(self.attributes.iter().cloned());
        event
    }
}

fn note(instant: Instant) -> &'static str {
    if is_fixed_date(instant) { FIXED_DATE } else { "" }
}

/// A text.
fn text(text: Option<&String>) -> Option<Value<'_>> {
    text.map(|text| Value::Text(text.into()))
}

/// The engine's verb.
fn action(maker: &Maker) -> &'static str {
    match maker {
        Maker::Commit(_) => "commit",
        Maker::Import => "import",
        Maker::BuildKit | Maker::ClassicBuilder | Maker::Unknown => "build",
    }
}

fn told(maker: &Maker, config: &ImageConfig, id: &str) -> String {
    let engine = config.docker_version.as_deref().map(|version| format!(" (Docker {version})"));
    let engine = engine.unwrap_or_default();
    match maker {
        Maker::Commit(container) => {
            let container = container.get(..12).unwrap_or(container);
            format!("image {id} committed from container {container}{engine}")
        }
        Maker::Import => format!("image {id} imported from an archive{engine}"),
        Maker::BuildKit => format!("image {id} built by BuildKit{engine}"),
        Maker::ClassicBuilder => format!("image {id} built by the classic builder{engine}"),
        Maker::Unknown => format!("image {id} built"),
    }
}
