//! Checkpoints of what the kubelet has set aside for containers.

use super::{Attributes, Findings, Meaning, Position, Reading, Subject};
use crate::formats::json;
use serde_json::Value;

/// Containers of one checkpoint that are told.
const ENTRY_LIMIT: usize = 10_000;

/// What was set aside for a container.
struct Share {
    uid: String,
    container: String,
    what: String,
}

pub(super) fn read(reading: &Reading<'_>, findings: &mut dyn Findings) {
    let document = match json::read(reading.bytes) {
        Ok(document) => document,
        Err(flaw) => return flaw.report_lost(reading.file, reading.bytes.len(), findings),
    };
    document.flaws.iter().for_each(|flaw| flaw.report(reading.file, findings));
    findings.records(&reading.file.origin, 1, document.length);
    let Some(modified) = reading.modified else { return };
    let when = (modified, Meaning::ContentModification);
    let shares = shares(&document.value);
    if shares.is_empty() {
        let policy = document.value.get("policyName").and_then(Value::as_str).unwrap_or("unsaid");
        let text = format!("checkpoint of the kubelet last written; policy {policy}, no container");
        let mut event = reading.event(&Subject::UNKNOWN, when, &text);
        event.action = "write";
        findings.event(&event);
    }
    for share in &shares {
        let subject = Subject { container_name: Some(share.container.clone()), ..Subject::UNKNOWN };
        let text =
            format!("checkpoint of the kubelet last written; pod {} has {}", share.uid, share.what);
        let key = format!("{}/{}", share.uid, share.container);
        let mut event = reading.event(&subject, when, &text);
        event.position = Position::Key(&key);
        event.action = "write";
        let mut all = Attributes::default();
        all.text("pod_uid", Some(&share.uid));
        event.attributes = all.into_vec();
        findings.event(&event);
    }
}

/// The shares of a checkpoint of any kind.
fn shares(value: &Value) -> Vec<Share> {
    let devices = value.get("Data").and_then(|data| data.get("PodDeviceEntries"));
    let devices = devices.and_then(Value::as_array).into_iter().flatten().map(device);
    let entries = value.get("entries").and_then(Value::as_object).into_iter().flatten();
    let others = entries.flat_map(|(uid, containers)| {
        let containers = containers.as_object().into_iter().flatten();
        containers.map(move |(container, share)| Share {
            uid: uid.clone(),
            container: container.clone(),
            what: described(share),
        })
    });
    devices.chain(others).take(ENTRY_LIMIT).collect()
}

fn device(entry: &Value) -> Share {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or("?").to_owned();
    let ids = entry.get("DeviceIDs").map(Value::to_string).unwrap_or_default();
    let what = format!("device {} {ids}", text("ResourceName"));
    Share { uid: text("PodUID"), container: text("ContainerName"), what }
}

fn described(share: &Value) -> String {
    match share.as_str() {
        Some(set) => format!("processors {set}"),
        None => format!("memory {share}"),
    }
}
