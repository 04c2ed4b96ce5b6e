//! The list of a layer's files: gzip as the engine writes it, or its records as they are.
#![no_main]

use dockline_evidence::walk::{Descend, walk};
use dockline_evidence::{Spool, Tree};
use dockline_parsers::formats::tar_split::TarSplit;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Ok(split) = TarSplit::read(&input.to_vec(), "list", &Spool::default()) else { return };
    let mut visit = |path: &dockline_evidence::TreePath, _: &dockline_evidence::Entry| {
        let _checksum = split.checksum(path);
        let _metadata = split.tree.metadata(path);
        let _target = split.tree.link_target(path);
        if let Ok(content) = split.tree.open(path) {
            let _read = content.read_at(0, &mut [0; 16]);
        }
        Descend::Into
    };
    walk(&*split.tree, &mut visit, &mut |_, _| {});
});
