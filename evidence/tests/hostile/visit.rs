//! Everything that a tree can be asked, asked of all that evidence holds.

use dockline_evidence::source::{Opening, assemble, open_bytes};
use dockline_evidence::{Descend, FileKind, ReadAt, Tree, TreePath, walk};
use std::sync::Arc;

/// Nodes of one tree that are looked at closely.
const LOOKED_AT: u64 = 500;
/// No image of a few megabytes holds this many: a walk that finds them goes in circles.
const NODES: u64 = 1_000_000;
/// Bytes read at each of several places of a file.
const PART: usize = 4_096;

/// Whether the content of files is read too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Read,
    Leave,
}

/// Opens evidence and asks for everything; returns how many nodes there were.
pub(crate) fn visit(bytes: Arc<dyn ReadAt>, content: Content) -> u64 {
    let Ok(source) = open_bytes(bytes, "image", &Opening::default()) else { return 0 };
    let mut sources = [source];
    assemble(&mut sources);
    let [source] = &sources;
    source.trees.iter().map(|tree| visit_tree(tree.tree.as_ref(), content)).sum()
}

fn visit_tree(tree: &dyn Tree, content: Content) -> u64 {
    let mut nodes = 0;
    let _ = tree.metadata(&TreePath::root());
    walk(
        tree,
        &mut |path, entry| {
            nodes += 1;
            assert!(nodes < NODES, "the walk does not end");
            if nodes < LOOKED_AT {
                look(tree, path, entry.kind, content);
            }
            Descend::Into
        },
        &mut |_, _| {},
    );
    nodes
}

fn look(tree: &dyn Tree, path: &TreePath, kind: FileKind, content: Content) {
    let _ = tree.metadata(path);
    let _ = tree.extended_attributes(path);
    let _ = tree.damage(path);
    let _ = tree.link_target(path);
    if kind != FileKind::Regular {
        return;
    }
    let Ok(file) = tree.open(path) else { return };
    if content == Content::Leave {
        return;
    }
    let mut buffer = vec![0; PART];
    let length = file.len();
    for at in [0, length / 2, length.saturating_sub(100), length, u64::MAX] {
        let count = file.read_at(at, &mut buffer).unwrap_or(0);
        assert!(count <= buffer.len());
        assert!(count as u64 <= length.saturating_sub(at), "more than there is at {at}");
    }
}
