//! A network, and what its driver knows of it.

use crate::formats::attributes::Attributes;
use crate::formats::json::{self, Document, Fields, Wrong};
use dockline_timeline::{Attribute, Instant};
use serde_json::Value;

/// A network.
#[derive(Clone, Debug, Default)]
pub(super) struct Network {
    pub(super) name: Option<String>,
    pub(super) driver: Option<String>,
    pub(super) created: Option<Instant>,
    pub(super) labels: Vec<String>,
    /// Whether it is the one that containers are in unless they say otherwise.
    pub(super) is_default_bridge: bool,
    scope: Option<String>,
    /// `172.31.77.0/24 via 172.31.77.1`.
    subnets: Vec<String>,
    /// What was given to the driver, as `key=value`.
    options: Vec<String>,
    /// What is true of it: `internal`, `attachable`.
    traits: Vec<String>,
}

/// So much is shown of a list of pools that cannot be read.
const SHOWN: usize = 256;
const DEFAULT_BRIDGE: &str = "com.docker.network.bridge.default_bridge";
const BRIDGE_NAME: &str = "com.docker.network.bridge.name";
const TRAITS: [(&str, &str); 6] = [
    ("internal", "internal"),
    ("attachable", "attachable"),
    ("ingress", "ingress"),
    ("configOnly", "config-only"),
    ("inDelete", "in-delete"),
    ("enableIPv6", "ipv6"),
];

impl Network {
    pub(super) fn read(value: &Value, wrong: &Wrong) -> Network {
        let fields = Fields::new(value, wrong);
        let options = fields.object("generic").object("com.docker.network.generic").pairs();
        let holds = |(key, _): &&(&str, &str)| fields.boolean(key) == Some(true);
        Network {
            name: fields.text("name"),
            driver: fields.text("networkType"),
            created: fields.instant("created"),
            labels: fields.object("labels").pairs(),
            is_default_bridge: options.contains(&format!("{DEFAULT_BRIDGE}=true")),
            scope: fields.text("scope"),
            subnets: subnets(&fields, wrong),
            traits: TRAITS.iter().filter(holds).map(|(_, name)| (*name).to_owned()).collect(),
            options,
        }
    }

    /// A network of which only the driver's record is left.
    pub(super) fn of_driver(name: &str, value: &Value, wrong: &Wrong) -> Network {
        let fields = Fields::new(value, wrong);
        let mut network = Network { driver: Some(name.to_owned()), ..Network::default() };
        network.subnets.extend(fields.text("AddressIPv4"));
        network.subnets.extend(fields.text("AddressIPv6"));
        network.is_default_bridge = fields.boolean("DefaultBridge") == Some(true);
        network.add_driver(value, wrong);
        network
    }

    /// What its driver knows of it: the bridge that it is on the host, or the interface that it goes
    /// out by.
    pub(super) fn add_driver(&mut self, value: &Value, wrong: &Wrong) {
        let fields = Fields::new(value, wrong);
        let named = self.options.iter().any(|option| option.starts_with(BRIDGE_NAME));
        let bridge = fields.text("BridgeName").filter(|_| !named);
        self.options.extend(bridge.map(|name| format!("{BRIDGE_NAME}={name}")));
        let parent =
            fields.text("Parent").filter(|name| !self.options.contains(&format!("parent={name}")));
        self.options.extend(parent.map(|name| format!("parent={name}")));
    }

    pub(super) fn describe<'a>(&'a self, id: &'a str) -> Vec<Attribute<'a>> {
        let mut all = Attributes::default();
        all.text("network_identifier", Some(id));
        all.text("network_driver", self.driver.as_deref());
        all.text("network_scope", self.scope.as_deref());
        all.texts("subnets", &self.subnets);
        all.texts("network_options", &self.options);
        all.texts("network_traits", &self.traits);
        all.into_vec()
    }
}

/// What addresses are given from: as it was settled, else as it was asked for.
fn subnets(fields: &Fields<'_>, wrong: &Wrong) -> Vec<String> {
    let settled = ["ipamV4Info", "ipamV6Info"].map(|key| pools(fields.text(key), wrong));
    let settled = settled.concat();
    if !settled.is_empty() {
        return settled;
    }
    ["ipamV4Config", "ipamV6Config"].map(|key| pools(fields.text(key), wrong)).concat()
}

/// The pools of a list, which is JSON in a text of the JSON; a text that is not is shown as it is.
fn pools(text: Option<String>, wrong: &Wrong) -> Vec<String> {
    let Some(text) = text else { return Vec::new() };
    match json::read(text.as_bytes()) {
        Ok(Document { value: Value::Array(pools), .. }) => {
            pools.iter().filter_map(|value| pool(value, wrong)).collect()
        }
        Ok(Document { value: Value::Null, .. }) => Vec::new(),
        _ => vec![text.chars().take(SHOWN).collect()],
    }
}

/// `172.31.77.0/24 via 172.31.77.1`; the data of an allocation are JSON in a text once more.
fn pool(value: &Value, wrong: &Wrong) -> Option<String> {
    let fields = Fields::new(value, wrong);
    let data = fields.text("IPAMData").and_then(|text| json::read(text.as_bytes()).ok());
    let settled = data.as_ref().map(|data| Fields::new(&data.value, wrong));
    let fields = settled.as_ref().unwrap_or(&fields);
    let gateway = fields.text("Gateway").unwrap_or_default();
    let gateway = gateway.split('/').next().filter(|gateway| !gateway.is_empty());
    let subnet = fields.text("Pool").or_else(|| fields.text("PreferredPool"))?;
    Some(gateway.map(|gateway| format!("{subnet} via {gateway}")).unwrap_or(subnet))
}
