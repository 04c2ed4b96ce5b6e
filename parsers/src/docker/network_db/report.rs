//! Events of the records.

use super::endpoint::{Endpoint, Sandbox};
use super::network::Network;
use super::record::{Left, Object, Record, Records};
use super::{DAEMON, ENDPOINT, NETWORK};
use crate::formats::compose;
use crate::formats::json::Wrong;
use crate::{ArtifactFile, ContainerId, Inventory};
use dockline_timeline::{
    Confidence, Event, Findings, Instant, Kind, Meaning, Position, Subject, Value,
};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Digits of a container's id by which others in its network find it.
const SHORT_ID: usize = 12;

pub(super) struct Report<'a> {
    pub(super) file: &'a ArtifactFile,
    pub(super) inventory: &'a Inventory,
    /// When the database was last written.
    pub(super) modified: Option<Instant>,
    pub(super) records: &'a Records<'a>,
}

/// What is known of all objects, by id.
#[derive(Default)]
struct Known<'a> {
    networks: BTreeMap<&'a str, (Network, &'a Record)>,
    endpoints: BTreeMap<&'a str, (Endpoint, &'a str, &'a Record)>,
    sandboxes: BTreeMap<&'a str, (Sandbox, &'a Record)>,
    /// The container of each endpoint that a sandbox names.
    containers: BTreeMap<String, String>,
    /// The container of a sandbox of which there is no record, as one of its endpoints tells.
    concluded: BTreeMap<String, ContainerId>,
}

impl<'a> Report<'a> {
    pub(super) fn tell(&self, findings: &mut dyn Findings) {
        let known = self.read(findings);
        for (id, network) in &known.networks {
            self.network(id, network, findings);
        }
        for id in known.endpoints.keys() {
            self.endpoint(id, &known, findings);
        }
        for (id, (sandbox, record)) in &known.sandboxes {
            let told = |(endpoint, _): &(String, String)| known.endpoints.contains_key(&**endpoint);
            if sandbox.endpoints.is_empty() || !sandbox.endpoints.iter().all(told) {
                self.sandbox((id, sandbox, record), &known, findings);
            }
        }
    }

