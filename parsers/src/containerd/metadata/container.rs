//! Containers and sandboxes: what they run, and what they may do.

use super::Store;
use super::moment::{Told, path};
use crate::formats::containerd_db::{Class, Object, shown_name};
use crate::formats::cri_metadata::{self, CriMetadata};
use crate::formats::json::Place;
use crate::formats::pod_labels;
use crate::formats::runtime_spec::RuntimeSpec;
use crate::inventory::{Risk, runtime_risks};
use dockline_timeline::{Findings, IssueKind, Meaning, Position, Subject};

impl Store<'_> {
    pub(super) fn container(&self, object: &Object<'_, '_>, findings: &mut dyn Findings) -> Told {
        let spec = object.spec().unwrap_or_else(|what| {
            let path = path(object, "spec");
            let at = Position::Key(&path);
            findings.issue(self.file.issue(IssueKind::Malformed, at, what));
            None
        });
        let docker = Self::is_docker(object, spec.as_ref().and_then(|spec| spec.cgroup.as_deref()));
        let cri = self.cri_metadata(object, findings);
        let spec = match &cri {
            Some(cri) => Some(cri.completed(spec)),
            None => spec,
        };
        let image = object.text("image");
        let shown = image.as_deref().map(|name| shown_name(object.namespace.as_deref(), name));
        let mut told = Told::new(self.subject(object, shown), made(object.class, docker));
        told.inferred = docker;
        let risks = self.risks(object, spec.as_ref());
        told.tags = risks.iter().map(|risk| risk.name.clone()).collect();
        told.list("risks", risks.iter().map(Risk::to_string).collect());
        told.text("image_reference", shown.map(str::to_owned));
        told.text("snapshotter", object.text("snapshotter"));
        told.text("snapshot_key", object.text("snapshotKey"));
        told.text("sandbox_identifier", object.text("sandboxid"));
        let runtime = object.bucket.bucket("runtime").and_then(|runtime| runtime.get("name"));
        told.text("runtime", runtime.map(|name| String::from_utf8_lossy(name).into_owned()));
        told.list("container_extensions", object.keys_of("extensions"));
        told.attributes.extend(pod_labels::attributes(&object.pairs("labels")));
        told.spec = spec;
        told.cri = cri;
        told
    }

    /// What the plugin for Kubernetes keeps of it; an extension that is not read is named.
    fn cri_metadata(
        &self,
        object: &Object<'_, '_>,
        findings: &mut dyn Findings,
    ) -> Option<CriMetadata> {
        let mut found = None;
        for (name, any) in object.extensions() {
            let at = path(object, &format!("extensions/{name}"));
            if !cri_metadata::is_known(&name) {
                let what = "an extension that is not known";
                let at = Position::Key(&at);
                findings.issue(self.file.issue(IssueKind::Unsupported, at, what));
                continue;
            }
            match CriMetadata::read(any) {
                Ok((metadata, flaws)) => {
                    for flaw in flaws {
                        let at = match &flaw.at {
                            Place::Key(key) => format!("{at}/{key}"),
                            Place::Offset(_) => at.clone(),
                        };
                        let at = Position::Key(&at);
                        findings.issue(self.file.issue(flaw.kind, at, flaw.what));
                    }
                    found = found.or(Some(metadata));
                }
                Err((kind, what)) => {
                    findings.issue(self.file.issue(kind, Position::Key(&at), what));
                }
            }
        }
        found
    }

    fn subject(&self, object: &Object<'_, '_>, image: Option<&str>) -> Subject {
        let mut subject = match object.name.as_deref() {
            Some(id) => self.inventory.container_subject(id),
            None => Subject::UNKNOWN,
        };
        subject.image_name = subject.image_name.or_else(|| image.map(str::to_owned));
        subject
    }

    /// The risks that the inventory knows of the container; of one that it does not know, those of
    /// the runtime's configuration.
    fn risks(&self, object: &Object<'_, '_>, spec: Option<&RuntimeSpec>) -> Vec<Risk> {
        let known = object.name.as_deref().and_then(|id| self.inventory.containers.get(id));
        match (known.filter(|known| known.described), spec) {
            (Some(known), _) => known.risks.clone(),
            (None, Some(spec)) => runtime_risks(&spec.config, &spec.host_config),
            (None, None) => Vec::new(),
        }
    }
}

fn made(class: Class, docker: bool) -> (Meaning, &'static str, String) {
    match (class, docker) {
        (Class::Sandbox, _) => (Meaning::Creation, "create", "pod sandbox created".to_owned()),
        (_, true) => {
            let text = "container started: Docker wrote its record in containerd, which it does at \
                        each start";
            (Meaning::Start, "start", text.to_owned())
        }
        (_, false) => (Meaning::Creation, "create", "container created".to_owned()),
    }
}
