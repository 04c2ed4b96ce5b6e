//! The objects of a manifest, and the pod in each.

use crate::formats::attributes::Attributes;
use dockline_timeline::Instant;
use serde_json::{Map, Value};

/// Objects of one manifest that are told, `List`s taken apart.
const OBJECT_LIMIT: usize = 10_000;

/// An object of Kubernetes.
pub(super) struct Object<'a> {
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
    pub(super) namespace: &'a str,
    value: &'a Value,
    /// The specification of its pod, if it has one.
    pub(super) pod: Option<&'a Value>,
    /// `key=value`.
    pub(super) labels: Vec<String>,
}

/// The objects of a document, those of `List`s one by one.
pub(super) fn objects(document: &Value) -> Vec<Object<'_>> {
    let mut waiting = vec![document];
    let mut found = Vec::new();
    while let Some(value) = waiting.pop() {
        let kind = text(value, "kind").unwrap_or("object of no kind");
        match value.get("items").and_then(Value::as_array) {
            Some(items) if kind.ends_with("List") => waiting.extend(items.iter().rev()),
            _ if found.len() < OBJECT_LIMIT && !value.is_null() => found.push(object(value, kind)),
            _ => {}
        }
    }
    found
}

fn object<'a>(value: &'a Value, kind: &'a str) -> Object<'a> {
    let metadata = value.get("metadata").unwrap_or(&Value::Null);
    Object {
        kind,
        name: text(metadata, "name").or_else(|| text(metadata, "generateName")).unwrap_or("?"),
        namespace: text(metadata, "namespace").unwrap_or_default(),
        value,
        pod: pod(value, kind),
        labels: pairs(metadata.get("labels")),
    }
}

fn pod<'a>(value: &'a Value, kind: &str) -> Option<&'a Value> {
    let way: &[&str] = match kind {
        "Pod" => &["spec"],
        "PodTemplate" => &["template", "spec"],
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        "Deployment"
        | "DaemonSet"
        | "StatefulSet"
        | "ReplicaSet"
        | "ReplicationController"
        | "Job" => &["spec", "template", "spec"],
        _ => return None,
    };
    way.iter().try_fold(value, |value, key| value.get(key))
}

impl<'a> Object<'a> {
    /// `Pod kube-system/etcd`.
    pub(super) fn label(&self) -> String {
        match self.namespace {
            "" => format!("{} {}", self.kind, self.name),
            namespace => format!("{} {namespace}/{}", self.kind, self.name),
        }
    }

    /// When the API server made it; files that people write do not say.
    pub(super) fn created(&self) -> Option<Instant> {
        let time = text(self.value.get("metadata")?, "creationTimestamp")?;
        Instant::parse_rfc3339(time).ok()?
    }

    /// The keys of a `Secret`.
    pub(super) fn secret_keys(&self) -> Vec<String> {
        let maps = ["data", "stringData"].map(|key| self.value.get(key).and_then(Value::as_object));
        let keys = maps.into_iter().flatten().flat_map(Map::keys).cloned();
        if self.kind == "Secret" { keys.collect() } else { Vec::new() }
    }

    /// An annotation.
    pub(super) fn annotation(&self, name: &str) -> Option<&'a str> {
        text(self.value.get("metadata")?.get("annotations")?, name)
    }

    /// Which object it is.
    pub(super) fn attributes(&self, all: &mut Attributes<'a>) {
        all.text("object_kind", Some(self.kind));
        let is_pod = self.kind == "Pod";
        all.text("pod_namespace", Some(self.namespace).filter(|name| !name.is_empty()));
        all.text(if is_pod { "pod_name" } else { "object_name" }, Some(self.name));
    }
}

/// The text under a key, if it is one.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

/// Whether what is under a key is true.
pub(super) fn is_true(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or_default()
}

/// The items under a key, if it is a list.
pub(super) fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The texts under a key, if it is a list.
pub(super) fn texts(value: &Value, key: &str) -> Vec<String> {
    items(value, key).iter().map(plain).collect()
}

/// A map as `key=value`.
fn pairs(value: Option<&Value>) -> Vec<String> {
    let map = value.and_then(Value::as_object).into_iter().flatten();
    map.map(|(key, value)| format!("{key}={}", plain(value))).collect()
}

/// A text as it is, anything else as JSON.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
