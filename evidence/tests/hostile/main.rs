//! No stored image, cut at any length or changed where its readers look, makes one of them panic,
//! hang or go in circles.
//!
//! `tests/fuzz` does the same for hours, guided by what code was reached.

mod image;
mod visit;

use image::{Damage, Image};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use visit::{Content, visit};

/// Changed images per stored one, so that all take seconds.
const CHANGES: u64 = 150;

/// No image of a few megabytes takes this long, even where tests are slow.
const LONGEST: Duration = Duration::from_secs(20);

const IMAGES: &[&str] = &[
    "images/ext2.zst",
    "images/ext4.zst",
    "images/ext4-no-checksums.zst",
    "images/xfs4.zst",
    "images/xfs5.zst",
    "images/vhdx.zst",
    "images/vhd.zst",
    "images/vmdk-sparse.zst",
    "images/vmdk-stream.zst",
    "images/qcow2-zlib.zst",
    "images/qcow2-zstd.zst",
    "images/ewf.zst",
    "xfs/dirty.img.zst",
    "ntfs/volume.raw.zst",
    "vhdx/dirty.vhdx.zst",
    "lvm2/pv1.raw.zst",
    "partitions/gpt.raw.zst",
    "partitions/gpt4k.raw.zst",
    "partitions/mbr.raw.zst",
    "gnu-tar/posix.tar.zst",
];

/// The same numbers in every run.
fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// A few bytes, or a number that is far too large, somewhere.
fn patch(image: &Image, seed: &mut u64) -> (u64, Vec<u8>) {
    let at = image.place(random(seed));
    let bytes = match random(seed) % 4 {
        0 => vec![image.byte(at) ^ (1 << (random(seed) % 8))],
        1 => vec![0xff; 1 << (random(seed) % 4)],
        2 => vec![0; 1 << (random(seed) % 4)],
        _ => (0..1 << (random(seed) % 3)).map(|_| random(seed) as u8).collect(),
    };
    (at, bytes)
}

fn sweep(image: &Image, number: u64) {
    let mut seed = number;
    let cut = if number % 8 == 7 { random(&mut seed) as u8 } else { 0 };
    let patches: Vec<_> = (0..number % 5).map(|_| patch(image, &mut seed)).collect();
    let words = format!("{} with {patches:x?}, cut to {cut}/256", image.name);
    let begun = Instant::now();
    let visited = std::panic::catch_unwind(|| {
        visit(image.damaged(Damage { patches, cut }), Content::Read);
    });
    assert!(visited.is_ok(), "a panic: {words}");
    assert!(begun.elapsed() < LONGEST, "{:?}: {words}", begun.elapsed());
}

#[test]
fn no_damage_to_a_stored_image_is_more_than_an_issue() {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(name) = IMAGES.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let image = Image::load(name, |bytes| {
                        visit(bytes, Content::Leave);
                    });
                    for number in 0..CHANGES {
                        sweep(&image, number);
                    }
                }
            });
        }
    });
}

#[test]
fn every_stored_image_with_files_opens() {
    for name in IMAGES.iter().filter(|name| name.starts_with("images/")) {
        let mut nodes = 0;
        let image = Image::load(name, |bytes| nodes = visit(bytes, Content::Read));
        assert!(nodes > 200, "{}: {nodes} files", image.name);
        assert!(image.places() > 10_000, "{}: {} places", image.name, image.places());
    }
}
