//! The events of one object, whatever it is.

use super::{Store, kind_of};
use crate::formats::containerd_db::Object;
use crate::formats::cri_metadata::CriMetadata;
use crate::formats::runtime_spec::RuntimeSpec;
use dockline_timeline::{
    Attribute, Confidence, Event, Findings, Instant, IssueKind, Meaning, Position, Subject, Value,
};
use std::borrow::Cow;

/// What an object is to a person, and what its events carry.
pub(super) struct Told {
    pub(super) subject: Subject,
    /// What its creation means, the engine's verb for it, and in words.
    pub(super) made: (Meaning, &'static str, String),
    /// The same in words of a later change.
    pub(super) updated: String,
    /// Whether the meaning is concluded.
    pub(super) inferred: bool,
    pub(super) size: Option<u64>,
    pub(super) layer: Option<String>,
    pub(super) attributes: Vec<Attribute<'static>>,
    pub(super) tags: Vec<String>,
    pub(super) spec: Option<RuntimeSpec>,
    pub(super) cri: Option<CriMetadata>,
}

impl Told {
    pub(super) fn new(subject: Subject, made: (Meaning, &'static str, String)) -> Told {
        Told {
            subject,
            made,
            updated: "record last written".to_owned(),
            inferred: false,
            size: None,
            layer: None,
            attributes: Vec::new(),
            tags: Vec::new(),
            spec: None,
            cri: None,
        }
    }

    pub(super) fn text(&mut self, name: &'static str, text: Option<String>) {
        if let Some(text) = text {
            self.attributes.push(Attribute { name, value: Value::Text(Cow::Owned(text)) });
        }
    }

    pub(super) fn list(&mut self, name: &'static str, texts: Vec<String>) {
        if !texts.is_empty() {
            let value = Value::List(texts.into_iter().map(Cow::Owned).collect());
            self.attributes.push(Attribute { name, value });
        }
    }
}

impl Store<'_> {
    /// Tells when the object was made, and when it last changed.
    pub(super) fn moments(
        &self,
        object: &Object<'_, '_>,
        told: &Told,
        findings: &mut dyn Findings,
    ) {
        let created = self.instant(object, "createdat", findings);
        let updated = self.instant(object, "updatedat", findings);
        let labels = object.pairs("labels");
        let facts = Facts { object, told, labels: &labels };
        if let Some(created) = created {
            self.moment(&facts, ("createdat", created), findings);
        }
        let same = |updated: &(Instant, u64)| created.is_some_and(|created| created.0 == updated.0);
        if let Some(updated) = updated.filter(|updated| !same(updated)) {
            self.moment(&facts, ("updatedat", updated), findings);
        }
    }

    fn instant(
        &self,
        object: &Object<'_, '_>,
        key: &str,
        findings: &mut dyn Findings,
    ) -> Option<(Instant, u64)> {
        match object.instant(key) {
            Ok(instant) => instant,
            Err(error) => {
                let path = path(object, key);
                let at = Position::Key(&path);
                findings.issue(self.file.issue(IssueKind::Malformed, at, error.to_string()));
                None
            }
        }
    }

    fn moment(
        &self,
        facts: &Facts<'_, '_, '_>,
        (key, (instant, offset)): (&str, (Instant, u64)),
        findings: &mut dyn Findings,
    ) {
        let Facts { object, told, labels } = facts;
        let path = path(object, key);
        // Docker writes a record once, so that half of it tells the same at either instant.
        let is_creation = key == "createdat" || told.inferred;
        let (meaning, action, text) = if is_creation {
            (told.made.0, told.made.1, told.made.2.as_str())
        } else {
            (Meaning::Update, "update", told.updated.as_str())
        };
        let command_line = told.spec.as_ref().and_then(|spec| spec.config.command_line());
        let at = (instant, meaning);
        let mut event = Event::new(&self.file.origin, kind_of(object.class), &told.subject, at);
        event.action = action;
        event.text = text.into();
        event.position = match object.page {
            Some(_) => Position::Offset(offset),
            None => Position::Key(&path),
        };
        if told.inferred {
            event.confidence = Confidence::Inferred;
        }
        event.size = told.size;
        event.layer_identifier = told.layer.as_deref();
        event.labels = labels;
        event.tags.extend(told.tags.iter().map(|tag| Cow::Borrowed(tag.as_str())));
        event.attributes = told.attributes.clone();
        let namespace = object.namespace.as_deref();
        event.attribute("containerd_namespace", namespace.map(|name| Value::Text(name.into())));
        let cri = told.cri.as_ref();
        add_rest(&mut event, cri.map(CriMetadata::attributes).unwrap_or_default());
        if let Some(spec) = &told.spec {
            spec.describe(&command_line, &mut event);
        }
        add_rest(&mut event, cri.map(CriMetadata::settings).unwrap_or_default());
        self.mark(&mut event, object);
        findings.event(&event);
    }

    fn mark(&self, event: &mut Event<'_>, object: &Object<'_, '_>) {
        if let Some(page) = object.page {
            event.tags.push(Cow::from("recovered"));
            let place = format!("free page {page} of the database");
            event.attribute("recovered_from", Some(Value::Text(place.into())));
        }
        self.inventory.mark_removed(event);
    }
}

/// Adds what the event does not say already.
fn add_rest<'a>(event: &mut Event<'a>, attributes: Vec<Attribute<'a>>) {
    for attribute in attributes {
        if event.attributes.iter().all(|known| known.name != attribute.name) {
            event.attributes.push(attribute);
        }
    }
}

/// An object and what is told of it.
struct Facts<'a, 'd, 'b> {
    object: &'a Object<'d, 'b>,
    told: &'a Told,
    labels: &'a [String],
}

/// The way to a key of an object, as far as it is known.
pub(super) fn path(object: &Object<'_, '_>, key: &str) -> String {
    let class = format!("{:?}", object.class).to_lowercase();
    let parts = [&object.namespace, &object.snapshotter, &object.name];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    format!("{class}/{}/{key}", parts.join("/"))
}
