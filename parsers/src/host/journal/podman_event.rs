//! Podman's own events, which it writes to the journal where there is one.

use super::{When, text};
use crate::formats::journal::Entry;
use crate::formats::podman_event::{Place, PodmanEvent};
use crate::{ArtifactFile, Inventory};
use dockline_timeline::{Findings, Instant};

/// Makes the event of an entry that has `PODMAN_EVENT`.
pub(super) fn tell(
    (file, entry): (&ArtifactFile, &Entry),
    when: When,
    inventory: &Inventory,
    findings: &mut dyn Findings,
) {
    let field = |name: &str| text(entry, name).map(str::to_owned);
    let event = PodmanEvent {
        status: field("PODMAN_EVENT").unwrap_or_default(),
        of: field("PODMAN_TYPE"),
        id: field("PODMAN_ID"),
        name: field("PODMAN_NAME"),
        image: field("PODMAN_IMAGE"),
        exit_code: text(entry, "PODMAN_EXIT_CODE").and_then(|code| code.parse().ok()),
        network: field("PODMAN_NETWORK_NAME"),
        pod: field("PODMAN_POD_ID"),
        health: field("PODMAN_HEALTH_STATUS"),
    };
    let own = text(entry, "PODMAN_TIME").and_then(|time| Instant::parse_rfc3339(time).ok()?);
    let instant = own.unwrap_or(when.instant);
    let place = Place { file, offset: entry.at, instant, recovered: entry.beyond_tail };
    event.report(&place, inventory, findings);
}
