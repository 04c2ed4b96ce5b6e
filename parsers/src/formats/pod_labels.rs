//! The labels by which the runtimes of Kubernetes know whose container one is: kubernetes 1.34
//! `pkg/kubelet/types/labels.go`.

use dockline_timeline::{Attribute, Value};
use std::borrow::Cow;

/// Labels, and the attributes that tell the same.
const LABELS: &[(&str, &str)] = &[
    ("io.kubernetes.pod.name=", "pod_name"),
    ("io.kubernetes.pod.namespace=", "pod_namespace"),
    ("io.kubernetes.pod.uid=", "pod_uid"),
];

/// The pod that labels name.
#[must_use]
pub fn attributes(labels: &[String]) -> Vec<Attribute<'static>> {
    let of = |(prefix, name): &(&str, &'static str)| {
        let value = labels.iter().find_map(|label| label.strip_prefix(prefix))?;
        Some(Attribute { name, value: Value::Text(Cow::Owned(value.to_owned())) })
    };
    LABELS.iter().filter_map(of).collect()
}

/// The pod's id and its name, `<namespace>/<name>`, where labels tell all of it.
#[must_use]
pub fn pod(labels: &[String]) -> Option<(String, String)> {
    let of = |wanted: &str| {
        let (prefix, _) = LABELS.iter().find(|(_, name)| *name == wanted)?;
        labels.iter().find_map(|label| label.strip_prefix(prefix))
    };
    let (uid, namespace, name) = (of("pod_uid")?, of("pod_namespace")?, of("pod_name")?);
    Some((uid.to_owned(), format!("{namespace}/{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_name_the_pod() {
        let labels = ["a=b", "io.kubernetes.pod.name=web-0", "io.kubernetes.pod.uid=7"];
        let labels = labels.map(str::to_owned);
        let names: Vec<&str> = attributes(&labels).iter().map(|one| one.name).collect();
        assert_eq!(names, ["pod_name", "pod_uid"]);
        assert_eq!(pod(&labels), None);
        let whole = [labels.as_slice(), &["io.kubernetes.pod.namespace=shop".to_owned()]].concat();
        assert_eq!(pod(&whole), Some(("7".to_owned(), "shop/web-0".to_owned())));
    }
}
