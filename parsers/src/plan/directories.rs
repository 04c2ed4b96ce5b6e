//! Directories that are read as a whole, because the inventory of the host says what they are: the
//! writable layers of containers.

use super::{ClaimedFile, Subtree};
use crate::inventory::WritableLayer;
use crate::{Inventory, Parser, files};
use dockline_evidence::TreePath;
use dockline_timeline::Issue;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The directories of all hosts, as claims of the parsers that read them.
pub(super) fn claim(
    subtrees: &[Subtree],
    inventories: &BTreeMap<Arc<str>, Arc<Inventory>>,
) -> Vec<ClaimedFile> {
    let mut claimed = Vec::new();
    let mut known = BTreeSet::new();
    for (host, inventory) in inventories {
        for layer in &inventory.writable_layers.known {
            let index = subtrees.iter().position(|subtree| Arc::ptr_eq(&subtree.tree, &layer.tree));
            let Some(subtree) = index else { continue };
            for (path, captures) in directories(layer) {
                if known.insert((subtree, path.clone())) {
                    let (parser, host) = (&files::upper::PARSER, host.clone());
                    let root = path.clone();
                    claimed.push(ClaimedFile { parser, path, root, captures, host, subtree });
                }
            }
        }
    }
    claimed
}

/// The directory of a writable layer, and that of what the engine put below it.
fn directories(layer: &WritableLayer) -> Vec<(TreePath, Vec<(&'static str, String)>)> {
    let container = layer.container.as_ref().map(|id| ("container", id.to_string()));
    let captures: Vec<_> = container.into_iter().collect();
    let init = layer.below.iter().filter(|below| below.is_init);
    let init = init.filter(|below| layer.tree.metadata(&below.directory).is_ok());
    let init = init.map(|below| (below.directory.clone(), captures.clone()));
    std::iter::once((layer.directory.clone(), captures.clone())).chain(init).collect()
}

/// Writable layers that lie where they cannot be read.
pub(super) fn unsupported(inventory: &Inventory, selected: &dyn Fn(&Parser) -> bool) -> Vec<Issue> {
    if !selected(&files::upper::PARSER) {
        return Vec::new();
    }
    inventory.writable_layers.unsupported.clone()
}