    fn read(&self, findings: &mut dyn Findings) -> Known<'a> {
        let mut known = Known::default();
        for (object, record) in &self.records.objects {
            let wrong = Wrong::default();
            known.add(*object, record, (self.records, &wrong));
            let flaws = wrong.into_flaws();
            flaws.iter().for_each(|flaw| flaw.report_at(self.file, record.offset, findings));
        }
        self.conclude(&mut known);
        known
    }

    /// An endpoint that is found by a container's short id tells whose its sandbox is, and so whose
    /// the other endpoints of that sandbox are.
    fn conclude(&self, known: &mut Known<'_>) {
        for (endpoint, ..) in known.endpoints.values() {
            let named = endpoint.aliases.iter().find_map(|alias| self.by_short_id(alias));
            if let (Some(sandbox), Some(container)) = (&endpoint.sandbox, named) {
                known.concluded.insert(sandbox.clone(), container);
            }
        }
    }

    fn network(
        &self,
        id: &str,
        (network, record): &(Network, &Record),
        findings: &mut dyn Findings,
    ) {
        let text = network_text(network, record);
        let when = match network.created {
            Some(created) => (created, Meaning::Creation),
            None => match self.modified {
                Some(modified) => (modified, Meaning::ContentModification),
                None => return,
            },
        };
        let mut event = self.event(&NETWORK, (&Subject::UNKNOWN, record), when);
        event.action = "create";
        if network.created.is_none() {
            event.confidence = Confidence::Filesystem;
            event.action = "network";
        }
        event.text = (&text).into();
        event.network_name = network.name.as_deref();
        event.labels = &network.labels;
        event.attributes.extend(network.describe(id));
        event.attributes.extend(compose::attributes(&network.labels));
        findings.event(&event);
        if let (Some(created), Some(text)) = (network.created, daemon_text(network)) {
            let when = (created, Meaning::Start);
            let mut event = self.event(&DAEMON, (&Subject::UNKNOWN, record), when);
            event.confidence = Confidence::Inferred;
            event.action = "start";
            event.text = text.into();
            event.network_name = network.name.as_deref();
            findings.event(&event);
        }
    }

    fn endpoint(&self, id: &str, known: &Known<'_>, findings: &mut dyn Findings) {
        let Some((endpoint, network_id, record)) = known.endpoints.get(id) else { return };
        let Some(modified) = self.modified else { return };
        let subject = self.subject(id, endpoint, known);
        let network = known.networks.get(network_id).map(|(network, _)| network);
        let network_name = network.and_then(|network| network.name.as_deref());
        let text = endpoint_text((endpoint, network_id), network_name, record);
        let when = (modified, Meaning::ContentModification);
        let mut event = self.event(&ENDPOINT, (&subject, record), when);
        event.confidence = Confidence::Filesystem;
        event.action = "connect";
        event.text = (&text).into();
        event.network_name = network_name;
        event.attributes.extend(endpoint.describe(id));
        let network_id = Some(*network_id).filter(|id| !id.is_empty());
        event.attribute("network_identifier", network_id.map(|id| Value::Text(id.into())));
        self.inventory.mark_removed(&mut event);
        findings.event(&event);
    }

    fn sandbox(
        &self,
        (id, sandbox, record): (&str, &Sandbox, &Record),
        known: &Known<'_>,
        findings: &mut dyn Findings,
    ) {
        let Some(modified) = self.modified else { return };
        let container = sandbox.container.as_deref().and_then(ContainerId::parse);
        let subject = container.map(|id| self.inventory.container_subject(id.as_str()));
        let subject = subject.unwrap_or_default();
        let networks = sandbox.endpoints.iter().map(|(_, network)| {
            let named = known.networks.get(network.as_str());
            named.and_then(|(network, _)| network.name.clone()).unwrap_or_else(|| network.clone())
        });
        let networks = networks.collect::<Vec<_>>().join(", ");
        let of = sandbox.container.as_deref().unwrap_or("an unknown container");
        let networks = if networks.is_empty() { "no network".to_owned() } else { networks };
        let text = format!("network sandbox of {of}, in {networks}; {}", dated(record));
        let when = (modified, Meaning::ContentModification);
        let mut event = self.event(&ENDPOINT, (&subject, record), when);
        event.confidence = Confidence::Filesystem;
        event.action = "sandbox";
        event.text = (&text).into();
        event.attribute("sandbox_identifier", Some(Value::Text(id.into())));
        self.inventory.mark_removed(&mut event);
        findings.event(&event);
    }

    /// The container of an endpoint: as its sandbox says, else the only one that is known by a
    /// short id among the names of an endpoint of that sandbox.
    fn subject(&self, id: &str, endpoint: &Endpoint, known: &Known<'_>) -> Subject {
        let sandbox_id = endpoint.sandbox.as_deref().unwrap_or_default();
        let sandbox = known.sandboxes.get(sandbox_id);
        let container = sandbox.and_then(|(sandbox, _)| sandbox.container.as_deref());
        let container = container.or_else(|| known.containers.get(id).map(String::as_str));
        let container = match container {
            Some(container) => ContainerId::parse(container),
            None => known.concluded.get(sandbox_id).cloned(),
        };
        container.map(|id| self.inventory.container_subject(id.as_str())).unwrap_or_default()
    }

    fn by_short_id(&self, short: &str) -> Option<ContainerId> {
        let missing = 64_usize.checked_sub(short.len()).filter(|_| short.len() == SHORT_ID)?;
        let first = ContainerId::parse(&format!("{short}{}", "0".repeat(missing)))?;
        let mut found = self.inventory.containers.range(first..).map(|(id, _)| id);
        let found = (found.next()?, found.next());
        let begins = |id: &ContainerId| id.as_str().starts_with(short);
        (begins(found.0) && !found.1.is_some_and(begins)).then(|| found.0.clone())
    }

    /// What every event has.
    fn event<'e>(
        &'e self,
        kind: &'e Kind,
        (subject, record): (&'e Subject, &Record),
        when: (Instant, Meaning),
    ) -> Event<'e> {
        let mut event = Event::new(&self.file.origin, kind, subject, when);
        event.position = Position::Offset(record.offset);
        if let Some(left) = record.left {
            event.tags.push(Cow::from("recovered"));
            let from = match left {
                Left::EarlierState => "the state before the last transaction".to_owned(),
                Left::FreePage(page) => format!("free page {page} of the database"),
            };
            event.attribute("recovered_from", Some(Value::Text(Cow::Owned(from))));
        }
        event
    }
}

