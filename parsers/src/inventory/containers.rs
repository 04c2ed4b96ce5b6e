//! What is known of each container.

use super::{Claim, Image, Mount};
use crate::ContainerId;
use std::collections::BTreeMap;

/// How much a risky setting gives away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Hardening removed.
    Low,
    /// A big step towards the host.
    Medium,
    /// The host can be taken over directly.
    High,
}

/// A risky setting of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// What it is, such as `privileged` or `host-mount:/etc`.
    pub name: String,
    /// How much it gives away.
    pub severity: Severity,
}

/// What is known of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// Its name, without the leading `/`.
    pub name: Option<String>,
    /// The image as its user named it.
    pub image_name: Option<String>,
    /// The image's id.
    pub image_id: Option<String>,
    /// Labels as `key=value`, ordered.
    pub labels: Vec<String>,
    /// Risky settings, ordered by name.
    pub risks: Vec<Risk>,
}

/// Reads the configuration of every container among `claims`; adds those of which only other traces
/// are left.
pub(super) fn read(
    _claims: &[Claim],
    _images: &BTreeMap<String, Image>,
    _mounts: &[Mount],
) -> BTreeMap<ContainerId, Container> {
    BTreeMap::new()
}
