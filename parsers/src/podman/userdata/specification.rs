//! Events of `config.json`: the container was created, and last started.

use super::CONTAINER;
use crate::ArtifactFile;
use crate::formats::attributes::Attributes;
use crate::formats::json::{Fields, Wrong};
use crate::formats::libpod::Container;
use crate::formats::runtime_spec;
use crate::formats::secrets::names_of_secrets;
use crate::inventory::{Risk, podman_risks};
use dockline_timeline::{Confidence, Event, Findings, Instant, Meaning, Position, Subject};
use serde_json::Value as Json;
use std::borrow::Cow;

const CREATED: &str = "io.kubernetes.cri-o.Created";

/// A specification and what its annotations say.
pub(super) struct Specification {
    container: Container,
    created: Option<Instant>,
    annotations: Vec<String>,
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
        let (config, host_config) = runtime_spec::read(&fields, privileged);
        Specification {
            container: Container { config, host_config, ..Container::default() },
            created: annotations.instant(CREATED),
            image: annotations.text("io.kubernetes.cri-o.ImageName"),
            pod: annotations.text("io.kubernetes.pod.name"),
            namespace: annotations.text("io.kubernetes.pod.namespace"),
            annotations: annotations.pairs(),
        }
    }

    pub(super) fn report(
        &self,
        (file, mut subject): (&ArtifactFile, Subject),
        modified: Option<Instant>,
        findings: &mut dyn Findings,
    ) {
        subject.image_name = subject.image_name.or_else(|| self.image.clone());
        let (risks, command) =
            (podman_risks(&self.container), self.container.config.command_line());
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
            event.command_line = command.as_deref();
            event.user = self.container.config.settings.user.as_deref();
            add_risks(&mut event, &risks);
            self.describe(&mut event);
            self.add_pod(&mut event);
            findings.event(&event);
        }
    }

    fn describe<'e>(&'e self, event: &mut Event<'e>) {
        let Container { config, host_config, .. } = &self.container;
        event.attributes.extend(config.runtime_attributes());
        event.attributes.extend(host_config.attributes());
        let secrets = names_of_secrets(&config.settings.environment);
        event.tags.extend((!secrets.is_empty()).then_some(Cow::Borrowed("possible-secret")));
        let mut all = Attributes::default();
        all.list("possible_secrets", secrets);
        all.texts("annotations", &self.annotations);
        event.attributes.extend(all.into_vec());
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
