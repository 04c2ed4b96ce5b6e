//! Events of `config.json`: the container was created, and last started.

use super::CONTAINER;
use crate::ArtifactFile;
use crate::formats::attributes::Attributes;
use crate::formats::json::{Fields, Wrong};
use crate::formats::runtime_spec::RuntimeSpec;
use crate::inventory::{Risk, runtime_risks};
use dockline_timeline::{Confidence, Event, Findings, Instant, Meaning, Position, Subject};
use serde_json::Value as Json;
use std::borrow::Cow;

const CREATED: &str = "io.kubernetes.cri-o.Created";

/// A specification and what its annotations say.
pub(super) struct Specification {
    spec: RuntimeSpec,
    created: Option<Instant>,
    image: Option<String>,
    pod: Option<String>,
    namespace: Option<String>,
}

impl Specification {
    pub(super) fn read(document: &Json, wrong: &Wrong) -> Specification {
        let fields = Fields::new(document, wrong);
        let annotations = fields.object("annotations");
        let is_privileged = annotations.text("io.kubernetes.cri-o.PrivilegedRuntime");
        let privileged = is_privileged.as_deref() == Some("true");
        Specification {
            spec: RuntimeSpec::read(&fields, privileged),
            created: annotations.instant(CREATED),
            image: annotations.text("io.kubernetes.cri-o.ImageName"),
            pod: annotations.text("io.kubernetes.pod.name"),
            namespace: annotations.text("io.kubernetes.pod.namespace"),
        }
    }

    pub(super) fn report(
        &self,
        (file, mut subject): (&ArtifactFile, Subject),
        modified: Option<Instant>,
        findings: &mut dyn Findings,
    ) {
        subject.image_name = subject.image_name.or_else(|| self.image.clone());
        let RuntimeSpec { config, host_config, .. } = &self.spec;
        let (risks, command) = (runtime_risks(config, host_config), config.command_line());
        if let Some(created) = self.created {
            let mut event =
                Event::new(&file.origin, &CONTAINER, &subject, (created, Meaning::Creation));
            event.position = Position::Key(CREATED);
            event.action = "create";
            event.text = "container created, as its runtime was told".into();
            event.command_line = command.as_deref();
            add_risks(&mut event, &risks);
            self.add_pod(&mut event);
            findings.event(&event);
        }
        if let Some(modified) = modified {
            let when = (modified, Meaning::ContentModification);
            let mut event = Event::new(&file.origin, &CONTAINER, &subject, when);
            event.confidence = Confidence::Filesystem;
            event.action = "start";
            event.text =
                "runtime specification last written: the container was last started".into();
            self.spec.describe(&command, &mut event);
            add_risks(&mut event, &risks);
            self.add_pod(&mut event);
            findings.event(&event);
        }
    }

    fn add_pod<'e>(&'e self, event: &mut Event<'e>) {
        let mut all = Attributes::default();
        all.text("pod_name", self.pod.as_deref());
        all.text("pod_namespace", self.namespace.as_deref());
        event.attributes.extend(all.into_vec());
    }
}

fn add_risks<'e>(event: &mut Event<'e>, risks: &'e [Risk]) {
    event.tags.extend(risks.iter().map(|risk| Cow::Borrowed(risk.name.as_str())));
    let mut all = Attributes::default();
    all.list("risks", risks.iter().map(Risk::to_string).collect());
    event.attributes.extend(all.into_vec());
}
