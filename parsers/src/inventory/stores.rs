//! Stores into which several parts of the inventory look: each is read once.

use super::{Claim, Silent};
use crate::formats::layer_store::{self, LayerStore};
use crate::formats::libpod_database::{self, Record};
use crate::{Artifact, ImageStore};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The layer stores of one data root of Docker.
pub(super) struct LayerStores<'a> {
    pub(super) artifact: &'a Artifact,
    pub(super) stores: BTreeMap<ImageStore, LayerStore<'a>>,
}

/// A database of libpod, with what was recovered of it.
pub(super) struct LibpodDatabase<'a> {
    pub(super) artifact: &'a Arc<Artifact>,
    pub(super) records: Vec<Record>,
}

/// The stores of a host.
pub(super) struct Stores<'a> {
    pub(super) layers: Vec<LayerStores<'a>>,
    pub(super) libpod: Vec<LibpodDatabase<'a>>,
}

impl Stores<'_> {
    /// Reads those among `claims`, in their order.
    pub(super) fn read(claims: &[Claim]) -> Stores<'_> {
        let of = |name| claims.iter().filter(move |(parser, _)| *parser == name);
        let layers = of("docker.layer").map(|(_, artifact)| LayerStores {
            artifact,
            stores: layer_store::read(artifact, &mut Silent),
        });
        let libpod = of("podman.database").map(|(_, artifact)| LibpodDatabase {
            artifact,
            records: libpod_database::read(artifact, &mut Silent).unwrap_or_default().records,
        });
        Stores { layers: layers.collect(), libpod: libpod.collect() }
    }
}
