//! `docker-state.json` and `state.json`: how this node was joined, and who manages the swarm.

use super::{NODE, WrittenFile};
use crate::formats::attributes::Attributes;
use crate::formats::json::{self, Fields, Wrong};
use dockline_timeline::Findings;
use serde_json::Value;

/// The document of a file.
fn document(one: &WrittenFile<'_>, findings: &mut dyn Findings) -> Option<Value> {
    json::record(&one.read(findings)?, one.file, findings)
}

pub(super) fn node(one: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let document = document(one, findings).unwrap_or_default();
    let wrong = Wrong::default();
    let fields = Fields::new(&document, &wrong);
    let (local, remote) = (fields.text("LocalAddr"), fields.text("RemoteAddr"));
    let (listen, advertise) = (fields.text("ListenAddr"), fields.text("AdvertiseAddr"));
    let data_path = fields.text("DataPathAddr");
    let pools = fields.texts("DefaultAddressPool");
    let joining = fields.boolean("JoinInProgress").unwrap_or(false);
    wrong.into_flaws().iter().for_each(|flaw| flaw.report(one.file, findings));
    let how = match &remote {
        _ if joining => "joining was under way",
        Some(_) => "joined through another node",
        None => "made here, or joined and set anew since",
    };
    let address = advertise.as_deref().or(local.as_deref()).unwrap_or("no address");
    let text = format!("membership in a swarm last set: {address}; {how}");
    let Some(mut event) = one.event(&NODE, &text) else { return };
    event.action = "swarm";
    let mut all = Attributes::default();
    all.text("local_address", local.as_deref());
    all.text("remote_address", remote.as_deref());
    all.text("listen_address", listen.as_deref());
    all.text("advertise_address", advertise.as_deref());
    all.text("data_path_address", data_path.as_deref());
    all.texts("address_pools", &pools);
    all.flag("joining", joining);
    event.attributes = all.into_vec();
    findings.event(&event);
}

pub(super) fn managers(one: &WrittenFile<'_>, findings: &mut dyn Findings) {
    let document = serde_json::json!({ "managers": document(one, findings).unwrap_or_default() });
    let wrong = Wrong::default();
    let mut managers = Vec::new();
    for manager in Fields::new(&document, &wrong).objects("managers") {
        let id = manager.text("node_id").or_else(|| manager.text("NodeID"));
        let address = manager.text("addr").or_else(|| manager.text("Addr"));
        let words = [id, address].into_iter().flatten();
        managers.push(words.collect::<Vec<_>>().join(" "));
    }
    wrong.into_flaws().iter().for_each(|flaw| flaw.report(one.file, findings));
    let text = format!("managers of the swarm last changed: {}", managers.join(", "));
    let Some(mut event) = one.event(&NODE, &text) else { return };
    event.action = "swarm";
    let mut all = Attributes::default();
    all.texts("swarm_managers", &managers);
    event.attributes = all.into_vec();
    findings.event(&event);
}
