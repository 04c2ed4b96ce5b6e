//! What is known of each image.

use super::Claim;
use std::collections::BTreeMap;

/// What is known of an image of a graph-driver store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// `name:tag`, ordered.
    pub tags: Vec<String>,
    /// `name@sha256:…`, ordered: proof that it was pulled from or pushed to a registry.
    pub digests: Vec<String>,
    /// Uncompressed layers, the base first, as `sha256:…`.
    pub diff_ids: Vec<String>,
}

/// Reads the images and their tags among `claims`.
pub(super) fn read(_claims: &[Claim]) -> BTreeMap<String, Image> {
    BTreeMap::new()
}
