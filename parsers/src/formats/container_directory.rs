//! The directory of one container: the files in it that explain each other.
//!
//! `containers/<id>/` holds `config.v2.json` (`config.json` before 1.10) and `hostconfig.json`,
//! which are written together; `volumes/<name>/opts.json` says what a volume really is.

use super::config_v2::ConfigV2;
use super::host_config::{HostConfig, VolumeOptions};
use super::json;
use crate::{Artifact, ArtifactFile, ContainerId};
use dockline_evidence::TreePath;

/// The configuration in the file at `path`; `None` when there is none that can be read.
#[must_use]
pub fn config_of(artifact: &Artifact, path: &TreePath) -> Option<ConfigV2> {
    let document = json::read(&artifact.read_beside(path)?).ok()?;
    Some(ConfigV2::from_json(&document.value).0)
}

/// The settings in the file at `path`; `None` when there are none that can be read.
#[must_use]
pub fn host_config_of(artifact: &Artifact, path: &TreePath) -> Option<HostConfig> {
    let document = json::read(&artifact.read_beside(path)?).ok()?;
    Some(HostConfig::from_json(&document.value).0)
}

/// The current configuration in the directory of `file`.
#[must_use]
pub fn config_beside(artifact: &Artifact, file: &ArtifactFile) -> Option<ConfigV2> {
    let directory = file.path.parent()?;
    let read = |name: &str| config_of(artifact, &directory.join(name.as_bytes())?);
    read("config.v2.json").or_else(|| read("config.json"))
}

/// The current settings in the directory of `file`.
#[must_use]
pub fn host_config_beside(artifact: &Artifact, file: &ArtifactFile) -> Option<HostConfig> {
    host_config_of(artifact, &file.path.parent()?.join(b"hostconfig.json")?)
}

/// The container that `file` belongs to: the one that its directory is named after, else the one
/// that the configuration names.
#[must_use]
pub fn container_id(file: &ArtifactFile, config: &ConfigV2) -> Option<ContainerId> {
    let named = file.capture("container").or(config.id.as_deref());
    named.and_then(ContainerId::parse)
}

/// The options of a volume of the driver `local`, if it has any.
#[must_use]
pub fn volume_options(artifact: &Artifact, volume: &str) -> Option<VolumeOptions> {
    let directory = artifact.root.join(b"volumes")?.join(volume.as_bytes())?;
    let document = json::read(&artifact.read_beside(&directory.join(b"opts.json")?)?).ok()?;
    Some(VolumeOptions::from_opts_json(&document.value))
}
