//! What the stores of Podman say of containers and images.

use super::risk::{Case, Risk, judge};
use super::stores::{LibpodDatabase, Stores};
use super::{Claim, Container, Silent};
use crate::formats::config_v2::ConfigV2;
use crate::formats::containers_storage::{StoredContainer, StoredImage, image_identifier};
use crate::formats::host_config::HostConfig;
use crate::formats::json::{self, Fields, Wrong};
use crate::formats::libpod;
use crate::formats::libpod_database::What;
use crate::{Artifact, ArtifactFile, ContainerId};
use std::collections::BTreeMap;

/// Runtimes that Podman comes with.
const OWN_RUNTIMES: &[&str] = &["crun", "runc"];

/// What is known of an image in containers/storage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodmanImage {
    /// Names that it has, else those that it had.
    pub names: Vec<String>,
}

/// The images in containers/storage among `claims`, by id (`sha256:…`).
pub(super) fn images(claims: &[Claim]) -> BTreeMap<String, PodmanImage> {
    let mut images = BTreeMap::new();
    for image in rows(claims, "images.json", StoredImage::read) {
        let Some(id) = image.id.as_deref().map(image_identifier) else { continue };
        let names = if image.names.is_empty() { image.names_history } else { image.names };
        images.entry(id).or_insert(PodmanImage { names });
    }
    images
}

/// The risky settings of a container of which the engine keeps the runtime's specification,
/// ordered by name.
#[must_use]
pub fn runtime_risks(config: &ConfigV2, host_config: &HostConfig) -> Vec<Risk> {
    // What Podman comes with is not worth a word, as runc is not with Docker.
    let runtime = host_config.runtime.clone();
    let runtime = runtime.filter(|runtime| !OWN_RUNTIMES.contains(&runtime.as_str()));
    let host_config = HostConfig { runtime, ..host_config.clone() };
    judge(&Case {
        config,
        host_config: &host_config,
        remapped: false,
        cgroupns_private_elsewhere: false,
        volume_options: &|_| None,
    })
}

/// Adds what the stores of Podman say of containers: the databases more than the tables.
pub(super) fn add_containers(
    claims: &[Claim],
    stores: &Stores<'_>,
    containers: &mut BTreeMap<ContainerId, Container>,
) {
    stores.libpod.iter().for_each(|database| add_database(database, containers));
    add_tables(claims, containers);
}

/// What is there comes first: a removed container counts only where there is none of its id.
fn add_database(database: &LibpodDatabase<'_>, containers: &mut BTreeMap<ContainerId, Container>) {
    for record in database.records.iter().filter(|record| record.what == What::Container) {
        let Ok(document) = json::read(&record.json) else { continue };
        let found = libpod::Container::read(&document.value).0;
        let Some(id) = found.config.id.as_deref().and_then(ContainerId::parse) else { continue };
        let container = containers.entry(id).or_default();
        if container.name.is_none() {
            container.risks = runtime_risks(&found.config, &found.host_config);
            container.labels = found.config.settings.labels;
            container.name = found.config.name;
            container.image_name = found.config.settings.image;
            container.image_id = found.config.image_id.as_deref().map(image_identifier);
        }
        container.described |= record.recovered_from.is_none();
    }
}

fn add_tables(claims: &[Claim], containers: &mut BTreeMap<ContainerId, Container>) {
    for name in ["containers.json", "volatile-containers.json"] {
        for row in rows(claims, name, StoredContainer::read) {
            let Some(id) = row.id.as_deref().and_then(ContainerId::parse) else { continue };
            let container = containers.entry(id).or_default();
            container.described = true;
            let name = row.names.into_iter().next().or(row.metadata.name);
            container.name = container.name.take().or(name);
            container.image_name = container.image_name.take().or(row.metadata.image_name);
            let image = row.image.as_deref().map(image_identifier);
            container.image_id = container.image_id.take().or(image);
            container.described = true;
        }
    }
}

fn rows<Row>(claims: &[Claim], name: &str, read: fn(&Fields<'_>) -> Row) -> Vec<Row> {
    let files = claims
        .iter()
        .filter(|(parser, _)| *parser == "podman.storage")
        .flat_map(|(_, artifact)| artifact.files.iter().map(move |file| (artifact, file)));
    let named = files.filter(|(_, file)| file.path.file_name() == Some(name.as_bytes()));
    named.flat_map(|(artifact, file)| rows_of(artifact, file, read)).collect()
}

/// The rows of one table.
pub(super) fn rows_of<Row>(
    artifact: &Artifact,
    file: &ArtifactFile,
    read: fn(&Fields<'_>) -> Row,
) -> Vec<Row> {
    let document = artifact.read(file, &mut Silent).and_then(|bytes| json::read(&bytes).ok());
    let Some(document) = document else { return Vec::new() };
    let wrong = Wrong::default();
    Fields::of_list(&document.value, &wrong).iter().map(read).collect()
}
