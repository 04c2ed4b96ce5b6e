//! Podman's own events, which it writes to the journal where there is one: the best record of what
//! Podman did, also `exec` and the removal of containers.

use super::{When, text};
use crate::formats::attributes::Attributes;
use crate::formats::journal::Entry;
use crate::{ArtifactFile, Digest, Inventory};
use dockline_timeline::{Event, Findings, Instant, Kind, Meaning, Position, Subject};
use std::borrow::Cow;

static KIND: Kind =
    Kind { data_type: "podman:event", source_short: "PODMAN", source_long: "Podman event" };

/// Makes the event of an entry that has `PODMAN_EVENT`.
pub(super) fn tell(
    (file, entry): (&ArtifactFile, &Entry),
    when: When,
    inventory: &Inventory,
    findings: &mut dyn Findings,
) {
    let status = text(entry, "PODMAN_EVENT").unwrap_or_default();
    let of = text(entry, "PODMAN_TYPE").unwrap_or("container");
    let own = text(entry, "PODMAN_TIME").and_then(|time| Instant::parse_rfc3339(time).ok()?);
    let (action, meaning) = meaning(of, status);
    let subject = subject(entry, of, inventory);
    let words = words(entry, of, status, &subject);
    let at = (own.unwrap_or(when.instant), meaning);
    let mut event = Event::new(&file.origin, &KIND, &subject, at);
    event.position = Position::Offset(entry.at);
    event.action = action;
    event.text = (&words).into();
    event.exit_code = text(entry, "PODMAN_EXIT_CODE").and_then(|code| code.parse().ok());
    event.exit_code = event.exit_code.filter(|_| matches!(action, "die" | "exec_die"));
    event.network_name = text(entry, "PODMAN_NETWORK_NAME");
    event.volume_name = text(entry, "PODMAN_NAME").filter(|_| of == "volume");
    let mut attributes = Attributes::default();
    attributes.text("event_type", Some(of));
    attributes.text("pod_identifier", text(entry, "PODMAN_POD_ID"));
    attributes.text("health_status", text(entry, "PODMAN_HEALTH_STATUS"));
    event.attributes = attributes.into_vec();
    if entry.beyond_tail {
        event.tags.push(Cow::Borrowed("recovered"));
    }
    inventory.mark_removed(&mut event);
    findings.event(&event);
}

/// The verb that other engines use, and what the time means.
fn meaning<'s>(of: &str, status: &'s str) -> (&'s str, Meaning) {
    match (of, status) {
        ("container", "died" | "exited") => ("die", Meaning::End),
        (_, "exec_died") => ("exec_die", Meaning::End),
        ("container", "remove") => ("destroy", Meaning::Deletion),
        ("image" | "volume" | "network" | "pod", "remove") => ("delete", Meaning::Deletion),
        (_, "create") => ("create", Meaning::Creation),
        (_, "start" | "restart") => (status, Meaning::Start),
        (_, "stop") => (status, Meaning::End),
        ("image", "pull" | "loadfromarchive" | "import") => (status, Meaning::Added),
        _ => (status, Meaning::Recorded),
    }
}

fn subject(entry: &Entry, of: &str, inventory: &Inventory) -> Subject {
    let name = text(entry, "PODMAN_NAME").map(str::to_owned);
    let Some(id) = text(entry, "PODMAN_ID") else {
        let image_name = name.filter(|_| of == "image");
        return Subject { image_name, ..Subject::UNKNOWN };
    };
    if of == "image" {
        let id = Digest::from_hex(id).map_or_else(|| id.to_owned(), |digest| digest.to_string());
        return Subject { image_name: name, ..inventory.image_subject(&id) };
    }
    if of != "container" {
        return Subject::UNKNOWN;
    }
    let known = inventory.container_subject(id);
    Subject {
        container_name: known.container_name.or(name),
        image_name: known.image_name.or_else(|| text(entry, "PODMAN_IMAGE").map(str::to_owned)),
        ..known
    }
}

fn words(entry: &Entry, of: &str, status: &str, subject: &Subject) -> String {
    let mut words = format!("Podman: {of} {status}");
    if *subject == Subject::UNKNOWN {
        for name in ["PODMAN_NAME", "PODMAN_ID"] {
            words.extend(text(entry, name).map(|text| format!(" {text}")));
        }
    }
    words
}