impl<'a> Known<'a> {
    fn add(
        &mut self,
        object: Object<'a>,
        record: &'a Record,
        (records, wrong): (&'a Records<'a>, &Wrong),
    ) {
        let value = &record.value;
        match object {
            Object::Network { id } => {
                let mut network = Network::read(value, wrong);
                let driver = network.driver.clone().unwrap_or_default();
                let of_driver = Object::DriverNetwork { driver: &driver, id };
                if let Some(record) = records.objects.get(&of_driver) {
                    network.add_driver(&record.value, wrong);
                }
                self.networks.insert(id, (network, record));
            }
            Object::Endpoint { network, id } => {
                self.endpoints.insert(id, (Endpoint::read(value, wrong), network, record));
            }
            Object::Sandbox { id } => {
                let sandbox = Sandbox::read(value, wrong);
                if let Some(container) = &sandbox.container {
                    let ids = sandbox.endpoints.iter().map(|(id, _)| id.clone());
                    self.containers.extend(ids.map(|id| (id, container.clone())));
                }
                self.sandboxes.insert(id, (sandbox, record));
            }
            Object::DriverNetwork { driver, id } if !self.networks.contains_key(id) => {
                self.networks.insert(id, (Network::of_driver(driver, value, wrong), record));
            }
            Object::DriverEndpoint { id, .. } if !self.endpoints.contains_key(id) => {
                self.endpoints.insert(id, (Endpoint::of_driver(value, wrong), "", record));
            }
            _ => (),
        }
    }
}

fn network_text(network: &Network, record: &Record) -> String {
    let name = network.name.as_deref().unwrap_or("without a name");
    let driver = network.driver.as_deref().unwrap_or("unknown");
    let gone = if record.left.is_some() { "; it was removed since" } else { "" };
    match network.created {
        Some(_) => format!("network {name} created, with the driver {driver}{gone}"),
        None => format!(
            "network {name}, with the driver {driver}, created at an unknown time; {}",
            dated(record)
        ),
    }
}

/// What the creation of a network says of the daemon.
fn daemon_text(network: &Network) -> Option<&'static str> {
    if network.is_default_bridge {
        return Some(
            "the daemon started: it made the default bridge network anew, as it does at each start \
             unless live-restore kept containers running",
        );
    }
    (network.driver.as_deref() == Some("null")).then_some(
        "the daemon started for the first time with this data root: it made the network none",
    )
}

fn endpoint_text(
    (endpoint, network_id): (&Endpoint, &str),
    network: Option<&str>,
    record: &Record,
) -> String {
    let network = network.unwrap_or(network_id);
    let network = if network.is_empty() { "an unknown network" } else { network };
    let with = |what: &str, list: &[String]| match list {
        [] => String::new(),
        list => format!("{what}{}", list.join(", ")),
    };
    let addresses = with(" with ", &endpoint.addresses);
    let ports = with(", published ports ", &endpoint.ports);
    let name = endpoint.name.as_ref().map(|name| format!(" as {name}")).unwrap_or_default();
    format!("connected to network {network}{name}{addresses}{ports}; {}", dated(record))
}

/// What the time of the database says of a record.
fn dated(record: &Record) -> &'static str {
    match record.left {
        None => "the network store was last written now",
        Some(_) => "found in an unused page of the network store, which was last written now",
    }
}
