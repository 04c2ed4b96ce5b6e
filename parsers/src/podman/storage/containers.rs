//! Events of `containers.json`.

use super::{Moment, Store, Table, list, note_of, report_nameless, short, text};
use crate::ContainerId;
use crate::formats::containers_storage::{StoredContainer, image_identifier};
use dockline_timeline::{Findings, Kind, Position, Subject, Value};
use std::borrow::Cow;

static CONTAINER: Kind = Kind {
    data_type: "podman:storage:container",
    source_short: "PODMAN",
    source_long: "containers/storage container",
};

impl Store<'_> {
    pub(super) fn report_containers(&self, findings: &mut dyn Findings) {
        for table in &self.containers {
            for (path, container) in &table.rows {
                match (&container.id, table.moment(container.created)) {
                    (None, _) => report_nameless(table.file, path, findings),
                    (Some(_), None) => {}
                    (Some(id), Some(moment)) => {
                        self.container((table, path), (id, container, moment), findings);
                    }
                }
            }
            self.report_write(table, "containers", findings);
        }
    }

    fn container(
        &self,
        (table, path): (&Table<'_, StoredContainer>, &str),
        (id, container, moment): (&str, &StoredContainer, Moment),
        findings: &mut dyn Findings,
    ) {
        let subject = self.subject(id, container);
        let key = format!("{path}.created");
        let told = format!("{}{}", told(container), note_of(moment));
        let known = ContainerId::parse(id).and_then(|id| self.inventory.containers.get(&id));
        let risks = known.map(|container| container.risks.as_slice()).unwrap_or_default();
        let metadata = &container.metadata;
        let mut event = self.event(table.file, (&CONTAINER, &subject), moment);
        event.position = Position::Key(&key);
        event.action = "create";
        event.text = (&told).into();
        event.layer_identifier = container.layer.as_deref();
        event.tags.extend(risks.iter().map(|risk| Cow::Borrowed(risk.name.as_str())));
        event.attribute("former_names", list(former_name(container)));
        event.attribute("additional_names", list(container.names.iter().skip(1)));
        event.attribute("pod_name", text(metadata.pod_name.as_ref()));
        event.attribute("pod_identifier", text(metadata.pod_id.as_ref()));
        event.attribute("pod_namespace", text(metadata.namespace.as_ref()));
        event.attribute("privileged", metadata.privileged.then_some(Value::Boolean(true)));
        event.attribute("storage_metadata", text(metadata.other.as_ref()));
        event.attribute("stored_files", list(&container.big_data));
        let volatile = is_volatile(table);
        event.attribute("volatile", volatile.then_some(Value::Boolean(true)));
        findings.event(&event);
    }

    /// What the inventory knows of it; the rest from its own row.
    fn subject(&self, id: &str, container: &StoredContainer) -> Subject {
        let known = self.inventory.container_subject(id);
        Subject {
            container_name: known.container_name.or_else(|| container.names.first().cloned()),
            image_name: known.image_name.or_else(|| container.metadata.image_name.clone()),
            image_identifier: known
                .image_identifier
                .or_else(|| container.image.as_deref().map(image_identifier)),
            ..known
        }
    }
}

/// The name that the container was made with, when it has another one now. CRI-O's names are longer
/// than the one in its metadata, and hold it.
fn former_name(container: &StoredContainer) -> Option<&String> {
    let of_pod = container.metadata.pod_id.is_some();
    let made_as = container.metadata.name.as_ref().filter(|_| !of_pod)?;
    let renamed = !container.names.is_empty() && !container.names.contains(made_as);
    renamed.then_some(made_as)
}

fn is_volatile(table: &Table<'_, StoredContainer>) -> bool {
    table.file.path.file_name().is_some_and(|name| name.starts_with(b"volatile-"))
}

fn told(container: &StoredContainer) -> String {
    let mut told = "storage of the container made".to_owned();
    if let Some(image) = &container.metadata.image_name {
        told.push_str(&format!(" from {image}"));
    }
    if let Some(layer) = &container.layer {
        told.push_str(&format!(": writable layer {}", short(layer)));
    }
    if let (Some(then), Some(now)) = (former_name(container), container.names.first()) {
        told.push_str(&format!("; it was called {then} then, and {now} since"));
    }
    told
}
