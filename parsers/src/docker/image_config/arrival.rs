//! The event at which an image came to be on this host: the time of its file.

use super::{CONFIGURATION, ImageFile, list};
use crate::formats::image_config::Step;
use dockline_timeline::{Confidence, Event, Findings, Meaning, Value};
use std::borrow::Cow;

impl ImageFile<'_> {
    pub(super) fn arrival(&self, findings: &mut dyn Findings) {
        let metadata = self.artifact.metadata(self.file, findings);
        let Some(modified) = metadata.and_then(|metadata| metadata.modified) else { return };
        let timeless = self.steps_without_time();
        let store = self.store();
        let text = format!("image {} arrived on this host: {}", self.id.short(), self.whence());
        let at = (modified, Meaning::Added);
        let mut event = Event::new(&self.file.origin, &CONFIGURATION, &self.subject, at);
        event.confidence = Confidence::Filesystem;
        event.action = "store";
        event.text = (&text).into();
        event.size = Some(self.size);
        event.sha256_hash = self.genuine.then(|| self.id.hex());
        if !self.genuine {
            event.tags.push(Cow::from("digest-mismatch"));
        }
        event.attribute("image_tags", list(&self.known.tags));
        event.attribute("image_digests", list(&self.known.digests));
        if self.known.digests.is_empty() {
            event.tags.push(Cow::from("no-registry-digest"));
        }
        event.attribute("storage_driver", Some(Value::Text(store.driver.as_str().into())));
        event.attribute("history_without_time", list(&timeless));
        if self.config.created.is_none() {
            self.config.describe(&mut event);
        }
        findings.event(&event);
    }

    /// What tells how it came.
    fn whence(&self) -> String {
        let made_here = self.known.parent.is_some() || self.known.built_locally;
        match (self.known.digests.as_slice(), made_here) {
            ([], true) => "made here by a build or a commit".to_owned(),
            ([], false) => {
                "no registry's digest is known of it: made or loaded here, or pulled before engine 1.13"
                    .to_owned()
            }
            (digests, true) => format!("made here, and pushed as {}", digests.join(", ")),
            (digests, false) => format!("known to a registry as {}", digests.join(", ")),
        }
    }

    fn steps_without_time(&self) -> Vec<String> {
        let steps = self.config.history.iter().filter(|step| step.created.is_none());
        steps.map(Step::told).collect()
    }
}
