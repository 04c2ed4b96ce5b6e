//! `metadata.db` of a snapshotter of containerd: a BoltDB with one bucket for each snapshot.
//!
//! `v1/snapshots/<name>` holds `id` (a number, which names the directory), `kind`, `parent`,
//! `createdat`, `updatedat`, and of committed ones `size` and `inodes`. A name is
//! `<namespace>/<number>/<key>`, the same that `meta.db` has as `name` of the key's snapshot.
//! `v1/parents` says the same as `parent`, and is not read. After containerd 2.1
//! `core/snapshots/storage/{bolt,metastore}.go`.

use super::bolt::{Bucket, Content, Database};
use super::go_time::{self, GoTimeError};
use super::protobuf;
use dockline_timeline::Instant;

/// What a snapshot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotKind {
    /// Read only, on top of committed ones.
    View,
    /// Can be written: that of a container.
    Active,
    /// Done: a layer of an image.
    Committed,
    /// None that is known.
    Unknown,
}

impl SnapshotKind {
    /// In a word, as containerd says it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            SnapshotKind::View => "view",
            SnapshotKind::Active => "active",
            SnapshotKind::Committed => "committed",
            SnapshotKind::Unknown => "unknown",
        }
    }
}

/// A snapshot.
#[derive(Clone, Debug)]
pub struct Record<'d, 'b> {
    /// `<namespace>/<number>/<key>`; of a free page, as far as it is known.
    pub name: Option<String>,
    /// The number that names its directory.
    pub number: Option<u64>,
    /// What it is.
    pub kind: SnapshotKind,
    /// Name of the one below.
    pub parent: Option<String>,
    /// Bytes in it, when it is committed.
    pub size: Option<i64>,
    /// Files in it, when it is committed.
    pub inodes: Option<i64>,
    /// `name=value`.
    pub labels: Vec<String>,
    /// The free page in which it was found.
    pub page: Option<u64>,
    bucket: Bucket<'d, 'b>,
}

/// The current snapshots; `None` when this is no database of a snapshotter.
#[must_use]
pub fn current<'d, 'b>(database: &'d Database<'b>) -> Option<Vec<Record<'d, 'b>>> {
    let list = database.root().at(&["v1", "snapshots"]);
    let empty = || database.root().bucket("v1").filter(|v1| v1.is_empty());
    let list = list.or_else(empty)?;
    Some(list.buckets().map(|(entry, bucket)| Record::new(Some(entry.key), bucket, None)).collect())
}

/// What free pages hold that the current state does not.
#[must_use]
pub fn recovered<'d, 'b>(database: &'d Database<'b>) -> Vec<Record<'d, 'b>> {
    let mut found = Vec::new();
    for fragment in database.fragments() {
        let page = Some(fragment.page);
        let lists = if fragment.is_earlier_root {
            fragment.bucket.at(&["v1", "snapshots"])
        } else {
            Some(fragment.bucket)
        };
        let Some(list) = lists else { continue };
        if is_snapshot(list) {
            let name = match fragment.names {
                [name] => Some(*name),
                _ => None,
            };
            found.extend(is_new(list).then(|| Record::new(name, list, page)));
            continue;
        }
        let inner =
            list.buckets().filter(|(entry, bucket)| !entry.repeated && is_snapshot(*bucket));
        let inner = inner.filter(|(_, bucket)| is_new(*bucket));
        found.extend(inner.map(|(entry, bucket)| Record::new(Some(entry.key), bucket, page)));
    }
    found
}

fn is_snapshot(bucket: Bucket<'_, '_>) -> bool {
    ["id", "kind", "createdat"].iter().all(|key| bucket.get(key).is_some())
}

fn is_new(bucket: Bucket<'_, '_>) -> bool {
    bucket.find(b"createdat").is_some_and(|entry| !entry.repeated)
}

impl<'d, 'b> Record<'d, 'b> {
    fn new(name: Option<&[u8]>, bucket: Bucket<'d, 'b>, page: Option<u64>) -> Record<'d, 'b> {
        let text = |key: &str| bucket.get(key).map(lossy).filter(|text| !text.is_empty());
        let signed = |key: &str| bucket.get(key).and_then(protobuf::zigzag);
        let kind = match bucket.get("kind") {
            Some([1]) => SnapshotKind::View,
            Some([2]) => SnapshotKind::Active,
            Some([3]) => SnapshotKind::Committed,
            _ => SnapshotKind::Unknown,
        };
        let number = bucket.get("id").and_then(protobuf::varint).map(|(number, _)| number);
        Record {
            name: name.map(lossy),
            number,
            kind,
            parent: text("parent"),
            size: signed("size"),
            inodes: signed("inodes"),
            labels: labels(bucket),
            page,
            bucket,
        }
    }

    /// The namespace and the key of its name.
    #[must_use]
    pub fn namespace_and_key(&self) -> Option<(&str, &str)> {
        let (namespace, rest) = self.name.as_deref()?.split_once('/')?;
        Some((namespace, rest.split_once('/')?.1))
    }

    /// An instant of it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn instant(&self, key: &str) -> Result<Option<Instant>, GoTimeError> {
        self.bucket.get(key).map_or(Ok(None), go_time::parse)
    }
}

fn labels(bucket: Bucket<'_, '_>) -> Vec<String> {
    let labels = bucket.bucket("labels").into_iter().flat_map(Bucket::entries);
    let pair = |entry: super::bolt::Entry<'_, '_>| match entry.content {
        Content::Value(value) => Some(format!("{}={}", lossy(entry.key), lossy(value))),
        Content::Bucket(_) => None,
    };
    labels.filter_map(pair).collect()
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a real Engine 29.7.
    const REAL: &[u8] = include_bytes!(
        "../../../testdata/containerd.snapshots/engine-29.7/evidence/var/lib/docker/containerd/daemon/io.containerd.snapshotter.v1.overlayfs/metadata.db"
    );

    #[test]
    fn layers_are_committed_and_what_is_on_them_is_active() {
        let database = Database::open(REAL).unwrap();
        let records = current(&database).unwrap();
        let of = |kind: SnapshotKind| records.iter().filter(move |record| record.kind == kind);
        assert_eq!(of(SnapshotKind::Committed).count(), 48);
        assert_eq!(of(SnapshotKind::Active).count(), 32);
        assert!(of(SnapshotKind::Committed).all(|record| record.size.is_some()));
        assert!(of(SnapshotKind::Active).all(|record| record.size.is_none()));
        let names: Vec<&str> = records.iter().filter_map(|record| record.name.as_deref()).collect();
        let parents = records.iter().filter_map(|record| record.parent.as_deref());
        assert!(parents.into_iter().all(|parent| names.contains(&parent)));
        let numbers: std::collections::BTreeSet<_> = records.iter().map(|one| one.number).collect();
        assert_eq!((numbers.len(), numbers.contains(&None)), (80, false));
    }

    #[test]
    fn a_snapshot_that_is_gone_is_left_in_a_free_page() {
        let database = Database::open(REAL).unwrap();
        let recovered = recovered(&database);
        let [record] = recovered.as_slice() else { panic!("{recovered:?}") };
        assert!(record.page.is_some() && record.instant("createdat").unwrap().is_some());
        let (namespace, key) = record.namespace_and_key().unwrap();
        assert_eq!((namespace, key.is_empty()), ("moby", false));
    }
}
