//! What the databases of containerd say of containers, and of the names of images.

use super::targets::Named;
use super::{Claim, Container, Silent, TargetImages};
use crate::formats::bolt::{self, Database};
use crate::formats::containerd_db::{self, Class, Object, is_docker, shown_name};
use crate::inventory::runtime_risks;
use crate::{ContainerId, Digest};
use dockline_evidence::TreePath;
use std::collections::{BTreeMap, BTreeSet};

/// Labels by which clients name a container, the one that counts first.
const NAME_LABELS: [&str; 2] = ["nerdctl/name=", "io.kubernetes.container.name="];

/// Before the registry of a label that says where a content is known, with the repository as value.
const SOURCE_LABEL: &str = "containerd.io/distribution.source.";

/// What the databases of a host say.
#[derive(Default)]
pub(super) struct Known {
    pub(super) names: Vec<Named>,
    /// Names of snapshots, by root.
    pub(super) snapshots: BTreeMap<TreePath, BTreeSet<String>>,
    /// The registry and repository at which a content is known.
    pub(super) sources: BTreeMap<Digest, String>,
    containers: BTreeMap<ContainerId, Container>,
    /// Containers of Docker that no other store describes: containerd knows those that run, and
    /// says nothing of the rest.
    pub(super) running: BTreeSet<ContainerId>,
}

/// Reads the databases among `claims`.
pub(super) fn read(claims: &[Claim]) -> Known {
    let mut known = Known::default();
    for (_, artifact) in claims.iter().filter(|(parser, _)| *parser == "containerd.metadata") {
        for file in &artifact.files {
            let limit = bolt::FILE_LIMIT;
            let Some(bytes) = artifact.read_up_to(file, limit, &mut Silent) else { continue };
            let Ok(database) = Database::open(&bytes) else { continue };
            let current = containerd_db::current(&database);
            let snapshots = known.snapshots.entry(artifact.root.clone()).or_default();
            for object in current.iter().flat_map(|current| &current.objects) {
                if object.class == Class::Snapshot {
                    snapshots.extend(object.text("name"));
                }
            }
            for object in current.iter().flat_map(|current| &current.objects) {
                known.add(object);
            }
        }
    }
    known
}

impl Known {
    fn add(&mut self, object: &Object<'_, '_>) {
        match object.class {
            Class::Image => self.names.extend(named(object)),
            Class::Blob => self.sources.extend(source(object)),
            Class::Container | Class::Sandbox => {
                let id = object.name.as_deref().and_then(ContainerId::of_containerd);
                let Some(id) = id else { return };
                if object.namespace.as_deref().is_some_and(is_docker) {
                    self.running.insert(id.clone());
                }
                let container = container(object);
                // Names of two namespaces may be equal: what differs is then not known.
                let known = self.containers.entry(id).or_insert_with(|| container.clone());
                if known.image_name != container.image_name {
                    known.image_name = None;
                }
            }
            _ => {}
        }
    }

    /// Adds the containers to those that other stores know, which say more of them.
    pub(super) fn add_containers(
        &mut self,
        containers: &mut BTreeMap<ContainerId, Container>,
        images: &TargetImages,
    ) {
        for (id, found) in std::mem::take(&mut self.containers) {
            let known = containers.entry(id.clone()).or_default();
            let is_new = !known.described;
            if !is_new {
                self.running.remove(&id);
            }
            known.described = true;
            known.name = known.name.take().or(found.name);
            known.image_name = known.image_name.take().or(found.image_name);
            if is_new {
                known.labels = found.labels;
                known.risks = found.risks;
            }
        }
        for container in containers.values_mut() {
            name_image(container, images);
        }
    }
}

fn source(object: &Object<'_, '_>) -> Option<(Digest, String)> {
    let digest = Digest::parse(object.name.as_deref()?)?;
    let labels = object.pairs("labels");
    let source = labels.iter().find_map(|label| label.strip_prefix(SOURCE_LABEL))?;
    Some((digest, source.replacen('=', "/", 1)))
}

fn named(object: &Object<'_, '_>) -> Option<Named> {
    let (namespace, name) = (object.namespace.clone()?, object.name.clone()?);
    Some(Named { namespace, name, target: object.target().0? })
}

fn container(object: &Object<'_, '_>) -> Container {
    let labels = object.pairs("labels");
    let name = NAME_LABELS.iter().find_map(|prefix| {
        labels.iter().find_map(|label| label.strip_prefix(prefix)).map(str::to_owned)
    });
    let image = object.text("image");
    let shown = image.map(|image| shown_name(object.namespace.as_deref(), &image).to_owned());
    let spec = object.spec().ok().flatten();
    let spec = match object.cri_metadata() {
        Some(cri) => cri.completed(spec),
        None => spec.unwrap_or_default(),
    };
    let risks = runtime_risks(&spec.config, &spec.host_config);
    Container { name, image_name: shown, labels, risks, described: true, ..Container::default() }
}

/// Gives a container of Engine 29 the tag of its image where it has none but an id, and one of
/// another client the id of the image that its name stands for.
fn name_image(container: &mut Container, images: &TargetImages) {
    let known = container.image_id.as_ref().and_then(|id| images.images.get(id));
    let is_id = container.image_name.as_deref().is_none_or(super::containers::is_image_id);
    if let Some(tag) = known.and_then(|image| image.tags.first()).filter(|_| is_id) {
        container.image_name = Some(tag.clone());
    }
    if let (None, Some(name)) = (&container.image_id, &container.image_name) {
        let mut of_name = images.images.iter().filter(|(_, image)| image.tags.contains(name));
        container.image_id = of_name.next().map(|(id, _)| id.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::TargetImage;

    #[test]
    fn a_container_has_the_tag_of_its_image_and_an_image_the_id_of_its_tag() {
        let image = TargetImage { tags: vec!["web:1".to_owned()], ..TargetImage::default() };
        let id = format!("sha256:{}", "a".repeat(64));
        let images = BTreeMap::from([(id.clone(), image)]);
        let images = TargetImages { images, ..TargetImages::default() };
        let named = |name: Option<&str>, image: Option<&str>| {
            let mut container = Container {
                image_name: name.map(str::to_owned),
                image_id: image.map(str::to_owned),
                ..Container::default()
            };
            name_image(&mut container, &images);
            (container.image_name, container.image_id)
        };
        let both = (Some("web:1".to_owned()), Some(id.clone()));
        assert_eq!(named(None, Some(&id)), both);
        assert_eq!(named(Some("aaaaaaaaaaaa"), Some(&id)), both);
        assert_eq!(named(Some("web:1"), None), both);
        let other = (Some("other:1".to_owned()), Some(id.clone()));
        assert_eq!(named(Some("other:1"), Some(&id)), other, "what the user typed stays");
        assert_eq!(named(None, None), (None, None));
    }
}
