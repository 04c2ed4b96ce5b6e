//! Events of `layerdb/mounts`: the writable layers of containers.

use super::{Store, WRITABLE};
use crate::ArtifactFile;
use crate::formats::layer_store::MountFiles;
use dockline_timeline::{Confidence, Event, Findings, Meaning, Value};

impl Store<'_> {
    pub(super) fn writable(&self, findings: &mut dyn Findings) {
        for (container, mount) in &self.files.mounts {
            if let Some(file) = mount.file {
                self.made(container, (mount, file), findings);
            }
        }
    }

    fn made(
        &self,
        container: &str,
        (mount, file): (&MountFiles<'_>, &ArtifactFile),
        findings: &mut dyn Findings,
    ) {
        let Some(modified) = self.modified(file, findings) else { return };
        let subject = self.inventory.container_subject(container);
        let text = format!("writable layer of the container made {}", self.below(mount));
        let at = (modified, Meaning::Creation);
        let mut event = Event::new(&file.origin, &WRITABLE, &subject, at);
        event.confidence = Confidence::Filesystem;
        event.action = "create";
        event.text = (&text).into();
        event.layer_identifier = mount.parent.as_ref().map(|chain| chain.0.as_str());
        self.add_driver(&mut event);
        let directory = mount.mount_id.as_deref();
        event.attribute("layer_directory", directory.map(|name| Value::Text(name.into())));
        let init = mount.init_id.as_deref();
        event.attribute("init_directory", init.map(|name| Value::Text(name.into())));
        self.inventory.mark_removed(&mut event);
        findings.event(&event);
    }

    fn below(&self, mount: &MountFiles<'_>) -> String {
        match &mount.parent {
            Some(parent) if self.files.layers.contains_key(parent) => {
                format!("on layer {}", parent.0.short())
            }
            Some(parent) => {
                format!("on layer {}, which layerdb does not have", parent.0.short())
            }
            None => "on nothing, or on a layer that cannot be read".to_owned(),
        }
    }
}
