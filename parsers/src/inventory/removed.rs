//! Containers that are gone, but for traces of them.
//!
//! The primary store of an engine describes each container that exists: Docker's
//! `containers/<id>/config.v2.json`, containerd's `meta.db`, Podman's storage. Logs, layers, leases,
//! volumes, free pages and the messages of daemons outlive a container: an id that only they know
//! is that of a container which was removed.
//!
//! Nothing is concluded where no primary store is in the evidence: somebody who was given nothing
//! but logs was not told that their containers are gone. Of Docker's containers containerd knows
//! those that run and no others: its records alone are no primary store of them.

use super::{Claim, Container, Inventory};
use crate::{Artifact, ContainerId};
use dockline_evidence::FileKind;
use dockline_timeline::Event;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The tag of events of a container that no primary store describes.
pub const REMOVED_CONTAINER: &str = "removed-container";

impl Inventory {
    /// Whether a container's primary store would describe it, and does not: it was removed. False
    /// of what is not the full id of a container.
    #[must_use]
    pub fn is_removed(&self, id: &str) -> bool {
        let described = self.containers.get(id).is_some_and(|container| container.described);
        self.describes_containers && !described && ContainerId::parse(id).is_some()
    }

    /// Tags an event of a container that was removed: for all events of secondary stores.
    pub fn mark_removed(&self, event: &mut Event<'_>) {
        let id = event.subject.container_identifier.as_deref();
        if id.is_some_and(|id| self.is_removed(id)) {
            event.tags.push(Cow::from(REMOVED_CONTAINER));
        }
    }
}

/// Whether the evidence has a primary store: one that describes a container, or that is there and
/// empty because all are gone. Not one that describes only containers that `run`.
pub(super) fn has_primary_store(
    claims: &[Claim],
    containers: &BTreeMap<ContainerId, Container>,
    run: &BTreeSet<ContainerId>,
) -> bool {
    containers.iter().any(|(id, container)| container.described && !run.contains(id))
        || claims.iter().any(|(_, artifact)| holds_no_container(artifact))
}

/// Whether the data root has its directory of containers, with nothing in it.
fn holds_no_container(artifact: &Artifact) -> bool {
    let Some(directory) = artifact.root.join(b"containers") else { return false };
    let metadata = artifact.tree.metadata(&directory);
    metadata.is_ok_and(|metadata| metadata.kind == FileKind::Directory)
        && artifact.tree.list(&directory).is_ok_and(|entries| entries.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Reading, Subtree, plan};
    use dockline_evidence::MemoryTree;
    use dockline_timeline::{Instant, Kind, Meaning, Origin, Rank};
    use std::sync::Arc;

    const KEPT: &str = "0339c0ad8aad98690a592477f9d9562edaee545555494100fd52bbe59821409d";
    const GONE: &str = "2e722c80f77229493b25e0ebc072cd2601fdd153a86dbbd6efbbb2aaab078832";

    fn inventory(paths: &[&str]) -> Arc<Inventory> {
        inventory_of(MemoryTree::new(), paths)
    }

    fn inventory_of(tree: MemoryTree, paths: &[&str]) -> Arc<Inventory> {
        let tree = paths.iter().fold(tree, |tree, path| {
            tree.with_file(&path.replace("KEPT", KEPT).replace("GONE", GONE), "", None)
        });
        let subtree = Subtree {
            evidence: Arc::from("case"),
            host: None,
            fallback_host: Arc::from("host"),
            prefix: Arc::from(""),
            depth: 0,
            tree: Arc::new(tree),
        };
        plan(&[subtree], &|_| true, &Reading::default()).planned[0].inventory.clone()
    }

    fn tags(inventory: &Inventory, id: &str) -> Vec<String> {
        let kind = Kind { data_type: "a:b", source_short: "A", source_long: "a b" };
        let place = (Arc::from("host"), Arc::from("case"), Arc::from("/log"));
        let origin = Origin::new(place, "a.parser", Rank(0));
        let subject = inventory.container_subject(id);
        let at = (Instant::new(0, 0).unwrap(), Meaning::Recorded);
        let mut event = Event::new(&origin, &kind, &subject, at);
        inventory.mark_removed(&mut event);
        event.tags.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_container_of_which_only_a_log_is_left_was_removed() {
        let inventory =
            inventory(&["d/containers/KEPT/config.v2.json", "d/containers/GONE/GONE-json.log"]);
        assert_eq!(tags(&inventory, GONE), [REMOVED_CONTAINER]);
        assert_eq!(tags(&inventory, KEPT), [""; 0], "also when its description cannot be read");
    }

    #[test]
    fn a_container_that_no_file_names_was_removed() {
        let unheard_of = KEPT.replace('0', "f");
        let inventory = inventory(&["d/containers/KEPT/hostconfig.json"]);
        assert!(inventory.is_removed(&unheard_of));
        assert!(!inventory.is_removed(&unheard_of[..12]), "what is no full id may be any of them");
        assert!(!inventory.is_removed(KEPT));
    }

    #[test]
    fn a_store_that_is_there_and_empty_had_containers() {
        let empty = MemoryTree::new().with_node("d/containers", FileKind::Directory, b"");
        let paths = ["d/image/overlay2/layerdb/mounts/GONE/mount-id"];
        assert!(inventory_of(empty, &paths).is_removed(GONE));
    }

    #[test]
    fn that_containerd_runs_one_container_of_docker_says_nothing_of_others() {
        let id = ContainerId::parse(KEPT).unwrap();
        let described = Container { described: true, ..Container::default() };
        let containers = BTreeMap::from([(id.clone(), described)]);
        assert!(!has_primary_store(&[], &containers, &BTreeSet::from([id])));
        assert!(has_primary_store(&[], &containers, &BTreeSet::new()));
    }

    #[test]
    fn nothing_is_concluded_without_a_primary_store() {
        let log = "d/containers/GONE/GONE-json.log";
        let mount = "d/image/overlay2/layerdb/mounts/GONE/mount-id";
        for paths in [&[log] as &[&str], &[mount], &[log, mount]] {
            assert!(!inventory(paths).is_removed(GONE), "{paths:?}");
        }
    }
}
