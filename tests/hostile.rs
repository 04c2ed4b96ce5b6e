//! No fixture, cut at any length or with any byte flipped, makes a parser panic or hang.
//!
//! The evidence was written by an attacker; the engine's own crash also leaves torn files.

use crate::case::{Case, run};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A file up to this long is mutated at every byte, if its case is small, too.
const EVERY_BYTE: usize = 4_096;
/// Another at its first and last bytes, and at places between them until so much was read: each
/// time the whole case is.
const BYTES_READ: usize = 1 << 20;
const ENDS: usize = 16;

/// The places of a file at which it is mutated, in a case of so many bytes.
fn places(length: usize, of_case: usize) -> Vec<usize> {
    if length <= 2 * ENDS || (length <= EVERY_BYTE && length * of_case <= BYTES_READ) {
        return (0..length).collect();
    }
    let step = (length * of_case).div_ceil(BYTES_READ).max(1);
    let middle = (ENDS..length - ENDS).step_by(step);
    (0..ENDS).chain(middle).chain(length - ENDS..length).collect()
}

fn sweep(mutate: impl Fn(&[u8], usize) -> Vec<u8> + Sync) {
    let cases = Case::all();
    let mut work = Vec::new();
    for case in &cases {
        let of_case = case.files.values().map(|(content, _)| content.len()).sum();
        for (path, (content, _)) in &case.files {
            work.extend(places(content.len(), of_case).into_iter().map(|at| (case, path, at)));
        }
    }
    assert!(work.len() > 1_000, "there is too little to sweep: {}", work.len());
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((case, path, at)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (content, modified) = &case.files[*path];
                    let tree = case.tree().with_file(path, mutate(content, *at), *modified);
                    // Every parser reads it: a mutated file is also evidence for its neighbours.
                    let outcome = run(tree, &|_| true);
                    for line in outcome.events {
                        assert!(line.starts_with("{\"datetime\":\""), "{}: {line}", case.name());
                    }
                }
            });
        }
    });
}

#[test]
fn a_fixture_cut_at_any_length_gives_events_and_issues() {
    sweep(|content, at| content[..at].to_vec());
}

#[test]
fn a_fixture_with_any_byte_flipped_gives_events_and_issues() {
    sweep(|content, at| {
        let mut flipped = content.to_vec();
        // Each bit in turn over the file, so that letters, digits, quotes and braces all change.
        flipped[at] ^= 1 << (at % 8);
        flipped
    });
}
