//! Files that look like an engine's and that nobody read: named in the report, with why.

use super::Subtree;
use crate::pattern::Pattern;
use crate::pattern_set::PatternSet;
use crate::{ArtifactFile, Inventory, Parser};
use dockline_evidence::{Source, TreePath};
use dockline_timeline::Place;

/// A file that looks relevant and was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclaimed {
    /// The file.
    pub place: Place,
    /// Why it was not read.
    pub why: String,
}

impl Unclaimed {
    /// A file whose parser was not selected.
    #[must_use]
    pub fn deselected(file: &ArtifactFile, parser: &Parser) -> Unclaimed {
        let place = file.origin.at(dockline_timeline::Position::File);
        Unclaimed { place, why: format!("{} was not selected", parser.name) }
    }

    /// What containers mount of their host, and is not read.
    pub fn mounts_of(inventory: &Inventory) -> impl Iterator<Item = Unclaimed> {
        let unread = inventory.mounted_directories.unread.iter();
        unread.map(|(place, why)| Unclaimed { place: place.clone(), why: why.clone() })
    }

    /// The parts of an evidence that hold nothing of containers.
    pub fn parts_of(source: &Source) -> impl Iterator<Item = Unclaimed> {
        source.skipped.iter().map(|skipped| Unclaimed {
            place: Place::file(&source.name, &skipped.prefix),
            why: skipped.why.clone(),
        })
    }
}

/// No reason: whoever reads the files of a layer reads this beside them.
const READ_WITH_ITS_LAYER: &str = "";

/// Stores of container engines that no parser reads, the first that matches counts.
const KNOWN: &[(&str, &str)] = &[
    ("containers/{container:id}/{file}", "no parser knows this file"),
    ("layerdb/sha256/{layer}/tar-split.json.gz", READ_WITH_ITS_LAYER),
    ("layerdb/sha256/{layer}/{file}", "no parser knows this file"),
    ("layerdb/mounts/{mount}/{file}", "no parser knows this file"),
    ("imagedb/metadata/sha256/{image}/{file}", "no parser knows this file"),
    ("imagedb/content/sha256/{file}", "not named by a digest"),
    ("graph/{image:id}/{file}", "says nothing that the image's json does not"),
    ("buildkit/snapshots.db", "holds no time: which layer a record of the build cache is"),
    (
        "io.containerd.content.v1.content/blobs/{algorithm}/{blob}",
        "contents that are not named by SHA-256 are not supported",
    ),
    ("io.containerd.content.v1.content/ingest/{ingest}/{file}", "no parser knows this file"),
    (
        "{driver}-containers/{container:id}/userdata/buildah.json",
        "what a build keeps of its working container is not supported",
    ),
    ("storage/artifacts/{file}", "OCI artifacts of Podman are not supported"),
    ("io.containerd.grpc.v1.cri/{kind}/{container:id}/{file}", "no parser knows this file"),
    (
        "io.containerd.runtime.v2.task/{namespace}/{container}/{file}",
        "of a bundle, the shim's own files are not supported",
    ),
    ("builder/fscache.db", "the cache of contexts of the classic builder is not supported"),
    (
        "buildkit/content/blobs/{algorithm}/{blob}",
        "what the record of a build points to is read with it; traces and the cache's layers are \
         not supported",
    ),
    (
        "nerdctl/{address}/containers/{namespace}/{container:id}/{file}",
        "nerdctl's own files are not supported; containerd's databases know its containers",
    ),
    ("nerdctl/{address}/names/{namespace}/{name}", "nerdctl's own files are not supported"),
    ("server/db/state.db", "the objects of K3s in SQLite (kine) are not supported"),
    ("server/db/etcd/member/snap/db", "the objects of a cluster in etcd are not supported"),
    ("var/lib/etcd/member/snap/db", "the objects of a cluster in etcd are not supported"),
];

/// [`KNOWN`], compiled.
pub(super) struct Known(PatternSet<&'static str>);

impl Known {
    pub(super) fn compile() -> Known {
        let compile = |(pattern, why): &(&'static str, &'static str)| {
            Some((Pattern::compile(pattern)?, *why))
        };
        Known(PatternSet::new(KNOWN.iter().filter_map(compile)))
    }

    /// Why `path` was not read, if it looks like an engine's.
    pub(super) fn explain(&mut self, path: &TreePath, subtree: &Subtree) -> Option<Unclaimed> {
        let (why, _) = self.0.first_match(path)?;
        if why == READ_WITH_ITS_LAYER {
            return None;
        }
        let place = Place::file(&subtree.evidence, &subtree.shown(path));
        Some(Unclaimed { place, why: why.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_store_is_named_by_a_pattern() {
        for (pattern, _) in KNOWN {
            assert!(Pattern::compile(pattern).is_some(), "{pattern}");
        }
    }
}
