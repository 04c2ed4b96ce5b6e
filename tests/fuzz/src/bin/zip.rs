//! A zip archive, and the content of all its members. Small, so that what a member inflates to is.
#![no_main]

use dockline_evidence::walk::{Descend, walk};
use dockline_evidence::zip::ZipTree;
use dockline_evidence::{Entry, ReadAt, Spool, Tree, TreePath};
use std::sync::Arc;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let bytes = Arc::new(input.to_vec());
    let opened = ZipTree::open(bytes, "20220709060409.zip", &Spool::default());
    let Ok((tree, _)) = opened else { return };
    let mut visit = |path: &TreePath, _: &Entry| {
        let _metadata = tree.metadata(path);
        let _local = tree.extended_attributes(path);
        let _target = tree.link_target(path);
        if let Ok(content) = tree.open(path) {
            let _read = content.read_at(content.len() / 2, &mut [0; 16]);
        }
        let _damage = tree.damage(path);
        Descend::Into
    };
    walk(&tree, &mut visit, &mut |_, _| {});
});
