//! Podman's own events: the best record of what Podman did, also `exec` and the removal of
//! containers. Podman writes them to the journal where there is one, else to a file of JSON lines.
//!
//! podman 4.3 to 5.8 `libpod/events/{config,journal_linux,logfile}.go`.

use super::attributes::Attributes;
use crate::{ArtifactFile, Digest, Inventory};
use dockline_timeline::{Event, Findings, Instant, Kind, Meaning, Position, Subject};
use std::borrow::Cow;

static KIND: Kind =
    Kind { data_type: "podman:event", source_short: "PODMAN", source_long: "Podman event" };

/// One event, as texts; what is empty is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodmanEvent {
    /// `create`, `died`, `exec`, …
    pub status: String,
    /// `container`, `image`, `pod`, `volume`, `network`, `system`.
    pub of: Option<String>,
    /// Id.
    pub id: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Image of a container.
    pub image: Option<String>,
    /// Exit code of a process.
    pub exit_code: Option<i64>,
    /// Network that a container was connected to.
    pub network: Option<String>,
    /// Pod of a container.
    pub pod: Option<String>,
    /// What a health check found.
    pub health: Option<String>,
}

/// Where an event was recorded.
pub struct Place<'a> {
    /// In which file.
    pub file: &'a ArtifactFile,
    /// At which byte.
    pub offset: u64,
    /// When.
    pub instant: Instant,
    /// Whether it is what is left of an earlier use of the file.
    pub recovered: bool,
}

impl PodmanEvent {
    /// Tells it.
    pub fn report(&self, place: &Place<'_>, inventory: &Inventory, findings: &mut dyn Findings) {
        let of = self.of.as_deref().unwrap_or("container");
        let (action, meaning) = meaning(of, &self.status);
        let subject = self.subject(of, inventory);
        let words = self.words(of, &subject);
        let at = (place.instant, meaning);
        let mut event = Event::new(&place.file.origin, &KIND, &subject, at);
        event.position = Position::Offset(place.offset);
        event.action = action;
        event.text = (&words).into();
        event.exit_code = self.exit_code.filter(|_| matches!(action, "die" | "exec_die"));
        event.network_name = self.network.as_deref();
        event.volume_name = self.name.as_deref().filter(|_| of == "volume");
        let mut attributes = Attributes::default();
        attributes.text("event_type", Some(of));
        attributes.text("pod_identifier", self.pod.as_deref());
        attributes.text("health_status", self.health.as_deref());
        event.attributes = attributes.into_vec();
        if place.recovered {
            event.tags.push(Cow::Borrowed("recovered"));
        }
        inventory.mark_removed(&mut event);
        findings.event(&event);
    }

    fn subject(&self, of: &str, inventory: &Inventory) -> Subject {
        let name = self.name.clone();
        let Some(id) = self.id.as_deref() else {
            let image_name = name.filter(|_| of == "image");
            return Subject { image_name, ..Subject::UNKNOWN };
        };
        if of == "image" {
            let id =
                Digest::from_hex(id).map_or_else(|| id.to_owned(), |digest| digest.to_string());
            return Subject { image_name: name, ..inventory.image_subject(&id) };
        }
        if of != "container" {
            return Subject::UNKNOWN;
        }
        let known = inventory.container_subject(id);
        Subject {
            container_name: known.container_name.or(name),
            image_name: known.image_name.or_else(|| self.image.clone()),
            ..known
        }
    }

    fn words(&self, of: &str, subject: &Subject) -> String {
        let mut words = format!("Podman: {of} {}", self.status);
        if *subject == Subject::UNKNOWN {
            for text in [&self.name, &self.id] {
                words.extend(text.as_deref().map(|text| format!(" {text}")));
            }
        }
        words
    }
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
