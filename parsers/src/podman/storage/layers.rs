//! Events of `layers.json`.

use super::{Moment, Store, Table, list, note_of, report_nameless, short, text};
use crate::formats::containers_storage::{StoredLayer, image_identifier};
use dockline_timeline::{Findings, Kind, Position, Subject, Value};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

static LAYER: Kind = Kind {
    data_type: "podman:storage:layer",
    source_short: "PODMAN",
    source_long: "containers/storage layer",
};

/// A layer and where it stands.
struct Row<'a> {
    table: &'a Table<'a, StoredLayer>,
    path: &'a str,
    id: &'a str,
    layer: &'a StoredLayer,
    moment: Moment,
}

/// Who stands on the layers of a store.
struct Standing<'a> {
    /// The container that writes to a layer.
    containers: BTreeMap<&'a str, &'a str>,
    /// The images that have it on top.
    images: BTreeMap<&'a str, Vec<&'a str>>,
    /// Layers with another on top.
    below: BTreeSet<&'a str>,
    /// Whether all tables are there, so that who stands on nothing is an orphan.
    complete: bool,
}

impl Store<'_> {
    pub(super) fn report_layers(&self, findings: &mut dyn Findings) {
        let standing = self.standing();
        for table in &self.layers {
            for (path, layer) in &table.rows {
                match (&layer.id, table.moment(layer.created)) {
                    (None, _) => report_nameless(table.file, path, findings),
                    (Some(_), None) => {}
                    (Some(id), Some(moment)) => {
                        let row = Row { table, path, id, layer, moment };
                        self.layer(&row, &standing, findings);
                    }
                }
            }
            self.report_write(table, "layers", findings);
        }
    }

    fn standing(&self) -> Standing<'_> {
        let (mut containers, mut images) = (BTreeMap::new(), BTreeMap::new());
        for (_, container) in self.containers.iter().flat_map(|table| &table.rows) {
            if let (Some(id), Some(layer)) = (&container.id, &container.layer) {
                containers.insert(layer.as_str(), id.as_str());
            }
        }
        for (_, image) in self.images.iter().flat_map(|table| &table.rows) {
            for layer in image.layer.iter().chain(&image.mapped_layers) {
                let on_layer: &mut Vec<&str> = images.entry(layer.as_str()).or_default();
                on_layer.extend(image.id.as_deref());
            }
        }
        let layers = self.layers.iter().flat_map(|table| &table.rows);
        let below = layers.filter_map(|(_, layer)| layer.parent.as_deref()).collect();
        let complete = !self.containers.is_empty() && !self.images.is_empty();
        Standing { containers, images, below, complete }
    }

    fn layer(&self, row: &Row<'_>, standing: &Standing<'_>, findings: &mut dyn Findings) {
        let Row { table, path, id, layer, moment } = *row;
        let orphan = standing.is_orphan(id);
        let subject = self.subject_of(id, standing);
        let key = format!("{path}.created");
        let told = format!("{}{}", told(id, layer, standing), note_of(moment));
        let mut event = self.event(table.file, (&LAYER, &subject), moment);
        event.position = Position::Key(&key);
        event.action = "store";
        event.text = (&told).into();
        event.size = layer.size;
        event.layer_identifier = Some(id);
        event.tags.extend(orphan.then_some(Cow::Borrowed("orphan")));
        event.attribute("diff_id", text(layer.diff_digest.as_ref()));
        event.attribute("blob_digest", text(layer.blob_digest.as_ref()));
        event.attribute("parent_layer", text(layer.parent.as_ref()));
        event.attribute("layer_names", list(&layer.names));
        event.attribute("incomplete", layer.incomplete.then_some(Value::Boolean(true)));
        findings.event(&event);
    }

    /// The container that writes to the layer; else the image, when only one has it on top.
    fn subject_of(&self, id: &str, standing: &Standing<'_>) -> Subject {
        if let Some(container) = standing.containers.get(id) {
            return self.inventory.container_subject(container);
        }
        match standing.images.get(id).map(Vec::as_slice) {
            Some([image]) => self.inventory.image_subject(&image_identifier(image)),
            _ => Subject::UNKNOWN,
        }
    }
}

impl Standing<'_> {
    fn is_orphan(&self, id: &str) -> bool {
        let used = self.containers.contains_key(id)
            || self.images.contains_key(id)
            || self.below.contains(id);
        self.complete && !used
    }
}

fn told(id: &str, layer: &StoredLayer, standing: &Standing<'_>) -> String {
    let id_shown = short(id);
    let state = if layer.incomplete { "; it was never finished" } else { "" };
    if standing.containers.contains_key(id) {
        return format!("writable layer {id_shown} of the container made{state}");
    }
    if standing.is_orphan(id) {
        let rest = "of no container or image: the rest of a removal or of an interrupted pull";
        return format!("layer {id_shown} made on this host, {rest}{state}");
    }
    match standing.images.get(id).map_or(0, Vec::len) {
        0 => format!("layer {id_shown} made on this host, below others{state}"),
        1 => format!("layer {id_shown} made on this host, on top of an image{state}"),
        count => format!("layer {id_shown} made on this host, on top of {count} images{state}"),
    }
}
