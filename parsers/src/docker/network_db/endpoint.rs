//! An endpoint, which is the end of a network in a container, and the sandbox that holds it.

use crate::formats::attributes::Attributes;
use crate::formats::json::{Fields, Wrong};
use dockline_timeline::Attribute;
use serde_json::Value;

/// An endpoint.
#[derive(Clone, Debug, Default)]
pub(super) struct Endpoint {
    /// The container's name, or what else asked for the endpoint.
    pub(super) name: Option<String>,
    pub(super) sandbox: Option<String>,
    /// With the length of the network's prefix: `172.31.77.10/24`.
    pub(super) addresses: Vec<String>,
    /// Names by which others in the network find it.
    pub(super) aliases: Vec<String>,
    /// `127.0.0.1:8080->80/tcp`.
    pub(super) ports: Vec<String>,
    mac_address: Option<String>,
    /// The end on the host.
    interface: Option<String>,
    service: Option<String>,
}

impl Endpoint {
    pub(super) fn read(value: &Value, wrong: &Wrong) -> Endpoint {
        let fields = Fields::new(value, wrong);
        let interface = fields.object("ep_iface");
        let addresses = ["addr", "addrv6"].iter().filter_map(|key| interface.text(key));
        let mut aliases = fields.texts("dnsNames");
        if aliases.is_empty() {
            aliases = fields.texts("myAliases");
        }
        Endpoint {
            name: fields.text("name"),
            sandbox: fields.text("sandbox"),
            addresses: addresses.collect(),
            aliases,
            ports: ports(&fields.object("generic").objects("com.docker.network.portmap")),
            mac_address: interface.text("mac"),
            interface: interface.text("srcName"),
            service: fields.text("svcName"),
        }
    }

    /// An endpoint of which only the driver's record is left.
    pub(super) fn of_driver(value: &Value, wrong: &Wrong) -> Endpoint {
        let fields = Fields::new(value, wrong);
        let addresses = ["Addr", "Addrv6"].iter().filter_map(|key| fields.text(key));
        Endpoint {
            addresses: addresses.filter(|address| address != "<nil>").collect(),
            mac_address: fields.text("MacAddress"),
            interface: fields.text("SrcName"),
            ports: ports(&fields.objects("PortMapping")),
            ..Endpoint::default()
        }
    }

    pub(super) fn describe<'a>(&'a self, id: &'a str) -> Vec<Attribute<'a>> {
        let mut all = Attributes::default();
        all.text("endpoint_identifier", Some(id));
        all.text("endpoint_name", self.name.as_deref());
        all.texts("addresses", &self.addresses);
        all.text("mac_address", self.mac_address.as_deref());
        all.texts("network_aliases", &self.aliases);
        all.texts("published_ports", &self.ports);
        all.text("host_interface", self.interface.as_deref());
        all.text("service_name", self.service.as_deref());
        all.into_vec()
    }
}

/// Published ports, as `docker ps` writes them.
fn ports(list: &[Fields<'_>]) -> Vec<String> {
    let written = |port: &Fields<'_>| {
        let number = |key: &str| port.integer(key).unwrap_or_default();
        let protocol = match number("Proto") {
            6 => "tcp".to_owned(),
            17 => "udp".to_owned(),
            132 => "sctp".to_owned(),
            other => other.to_string(),
        };
        let address = port.text("HostIP").unwrap_or_else(|| "0.0.0.0".to_owned());
        let address = if address.contains(':') { format!("[{address}]") } else { address };
        format!("{address}:{}->{}/{protocol}", number("HostPort"), number("Port"))
    };
    list.iter().map(written).collect()
}

/// A sandbox: the network side of one container.
#[derive(Clone, Debug, Default)]
pub(super) struct Sandbox {
    /// A container's id, or the name of what the engine needs for itself.
    pub(super) container: Option<String>,
    /// Ids of its endpoints, each with that of its network.
    pub(super) endpoints: Vec<(String, String)>,
}

impl Sandbox {
    pub(super) fn read(value: &Value, wrong: &Wrong) -> Sandbox {
        let fields = Fields::new(value, wrong);
        let endpoint = |fields: &Fields<'_>| Some((fields.text("Eid")?, fields.text("Nid")?));
        Sandbox {
            container: fields.text("Cid"),
            endpoints: fields.objects("Eps").iter().filter_map(endpoint).collect(),
        }
    }
}
