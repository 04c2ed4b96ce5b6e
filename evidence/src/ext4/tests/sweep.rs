//! Anything changed: whatever the bytes, all questions come to an end, and soon.

use super::{Image, survey};
use std::sync::Arc;

/// Numbers that follow from a seed (xorshift).
struct Generator(u64);

impl Generator {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Values that lie at the edge of something.
const EDGES: [&[u8]; 8] = [
    &[0],
    &[0xff],
    &[0; 4],
    &[0xff; 4],
    &[0xff, 0xff, 0xff, 0x7f],
    &[0, 0, 0, 0x80],
    &[0xff; 8],
    &[1, 0, 0, 0],
];

#[test]
fn any_change_of_the_metadata_is_survived() {
    for (name, rounds) in
        [("ext4", 300), ("ext2", 300), ("csum-v3", 40), ("plain", 40), ("two-groups", 200)]
    {
        let image = Image::new(name);
        // What is zero is mostly free.
        let used: Vec<u64> =
            (0..).zip(image.bytes.iter()).filter(|(_, byte)| **byte != 0).map(|it| it.0).collect();
        let mut generator = Generator(0x9e37_79b9_7f4a_7c15);
        for _ in 0..rounds {
            let mut changed = image.clone();
            for _ in 0..=generator.below(4) {
                let at = used[generator.below(used.len() as u64) as usize];
                changed = match generator.below(2) {
                    0 => changed.with(at, EDGES[generator.below(8) as usize]),
                    _ => changed.with(at, &[generator.below(256) as u8]),
                };
            }
            if let Ok(found) = super::open(Arc::new(changed)) {
                survey(&*found.tree);
            }
        }
    }
}

#[test]
fn any_change_of_a_superblock_is_survived() {
    let image = Image::new("ext2");
    for at in 1024..1024 + 0x110 {
        for edge in EDGES {
            if let Ok(found) = super::open(Arc::new(image.with(at, edge))) {
                let _ = found.tree.list(&super::path(""));
                let _ = super::content(&*found.tree, "etc/hostname");
            }
        }
    }
}

#[test]
fn an_image_that_is_cut_anywhere_tells_so() {
    let image = Image::new("ext4");
    for size in (2048..image.bytes.len()).step_by(65_536) {
        let cut = Image { bytes: Arc::new(image.bytes[..size].to_vec()), changes: Vec::new() };
        let found = cut.open();
        let what = format!("the file system has 3145728 bytes, the volume {size}");
        assert!(super::flaws(&found).contains(&what), "{:?}", super::flaws(&found));
        survey(&*found.tree);
    }
}
