//! Layers: what a storage driver holds, where it came from, and who stands on it.
//!
//! | file below the data root | what it tells |
//! |---|---|
//! | `image/<driver>/layerdb/sha256/<chain id>/{diff,parent,cache-id,size}` | a read-only layer, the one below it, its directory |
//! | `…/layerdb/sha256/<chain id>-<random>-removing/` | a removal that was not finished |
//! | `…/layerdb/mounts/<container>/{mount-id,init-id,parent}` | the writable layer of a container |
//! | `…/distribution/diffid-by-digest/sha256/<digest>` | the layer that a compressed layer in a registry is here |
//! | `…/distribution/v2metadata-by-diffid/sha256/<diff id>` | registries it was pulled from and pushed to; survives the image |
//! | `overlay2/<directory>/{link,lower,committed}` | the directory itself, those below it, and when something was last put on it |
//!
//! After moby `layer/filestore.go`, `layer/layer_store.go`, `distribution/metadata`,
//! `daemon/graphdriver/overlay2/overlay.go` of 20.10.27 (29.7: below `daemon/internal`). None of
//! these files is ever rewritten, but for v2metadata and `committed`: their times are those of the
//! facts. A file gives one event at its time (v2metadata one for each transfer); `lower`, `parent`,
//! `cache-id`, `size`, `init-id` and `descriptor.json` give none: they are facts of the event of
//! `diff`, `mount-id` or `link` beside them.
//!
//! Checked: each chain id against the ids of its layers; each `lower` against the layers that
//! `layerdb` puts below.
//!
//! What is left of something that is gone is told by one more event, `inferred`, tagged `orphan`, at
//! the latest time at which it can have gone: the last change of the directory that held it; a
//! `committed` that matches no directory tells when something was made that is gone. Nothing is
//! concluded from a directory that is not in the evidence.
//!
//! Not supported: the list of files in `tar-split.json.gz` (reported as skipped), the directories of
//! other storage drivers than overlay2 and fuse-overlayfs (their `layerdb` is read all the same).

mod directory;
mod distribution;
mod orphan;
mod registered;
mod standing;
mod tests;
mod writable;

use crate::formats::layer_store::{self, LayerStore};
use crate::{Artifact, ArtifactFile, DiffId, Gather, ImageStore, Inventory, Parser};
use dockline_timeline::{Event, Findings, Instant, Kind, Value};
use standing::Standing;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The parser.
pub(super) static PARSER: Parser = Parser {
    name: "docker.layer",
    reads: &[
        "image/{driver}/layerdb/sha256/{chain:id}/diff",
        "image/{driver}/layerdb/sha256/{chain:id}/parent",
        "image/{driver}/layerdb/sha256/{chain:id}/cache-id",
        "image/{driver}/layerdb/sha256/{chain:id}/size",
        "image/{driver}/layerdb/sha256/{chain:id}/descriptor.json",
        "image/{driver}/layerdb/sha256/{removing}-removing/diff",
        "image/{driver}/layerdb/sha256/{removing}-removing/parent",
        "image/{driver}/layerdb/sha256/{removing}-removing/cache-id",
        "image/{driver}/layerdb/sha256/{removing}-removing/size",
        "image/{driver}/layerdb/mounts/{container:id}/mount-id",
        "image/{driver}/layerdb/mounts/{container:id}/init-id",
        "image/{driver}/layerdb/mounts/{container:id}/parent",
        "image/{driver}/distribution/diffid-by-digest/sha256/{digest:id}",
        "image/{driver}/distribution/v2metadata-by-diffid/sha256/{diff:id}",
        "overlay2/{directory}/link",
        "overlay2/{directory}/lower",
        "overlay2/{directory}/committed",
        "fuse-overlayfs/{directory}/link",
        "fuse-overlayfs/{directory}/lower",
        "fuse-overlayfs/{directory}/committed",
        "layerdb/sha256/{chain:id}/diff",
        "layerdb/sha256/{chain:id}/parent",
        "layerdb/sha256/{chain:id}/cache-id",
        "layerdb/sha256/{chain:id}/size",
        "layerdb/mounts/{container:id}/mount-id",
        "layerdb/mounts/{container:id}/init-id",
        "layerdb/mounts/{container:id}/parent",
        "distribution/diffid-by-digest/sha256/{digest:id}",
        "distribution/v2metadata-by-diffid/sha256/{diff:id}",
    ],
    gather: Gather::DataRoot,
    about: "layers of images and containers, where they came from and who stands on them",
    yields: "layer arrived, pulled, pushed, writable layer made, last use, what is left of removals",
    references: &[
        "moby 20.10.27 layer/filestore.go, layer/layer_store.go",
        "moby 20.10.27 distribution/metadata/v2_metadata_service.go",
        "moby 20.10.27 daemon/graphdriver/overlay2/overlay.go",
    ],
    parse,
};

const fn kind(data_type: &'static str, source_long: &'static str) -> Kind {
    Kind { data_type, source_short: "DOCKER", source_long }
}

static LAYER: Kind = kind("docker:layer:database", "Docker layer database");
static WRITABLE: Kind = kind("docker:container:layer", "Docker writable layer of a container");
static DISTRIBUTION: Kind = kind("docker:layer:distribution", "Docker layer distribution metadata");
static DIRECTORY: Kind = kind("docker:layer:directory", "Docker layer directory");

/// One image store that is being read.
struct Store<'a> {
    artifact: &'a Artifact,
    inventory: &'a Inventory,
    id: &'a ImageStore,
    files: &'a LayerStore<'a>,
    standing: Standing<'a>,
    /// `registry/repository@digest` that each layer came from or went to, the newest first.
    sources: BTreeMap<&'a DiffId, Vec<String>>,
}

fn parse(artifact: &Arc<Artifact>, inventory: &Arc<Inventory>, findings: &mut dyn Findings) {
    for (id, files) in &layer_store::read(artifact, findings) {
        let standing = Standing::new(id, files, inventory);
        let sources = BTreeMap::new();
        let mut store = Store { artifact, inventory, id, files, standing, sources };
        store.distribution(findings);
        store.registered(findings);
        store.writable(findings);
        store.directories(findings);
        store.orphans(findings);
    }
}

impl Store<'_> {
    /// When a file was last written.
    fn modified(&self, file: &ArtifactFile, findings: &mut dyn Findings) -> Option<Instant> {
        self.artifact.metadata(file, findings)?.modified
    }

    fn add_driver<'a>(&'a self, event: &mut Event<'a>) {
        event.attribute("storage_driver", Some(Value::Text(self.id.driver.as_str().into())));
    }
}
