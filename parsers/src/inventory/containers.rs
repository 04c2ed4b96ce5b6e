//! What is known of each container.

use super::risk::{Case, Risk, judge};
use super::{Claim, Image, Mount};
use crate::formats::config_v2::ConfigV2;
use crate::formats::container_directory::{self as directory, volume_options};
use crate::formats::host_config::HostConfig;
use crate::{Artifact, ArtifactFile, ChainId, ContainerId};
use dockline_evidence::TreePath;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A name stands in every event of a container, also in a million lines of its log; engines allow
/// fewer characters than this.
const NAME_LENGTH: usize = 512;

/// What is known of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// Its name, without the leading `/`.
    pub name: Option<String>,
    /// The image as its user named it; a tag of it when the user gave an id.
    pub image_name: Option<String>,
    /// The image's id.
    pub image_id: Option<String>,
    /// Labels as `key=value`, ordered.
    pub labels: Vec<String>,
    /// Risky settings, ordered by name.
    pub risks: Vec<Risk>,
    /// Whether a primary store of an engine describes it, be it readable or not; false when only
    /// other traces of it are left.
    pub described: bool,
}

/// The two files of a container that say what it is.
struct Description {
    artifact: Arc<Artifact>,
    id: ContainerId,
    config: ConfigV2,
    host_config: HostConfig,
}

/// Reads the configuration of every container among `claims`; adds those of which only other traces
/// are left.
///
/// Of two containers with one id (copies of one data root) the first in the order of paths counts.
pub(super) fn read(
    claims: &[Claim],
    images: &BTreeMap<String, Image>,
    mounts: &[Mount],
) -> BTreeMap<ContainerId, Container> {
    let descriptions: Vec<Description> = described(claims);
    let private = roots_with_private_cgroups(&descriptions);
    let mut containers = BTreeMap::new();
    for description in &descriptions {
        let private_elsewhere = private.contains(&description.artifact.root);
        containers
            .entry(description.id.clone())
            .or_insert_with(|| description.container(images, private_elsewhere));
    }
    for (_, artifact) in claims {
        let id = artifact.capture("container").and_then(ContainerId::parse);
        id.map(|id| containers.entry(id).or_default());
    }
    add_mounted(mounts, images, &mut containers);
    containers
}

/// Every container with a configuration: what is current first, then what interrupted writes left,
/// then settings of the host without a configuration.
fn described(claims: &[Claim]) -> Vec<Description> {
    let leftover = |artifact: &Artifact| artifact.capture("leftover").is_some();
    let of = |parser: &'static str, leftovers: bool| {
        claims
            .iter()
            .filter(move |(name, artifact)| *name == parser && leftover(artifact) == leftovers)
    };
    let order = of("docker.container_config", false)
        .chain(of("docker.container_config", true))
        .chain(of("docker.hostconfig", false));
    order.filter_map(|(parser, artifact)| describe(parser, artifact)).collect()
}

fn describe(parser: &str, artifact: &Arc<Artifact>) -> Option<Description> {
    let file: &ArtifactFile = artifact.files.first()?;
    let (config, host_config) = match parser {
        "docker.hostconfig" => (None, directory::host_config_of(artifact, &file.path)),
        _ => (
            directory::config_of(artifact, &file.path),
            directory::host_config_beside(artifact, file),
        ),
    };
    let config = config.unwrap_or_default();
    let id = directory::container_id(file, &config)?;
    let host_config = host_config.unwrap_or_default();
    Some(Description { artifact: artifact.clone(), id, config, host_config })
}

/// The data roots in which some container has its own cgroup namespace.
fn roots_with_private_cgroups(descriptions: &[Description]) -> BTreeSet<TreePath> {
    let private = descriptions
        .iter()
        .filter(|found| found.host_config.cgroupns_mode.as_deref() == Some("private"));
    private.map(|found| found.artifact.root.clone()).collect()
}

impl Description {
    fn container(&self, images: &BTreeMap<String, Image>, private_elsewhere: bool) -> Container {
        let config = &self.config;
        let case = Case {
            config,
            host_config: &self.host_config,
            remapped: is_remapped(&self.artifact.root),
            cgroupns_private_elsewhere: private_elsewhere,
            volume_options: &|name| volume_options(&self.artifact, name),
        };
        Container {
            name: config.name.as_deref().map(clipped),
            image_name: image_name(config, images),
            image_id: config.image_id.as_deref().map(clipped),
            labels: config.settings.labels.clone(),
            risks: judge(&case),
            described: true,
        }
    }
}

/// The image as the user named it; when that is an id or a digest, a tag of the image if it has one.
fn image_name(config: &ConfigV2, images: &BTreeMap<String, Image>) -> Option<String> {
    let typed = config.settings.image.as_deref();
    let id = config.image_id.as_deref();
    let tag = || images.get(id?)?.tags.first();
    match typed {
        Some(typed) if !is_image_id(typed) => Some(clipped(typed)),
        _ => tag().cloned().or_else(|| typed.map(clipped)),
    }
}

/// Whether somebody named an image by its id, or by the first digits of it.
pub(super) fn is_image_id(typed: &str) -> bool {
    let digits = typed.strip_prefix("sha256:").unwrap_or(typed);
    digits.len() >= 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn clipped(text: &str) -> String {
    text.chars().take(NAME_LENGTH).collect()
}

/// Whether this is the data root of an engine with remapped user ids: `<root>/<uid>.<gid>`.
fn is_remapped(root: &TreePath) -> bool {
    let name = root.file_name().and_then(|name| std::str::from_utf8(name).ok());
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.and_then(|name| name.split_once('.')).is_some_and(|(uid, gid)| number(uid) && number(gid))
}

/// Containers of which a writable layer is left; its parent tells the image, where only one image
/// has these layers.
fn add_mounted(
    mounts: &[Mount],
    images: &BTreeMap<String, Image>,
    containers: &mut BTreeMap<ContainerId, Container>,
) {
    let mut by_chain: BTreeMap<&ChainId, Vec<&String>> = BTreeMap::new();
    for (id, image) in images {
        if let Some(chain) = image.chain_ids.last() {
            by_chain.entry(chain).or_default().push(id);
        }
    }
    for mount in mounts {
        let Some(id) = ContainerId::parse(&mount.container_id) else { continue };
        let container = containers.entry(id).or_default();
        let candidates = mount.parent.as_ref().and_then(|chain| by_chain.get(chain));
        if let (None, Some([image])) = (&container.image_id, candidates.map(Vec::as_slice)) {
            container.image_id = Some((*image).clone());
            let tag = images.get(*image).and_then(|image| image.tags.first());
            container.image_name = container.image_name.take().or_else(|| tag.cloned());
        }
    }
}

#[cfg(test)]
mod tests;
