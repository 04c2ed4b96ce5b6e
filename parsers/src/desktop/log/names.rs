//! To which container or image a message belongs: by the inventory of the host, and by what the log
//! itself said of it before.

use crate::formats::desktop_message::Message;
use crate::{ContainerId, Inventory};
use dockline_timeline::Subject;
use std::collections::BTreeMap;

/// Names that a log told, which are kept.
const LEARNED: usize = 65_536;
/// Digits of an id that name a container.
const SHORT: usize = 12;

/// What names and ids mean.
pub(super) struct Names<'i> {
    inventory: &'i Inventory,
    /// Ids of known containers, ordered.
    ids: Vec<&'i str>,
    /// Their ids by name; `None` where several have it.
    named: BTreeMap<&'i str, Option<&'i str>>,
    /// Names by id, of containers that the inventory does not know: they were removed.
    learned: BTreeMap<String, String>,
}

impl<'i> Names<'i> {
    pub(super) fn new(inventory: &'i Inventory) -> Names<'i> {
        let ids = inventory.containers.keys().map(ContainerId::as_str).collect();
        let mut named = BTreeMap::new();
        for (id, container) in &inventory.containers {
            let Some(name) = container.name.as_deref() else { continue };
            let of_name = named.entry(name).or_insert(Some(id.as_str()));
            *of_name = of_name.filter(|known| *known == id.as_str());
        }
        Names { inventory, ids, named, learned: BTreeMap::new() }
    }

    /// What a message is about.
    pub(super) fn subject(&mut self, message: Option<&Message<'_>>) -> Subject {
        let Some(message) = message else { return Subject::UNKNOWN };
        let container = &message.container;
        let mut subject = match (&container.id, &container.name, &container.reference) {
            (Some(id), name, _) => self.of_id(id, name.as_deref()),
            (None, Some(name), _) => self.of_name(name),
            (None, None, Some(reference)) => self.of_reference(reference),
            (None, None, None) => Subject::UNKNOWN,
        };
        if subject.image_name.is_none() {
            subject.image_name = message.image.as_deref().map(str::to_owned);
        }
        subject
    }

    fn of_id(&mut self, id: &str, name: Option<&str>) -> Subject {
        let subject = self.inventory.container_subject(id);
        if subject.container_name.is_some() {
            return subject;
        }
        if let Some(name) = name.filter(|_| self.learned.len() < LEARNED) {
            self.learned.insert(id.to_owned(), name.to_owned());
        }
        let learned = || self.learned.get(id).cloned();
        let container_name = name.map(str::to_owned).or_else(learned);
        Subject { container_name, ..subject }
    }

    fn of_name(&self, name: &str) -> Subject {
        match self.named.get(name).copied().flatten() {
            Some(id) => self.inventory.container_subject(id),
            None => Subject { container_name: Some(name.to_owned()), ..Subject::UNKNOWN },
        }
    }

    /// What the engine takes for a container: the beginning of an id, or a name.
    fn of_reference(&mut self, reference: &str) -> Subject {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_id = reference.len() >= SHORT && reference.bytes().all(is_hex);
        match self.whole(reference).filter(|_| is_id) {
            Some(id) => self.of_id(&id, None),
            None => self.of_name(reference),
        }
    }

    /// The only known id that begins so.
    fn whole(&self, short: &str) -> Option<String> {
        let begins = |id: &&str| id.starts_with(short);
        let at = self.ids.partition_point(|id| *id < short);
        let known = self.ids.get(at..)?.iter().copied().take_while(begins);
        let learned = self.learned.range(short.to_owned()..).map(|(id, _)| id.as_str());
        let mut found = known.chain(learned.take_while(begins));
        let only = found.next()?;
        found.next().is_none().then(|| only.to_owned())
    }
}
