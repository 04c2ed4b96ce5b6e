//! Directories that are read as a whole, because the inventory of the host says what they are: the
//! writable layers of containers, the layers of images with what else is left of them, and what
//! containers mount.

use super::inventories::Inventories;
use super::{ClaimedFile, Subtree, Unclaimed};
use crate::inventory::{ImageLayer, WritableLayer};
use crate::{Inventory, Parser, files};
use dockline_evidence::{Tree, TreePath};
use dockline_timeline::{Issue, Place};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The directories of all hosts, as claims of the parsers that read them.
pub(super) fn claim(subtrees: &[Subtree], inventories: &Inventories) -> Vec<ClaimedFile> {
    let mut claimed = Vec::new();
    let mut known = BTreeSet::new();
    let subtree_of =
        |tree: &Arc<dyn Tree>| subtrees.iter().position(|subtree| Arc::ptr_eq(&subtree.tree, tree));
    for (host, inventory) in inventories.all() {
        for layer in &inventory.writable_layers.known {
            let Some(subtree) = subtree_of(&layer.tree) else { continue };
            for (path, captures) in directories(layer) {
                if known.insert((subtree, path.clone())) {
                    let (parser, host) = (&files::upper::PARSER, host.clone());
                    let root = path.clone();
                    claimed.push(ClaimedFile { parser, path, root, captures, host, subtree });
                }
            }
        }
        for (tree, path) in inventory.mounted_directories.all() {
            let Some(subtree) = subtree_of(tree) else { continue };
            if known.insert((subtree, path.clone())) {
                let (parser, host) = (&files::volume::PARSER, host.clone());
                let (path, root, captures) = (path.clone(), path.clone(), Vec::new());
                claimed.push(ClaimedFile { parser, path, root, captures, host, subtree });
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

/// Which layers of images are read, file by file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layers {
    /// None.
    None,
    /// Those that did not come from a registry: the others are files of their vendors.
    #[default]
    Built,
    /// All.
    All,
}

impl Layers {
    /// Why a layer is not read; `None` when it is.
    fn leaves_out(self, layer: &ImageLayer) -> Option<String> {
        match (self, &layer.registry) {
            (Layers::None, _) => Some("files of layers were not asked for".to_owned()),
            (Layers::Built, Some(why)) => Some(format!(
                "files of layer {} are those of its maker ({why}): --layers all tells them",
                layer.id
            )),
            _ => None,
        }
    }
}

/// The layers of images of all hosts, as claims, and those that are not wanted.
pub(super) fn claim_layers(
    subtrees: &[Subtree],
    inventories: &Inventories,
    layers: Layers,
) -> (Vec<ClaimedFile>, Vec<Unclaimed>) {
    let (mut claimed, mut left_out) = (Vec::new(), Vec::new());
    for (host, inventory) in inventories.all() {
        for layer in &inventory.image_layers.known {
            let is_its = |subtree: &Subtree| Arc::ptr_eq(&subtree.tree, &layer.tree);
            let index = subtrees.iter().position(is_its);
            let Some((index, path)) = index.zip(layer.source().cloned()) else { continue };
            let Some(subtree) = subtrees.get(index) else { continue };
            if let Some(why) = layers.leaves_out(layer) {
                let place = Place::file(&subtree.evidence, &subtree.shown(&path));
                left_out.push(Unclaimed { place, why });
                continue;
            }
            let (parser, host) = (&files::layer::PARSER, host.clone());
            let (root, captures) = (path.clone(), Vec::new());
            claimed.push(ClaimedFile { parser, path, root, captures, host, subtree: index });
        }
    }
    (claimed, left_out)
}
