//! What the fuzz targets share: an input is a list of changes to a stored image, or the content of
//! one file of a container engine.
//!
//! An image has to be almost right for its reader to go on, and inputs from nothing never are. So
//! the bytes that a reader reads on the way to all metadata are numbered, and an input says which of
//! them to change and to what.

#[path = "../../../evidence/tests/hostile/image.rs"]
mod image;
#[path = "../../../evidence/tests/hostile/visit.rs"]
mod visit;

use dockline_evidence::{MemoryTree, ReadAt};
use dockline_parsers::plan::{Reading, Subtree, plan};
use dockline_timeline::{Collected, Findings};
use image::{Damage, Image};
use std::sync::{Arc, OnceLock};
use visit::{Content, visit};

/// Most bytes that one change writes.
const LONGEST: usize = 16;

/// The stored images of one target.
pub struct Images {
    names: &'static [&'static str],
    loaded: OnceLock<Vec<Image>>,
}

impl Images {
    /// By their names in `testdata/evidence`.
    pub const fn new(names: &'static [&'static str]) -> Images {
        Images { names, loaded: OnceLock::new() }
    }

    /// Reads one of the images with the changes of an input: a byte that chooses it, a byte that
    /// cuts it, and then for each change four bytes of place, one of length, and what to write.
    pub fn read(&self, input: &[u8]) {
        let images = self.loaded.get_or_init(|| self.names.iter().map(|name| load(name)).collect());
        let [choice, cut, changes @ ..] = input else { return };
        let image = &images[usize::from(*choice) % images.len()];
        let damage = Damage { patches: patches(image, changes), cut: cut.saturating_sub(128) };
        visit(image.damaged(damage), Content::Read);
    }
}

fn load(name: &str) -> Image {
    Image::load(name, |bytes| {
        visit(bytes, Content::Leave);
    })
}

fn patches(image: &Image, mut changes: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let mut patches = Vec::new();
    while let [a, b, c, d, length, rest @ ..] = changes {
        let at = image.place(u64::from(u32::from_le_bytes([*a, *b, *c, *d])));
        let length = (usize::from(*length) % LONGEST + 1).min(rest.len());
        let (bytes, rest) = rest.split_at(length);
        patches.push((at, bytes.to_vec()));
        changes = rest;
    }
    patches
}

/// Reads an input as an archive or an image, whatever it seems to be.
pub fn read_as_evidence(input: &[u8]) {
    read(Arc::new(input.to_vec()));
}

/// Reads bytes as evidence.
pub fn read(bytes: Arc<dyn ReadAt>) {
    visit(bytes, Content::Read);
}

/// Reads an input as the content of one file of a data root, with all parsers.
pub fn read_as_file(path: &str, input: &[u8]) {
    let tree = MemoryTree::new().with_file(path, input, None);
    let subtree = Subtree {
        evidence: Arc::from("evidence"),
        host: Some(Arc::from("host")),
        fallback_host: Arc::from("host"),
        prefix: Arc::from(""),
        depth: 0,
        tree: Arc::new(tree),
    };
    let plan = plan(&[subtree], &|_| true, &Reading::default());
    let mut found = Collected::new();
    for job in plan.jobs() {
        found.job(job);
    }
    for line in found.lines {
        assert!(line.starts_with("{\"datetime\":\""), "{line}");
    }
}
