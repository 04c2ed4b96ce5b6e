//! The event at which an image was made, by its maker's clock.

use super::{CONFIGURATION, ImageFile};
use crate::formats::image_config::{FIXED_DATE, ImageConfig, Maker, is_fixed_date};
use dockline_timeline::{Event, Findings, Meaning, Position, Subject};
use std::borrow::Cow;

impl ImageFile<'_> {
    pub(super) fn creation(&self, findings: &mut dyn Findings) {
        let Some(created) = self.config.created else { return };
        let maker = self.config.maker();
        let subject = self.subject_of(&maker);
        let fixed = is_fixed_date(created);
        let note = if fixed { FIXED_DATE } else { "" };
        let told = format!("{}{note}", told(&maker, &self.config, self.id.short()));
        let at = (created, Meaning::Creation);
        let mut event = Event::new(&self.file.origin, &CONFIGURATION, &subject, at);
        event.position = Position::Key("created");
        event.action = action(&maker);
        event.text = (&told).into();
        self.mark(&mut event);
        if fixed {
            event.tags.push(Cow::from("not-wall-clock"));
        }
        self.config.describe(&mut event);
        // An image that a registry knows may have been committed from a container of another host.
        if self.known.digests.is_empty() {
            self.inventory.mark_removed(&mut event);
        }
        findings.event(&event);
    }

    /// The image; with the container that it was committed from, whose story it belongs to.
    fn subject_of(&self, maker: &Maker) -> Subject {
        let Maker::Commit(container) = maker else { return self.subject.clone() };
        Subject {
            image_name: self.subject.image_name.clone(),
            image_identifier: self.subject.image_identifier.clone(),
            ..self.inventory.container_subject(container)
        }
    }
}

/// The engine's verb.
fn action(maker: &Maker) -> &'static str {
    match maker {
        Maker::Commit(_) => "commit",
        Maker::Import => "import",
        Maker::BuildKit | Maker::ClassicBuilder | Maker::Unknown => "build",
    }
}

fn told(maker: &Maker, config: &ImageConfig, id: &str) -> String {
    let engine = config.docker_version.as_deref().map(|version| format!(" (Docker {version})"));
    let engine = engine.unwrap_or_default();
    match maker {
        Maker::Commit(container) => {
            let container = container.get(..12).unwrap_or(container);
            format!("image {id} committed from container {container}{engine}")
        }
        Maker::Import => format!("image {id} imported from an archive{engine}"),
        Maker::BuildKit => format!("image {id} built by BuildKit{engine}"),
        Maker::ClassicBuilder => format!("image {id} built by the classic builder{engine}"),
        Maker::Unknown => format!("image {id} built"),
    }
}
