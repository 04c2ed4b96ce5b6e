//! What is left of earlier states in pages that the current one does not use.
//!
//! The root of the transaction before still stands in the other meta, and its pages are not used
//! again before the next one ends. Of older states there are single leaves. Which pages they name as
//! those of their buckets is no help: in the evidence at hand most of these hold something else now.

use super::walk::{Slot, Stored, Tree};
use std::collections::HashSet;

/// A fragment.
#[derive(Debug)]
pub(super) struct Found<'b> {
    pub(super) page: u64,
    pub(super) is_earlier_root: bool,
    pub(super) names: Vec<&'b [u8]>,
    pub(super) bucket: usize,
}

/// The name of a bucket, a key in it, and its value unless that is a bucket.
type Known<'b> = (Option<&'b [u8]>, &'b [u8], Option<&'b [u8]>);

/// Reads all fragments that hold something which is not repeated.
pub(super) fn find<'b>(tree: &mut Tree<'b>, earlier_root: Option<u64>) -> Vec<Found<'b>> {
    tree.begin_fragments();
    let earlier_root = earlier_root.filter(|page| tree.is_free(*page));
    if earlier_root.is_none() && tree.loose_leaves().is_empty() {
        return Vec::new();
    }
    let mut known = HashSet::new();
    tree.buckets().iter().for_each(|bucket| learn(bucket, &mut known));
    let mut found = Vec::new();
    let mut add = |tree: &mut Tree<'b>, page: u64, bucket: usize| {
        mark_repeated(tree, bucket, &mut known);
        if tree.records(bucket).iter().any(|record| !record.repeated) {
            let is_earlier_root = Some(page) == earlier_root;
            found.push(Found { page, is_earlier_root, names: Vec::new(), bucket });
        }
    };
    if let Some(page) = earlier_root {
        let bucket = tree.read_earlier(page);
        add(tree, page, bucket);
    }
    for page in tree.loose_leaves() {
        let bucket = tree.read_loose_leaf(page);
        add(tree, page, bucket);
    }
    found.iter_mut().for_each(|found| found.names = tree.names_of(found.page));
    found
}

/// Remembers the records of a bucket, under its name and, for fragments without one, under none.
fn learn<'b>(bucket: &Stored<'b>, known: &mut HashSet<Known<'b>>) {
    for record in &bucket.records {
        let value = value_of(&record.slot);
        known.insert((bucket.name, record.key, value));
        known.insert((None, record.key, value));
    }
}

fn value_of<'b>(slot: &Slot<'b>) -> Option<&'b [u8]> {
    match slot {
        Slot::Value(value) => Some(value),
        Slot::Bucket(_) => None,
    }
}

/// Marks what is known already in the buckets from `first` on, and learns the rest.
fn mark_repeated<'b>(tree: &mut Tree<'b>, first: usize, known: &mut HashSet<Known<'b>>) {
    let Some(added) = tree.buckets().get_mut(first..) else { return };
    for bucket in added.iter_mut() {
        for record in &mut bucket.records {
            record.repeated = known.contains(&(bucket.name, record.key, value_of(&record.slot)));
        }
    }
    added.iter().for_each(|bucket| learn(bucket, known));
    // A bucket stands behind the one that it is in: from the end, what is in it is marked before.
    let mut wholly = vec![true; added.len()];
    for (place, bucket) in added.iter_mut().enumerate().rev() {
        for record in &mut bucket.records {
            if let Slot::Bucket(inner) = record.slot {
                let inner = inner.checked_sub(first).and_then(|inner| wholly.get(inner));
                record.repeated &= inner.copied().unwrap_or(true);
            }
        }
        if let Some(whole) = wholly.get_mut(place) {
            *whole = bucket.records.iter().all(|record| record.repeated);
        }
    }
}
