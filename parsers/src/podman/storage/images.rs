//! Events of `images.json`.

use super::{Moment, Store, Table, list, note_of, report_nameless, short, text};
use crate::formats::containers_storage::{StoredImage, image_identifier};
use crate::formats::image_config::{FIXED_DATE, is_fixed_date};
use dockline_timeline::{Event, Findings, Kind, Position, Subject, Value};
use std::borrow::Cow;

static IMAGE: Kind = Kind {
    data_type: "podman:storage:image",
    source_short: "PODMAN",
    source_long: "containers/storage image",
};

/// An image and where it stands.
struct Row<'a> {
    table: &'a Table<'a, StoredImage>,
    path: &'a str,
    id: String,
    image: &'a StoredImage,
}

impl Store<'_> {
    pub(super) fn report_images(&self, findings: &mut dyn Findings) {
        for table in &self.images {
            for (path, image) in &table.rows {
                let Some(id) = image.id.as_deref().map(image_identifier) else {
                    report_nameless(table.file, path, findings);
                    continue;
                };
                let row = Row { table, path, id, image };
                self.image(&row, findings);
                self.names(&row, findings);
            }
            self.report_write(table, "images", findings);
        }
    }

    fn image(&self, row: &Row<'_>, findings: &mut dyn Findings) {
        let Some(moment) = row.table.moment(row.image.created) else { return };
        let subject = row.subject(row.image.names.first());
        let key = format!("{}.created", row.path);
        let fixed = is_fixed_date(moment.0);
        let note = if fixed { FIXED_DATE } else { note_of(moment) };
        let text = format!("image {} made: {}{note}", row.short(), row.called());
        let mut event = self.image_event(row, &subject, moment);
        event.position = Position::Key(&key);
        event.action = "build";
        event.text = (&text).into();
        event.tags.extend(fixed.then_some(Cow::Borrowed("not-wall-clock")));
        event.attribute("image_tags", list(&row.image.names));
        event.attribute("former_names", list(row.image.former_names()));
        event.attribute("stored_files", list(&row.image.big_data));
        findings.event(&event);
    }

    /// Each name, and each that was taken away: the table does not say when.
    fn names(&self, row: &Row<'_>, findings: &mut dyn Findings) {
        for (index, name) in row.image.names.iter().enumerate() {
            let key = format!("{}.names[{index}]", row.path);
            let text = format!(
                "name of image {}, given now or before: the table was last written now",
                row.short()
            );
            self.name((row, name), ("tag", &key, &text), findings);
        }
        for name in row.image.former_names() {
            let key = format!("{}.names-history", row.path);
            let text = format!(
                "name that image {} had: taken away now or before, the table was last written now",
                row.short()
            );
            self.name((row, name), ("untag", &key, &text), findings);
        }
    }

    fn name(
        &self,
        (row, name): (&Row<'_>, &String),
        (action, key, text): (&'static str, &str, &str),
        findings: &mut dyn Findings,
    ) {
        let Some(moment) = row.table.moment(None) else { return };
        let subject = row.subject(Some(name));
        let mut event = self.image_event(row, &subject, moment);
        event.position = Position::Key(key);
        event.action = action;
        event.text = text.into();
        event.attribute("image_reference", Some(Value::Text(name.into())));
        findings.event(&event);
    }

    fn image_event<'e>(
        &'e self,
        row: &'e Row<'_>,
        subject: &'e Subject,
        moment: Moment,
    ) -> Event<'e> {
        let mut event = self.event(row.table.file, (&IMAGE, subject), moment);
        event.layer_identifier = row.image.layer.as_deref();
        event.attribute("image_manifest_digest", text(row.image.digest.as_ref()));
        event
    }
}

impl Row<'_> {
    fn subject(&self, name: Option<&String>) -> Subject {
        let name = name.or_else(|| self.image.names_history.first());
        Subject {
            image_name: name.cloned(),
            image_identifier: Some(self.id.clone()),
            ..Subject::UNKNOWN
        }
    }

    fn short(&self) -> &str {
        short(self.id.strip_prefix("sha256:").unwrap_or(&self.id))
    }

    /// Its names, as a person would say them.
    fn called(&self) -> String {
        let former: Vec<String> = self.image.former_names().into_iter().cloned().collect();
        let names = self.image.names.join(", ");
        match (names.is_empty(), former.is_empty()) {
            (true, true) => "without a name".to_owned(),
            (false, true) => names,
            (true, false) => format!("without a name, formerly {}", former.join(", ")),
            (false, false) => format!("{names}; formerly {}", former.join(", ")),
        }
    }
}
