//! Buckets of earlier states of a database, each with what it may be called.

use crate::formats::bolt::{Bucket, Database};

/// A bucket in pages that are not in use.
pub(super) struct Loose<'b> {
    /// What it was called, as far as that is known.
    pub(super) names: Vec<&'b [u8]>,
    /// The page at the top of its fragment.
    pub(super) page: u64,
    /// Whether it belongs to the state before the last transaction.
    pub(super) is_earlier: bool,
    pub(super) bucket: Bucket<'b, 'b>,
}

/// All of them, with those that lie in others.
pub(super) fn all<'b>(database: &'b Database<'b>) -> Vec<Loose<'b>> {
    let mut found = Vec::new();
    for fragment in database.fragments() {
        let mut open = vec![(fragment.names.to_vec(), fragment.bucket)];
        while let Some((names, bucket)) = open.pop() {
            open.extend(bucket.buckets().map(|(entry, below)| (vec![entry.key], below)));
            let (page, is_earlier) = (fragment.page, fragment.is_earlier_root);
            found.push(Loose { names, page, is_earlier, bucket });
        }
    }
    found
}

impl Loose<'_> {
    /// The only one of its names that can be an id of BuildKit.
    pub(super) fn id(&self) -> Option<String> {
        let mut ids = self.names.iter().filter(|name| is_id(name));
        let id = ids.next()?;
        ids.next().is_none().then(|| super::text(id))
    }
}

/// Whether these are 25 digits and lower-case letters, as BuildKit names records and builds.
pub(super) fn is_id(name: &[u8]) -> bool {
    name.len() == 25 && name.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
}
